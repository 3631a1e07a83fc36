//! The second look of a phase: records that are fetched by their ids when the lists of the phase are read.
//!
//! Of two pages the one that gives a key up may come after the one that takes it, and equipment may be listed before its
//! vessel is here: such rejections are tried once more ([`SecondLook::Rejected`]), and the new outcome replaces the earlier
//! one in the tally and the findings. And what stands rejected by earlier syncs is part of an incremental sync until it is
//! mended ([`SecondLook::Standing`]): it may be mended without a change of its own.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    ListFilter, Mode, Outcome, PageRequest, Phase, RecordType, SecondLook, Severity, SourceId, SyncId,
    TaskId, TaskState, scope::IDS_LIMIT,
};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count},
        statement::statement,
    },
    ledger::{
        syncs::StoredSync,
        tallies::{TallyChange, tallies_at_end},
        tasks::{NewTask, task_insert},
    },
    settings::sync_settings::settings_read,
};

/// Opens the second look of a phase, whose tasks have ended. Without tasks: there is nothing to look at, or it was opened
/// before.
pub(crate) async fn second_look_open(
    db: &mut Db,
    sync: &StoredSync,
    phase: Phase,
    now: DateTime<Utc>,
) -> Result<Vec<NewTask>, StoreError> {
    let lists: Vec<RecordType> =
        phase.lists().iter().copied().filter(|list| sync.scope.wants(*list)).collect();
    if is_opened(db, sync.id, &lists).await? {
        return Ok(Vec::new());
    }
    let mut opened = Vec::new();
    for list in lists {
        let mut slices = Vec::new();
        let rejected = retried_ids(db, sync.id, list).await?;
        slices.extend(slices_of(&rejected).map(|slice| (SecondLook::Rejected, slice)));
        if sync.mode == Mode::Incremental && sync.scope.is_of_whole_lists() {
            let standing = standing_ids(db, sync.id, list, SecondLook::RECORDS_LIMIT).await?;
            slices.extend(slices_of(&standing).map(|slice| (SecondLook::Standing, slice)));
            if list == RecordType::Vessel {
                let companies =
                    standing_ids(db, sync.id, RecordType::Company, SecondLook::COMPANIES_LIMIT).await?;
                let of_company = |id| ListFilter { company_id: Some(id), ..ListFilter::default() };
                slices.extend(companies.into_iter().map(|id| (SecondLook::Standing, of_company(id))));
            }
        }
        if slices.is_empty() {
            continue;
        }
        let page_size = settings_read(db).await?.page_size;
        let first_chain = chains(db, sync.id, list).await?;
        for (chain, (second_look, slice)) in (first_chain..).zip(slices) {
            let task = NewTask {
                id: TaskId::new(),
                sync_id: sync.id,
                request: PageRequest::again(list, second_look, slice, chain, page_size),
                trace_context: sync.trace_context.clone(),
            };
            if task_insert(db, &task, now).await? {
                opened.push(task);
            }
        }
    }
    Ok(opened)
}

fn slices_of(ids: &[String]) -> impl Iterator<Item = ListFilter> {
    ids.chunks(IDS_LIMIT).map(|ids| ListFilter { source_ids: ids.to_vec(), ..ListFilter::default() })
}

async fn is_opened(db: &mut Db, sync_id: SyncId, lists: &[RecordType]) -> Result<bool, StoreError> {
    Ok(statement(
        "SELECT EXISTS (SELECT FROM sync_queue
             WHERE sync_id = $1 AND record_type = ANY($2) AND jsonb_exists(page_request, 'secondLook'))",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Array<Text>, _>(lists.iter().map(|list| list.as_str()).collect::<Vec<_>>())
    .returning::<Bool>()
    .get_result(db)
    .await?)
}

