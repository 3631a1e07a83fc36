//! Writing a page of records of one table, and keeping the findings about them.

use std::collections::{BTreeMap, HashMap};

use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, Outcome, PayloadHash, RecordCounts, Revocation, SourceId,
    last_write_wins::StoredVersion, revocation::Revoked,
};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::findings::{RecordFinding, StandingFinding, findings_clear, findings_insert, rejected_among},
    records::{
        batch::batch_apply,
        batch_result::{BatchResult, revocation_of},
        revocations::rows_revoke,
        snapshot::payload_hashes_store,
        stored_version::fetch_note,
        stored_version::{outcome_without_write, stored_versions_read},
        table::Table,
        write_stamp::WriteStamp,
    },
};

/// A record of a page with its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedRecord {
    pub source_id: SourceId,
    pub outcome: Outcome,
}

#[must_use]
pub fn counts_of(applied: &[AppliedRecord]) -> RecordCounts {
    applied.iter().map(|record| record.outcome).collect()
}

/// Deadlocks of one page after which it is no longer written again but fails, and its task is retried.
const DEADLOCK_LIMIT: u32 = 5;

/// Writes a page. Every record of the input has one outcome, in its order.
pub(super) async fn page_apply<T: Table>(
    table: &T,
    db: &mut Db,
    stamp: WriteStamp,
    records: &[Accepted<T::Record>],
) -> Result<Vec<AppliedRecord>, StoreError> {
    let source_ids = records.iter().map(|accepted| T::source_id(&accepted.record).as_str()).collect();
    let stored = stored_versions_read::<T>(db, source_ids).await?;
    page_apply_with(table, db, stamp, records, &stored).await
}

/// Writes a page whose stored versions are already read.
pub(super) async fn page_apply_with<T: Table>(
    table: &T,
    db: &mut Db,
    stamp: WriteStamp,
    records: &[Accepted<T::Record>],
    stored: &HashMap<String, StoredVersion>,
) -> Result<Vec<AppliedRecord>, StoreError> {
    let mut page = PageWrite::new(table, stamp, records);
    let (changed, unchanged) = page.split_by_change(stored);
    if T::KEEPS_PAYLOAD_HASH {
        payload_hashes_store::<T>(db, &unchanged).await?;
    }
    if stamp.notes_fetches {
        fetch_note::<T>(db, stamp, &page.confirmed).await?;
    }
    page.write_batches(db, changed, stored).await?;
    page.revoke(db).await?;
    page.update_findings(db).await?;
    Ok(page.into_applied(records))
}

/// A page while it is written.
struct PageWrite<'a, 't, T: Table> {
    table: &'t T,
    stamp: WriteStamp,
    /// The newest state of each record on the page, in the order of their ids.
    newest: BTreeMap<&'a str, &'a Accepted<T::Record>>,
    outcomes: HashMap<&'a str, Outcome>,
    /// As [`BatchResult::confirmed`].
    confirmed: Vec<&'a str>,
    findings: Vec<RecordFinding>,
    /// What rejected records take away all the same.
    revocations: Vec<Revocation>,
}

impl<'a, 't, T: Table> PageWrite<'a, 't, T> {
    fn new(table: &'t T, stamp: WriteStamp, records: &'a [Accepted<T::Record>]) -> Self {
        let mut newest: BTreeMap<&str, &Accepted<T::Record>> = BTreeMap::new();
        for accepted in records {
            let kept = newest.entry(T::source_id(&accepted.record).as_str()).or_insert(accepted);
            // At the same time the state that is listed last counts.
            if accepted.version.updated_at >= kept.version.updated_at {
                *kept = accepted;
            }
        }
        let outcomes = HashMap::with_capacity(newest.len());
        Self {
            table,
            stamp,
            newest,
            outcomes,
            confirmed: Vec::new(),
            findings: Vec::new(),
            revocations: Vec::new(),
        }
    }

