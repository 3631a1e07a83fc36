//! Ids that a sync has seen: rows of `sync_seen`, one per page, until the sync ends.
//!
//! Two questions need the ids. A full sync asks which records are here and are not listed any more (see
//! [`crate::engine::reconcile`]). And every sync asks which records it read twice: a record that changes while its list is
//! read comes once more, at the end of the list. A record that is newer than the provider's first look at the list is
//! *late*.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Outcome, RecordCounts, RecordType, Severity, SyncId};

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    statement::statement,
};

/// Notes the ids of a page of a chain, `late_ids` among them, in the transaction that ends its task. A record without a
/// readable id has an empty one.
pub async fn seen_note(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    chain: u32,
    source_ids: &[String],
    late_ids: &[String],
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO sync_seen (sync_id, record_type, source_ids, late_ids, chain) VALUES ($1, $2, $3, $4, $5)",
    )
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Array<Text>, _>(source_ids)
        .bind::<Array<Text>, _>(late_ids)
        .bind::<Int4, _>(i32::try_from(chain).unwrap_or(i32::MAX))
        .execute(db)
        .await?;
    Ok(())
}

/// What the companies of a page change in the tally of their sync.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CompaniesNoted {
    /// Those that the sync sees for the first time.
    pub first: BTreeSet<String>,
    /// Outcomes to be counted.
    pub counts: RecordCounts,
    /// Outcomes that were counted before and do not hold any more.
    pub recounted: RecordCounts,
}

/// Notes the outcomes of companies. A company comes with many vessels, and has one outcome in its sync: see
/// [`Outcome::then`]. In the transaction that writes them.
pub async fn companies_note(
    db: &mut Db,
    sync_id: SyncId,
    outcomes: &[(String, Outcome)],
) -> Result<CompaniesNoted, StoreError> {
    // In the order of the ids, so that two pages wait for each other alike.
    let outcomes: BTreeMap<&str, Outcome> = outcomes.iter().map(|(id, it)| (id.as_str(), *it)).collect();
    let ids: Vec<&str> = outcomes.keys().copied().collect();
    let first: Vec<String> = statement(
        "INSERT INTO sync_companies_seen (sync_id, source_id, outcome) SELECT $1, i.* FROM unnest($2, $3) AS i
         ON CONFLICT DO NOTHING RETURNING source_id",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Array<Text>, _>(ids.as_slice())
    .bind::<Array<Text>, _>(outcomes.values().map(|it| it.as_str()).collect::<Vec<_>>())
    .returning::<Text>()
    .load(db)
    .await?;
    let mut noted = CompaniesNoted { first: first.into_iter().collect(), ..CompaniesNoted::default() };
    noted.first.iter().for_each(|id| noted.counts.count(outcomes[id.as_str()]));
    let again: Vec<&str> = ids.into_iter().filter(|id| !noted.first.contains(*id)).collect();
    let changed = changed_outcomes(db, sync_id, &outcomes, again, "").await?;
    if !changed.is_empty() {
        let ids = changed.keys().map(String::as_str).collect();
        let changed =
            changed_outcomes(db, sync_id, &outcomes, ids, "ORDER BY source_id FOR NO KEY UPDATE").await?;
        for (before, after) in changed.values() {
            noted.recounted.count(*before);
            noted.counts.count(*after);
        }
        statement(
            "UPDATE sync_companies_seen AS t SET outcome = i.outcome FROM unnest($2, $3) AS i (source_id, outcome)
             WHERE t.sync_id = $1 AND t.source_id = i.source_id",
        )
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Array<Text>, _>(changed.keys().collect::<Vec<_>>())
        .bind::<Array<Text>, _>(changed.values().map(|(_, after)| after.as_str()).collect::<Vec<_>>())
        .execute(db)
        .await?;
    }
    Ok(noted)
}

/// The noted outcome and the one that replaces it, of companies for which they differ.
async fn changed_outcomes(
    db: &mut Db,
    sync_id: SyncId,
    outcomes: &BTreeMap<&str, Outcome>,
    ids: Vec<&str>,
    lock: &str,
) -> Result<BTreeMap<String, (Outcome, Outcome)>, StoreError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let text = format!(
        "SELECT source_id, outcome FROM sync_companies_seen WHERE sync_id = $1 AND source_id = ANY($2) {lock}"
    );
    let rows: Vec<(String, Option<String>)> = statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Array<Text>, _>(ids)
        .returning::<(Text, Nullable<Text>)>()
        .load(db)
        .await?;
    let mut changed = BTreeMap::new();
    for (id, before) in rows {
        // None: noted by an earlier release, which kept no outcomes.
        let Some(before) = before else { continue };
        let before: Outcome = word("sync_companies_seen", "outcome", &id, &before)?;
        let after = before.then(outcomes[id.as_str()]);
        if after != before {
            changed.insert(id, (before, after));
        }
    }
    let mended =
        changed.iter().filter(|(_, (before, _))| *before == Outcome::Rejected).map(|(id, _)| id.clone());
    for id in rejected_still(db, mended.collect()).await? {
        changed.remove(&id);
    }
    Ok(changed)
}

/// Of these companies, those about which a rejection stands: pages come in any order, and an older sound state mends nothing.
async fn rejected_still(db: &mut Db, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
    if ids.is_empty() {
        return Ok(ids);
    }
    Ok(statement(
        "SELECT DISTINCT source_id FROM record_findings WHERE record_type = $1 AND severity = $2 AND source_id = ANY($3)",
    )
    .bind::<Text, _>(RecordType::Company.as_str())
    .bind::<Text, _>(Severity::Error.as_str())
    .bind::<Array<Text>, _>(ids)
    .returning::<Text>()
    .load(db)
    .await?)
}

/// Notes in the tally of a sync how many of the records read were on their list before, and how many of those had not changed
/// meanwhile. Companies count once and never come again.
pub(crate) async fn again_note(db: &mut Db, sync_id: SyncId) -> Result<(), StoreError> {
    statement(
        // One grouping and no join of ids: one pass, whatever numbers of rows the planner estimates.
        "WITH ids AS (
             SELECT record_type, chain, unnest(source_ids) AS id, 0 AS late FROM sync_seen WHERE sync_id = $1
             UNION ALL SELECT record_type, chain, unnest(late_ids), 1 FROM sync_seen WHERE sync_id = $1
         ), each AS (
             SELECT record_type, count(*) - sum(late) AS seen, sum(late) AS late FROM ids WHERE id <> ''
             GROUP BY record_type, chain, id HAVING count(*) - sum(late) > 1
         ), again AS (
             SELECT record_type, sum(seen - 1) AS again, sum(greatest(seen - late - 1, 0)) AS doubled FROM each GROUP BY record_type
         )
         UPDATE sync_counts c SET again = least(a.again, c.read), doubled = a.doubled
         FROM again a WHERE c.sync_id = $1 AND c.record_type = a.record_type",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the ids that a sync has seen: it has ended without a hole, and nothing asks for them any more.
pub(crate) async fn seen_forget(db: &mut Db, sync_id: SyncId) -> Result<(), StoreError> {
    statement("DELETE FROM sync_seen WHERE sync_id = $1")
        .bind::<Uuid, _>(sync_id.as_uuid())
        .execute(db)
        .await?;
    Ok(())
}
