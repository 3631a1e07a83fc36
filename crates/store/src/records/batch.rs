//! A batch: records that are written together, in rounds.
//!
//! A round decides by the stored versions, checks references and natural keys, updates known rows under their locks and
//! inserts new ones. Records are left for another round if another worker was faster with their row, or if they wait
//! for a natural key that this round sets free.

use std::{borrow::Cow, collections::HashMap};

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    Accepted, Finding, Outcome,
    conflict::{ConflictKind, ConflictPolicy, Side},
    last_write_wins::{Decision, StoredVersion, Writer, decide},
};

use crate::{
    db::{connection::Db, error::StoreError},
    records::{
        batch_result::BatchResult,
        natural_keys::natural_keys_check,
        new_conflicts::{NewConflict, conflicts_insert},
        row_change::{RowWrite, has_two_sides, row_change},
        stored_version::{LockedRow, outcome_without_write, returns, rows_lock, stored_versions_read},
        table::{Table, WrittenRow},
        write::{rows_insert, rows_return, rows_update, versions_move},
        write_stamp::WriteStamp,
    },
    settings::conflict_policies::policy_of,
};

/// Rounds in which another worker was faster with some row. More of them are a quarrel, which the task's retry ends.
const RACE_LIMIT: u32 = 5;

/// Writes a batch. `stored` is what a read without locks has found a moment ago.
pub(super) async fn batch_apply<'a, T: Table>(
    table: &T,
    db: &mut Db,
    stamp: WriteStamp,
    records: &[&'a Accepted<T::Record>],
    stored: &HashMap<String, StoredVersion>,
) -> Result<BatchResult<'a, T>, StoreError> {
    let mut batch =
        Batch { table, stamp, open: records.to_vec(), result: BatchResult::new(records.len(), stamp.now) };
    let mut stored = Cow::Borrowed(stored);
    let (mut round, mut races) = (0, 0);
    while !batch.open.is_empty() {
        if races == RACE_LIMIT {
            return Err(StoreError::Contended);
        }
        if round > 0 {
            let source_ids = batch.open.iter().map(source_id_of::<T>).collect();
            stored = Cow::Owned(stored_versions_read::<T>(db, source_ids).await?);
        }
        let waiting = batch.write_round(db, &stored, round == 0).await?;
        round += 1;
        races += u32::from(!batch.open.is_empty());
        // Waiting for a natural key is no race: the holder has given it up in this round.
        batch.open.extend(waiting);
    }
    Ok(batch.result)
}

type Records<'a, T> = Vec<&'a Accepted<<T as Table>::Record>>;

struct Batch<'a, 't, T: Table> {
    table: &'t T,
    stamp: WriteStamp,
    /// Records without an outcome.
    open: Records<'a, T>,
    result: BatchResult<'a, T>,
}