/// How many chains a list has.
async fn chains(db: &mut Db, sync_id: SyncId, list: RecordType) -> Result<u32, StoreError> {
    let chains: i32 = statement(
        "SELECT coalesce(max(chain) + 1, 0) FROM sync_queue WHERE sync_id = $1 AND record_type = $2",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Text, _>(list.as_str())
    .returning::<Int4>()
    .get_result(db)
    .await?;
    Ok(chains.unsigned_abs())
}

/// Records that the sync has rejected for what a later page may have mended.
async fn retried_ids(db: &mut Db, sync_id: SyncId, list: RecordType) -> Result<Vec<String>, StoreError> {
    let ids: Vec<String> = statement(
        "SELECT DISTINCT source_id FROM findings
         WHERE sync_id = $1 AND record_type = $2 AND severity = $3 AND code = ANY($4) AND source_id ~ $6
         ORDER BY 1 LIMIT $5",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Text, _>(list.as_str())
    .bind::<Text, _>(Severity::Error.as_str())
    .bind::<Array<Text>, _>(SecondLook::RETRIED_CODES)
    .bind::<Int8, _>(i64::from(SecondLook::RECORDS_LIMIT))
    .bind::<Text, _>(ASKABLE)
    .returning::<Text>()
    .load(db)
    .await?;
    Ok(askable(ids))
}

/// Records that stand rejected and that the sync has not seen, those that were found first in front: what is looked at and
/// is still rejected is found anew.
async fn standing_ids(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let seen = match record_type {
        RecordType::Company => "SELECT source_id FROM sync_companies_seen WHERE sync_id = $1",
        _ => "SELECT unnest(source_ids) FROM sync_seen WHERE sync_id = $1 AND record_type = $2",
    };
    let text = format!(
        "SELECT source_id FROM record_findings
         WHERE record_type = $2 AND severity = $3 AND source_id ~ $5 AND source_id NOT IN ({seen})
         GROUP BY source_id ORDER BY min(found_at), source_id LIMIT $4"
    );
    let ids: Vec<String> = statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Text, _>(Severity::Error.as_str())
        .bind::<Int8, _>(i64::from(limit))
        .bind::<Text, _>(ASKABLE)
        .returning::<Text>()
        .load(db)
        .await?;
    Ok(askable(ids))
}

/// Most rejected records have an id that a list of ids can hold; the others must not take their places. Nearly the rule of
/// [`SourceId`], which has the last word.
const ASKABLE: &str = "^[A-Za-z0-9._~:@+=-]{1,200}$";

fn askable(mut ids: Vec<String>) -> Vec<String> {
    ids.retain(|id| id.parse::<SourceId>().is_ok());
    ids
}

/// Forgets what stands about records that a second look has asked for and that are not listed any more. Not if a record of
/// the answer had no readable id, or if fewer were listed than announced: it may be one of them.
pub(crate) async fn second_look_settle(db: &mut Db, sync: &StoredSync) -> Result<(), StoreError> {
    if sync.dry_run || sync.mode != Mode::Incremental {
        return Ok(());
    }
    let tallies = tallies_at_end(db, sync.id).await?;
    let whole: Vec<&str> =
        tallies.iter().filter(|it| it.is_whole()).map(|it| it.record_type.as_str()).collect();
    let text = format!(
        "WITH chains AS (
             SELECT record_type, chain, page_request AS request FROM sync_queue t
             WHERE sync_id = $1 AND page = 0 AND page_request ->> 'secondLook' = 'standing' AND record_type = ANY($2)
                 AND NOT EXISTS (SELECT FROM sync_queue o WHERE o.sync_id = $1 AND o.record_type = t.record_type
                                     AND o.chain = t.chain AND o.state <> '{done}')
                 AND NOT EXISTS (SELECT FROM sync_seen s WHERE s.sync_id = $1 AND s.record_type = t.record_type
                                     AND s.chain = t.chain AND '' = ANY(s.source_ids))
         ), gone AS (
             (SELECT record_type, jsonb_array_elements_text(request -> 'sourceIds') AS source_id FROM chains
              UNION ALL
              SELECT '{company}', request ->> 'companyId' FROM chains WHERE jsonb_exists(request, 'companyId'))
             EXCEPT (SELECT record_type, unnest(source_ids) FROM sync_seen WHERE sync_id = $1
                     UNION ALL SELECT '{company}', source_id FROM sync_companies_seen WHERE sync_id = $1)
         )
         DELETE FROM record_findings f USING gone
         WHERE f.record_type = gone.record_type AND f.source_id = gone.source_id",
        done = TaskState::Done,
        company = RecordType::Company,
    );
    statement(&text).bind::<Uuid, _>(sync.id.as_uuid()).bind::<Array<Text>, _>(whole).execute(db).await?;
    Ok(())
}

/// Takes the rejections of records back, which the sync looks at once more: their findings, and in a dry run their changes.
/// Returns how many times each was rejected. In the transaction that writes them.
pub async fn rejections_take(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    source_ids: &[String],
) -> Result<BTreeMap<String, u64>, StoreError> {
    // The findings of one rejection have one time.
    let rows: Vec<(String, i64)> = statement(
        "WITH rejections AS (
             SELECT DISTINCT source_id, found_at FROM findings
             WHERE sync_id = $1 AND record_type = $2 AND severity = $4 AND source_id = ANY($3)
         ), taken AS (
             DELETE FROM findings f USING rejections r
             WHERE f.sync_id = $1 AND f.record_type = $2 AND f.source_id = r.source_id AND f.found_at = r.found_at
             RETURNING f.source_id, f.found_at
         ), changes AS (
             DELETE FROM sync_changes c USING rejections r
             WHERE c.sync_id = $1 AND c.record_type = $2 AND c.source_id = r.source_id AND c.outcome = $5
         )
         SELECT source_id, count(DISTINCT found_at) FROM taken GROUP BY source_id",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Text, _>(record_type.as_str())
    .bind::<Array<Text>, _>(source_ids)
    .bind::<Text, _>(Severity::Error.as_str())
    .bind::<Text, _>(Outcome::Rejected.as_str())
    .returning::<(Text, Int8)>()
    .load(db)
    .await?;
    Ok(rows.into_iter().map(|(id, times)| (id, count(times))).collect())
}

/// What the outcomes of a second look change in the tally: as many records are read as before. Of a record that was rejected
/// several times, the earlier states are skipped, as those of a record that comes twice on a page.
#[must_use]
pub fn recount<'o>(
    rejected: &BTreeMap<String, u64>,
    outcomes: impl IntoIterator<Item = (&'o str, Outcome)>,
) -> TallyChange {
    let outcomes: BTreeMap<&str, Outcome> = outcomes.into_iter().collect();
    let mut change = TallyChange::default();
    for (id, times) in rejected {
        change.recounted.count_many(Outcome::Rejected, *times);
        change.counts.count_many(Outcome::Skipped, times.saturating_sub(1));
        change.counts.count(outcomes.get(id.as_str()).copied().unwrap_or(Outcome::Skipped));
    }
    change
}
