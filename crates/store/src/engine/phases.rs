//! How a sync goes on when a task has ended: the next phase, or the end. All here is done in the transaction that ends
//! the task, under a lock on the sync, so that exactly one task is the last of its phase.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{ListSlice, Phase, RecordType, Scope, SyncId, TaskId};
use serde_json::Value;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::{
        syncs::StoredSync,
        tasks::{NewTask, task_insert},
    },
    records::vessels_of_company,
    settings::sync_settings::settings_read,
};

/// The first page of a list: what its message is made of.
#[derive(Debug)]
pub struct FirstPageOf<'a> {
    /// The new task.
    pub task_id: TaskId,
    /// Its sync.
    pub sync_id: SyncId,
    /// The list.
    pub record_type: RecordType,
    /// What the sync is to look at.
    pub scope: &'a Scope,
    /// The part of the list that is fetched in this chain.
    pub slice: &'a ListSlice,
    /// Which of the chains of the list it is, from 0.
    pub chain: u32,
    /// Records per page, by the settings.
    pub page_size: u32,
}

/// Makes the message (the SyncTask as ProtoJSON) of the first page of a list.
pub type FirstPage<'a> = dyn Fn(&FirstPageOf<'_>) -> Value + Send + Sync + 'a;

/// Opens the first phase at or after `from` that has anything to fetch; no tasks: none has.
pub(crate) async fn phase_open_from(
    db: &mut Db,
    sync: &StoredSync,
    from: Option<Phase>,
    first_page: &FirstPage<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<NewTask>, StoreError> {
    let mut from = from;
    while let Some((phase, lists)) = from.and_then(|from| Phase::first_with_work(from, &sync.scope)) {
        let opened = phase_open(db, sync, phase, &lists, first_page, now).await?;
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
    first_page: &FirstPage<'_>,
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
            let id = TaskId::new();
            let (sync_id, record_type, scope) = (sync.id, *record_type, &sync.scope);
            let of =
                FirstPageOf { task_id: id, sync_id, record_type, scope, slice: &slice, chain, page_size };
            let task = NewTask {
                id,
                sync_id,
                record_type,
                chain,
                page: 0,
                message: first_page(&of),
                trace_context: sync.trace_context.clone(),
            };
            if task_insert(db, &task, now).await? {
                opened.push(task);
            }
        }
    }
    Ok(opened)
}