impl<'a, T: Table> Batch<'a, '_, T> {
    /// Returns the records that wait for a natural key of this round.
    async fn write_round(
        &mut self,
        db: &mut Db,
        stored: &HashMap<String, StoredVersion>,
        is_first: bool,
    ) -> Result<Records<'a, T>, StoreError> {
        let (mut new, mut known) = self.take_changed(stored);
        self.reject_missing_references(&mut new);
        self.reject_missing_references(&mut known);
        // In the first round new records are inserted unchecked: a natural key that is held, in the table or in this
        // batch, keeps its record out, and the next round checks it.
        let unchecked = if is_first { std::mem::take(&mut new) } else { Vec::new() };
        known.append(&mut new);
        let waiting = natural_keys_check(db, &mut known, &mut self.result).await?;
        let (known, mut new): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|accepted| stored.contains_key(source_id_of::<T>(accepted)));
        new.extend(unchecked);

        let mut written = Vec::new();
        if !known.is_empty() {
            self.update_known(db, &known, &mut written).await?;
        }
        if !new.is_empty() {
            self.insert_new(db, new, &mut written).await?;
        }
        if !written.is_empty() {
            self.write_dependents(db, &written).await?;
        }
        Ok(waiting)
    }

    /// Takes the open records that have to be written: new ones, then known ones. The others get their outcome.
    fn take_changed(&mut self, stored: &HashMap<String, StoredVersion>) -> (Records<'a, T>, Records<'a, T>) {
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for accepted in std::mem::take(&mut self.open) {
            let source_id = source_id_of::<T>(&accepted);
            let stored = stored.get(source_id).copied();
            if let Some(outcome) = outcome_without_write::<T>(accepted, self.stamp.fetched_at, stored) {
                self.result.outcomes.insert(source_id, outcome);
            } else if stored.is_some() {
                known.push(accepted);
            } else if T::is_withdrawn(&accepted.record)
                && self.table.missing_reference(&accepted.record).is_some()
            {
                // A tombstone of an unknown record of an unknown parent: without the parent no older state can go in
                // either, so no row has to keep it out.
                self.result.outcomes.insert(source_id, Outcome::Skipped);
            } else {
                new.push(accepted);
            }
        }
        (new, known)
    }

    fn reject_missing_references(&mut self, records: &mut Records<'a, T>) {
        records.retain(|accepted| match self.table.missing_reference(&accepted.record) {
            None => true,
            Some(finding) => {
                self.result.reject(accepted, finding);
                false
            }
        });
    }

    async fn update_known(
        &mut self,
        db: &mut Db,
        known: &[&'a Accepted<T::Record>],
        written: &mut Vec<WrittenRow<'a, T::Record>>,
    ) -> Result<(), StoreError> {
        let rows = rows_lock::<T>(db, known.iter().map(source_id_of::<T>).collect()).await?;
        let mut changes = KnownChanges::default();
        for accepted in known.iter().copied() {
            match rows.get(source_id_of::<T>(&accepted)) {
                Some(row) => self.decide_known(db, accepted, row, &mut changes).await?,
                None => self.open.push(accepted), // deleted in between
            }
        }
        if !changes.conflicts.is_empty() {
            conflicts_insert(self.table, db, self.stamp, &changes.conflicts).await?;
        }
        if !changes.updates.is_empty() {
            rows_update(self.table, db, self.stamp, &changes.updates).await?;
        }
        if !changes.returns.is_empty() {
            rows_return::<T>(db, self.stamp, &changes.returns).await?;
        }
        if !changes.version_moves.is_empty() {
            versions_move::<T>(db, self.stamp, &changes.version_moves).await?;
        }
        written.append(&mut changes.written);
        Ok(())
    }

    /// Decides again, under the lock, what becomes of a known row.
    async fn decide_known<'r>(
        &mut self,
        db: &mut Db,
        accepted: &'a Accepted<T::Record>,
        row: &'r LockedRow,
        changes: &mut KnownChanges<'a, 'r, T::Record>,
    ) -> Result<(), StoreError>
    where
        'a: 'r,
    {
        let source_id = source_id_of::<T>(&accepted);
        let stored = row.version.stored_version(T::NAME)?;
        let returns = returns::<T>(accepted, self.stamp.fetched_at, &stored);
        let decision = match decide(accepted.version, self.stamp.fetched_at, Some(stored)) {
            Decision::OlderThanHere => {
                self.result.reject(accepted, older_than_here(accepted.version.updated_at, &stored));
                return Ok(());
            }
            // Without an edit in it the row takes everything anew.
            _ if returns && stored.last_writer == Writer::Onboarding => {
                Decision::Update { overwrites_local: false }
            }
            decision => decision,
        };
        if changes.policy.is_none() && has_two_sides(decision) {
            changes.policy = Some(policy_of(db, T::RECORD_TYPE).await?);
        }
        let policy = changes.policy.unwrap_or(ConflictPolicy::LastWriteWins);
        let change = row_change(decision, policy);
        let mut outcome = change.outcome;
        // A record that takes something away brings nothing back, whatever an edit says besides.
        let revokes = T::revoked(&accepted.record, self.stamp.now).is_some();
        if returns && !revokes && change.write != RowWrite::Row {
            changes.returns.push(row.id);
            outcome = if outcome == Outcome::Conflict { outcome } else { Outcome::Updated };
        }
        let conflict = |(kind, winner)| NewConflict { accepted, row, kind, winner, policy };
        changes.conflicts.extend(change.conflict.map(conflict));
        match change.write {
            RowWrite::Nothing => {}
            RowWrite::Version => {
                changes.version_moves.push(accepted);
                self.result.confirmed.push(source_id);
            }
            RowWrite::Row => {
                if row.is_critical && !T::is_critical(&accepted.record) {
                    changes.conflicts.push(conflict((ConflictKind::CriticalityDowngrade, Side::Local)));
                    outcome = Outcome::Conflict;
                }
                changes.updates.push(accepted);
                changes.written.push(WrittenRow { id: row.id, accepted, is_new: false });
                self.add_warnings(accepted, row.ship_counter);
            }
        }
        self.result.outcomes.insert(source_id, outcome);
        Ok(())
    }

    async fn insert_new(
        &mut self,
        db: &mut Db,
        new: Records<'a, T>,
        written: &mut Vec<WrittenRow<'a, T::Record>>,
    ) -> Result<(), StoreError> {
        let ids = rows_insert(self.table, db, self.stamp, &new).await?;
        for (accepted, id) in new.into_iter().zip(ids) {
            let Some(id) = id else {
                self.open.push(accepted); // another worker was faster with the row or its natural key
                continue;
            };
            let source_id = source_id_of::<T>(&accepted);
            if T::is_withdrawn(&accepted.record) {
                // The row of a tombstone is invisible. It keeps an older state that arrives late out.
                self.result.outcomes.insert(source_id, Outcome::Skipped);
                self.result.confirmed.push(source_id);
            } else {
                self.result.outcomes.insert(source_id, Outcome::Created);
                self.add_warnings(accepted, None);
            }
            written.push(WrittenRow { id, accepted, is_new: true });
        }
        Ok(())
    }

    async fn write_dependents(
        &mut self,
        db: &mut Db,
        written: &[WrittenRow<'a, T::Record>],
    ) -> Result<(), StoreError> {
        let warnings = self.table.after_write(db, self.stamp, written).await?;
        if warnings.is_empty() {
            return Ok(());
        }
        let records: HashMap<uuid::Uuid, &'a Accepted<T::Record>> =
            written.iter().map(|row| (row.id, row.accepted)).collect();
        let of_record = |(id, warning): (uuid::Uuid, Finding)| Some((*records.get(&id)?, warning));
        self.result.findings.extend(warnings.into_iter().filter_map(of_record));
        Ok(())
    }

    /// A tombstone gets no warnings: nobody can mend them.
    fn add_warnings(&mut self, accepted: &'a Accepted<T::Record>, ship_counter: Option<i32>) {
        if !T::is_withdrawn(&accepted.record) {
            let warnings = self.table.warnings(&accepted.record, ship_counter);
            self.result.findings.extend(warnings.into_iter().map(|warning| (accepted, warning)));
        }
    }
}

