//! Phases of a sync: opening one creates the first task of each of its chains.
//!
//! In the transaction that starts the sync or ends a task, under a lock on the sync's row, so that exactly one task is
//! the last of its phase.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Outcome, PageRequest, Phase, RecordType, SyncId, TaskId};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::{
        syncs::StoredSync,
        tallies::{TallyChange, tallies_add},
        tasks::{NewTask, task_insert},
    },
    settings::sync_settings::settings_read,
};

/// Opens the first phase at or after `from` that has lists to fetch. Without tasks: there is no such phase.
pub(crate) async fn phase_open_from(
    db: &mut Db,
    sync: &StoredSync,
    from: Option<Phase>,
    now: DateTime<Utc>,
) -> Result<Vec<NewTask>, StoreError> {
    let mut from = from;
    while let Some((phase, lists)) = from.and_then(|from| Phase::first_with_work(from, &sync.scope)) {
        let opened = phase_open(db, sync, phase, &lists, now).await?;
        if !opened.is_empty() {
            return Ok(opened);
        }
        from = phase.next();
    }
    Ok(Vec::new())
}

async fn phase_open(
    db: &mut Db,
    sync: &StoredSync,
    phase: Phase,
    lists: &[RecordType],
    now: DateTime<Utc>,
) -> Result<Vec<NewTask>, StoreError> {
    statement("UPDATE sync_logs SET phase = $2, heartbeat_at = $3 WHERE id = $1")
        .bind::<Uuid, _>(sync.id.as_uuid())
        .bind::<Int2, _>(phase.number())
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    // Companies come with vessels: in the second phase those of the company are known.
    let of_company = match &sync.scope.company_id {
        Some(company) if phase > Phase::One => vessels_of_company(db, sync.id, company).await?,
        _ => Vec::new(),
    };
    let page_size = settings_read(db).await?.page_size;
    let mut opened = Vec::new();
    for record_type in lists {
        let filters = sync.scope.list_filters(*record_type, &of_company);
        if filters.is_empty() {
            // Nothing to ask for is a list of no records, which was read. No task of the sync is open, so that none holds its
            // tally and waits for its lock.
            let nothing = TallyChange { expected: Some(0), ..TallyChange::default() };
            let companies = (*record_type == RecordType::Vessel).then_some(RecordType::Company);
            let reached = [*record_type].into_iter().chain(companies).map(|of| (of, nothing)).collect();
            tallies_add(db, sync.id, &reached).await?;
        }
        for (chain, filter) in (0..).zip(filters) {
            let task = NewTask {
                id: TaskId::new(),
                sync_id: sync.id,
                request: PageRequest::first(*record_type, &sync.scope, filter, chain, page_size),
                trace_context: sync.trace_context.clone(),
            };
            if task_insert(db, &task, now).await? {
                opened.push(task);
            }
        }
    }
    Ok(opened)
}

/// Source ids of the active vessels of a company. Of a dry run, also of those that it would create: they are all of the
/// company that its scope names.
async fn vessels_of_company(
    db: &mut Db,
    sync_id: SyncId,
    company_id: &str,
) -> Result<Vec<String>, StoreError> {
    let text = format!(
        "SELECT v.source_id FROM vessels v JOIN companies c ON c.id = v.company_id
         WHERE c.source_id = $1 AND v.status = 'active'
         UNION SELECT source_id FROM sync_changes
         WHERE sync_id = $2 AND record_type = '{}' AND outcome = '{}'
         ORDER BY 1",
        RecordType::Vessel,
        Outcome::Created
    );
    let statement = statement(&text).bind::<Text, _>(company_id).bind::<Uuid, _>(sync_id.as_uuid());
    Ok(statement.returning::<Text>().load(db).await?)
}
