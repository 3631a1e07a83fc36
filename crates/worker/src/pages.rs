//! The messages of page tasks: the first page of a list, the page after a page, and what to ask the provider for.

use chrono::{DateTime, Utc};
use contracts::{
    messages::{PageOfRecords, RecordType, SyncTask},
    provider::{LARGEST_PAGE, ListQuery},
};
use domain::TaskId;
use serde_json::Value;
use store::{engine::phases::FirstPageOf, ledger::tasks::NewTask};

/// Makes the message of a first page.
pub(crate) fn first_page(of: &FirstPageOf<'_>) -> Value {
    let page = PageOfRecords {
        number: 0,
        cursor: None,
        limit: of.page_size.clamp(1, LARGEST_PAGE),
        updated_since: of.scope.updated_since.map(Into::into),
        source_ids: of.slice.source_ids.clone(),
        vessel_id: of.slice.vessel_id.clone().unwrap_or_default(),
        company_id: of.slice.company_id.clone().unwrap_or_default(),
        chain: of.chain,
        as_of: None,
    };
    json(&SyncTask {
        task_id: of.task_id.to_string(),
        sync_id: of.sync_id.to_string(),
        record_type: RecordType::from(of.record_type).into(),
        page: Some(page),
    })
}

/// When the provider read the first page of the chain; none while this is that page.
pub(crate) fn first_look(message: &SyncTask) -> Option<DateTime<Utc>> {
    message.page.as_ref()?.as_of?.try_into().ok()
}

/// The task after `task`, at the cursor that its page showed. `as_of`: when the provider read that page.
pub(crate) fn next_page(
    task: &store::ledger::tasks::Task,
    message: &SyncTask,
    cursor: &str,
    as_of: Option<DateTime<Utc>>,
    trace_context: Value,
) -> NewTask {
    let id = TaskId::new();
    let mut next = message.clone();
    next.task_id = id.to_string();
    let page = next.page.get_or_insert_default();
    page.number = task.page + 1;
    page.cursor = Some(cursor.to_owned());
    page.as_of = page.as_of.or(as_of.map(Into::into));
    NewTask {
        id,
        sync_id: task.sync_id,
        record_type: task.record_type,
        chain: task.chain,
        page: task.page + 1,
        message: json(&next),
        trace_context,
    }
}

/// What to ask the provider for.
pub(crate) fn query(page: &PageOfRecords) -> ListQuery {
    let named = |text: &String| (!text.is_empty()).then(|| text.clone());
    ListQuery {
        limit: Some(page.limit),
        cursor: page.cursor.clone(),
        updated_since: page.updated_since.and_then(|at| at.try_into().ok()),
        ids: (!page.source_ids.is_empty()).then(|| page.source_ids.join(",")),
        vessel_id: named(&page.vessel_id),
        company_id: named(&page.company_id),
        ..ListQuery::default()
    }
}

fn json(message: &SyncTask) -> Value {
    serde_json::to_value(message).expect("generated messages have text keys only")
}

#[cfg(test)]
mod tests {
    use domain::{
        Scope, SyncId,
        clock::{Clock, SystemClock},
    };

    use super::*;

    fn first(scope: &Scope, record_type: domain::RecordType) -> ListQuery {
        let slices = scope.slices(record_type, &[]);
        let [slice] = slices.as_slice() else { panic!("one chain") };
        let (task_id, sync_id) = (TaskId::new(), SyncId::new());
        let of = FirstPageOf { task_id, sync_id, record_type, scope, slice, chain: 0, page_size: 500 };
        let message: SyncTask = serde_json::from_value(first_page(&of)).unwrap();
        query(message.page.as_ref().unwrap())
    }

    #[test]
    fn the_first_page_asks_for_the_scope_and_no_cursor() {
        let since = SystemClock.now();
        let scope = Scope { updated_since: Some(since), vessel_id: Some("v-1".into()), ..Scope::default() };
        let asked = first(&scope, domain::RecordType::Vessel);
        assert_eq!((asked.ids.as_deref(), asked.vessel_id, asked.cursor), (Some("v-1"), None, None));
        assert_eq!((asked.updated_since, asked.limit), (Some(since), Some(500)));

        let asked = first(&scope, domain::RecordType::User);
        assert_eq!((asked.ids, asked.vessel_id.as_deref()), (None, Some("v-1")));

        let scope = Scope { company_id: Some("c-1".into()), ..Scope::default() };
        assert_eq!(first(&scope, domain::RecordType::Vessel).company_id.as_deref(), Some("c-1"));
    }
}