    /// Returns the records that have to be written, and the payload hashes of those that are unchanged. Most records of
    /// a page are unchanged: they cost this one comparison.
    #[expect(clippy::type_complexity, reason = "two lists, each used once")]
    fn split_by_change(
        &mut self,
        stored: &HashMap<String, StoredVersion>,
    ) -> (Vec<&'a Accepted<T::Record>>, Vec<(&'a str, PayloadHash)>) {
        let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
        for (source_id, accepted) in &self.newest {
            let stored = stored.get(*source_id).copied();
            let Some(outcome) = outcome_without_write::<T>(accepted, self.stamp.fetched_at, stored) else {
                changed.push(*accepted);
                continue;
            };
            if outcome == Outcome::Unchanged {
                self.confirmed.push(source_id);
                unchanged.extend(accepted.payload_hash.map(|hash| (*source_id, hash)));
            }
            self.outcomes.insert(source_id, outcome);
        }
        (changed, unchanged)
    }

    /// Writes records in one batch. If the database refuses it, it is halved until the refused record stands alone.
    async fn write_batches(
        &mut self,
        db: &mut Db,
        records: Vec<&'a Accepted<T::Record>>,
        stored: &HashMap<String, StoredVersion>,
    ) -> Result<(), StoreError> {
        let mut batches = vec![records];
        let mut deadlocks = 0;
        while let Some(batch) = batches.pop() {
            if batch.is_empty() {
                continue;
            }
            statement("SAVEPOINT batch").execute(db).await?;
            let error = match batch_apply(self.table, db, self.stamp, &batch, stored).await {
                Ok(result) => {
                    statement("RELEASE SAVEPOINT batch").execute(db).await?;
                    self.add_result(result);
                    continue;
                }
                Err(error) => error,
            };
            if error.is_deadlock() && deadlocks < DEADLOCK_LIMIT {
                // Two pages share records, with rows that are new to one and known to the other. Rolling back releases
                // the locks that the other page waits for.
                statement("ROLLBACK TO SAVEPOINT batch").execute(db).await?;
                deadlocks += 1;
                batches.push(batch);
            } else if error.is_refusal() {
                statement("ROLLBACK TO SAVEPOINT batch").execute(db).await?;
                if let [refused] = batch.as_slice() {
                    self.reject_refused(refused, &error);
                } else {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    batches.push(second.to_vec());
                    batches.push(first.to_vec());
                }
            } else {
                return Err(error);
            }
        }
        Ok(())
    }

    fn add_result(&mut self, result: BatchResult<'a, T>) {
        self.outcomes.extend(result.outcomes);
        self.confirmed.extend(result.confirmed);
        self.revocations.extend(result.revocations);
        let findings = result.findings.into_iter();
        self.findings.extend(findings.map(|(accepted, finding)| record_finding::<T>(accepted, finding)));
    }

    fn reject_refused(&mut self, refused: &'a Accepted<T::Record>, error: &StoreError) {
        let source_id = T::source_id(&refused.record).as_str();
        tracing::warn!(
            error = error as &dyn std::error::Error,
            record.kind = T::RECORD_TYPE.as_str(),
            record.source_id = source_id,
            "the database refused a record"
        );
        self.outcomes.insert(source_id, Outcome::Rejected);
        self.findings.push(record_finding::<T>(refused, refusal_finding(error)));
        self.revocations.extend(revocation_of::<T>(refused, self.stamp.now));
    }

    /// Takes away what rejected records take away, and says so of each that does.
    async fn revoke(&mut self, db: &mut Db) -> Result<(), StoreError> {
        let without_effect = rows_revoke::<T>(db, self.stamp, &self.revocations).await?;
        for revocation in &self.revocations {
            let source_id = revocation.source_id.as_str();
            if let Some(accepted) = self.newest.get(source_id)
                && !without_effect.contains(source_id)
            {
                self.findings.push(record_finding::<T>(accepted, revocation.revoked.finding()));
            }
        }
        Ok(())
    }

    /// Replaces the standing findings about records that were written, and adds the new ones to the sync.
    async fn update_findings(&mut self, db: &mut Db) -> Result<(), StoreError> {
        // A rejected record whose corrected state is the stored one is not written, but no longer rejected.
        let corrected = rejected_among(db, T::RECORD_TYPE, &self.confirmed).await?;
        let mut sound = Vec::new();
        for (source_id, accepted) in &self.newest {
            let is_written = matches!(
                self.outcomes.get(source_id),
                Some(Outcome::Created | Outcome::Updated | Outcome::Conflict)
            );
            if is_written || corrected.contains(*source_id) {
                if !T::is_withdrawn(&accepted.record) {
                    let warnings = accepted.warnings.iter().cloned();
                    self.findings.extend(warnings.map(|warning| record_finding::<T>(accepted, warning)));
                }
                sound.push((*source_id, accepted.version.updated_at));
            }
        }
        let standing = findings_clear(db, T::RECORD_TYPE, self.stamp.fetched_at, &sound).await?;
        self.revoke_created(db, &standing).await?;
        findings_insert(db, self.stamp.sync_id, self.stamp.fetched_at, &self.findings, self.stamp.now).await
    }

    /// A newer state of a record that is created here was rejected before it had a row: what it takes away is taken away now.
    async fn revoke_created(&self, db: &mut Db, standing: &[StandingFinding]) -> Result<(), StoreError> {
        let revocation = |it: &StandingFinding| {
            let revoked = [Revoked::Approval, Revoked::Access].into_iter().find(|of| of.code() == it.code)?;
            let is_created = self.outcomes.get(it.source_id.as_str()) == Some(&Outcome::Created);
            let source_id = it.source_id.parse().ok().filter(|_| is_created)?;
            Some(Revocation { source_id, updated_at: it.stated_at, revoked })
        };
        let revocations: Vec<Revocation> = standing.iter().filter_map(revocation).collect();
        rows_revoke::<T>(db, self.stamp, &revocations).await?;
        Ok(())
    }

    /// One outcome for each record of the input. A state that is not the newest of its record on the page is skipped.
    fn into_applied(self, records: &[Accepted<T::Record>]) -> Vec<AppliedRecord> {
        let outcome_of = |accepted: &Accepted<T::Record>, source_id: &str| {
            let newest = self.newest.get(source_id)?;
            std::ptr::eq(*newest, accepted).then(|| self.outcomes.get(source_id).copied())?
        };
        let applied = records.iter().map(|accepted| {
            let source_id = T::source_id(&accepted.record);
            let outcome = outcome_of(accepted, source_id.as_str()).unwrap_or(Outcome::Skipped);
            AppliedRecord { source_id: source_id.clone(), outcome }
        });
        applied.collect()
    }
}

fn record_finding<T: Table>(accepted: &Accepted<T::Record>, finding: Finding) -> RecordFinding {
    RecordFinding {
        record_type: T::RECORD_TYPE,
        source_id: T::source_id(&accepted.record).into(),
        label: Some(accepted.label.clone()),
        vessel_ids: T::vessel_ids(&accepted.record),
        stated_at: Some(accepted.version.updated_at),
        is_overtaken: false,
        finding,
    }
}

fn refusal_finding(error: &StoreError) -> Finding {
    match error.constraint() {
        Some(constraint) => Finding::error(
            constraint.finding_code(),
            "",
            format!("the database refused the record by {constraint}"),
        ),
        None => Finding::error("refused_by_database", "", "the database cannot hold one of its values"),
    }
}
