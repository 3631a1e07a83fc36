//! The messages of page tasks: the first page of a list, the page after a page, and what to ask the provider for.

use contracts::{
    messages::{PageOfRecords, RecordType, SyncTask},
    provider::{LARGEST_PAGE, ListQuery},
};
use domain::{Scope, TaskId};
use serde_json::Value;
use store::{phases::FirstPageOf, tasks::NewTask};

/// Makes the messages of first pages, with so many records per page.
pub(crate) fn first_page(page_size: u32) -> impl Fn(&FirstPageOf<'_>) -> Value + Send + Sync {
    move |of| {
        let page = PageOfRecords {
            number: 0,
            cursor: None,
            limit: page_size.clamp(1, LARGEST_PAGE),
            updated_since: of.scope.updated_since.map(Into::into),
            source_ids: of.scope.ids_of(of.record_type).to_vec(),
        };
        json(&SyncTask {
            task_id: of.task_id.to_string(),
            sync_id: of.sync_id.to_string(),
            record_type: RecordType::from(of.record_type).into(),
            page: Some(page),
        })
    }
}

/// The task after `task`, at the cursor that its page showed.
pub(crate) fn next_page(
    task: &store::tasks::Task,
    message: &SyncTask,
    cursor: &str,
    trace_context: Value,
) -> NewTask {
    let id = TaskId::new();
    let mut next = message.clone();
    next.task_id = id.to_string();
    let page = next.page.get_or_insert_default();
    page.number = task.page + 1;
    page.cursor = Some(cursor.to_owned());
    NewTask {
        id,
        sync_id: task.sync_id,
        record_type: task.record_type,
        page: task.page + 1,
        message: json(&next),
        trace_context,
    }
}

/// What to ask the provider for.
pub(crate) fn query(page: &PageOfRecords, scope: &Scope, record_type: domain::RecordType) -> ListQuery {
    let of_vessel = scope.vessel_id.clone().filter(|_| record_type != domain::RecordType::Vessel);
    ListQuery {
        limit: Some(page.limit),
        cursor: page.cursor.clone(),
        updated_since: page.updated_since.and_then(|at| at.try_into().ok()),
        ids: (!page.source_ids.is_empty()).then(|| page.source_ids.join(",")),
        vessel_id: of_vessel,
        ..ListQuery::default()
    }
}

fn json(message: &SyncTask) -> Value {
    serde_json::to_value(message).expect("generated messages have text keys only")
}

#[cfg(test)]
mod tests {
    use domain::{
        SyncId,
        clock::{Clock, SystemClock},
    };

    use super::*;

    fn first(scope: &Scope, record_type: domain::RecordType) -> SyncTask {
        let of = FirstPageOf { task_id: TaskId::new(), sync_id: SyncId::new(), record_type, scope };
        serde_json::from_value(first_page(500)(&of)).unwrap()
    }

    #[test]
    fn the_first_page_asks_for_the_scope_and_no_cursor() {
        let since = SystemClock.now();
        let scope = Scope { updated_since: Some(since), vessel_id: Some("v-1".into()), ..Scope::default() };
        let vessels = first(&scope, domain::RecordType::Vessel);
        let asked = query(vessels.page.as_ref().unwrap(), &scope, domain::RecordType::Vessel);
        assert_eq!((asked.ids.as_deref(), asked.vessel_id, asked.cursor), (Some("v-1"), None, None));
        assert_eq!((asked.updated_since, asked.limit), (Some(since), Some(500)));

        let users = first(&scope, domain::RecordType::User);
        let asked = query(users.page.as_ref().unwrap(), &scope, domain::RecordType::User);
        assert_eq!((asked.ids, asked.vessel_id.as_deref()), (None, Some("v-1")));
    }
}
