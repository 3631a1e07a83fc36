//! How a page of records is written, and what is told of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, Outcome, RecordCounts, SourceId, SyncId,
    last_write_wins::{StoredVersion, decide},
};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::findings::{RecordFinding, findings_clear, findings_insert, findings_of_rejected_clear},
    records::{
        batch::batch_apply,
        snapshot::payload_hashes_note,
        stored_version::{settled, stored_versions_read},
        table::Table,
    },
};

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// What became of it.
    pub outcome: Outcome,
}

/// The tally of what was applied.
#[must_use]
pub fn counts_of(applied: &[Applied]) -> RecordCounts {
    applied.iter().map(|it| it.outcome).collect()
}

/// A page gives way so often to others that write the same records; after that it is a quarrel, and the task's to retry.
const MOST_DEADLOCKS: u32 = 5;

/// Writes a page. Every record of the input has one outcome, in its order.
pub(super) async fn page_apply<T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    records: &[Accepted<T::Record>],
    now: DateTime<Utc>,
) -> Result<Vec<Applied>, StoreError> {
    let seen =
        stored_versions_read::<T>(db, records.iter().map(|it| T::source_id(&it.record).as_str()).collect())
            .await?;
    page_apply_to(table, db, sync_id, records, &seen, now).await
}

/// As [`page_apply`], for who has looked already.
pub(super) async fn page_apply_to<T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    records: &[Accepted<T::Record>],
    seen: &HashMap<String, StoredVersion>,
    now: DateTime<Utc>,
) -> Result<Vec<Applied>, StoreError> {
    // One state of each record, the newest; in the order of the ids.
    let mut newest: BTreeMap<&str, &Accepted<T::Record>> = BTreeMap::new();
    for it in records {
        let kept = newest.entry(T::source_id(&it.record).as_str()).or_insert(it);
        if it.version > kept.version {
            *kept = it;
        }
    }
    let mut outcomes: HashMap<&str, Outcome> = HashMap::with_capacity(newest.len());
    let mut findings = Vec::new();
    let mut confirmed = Vec::new();
    let (mut open, mut as_before) = (Vec::new(), Vec::new());
    for (source_id, it) in &newest {
        match settled(decide(it.version, seen.get(*source_id).copied())) {
            Some(outcome) => {
                as_before.extend(
                    it.arrival.filter(|_| outcome == Outcome::Unchanged).map(|how| (*source_id, how)),
                );
                outcomes.insert(source_id, outcome);
            }
            None => open.push(*it),
        }
    }
    if T::KEEPS_PAYLOAD_HASH {
        payload_hashes_note::<T>(db, &as_before).await?;
    }
    let mut batches: Vec<Vec<&Accepted<T::Record>>> = vec![open];
    let mut deadlocks = 0;
    while let Some(batch) = batches.pop() {
        if batch.is_empty() {
            continue;
        }
        statement("SAVEPOINT batch").execute(db).await?;
        match batch_apply(table, db, sync_id, &batch, seen, now).await {
            Ok(done) => {
                statement("RELEASE SAVEPOINT batch").execute(db).await?;
                outcomes.extend(done.outcomes);
                confirmed.extend(done.confirmed);
                findings.extend(done.findings.into_iter().map(|(it, finding)| of_record::<T>(it, finding)));
            }
            // Two pages that have records in common, with rows that are new to one and known to the other. Going back lets
            // go of what the other one waits for.
            Err(error) if error.is_deadlock() && deadlocks < MOST_DEADLOCKS => {
                statement("ROLLBACK TO SAVEPOINT batch").execute(db).await?;
                deadlocks += 1;
                batches.push(batch);
            }
            Err(error) if error.is_refusal() => {
                statement("ROLLBACK TO SAVEPOINT batch").execute(db).await?;
                if let [culprit] = batch.as_slice() {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        record.kind = T::RECORD_TYPE.as_str(),
                        record.source_id = T::source_id(&culprit.record).as_str(),
                        "the database refused a record"
                    );
                    outcomes.insert(T::source_id(&culprit.record).as_str(), Outcome::Rejected);
                    findings.push(of_record::<T>(culprit, refusal(&error)));
                } else {
                    // Halved until the culprit stands alone.
                    let (first, second) = batch.split_at(batch.len() / 2);
                    batches.push(second.to_vec());
                    batches.push(first.to_vec());
                }
            }
            Err(error) => return Err(error),
        }
    }
    // A state that was rejected, and is mended to what is here already: nothing is written, and it stands rejected no more.
    let mended = findings_of_rejected_clear(db, T::RECORD_TYPE, &confirmed).await?;
    let mut written: HashSet<&str> = HashSet::new();
    for it in newest.values() {
        let source_id = T::source_id(&it.record).as_str();
        if matches!(outcomes.get(source_id), Some(Outcome::Created | Outcome::Updated | Outcome::Conflict))
            || mended.contains(source_id)
        {
            if !T::is_withdrawn(&it.record) {
                findings.extend(it.warnings.iter().map(|warning| of_record::<T>(it, warning.clone())));
            }
            written.insert(source_id);
        }
    }
    // What stood about a record stands no more once it is written anew.
    findings.iter().for_each(|it| {
        written.remove(it.source_id.as_str());
    });
    findings_clear(db, T::RECORD_TYPE, &written.into_iter().collect::<Vec<_>>()).await?;
    findings_insert(db, sync_id, &findings, now).await?;

    // A state that the same page overtakes is stale.
    let mut spent: HashSet<&str> = HashSet::with_capacity(newest.len());
    Ok(records
        .iter()
        .map(|it| {
            let source_id = T::source_id(&it.record);
            let is_newest = newest.get(source_id.as_str()).is_some_and(|kept| std::ptr::eq(*kept, it));
            let outcome = if is_newest && spent.insert(source_id.as_str()) {
                outcomes.get(source_id.as_str()).copied().unwrap_or(Outcome::Skipped)
            } else {
                Outcome::Skipped
            };
            Applied { source_id: source_id.clone(), outcome }
        })
        .collect())
}

fn of_record<T: Table>(it: &Accepted<T::Record>, finding: Finding) -> RecordFinding {
    RecordFinding {
        record_type: T::RECORD_TYPE,
        source_id: T::source_id(&it.record).to_string(),
        label: Some(it.label.clone()),
        vessel_ids: T::vessel_ids(&it.record),
        finding,
    }
}

fn refusal(error: &StoreError) -> Finding {
    match error.constraint() {
        Some(constraint) => Finding::error(
            constraint.finding_code(),
            "",
            format!("the database refused the record by {constraint}"),
        ),
        None => Finding::error("refused_by_database", "", "the database cannot hold one of its values"),
    }
}
