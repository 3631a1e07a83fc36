//! How a batch of records is written, in rounds.

use std::{borrow::Cow, collections::HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Outcome, SyncId,
    conflict::{ConflictKind, ConflictPolicy, Side},
    last_write_wins::{Decision, StoredVersion, decide},
};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{
        batch_result::Batch,
        natural_keys::natural_keys_check,
        new_conflicts::{NewConflict, conflicts_insert},
        stored_version::{LockedRow, rows_lock, settled, stored_versions_read},
        table::Table,
        write::{insert, update},
    },
    settings::conflict_policies::policy_of,
};

/// So often others may be faster with some row of a batch.
const MOST_RACES: u32 = 5;

pub(crate) async fn batch_apply<'a, T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    records: &[&'a Accepted<T::Record>],
    seen: &HashMap<String, StoredVersion>,
    now: DateTime<Utc>,
) -> Result<Batch<'a, T::Record>, StoreError> {
    let id_of = |it: &&'a Accepted<T::Record>| T::source_id(&it.record).as_str();
    let mut done = Batch {
        outcomes: HashMap::with_capacity(records.len()),
        confirmed: Vec::new(),
        findings: Vec::new(),
    };
    let mut open: Vec<&'a Accepted<T::Record>> = records.to_vec();
    let mut seen = Cow::Borrowed(seen);
    // Each race someone else was faster with some row; more than a few would be a quarrel.
    let (mut round, mut races) = (0, 0);
    while !open.is_empty() {
        if races == MOST_RACES {
            return Err(StoreError::Contended);
        }
        if round > 0 {
            seen = Cow::Owned(stored_versions_read::<T>(db, open.iter().map(id_of).collect()).await?);
        }
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for it in std::mem::take(&mut open) {
            let decision = decide(it.version, seen.get(id_of(&it)).copied());
            match (settled(decision), decision) {
                (Some(outcome), _) => drop(done.outcomes.insert(id_of(&it), outcome)),
                // A tombstone of something never seen, on something never seen: nothing older can come to life either.
                (None, Decision::Create)
                    if T::is_withdrawn(&it.record) && table.missing_reference(&it.record).is_some() =>
                {
                    done.outcomes.insert(id_of(&it), Outcome::Skipped);
                }
                (None, Decision::Create) => new.push(it),
                (None, _) => known.push(it),
            }
        }
        references_check(table, &mut new, &mut done);
        references_check(table, &mut known, &mut done);
        // What is new goes in unchecked at first: whoever has its key, in the table or in this batch, keeps it out.
        let unchecked = if round == 0 { std::mem::take(&mut new) } else { Vec::new() };
        known.append(&mut new);
        let waiting = natural_keys_check::<T>(db, &mut known, &mut done).await?;
        let (known, mut new): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|it| seen.contains_key(id_of(it)));
        new.extend(unchecked);

        let mut written: Vec<(uuid::Uuid, &'a Accepted<T::Record>, bool)> = Vec::new();
        if !known.is_empty() {
            let rows = rows_lock::<T>(db, known.iter().map(id_of).collect()).await?;
            known_apply(table, db, sync_id, &known, &rows, &mut open, &mut written, &mut done, now).await?;
        }
        if !new.is_empty() {
            let ids = insert(table, db, sync_id, &new, now).await?;
            for (it, id) in new.into_iter().zip(ids) {
                match id {
                    // The row of a tombstone keeps older states from coming to life when they come late. Nobody sees it.
                    Some(id) if T::is_withdrawn(&it.record) => {
                        done.outcomes.insert(id_of(&it), Outcome::Skipped);
                        done.confirmed.push(id_of(&it));
                        written.push((id, it, true));
                    }
                    Some(id) => {
                        done.outcomes.insert(id_of(&it), Outcome::Created);
                        note(table, &mut done, it, None);
                        written.push((id, it, true));
                    }
                    None => open.push(it), // somebody else was faster with the row or its natural key
                }
            }
        }
        if !written.is_empty() {
            let odd = table.after(db, sync_id, &written, now).await?;
            let of: HashMap<uuid::Uuid, &'a Accepted<T::Record>> = if odd.is_empty() {
                HashMap::new()
            } else {
                written.iter().map(|(id, it, _)| (*id, *it)).collect()
            };
            done.findings.extend(odd.into_iter().filter_map(|(id, finding)| Some((*of.get(&id)?, finding))));
        }
        round += 1;
        races += u32::from(!open.is_empty());
        // They are next, and nobody was faster: those before them let go of their keys in this round.
        open.extend(waiting);
    }
    Ok(done)
}

