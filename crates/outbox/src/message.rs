//! Rows into messages.

use std::collections::BTreeMap;

use broker::{Outgoing, Queue, Replay};
use contracts::messages::{ApprovalEvent, Message, SyncCommand, SyncTask};
use serde_json::Value;
use store::ledger::unpublished::Unpublished;

/// The message that a row asks for; none if it cannot be sent anywhere, which only a foreign hand could have done.
pub(crate) fn message(row: &Unpublished) -> Option<Outgoing> {
    Some(match row {
        Unpublished::Event {
            id,
            webhook_id,
            event_type,
            record_type,
            source_id,
            occurred_at,
            trace_context,
        } => {
            let event = ApprovalEvent {
                webhook_event_id: id.to_string(),
                webhook_id: webhook_id.clone(),
                event_type: event_type.clone(),
                record_type: contracts::messages::RecordType::from(*record_type).into(),
                source_id: source_id.clone(),
                occurred_at: occurred_at.map(Into::into),
            };
            outgoing(Queue::Events, id.to_string(), &event, None, trace_context)
        }
        Unpublished::Command { sync_id, trace_context } => {
            let command = SyncCommand { sync_id: sync_id.to_string() };
            outgoing(Queue::Commands, sync_id.to_string(), &command, Some(sync_id.to_string()), trace_context)
        }
        Unpublished::Task { id, sync_id, message, trace_context } => Outgoing {
            queue: Queue::Tasks,
            message_id: id.to_string(),
            kind: SyncTask::KIND.to_owned(),
            body: message.to_string().into_bytes(),
            correlation_id: Some(sync_id.to_string()),
            trace_context: trace(trace_context),
            replay: None,
        },
        Unpublished::Replay { id, message_id, queue, kind, body, headers, sync_id, replays } => Outgoing {
            queue: Queue::named(queue)?,
            message_id: message_id.clone(),
            kind: kind.clone(),
            body: body.clone(),
            correlation_id: sync_id.map(|sync| sync.to_string()),
            trace_context: trace(headers),
            replay: Some(Replay { of: id.to_string(), count: *replays }),
        },
    })
}

fn outgoing<M: Message>(
    queue: Queue,
    id: String,
    message: &M,
    sync: Option<String>,
    context: &Value,
) -> Outgoing {
    Outgoing {
        queue,
        message_id: id,
        kind: M::KIND.to_owned(),
        body: message.encode(),
        correlation_id: sync,
        trace_context: trace(context),
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
    use domain::{DeadLetterId, SyncId, TaskId};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_goes_out_as_it_was_recorded_and_continues_its_trace() {
        let (id, sync_id) = (TaskId::new(), SyncId::new());
        let row = Unpublished::Task {
            id,
            sync_id,
            message: json!({"taskId": id.to_string(), "syncId": sync_id.to_string()}),
            trace_context: json!({"traceparent": "00-1-2-01", "other": 1}),
        };
        let message = message(&row).unwrap();
        assert_eq!((message.queue, message.message_id), (Queue::Tasks, id.to_string()));
        assert_eq!(message.trace_context.len(), 1);
        assert_eq!(SyncTask::decode(&message.kind, &message.body).unwrap().sync_id, sync_id.to_string());
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
