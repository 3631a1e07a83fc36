//! How a sync goes on when a task has ended: the next phase, or the end. All here is done in the transaction that ends
//! the task, under a lock on the sync, so that exactly one task is the last of its phase.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{PageRequest, Phase, RecordType, TaskId};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::{
        syncs::StoredSync,
        tasks::{NewTask, task_insert},
    },
    records::vessels_of_company,
    settings::sync_settings::settings_read,
};

/// Opens the first phase at or after `from` that has anything to fetch; no tasks: none has.
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
        for (chain, slice) in (0..).zip(sync.scope.slices(*record_type, &of_company)) {
            let task = NewTask {
                id: TaskId::new(),
                sync_id: sync.id,
                request: PageRequest::first(*record_type, &sync.scope, slice, chain, page_size),
                trace_context: sync.trace_context.clone(),
            };
            if task_insert(db, &task, now).await? {
                opened.push(task);
            }
        }
    }
    Ok(opened)
}
