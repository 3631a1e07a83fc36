//! Rows into messages.

use std::collections::BTreeMap;

use broker::{OutgoingMessage, Queue, Replay};
use contracts::messages::{ApprovalEvent, Message, PageOfRecords, SyncCommand, SyncTask};
use domain::{PageQuery, PageRequest};
use serde_json::{Value, json};
use store::ledger::{postponed::PostponedMessage, unpublished::Unpublished};

/// The message that a row asks for; none if it cannot be sent anywhere, which only a foreign hand could have done.
pub(crate) fn message(row: &Unpublished) -> Option<OutgoingMessage> {
    Some(match row {
        Unpublished::Event {
            id,
            webhook_id,
            event_type,
            record_type,
            source_id,
            occurred_at,
            record_updated_at,
            trace_context,
        } => {
            let event = ApprovalEvent {
                webhook_event_id: id.to_string(),
                webhook_id: webhook_id.clone(),
                event_type: event_type.clone(),
                record_type: contracts::messages::RecordType::from(*record_type).into(),
                source_id: source_id.clone(),
                occurred_at: occurred_at.map(Into::into),
                record_updated_at: record_updated_at.map(Into::into),
            };
            outgoing(Queue::Events, id.to_string(), &event, None, trace_context)
        }
        Unpublished::Command { sync_id, trace_context } => {
            let command = SyncCommand { sync_id: sync_id.to_string() };
            outgoing(Queue::Commands, sync_id.to_string(), &command, Some(sync_id.to_string()), trace_context)
        }
        Unpublished::Task { id, sync_id, request, trace_context } => {
            let task = SyncTask {
                task_id: id.to_string(),
                sync_id: sync_id.to_string(),
                record_type: contracts::messages::RecordType::from(request.record_type).into(),
                page: Some(page_of_records(request)),
            };
            outgoing(Queue::Tasks, id.to_string(), &task, Some(sync_id.to_string()), trace_context)
        }
        Unpublished::Replay { id, message_id, queue, kind, body, headers, sync_id, replays } => {
            OutgoingMessage {
                queue: Queue::named(queue)?,
                message_id: message_id.clone(),
                kind: kind.clone(),
                body: body.clone(),
                correlation_id: sync_id.map(|sync| sync.to_string()),
                trace_context: trace(headers),
                attempt: 1,
                replay: Some(Replay { of: id.to_string(), count: *replays }),
            }
        }
    })
}

/// A message that was put off, as it was; none if a foreign hand has changed where it goes.
pub(crate) fn postponed_message(row: &PostponedMessage) -> Option<OutgoingMessage> {
    Some(OutgoingMessage {
        queue: Queue::named(&row.queue)?,
        message_id: row.message_id.clone(),
        kind: row.kind.clone(),
        body: row.body.clone(),
        correlation_id: row.correlation_id.clone(),
        trace_context: trace(&row.trace_context),
        attempt: row.attempt.unsigned_abs(),
        replay: row.replay_of.clone().map(|of| Replay { of, count: row.replay_count.unsigned_abs() }),
    })
}

/// The row of a message that is put off.
pub(crate) fn postponed_row(message: OutgoingMessage) -> PostponedMessage {
    let OutgoingMessage { queue, message_id, kind, body, correlation_id, trace_context, attempt, replay } =
        message;
    PostponedMessage {
        queue: queue.name().to_owned(),
        message_id,
        kind,
        body,
        correlation_id,
        trace_context: json!(trace_context),
        attempt: i32::try_from(attempt).unwrap_or(i32::MAX),
        replay_count: replay.as_ref().map_or(0, |it| i32::try_from(it.count).unwrap_or(i32::MAX)),
        replay_of: replay.map(|it| it.of),
    }
}

fn page_of_records(request: &PageRequest) -> PageOfRecords {
    // The worker reads the row.
    let PageQuery { cursor, limit, updated_since, filter, as_of, second_look: _, walk: _ } = &request.query;
    PageOfRecords {
        number: request.number,
        cursor: cursor.clone(),
        limit: *limit,
        updated_since: updated_since.map(Into::into),
        source_ids: filter.source_ids.clone(),
        vessel_id: filter.vessel_id.clone().unwrap_or_default(),
        company_id: filter.company_id.clone().unwrap_or_default(),
        chain: request.chain,
        as_of: as_of.map(Into::into),
    }
}

fn outgoing<M: Message>(
    queue: Queue,
    id: String,
    message: &M,
    sync: Option<String>,
    context: &Value,
) -> OutgoingMessage {
    OutgoingMessage {
        queue,
        message_id: id,
        kind: M::KIND.to_owned(),
        body: message.encode(),
        correlation_id: sync,
        trace_context: trace(context),
        attempt: 1,
        replay: None,
    }
}

/// Of all that a row or a dead message may carry, what continues its trace.
fn trace(context: &Value) -> BTreeMap<String, String> {
    let field = |name: &str| Some((name.to_owned(), context.get(name)?.as_str()?.to_owned()));
    ["traceparent", "tracestate"].into_iter().filter_map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{DeadLetterId, ListFilter, RecordType, Scope, SyncId, TaskId, list_walk::ListWalk};

    #[test]
    fn task_message_names_its_page_and_continues_its_trace() {
        let (id, sync_id) = (TaskId::new(), SyncId::new());
        let filter = ListFilter { vessel_id: Some("v-1".into()), ..ListFilter::default() };
        let first = PageRequest::first(RecordType::User, &Scope::default(), filter, 3, 500);
        let row = Unpublished::Task {
            id,
            sync_id,
            request: first.next("c-2".into(), None, ListWalk::default()),
            trace_context: json!({"traceparent": "00-1-2-01", "other": 1}),
        };
        let message = message(&row).unwrap();
        assert_eq!((message.queue, message.message_id), (Queue::Tasks, id.to_string()));
        assert_eq!(message.trace_context.len(), 1);
        let task = SyncTask::decode(&message.kind, &message.body).unwrap();
        assert_eq!(task.sync_id, sync_id.to_string());
        let page = task.page.unwrap();
        assert_eq!((page.number, page.cursor.as_deref(), page.limit), (1, Some("c-2"), 500));
        assert_eq!((page.chain, page.vessel_id.as_str()), (3, "v-1"));
    }

    #[test]
    fn a_replay_carries_its_lineage_and_goes_where_the_message_died() {
        let id = DeadLetterId::new();
        let mut row = Unpublished::Replay {
            id,
            message_id: "m".into(),
            queue: "sync.events".into(),
            kind: "k".into(),
            body: vec![0xff],
            headers: json!({}),
            sync_id: None,
            replays: 2,
        };
        let sent = message(&row).unwrap();
        assert_eq!((sent.queue, sent.body), (Queue::Events, vec![0xff]));
        assert_eq!(sent.replay, Some(Replay { of: id.to_string(), count: 2 }));
        if let Unpublished::Replay { queue, .. } = &mut row {
            *queue = "elsewhere".into();
        }
        assert_eq!(message(&row), None);
    }
}
