//! Records: how a page of companies, vessels, equipment or users goes into its table.
//!
//! A page takes few statements over arrays, whatever its length. First one select compares versions, without locks:
//! what is unchanged costs no more than that. What is to be written over is locked in the order of its ids (so that two
//! workers cannot deadlock) and decided again under the lock (so that they cannot race): last write wins. What is new
//! is inserted; a row that somebody else was faster with, or whose natural key the page sets free, goes round again.
//!
//! What the tables say of themselves stands in `table.rs` and a file each; the statements that write in `write.rs`.

mod companies;
mod disputes;
mod equipment;
mod equipment_parts;
mod held;
mod look;
mod natural_keys;
mod table;
mod users;
mod vessels;
mod write;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, Outcome, RecordCounts, RecordType, SourceId, SyncId,
    conflict::{ConflictKind, ConflictPolicy, Side},
    last_write_wins::{Decision, Held, decide},
};

pub use companies::companies_apply;
pub use equipment::equipment_apply;
pub use look::{EquipmentLook, equipment_look};
pub(crate) use table::{Shape, shape};
pub use users::{
    NewPassword, PasswordClaim, UserId, user_password_claim, users_apply, users_without_password,
};
pub(crate) use vessels::vessels_of_company;
pub use vessels::{vessel_ids_by_imo, vessel_ids_known, vessels_apply};
pub(crate) use write::image;

use disputes::Dispute;
use held::{HeldRow, held_now, held_rows, settled};
use look::arrivals_note;
use natural_keys::natural_keys_check;
use table::Table;
use write::{insert, update};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    engine::conflicts::policy_of,
    ledger::findings::{RecordFinding, findings_clear, findings_insert, findings_of_rejected_clear},
};

/// Where records of a type stand.
pub(crate) const fn table_of(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Company => "companies",
        RecordType::Vessel => "vessels",
        RecordType::Equipment => "equipment",
        RecordType::User => "users",
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// What became of it.
    pub outcome: Outcome,
}

/// The account of what was applied.
#[must_use]
pub fn counts_of(applied: &[Applied]) -> RecordCounts {
    applied.iter().map(|it| it.outcome).collect()
}

/// What a batch came to.
struct Batch<'a, R> {
    outcomes: HashMap<&'a str, Outcome>,
    /// Records whose later state says what is here already.
    confirmed: Vec<&'a str>,
    /// Why records were rejected, or what is odd about some that went in.
    findings: Vec<(&'a Accepted<R>, Finding)>,
}

/// A page gives way so often to others that write the same records; after that it is a quarrel, and the task's to retry.
const MOST_DEADLOCKS: u32 = 5;

/// So often others may be faster with some row of a batch.
const MOST_RACES: u32 = 5;

/// Writes a page. Every record of the input has one outcome, in its order.
async fn page_apply<T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    records: &[Accepted<T::Record>],
    now: DateTime<Utc>,
) -> Result<Vec<Applied>, StoreError> {
    let seen =
        held_now::<T>(db, records.iter().map(|it| T::source_id(&it.record).as_str()).collect()).await?;
    page_apply_to(table, db, sync_id, records, &seen, now).await
}

/// As [`page_apply`], for who has looked already.
async fn page_apply_to<T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    records: &[Accepted<T::Record>],
    seen: &HashMap<String, Held>,
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
    if T::KEEPS_ARRIVAL {
        arrivals_note::<T>(db, &as_before).await?;
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

async fn batch_apply<'a, T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    records: &[&'a Accepted<T::Record>],
    seen: &HashMap<String, Held>,
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
            seen = Cow::Owned(held_now::<T>(db, open.iter().map(id_of).collect()).await?);
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
            let rows = held_rows::<T>(db, known.iter().map(id_of).collect()).await?;
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
    rows: &HashMap<String, HeldRow>,
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
        let mut dispute = |kind, winner| disputes.push(Dispute { it, row, kind, winner, policy });
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
        disputes::store(table, db, sync_id, &disputes, now).await?;
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

/// The tables of what belongs to equipment, with their columns of the onboarding portal.
pub(crate) const PARTS_OF_EQUIPMENT: [(&str, &[&str]); 2] =
    [equipment_parts::CRITICAL_PARTS, equipment_parts::MAINTENANCE_SCHEDULES];

/// The row ids of records of another table, by their source ids.
pub(crate) async fn ids_of(
    db: &mut Db,
    table: &str,
    source_ids: impl Iterator<Item = &SourceId> + Send,
) -> Result<HashMap<String, uuid::Uuid>, StoreError> {
    let wanted: BTreeSet<&str> = source_ids.map(SourceId::as_str).collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!("SELECT source_id, id FROM {table} WHERE source_id = ANY($1)");
    let rows: Vec<(String, uuid::Uuid)> = statement(&text)
        .bind::<Array<Text>, _>(wanted.into_iter().collect::<Vec<_>>())
        .returning::<(Text, Uuid)>()
        .load(db)
        .await?;
    Ok(rows.into_iter().collect())
}