/// What the known records of a round come to, before it is written.
struct KnownChanges<'a, 'r, R> {
    updates: Vec<&'a Accepted<R>>,
    version_moves: Vec<&'a Accepted<R>>,
    /// Rows that were withdrawn as missing and edited since: they become active again as they are.
    returns: Vec<uuid::Uuid>,
    conflicts: Vec<NewConflict<'r, R>>,
    written: Vec<WrittenRow<'a, R>>,
    /// Read at the first record that both portals have changed.
    policy: Option<ConflictPolicy>,
}

impl<R> Default for KnownChanges<'_, '_, R> {
    fn default() -> Self {
        Self {
            updates: Vec::new(),
            version_moves: Vec::new(),
            returns: Vec::new(),
            conflicts: Vec::new(),
            written: Vec::new(),
            policy: None,
        }
    }
}

fn older_than_here(updated_at: DateTime<Utc>, stored: &StoredVersion) -> Finding {
    let message = format!(
        "is older than the state that is here, of {}, though it was read later: the onboarding portal has gone back in \
         time, as after the restore of a backup; accept its state, or change the record there",
        stored.source_updated_at.to_rfc3339_opts(SecondsFormat::Secs, true)
    );
    Finding::error("older_than_here", "/updatedAt", message).with_value(updated_at.to_rfc3339())
}

fn source_id_of<'a, T: Table>(accepted: &&'a Accepted<T::Record>) -> &'a str {
    T::source_id(&accepted.record).as_str()
}