#[expect(clippy::too_many_arguments, reason = "the second half of batch_apply, with its state")]
async fn known_apply<'a, T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    known: &[&'a Accepted<T::Record>],
    rows: &HashMap<String, LockedRow>,
    open: &mut Vec<&'a Accepted<T::Record>>,
    written: &mut Vec<(uuid::Uuid, &'a Accepted<T::Record>, bool)>,
    done: &mut Batch<'a, T::Record>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (mut updates, mut later, mut disputes) = (Vec::new(), Vec::new(), Vec::new());
    let mut policy = None;
    for it in known.iter().copied() {
        let source_id = T::source_id(&it.record).as_str();
        let Some(row) = rows.get(source_id) else {
            open.push(it); // deleted in between
            continue;
        };
        let held = row.held(T::NAME)?;
        let decision = decide(it.version, Some(held));
        let mut outcome = decision.outcome();
        let is_dispute =
            matches!(decision, Decision::Update { overwrites_local: true } | Decision::LocalWins);
        let policy = match policy {
            Some(policy) => policy,
            None if is_dispute => *policy.insert(policy_of(db, T::RECORD_TYPE).await?),
            None => ConflictPolicy::LastWriteWins,
        };
        let mut dispute = |kind, winner| disputes.push(NewConflict { it, row, kind, winner, policy });
        let write = match decision {
            Decision::Update { overwrites_local: true } => {
                let write = policy != ConflictPolicy::Manual;
                dispute(ConflictKind::SourceNewer, if write { Side::Source } else { Side::Local });
                write
            }
            Decision::Update { overwrites_local: false } => true,
            // A state that the last sync has overtaken is no news, and no conflict.
            Decision::LocalWins if it.version <= row.source_version(&held) => {
                outcome = Outcome::Skipped;
                false
            }
            Decision::LocalWins => {
                let write = policy == ConflictPolicy::SourceWins;
                dispute(ConflictKind::LocalNewer, if write { Side::Source } else { Side::Local });
                write
            }
            Decision::Unchanged { newer: true } => {
                later.push(it);
                done.confirmed.push(source_id);
                false
            }
            Decision::Create | Decision::Unchanged { newer: false } | Decision::Stale => false,
        };
        if write {
            outcome = Outcome::Updated;
            if row.is_critical && !T::is_critical(&it.record) {
                dispute(ConflictKind::CriticalityDowngrade, Side::Local);
                outcome = Outcome::Conflict;
            }
            updates.push(it);
            written.push((row.id, it, false));
            note(table, done, it, row.ships_number);
        } else if is_dispute && outcome != Outcome::Skipped {
            outcome = Outcome::Conflict;
        }
        done.outcomes.insert(source_id, outcome);
    }
    if !disputes.is_empty() {
        conflicts_insert(table, db, sync_id, &disputes, now).await?;
    }
    if !updates.is_empty() {
        update(table, db, sync_id, &updates, now).await?;
    }
    if !later.is_empty() {
        let text = format!(
            "UPDATE {} AS t SET source_updated_at = i.at, version_at = i.at,
                 synced_at = greatest($3, t.synced_at + interval '1 microsecond')
             FROM unnest($1, $2) AS i (source_id, at) WHERE t.source_id = i.source_id",
            T::NAME
        );
        statement(&text)
            .bind::<Array<Text>, _>(
                later.iter().map(|it| T::source_id(&it.record).as_str()).collect::<Vec<_>>(),
            )
            .bind::<Array<Timestamptz>, _>(later.iter().map(|it| it.version.updated_at).collect::<Vec<_>>())
            .bind::<Timestamptz, _>(now)
            .execute(db)
            .await?;
    }
    Ok(())
}

/// Keeps what is odd about a record that goes in. A tombstone is spared.
fn note<'a, T: Table>(
    table: &T,
    done: &mut Batch<'a, T::Record>,
    it: &'a Accepted<T::Record>,
    ships: Option<i32>,
) {
    if !T::is_withdrawn(&it.record) {
        done.findings.extend(table.warnings(&it.record, ships).into_iter().map(|finding| (it, finding)));
    }
}

fn references_check<'a, T: Table>(
    table: &T,
    records: &mut Vec<&'a Accepted<T::Record>>,
    done: &mut Batch<'a, T::Record>,
) {
    records.retain(|it| match table.missing_reference(&it.record) {
        None => true,
        Some(finding) => {
            done.outcomes.insert(T::source_id(&it.record).as_str(), Outcome::Rejected);
            done.findings.push((it, finding));
            false
        }
    });
}
