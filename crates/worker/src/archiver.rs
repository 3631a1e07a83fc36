//! Queue `sync.dead-letters`: makes what was given up a row.
//!
//! **What arrives**: a message as it was, with why it was given up, by one of us or by the broker (its consumer died
//! with it again and again).
//!
//! **What it changes**: in one transaction a row of `dead_letters`, and what the message was about is marked: its task
//! dead (which may end the sync), its webhook event failed, its sync failed if it could not even start.
//!
//! **Why twice is harmless**: the same death is one row; a task that has ended is left alone.

use broker::{DeadMessage, Queue};
use chrono::{DateTime, Utc};
use domain::{DeadLetterId, FailureClass, SyncId, SyncState, text::printable};
use sha2::{Digest, Sha256};
use store::{
    Db, StoreError,
    engine::{
        lifecycle::sync_fail,
        replays::{Archived, dead_letter_archive},
        settle::{PhaseEnd, task_dead},
    },
    ledger::{dead_letters::NewDeadLetter, webhook_events::webhook_events_mark_failed},
};

use crate::{
    context::Context,
    fault::{self, Point},
    progress::Moment,
};

/// Archives one message; whether it is a row now.
pub(crate) async fn handle(context: &Context, dead: DeadMessage) -> bool {
    match archive_somehow(context, dead.clone()).await {
        Ok(()) => {
            fault::point(Point::DeadLetterArchived).await;
            true
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                message.id = dead.message_id,
                "a dead letter could not be archived; trying again"
            );
            false
        }
    }
}

/// What fails for good would fail each time, and hold up every letter behind it: then the letter is kept with less.
async fn archive_somehow(context: &Context, dead: DeadMessage) -> Result<(), StoreError> {
    let is_permanent = |result: &Result<(), StoreError>| matches!(result, Err(error) if error.failure_class() == FailureClass::Permanent);
    let mut result = archive(context, &dead, Marking::Subject).await;
    for (letter, marking, what) in [
        (without_foreign_parts(&dead), Marking::Subject, "its headers"),
        (dead.clone(), Marking::Nothing, "a mark at what it was about"),
        (without_foreign_parts(&dead), Marking::Nothing, "its headers and a mark at what it was about"),
    ] {
        if !is_permanent(&result) {
            break;
        }
        if let Err(error) = &result {
            tracing::error!(
                error = error as &dyn std::error::Error,
                message.id = dead.message_id,
                without = what,
                "a dead letter cannot be archived as it is; it is kept without a part"
            );
        }
        result = archive(context, &letter, marking).await;
    }
    result
}

/// Whether what a dead letter was about is marked with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marking {
    Subject,
    Nothing,
}

async fn archive(context: &Context, dead: &DeadMessage, marking: Marking) -> Result<(), StoreError> {
    let letter = letter(dead);
    let now = context.clock.now();
    let (archived, end) = context
        .store
        .transaction(async |tx| {
            let archived = dead_letter_archive(tx, &letter, now).await?;
            let end = match archived {
                Archived::New if marking == Marking::Subject => mark(tx, dead, &letter.reason, now).await?,
                Archived::New | Archived::Already(_) => None,
            };
            Ok::<_, StoreError>((archived, end))
        })
        .await?;
    if archived == Archived::New {
        tracing::warn!(
            dead_letter.id = %letter.id,
            message.id = letter.message_id,
            messaging.destination.name = letter.queue,
            failure.class = letter.class.as_str(),
            failure.reason = letter.reason,
            "a message was given up"
        );
        metrics::counter!("sms_dead_letters_total", "reason" => letter.class.as_str()).increment(1);
        context.progress.dead_letter(letter.id, letter.queue.clone(), letter.reason.clone());
    }
    let is_end = matches!(end, Some(PhaseEnd::SyncEnded(_)));
    if let Some(PhaseEnd::PhaseOpened(tasks)) = end {
        context.outbox.publish_tasks(tasks).await;
    }
    match letter.sync_id {
        Some(sync) if is_end => context.sync_ended(sync).await,
        Some(sync) => context.progress.sync(sync, Moment::Moved),
        None => {}
    }
    Ok(())
}

/// The message without what the database may refuse to keep: its body, and whose it was, stay.
fn without_foreign_parts(dead: &DeadMessage) -> DeadMessage {
    DeadMessage {
        kind: String::new(),
        headers: serde_json::json!({}),
        reason: format!("{}; the message's own headers could not be kept", dead.class),
        trace_id: None,
        ..dead.clone()
    }
}

/// Marks what the message was about.
async fn mark(
    tx: &mut Db,
    dead: &DeadMessage,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Option<PhaseEnd>, StoreError> {
    // By the id of the row behind it: a message whose body cannot be read has one all the same.
    match Queue::named(&dead.queue) {
        Some(Queue::Tasks) => {
            let Ok(task) = dead.message_id.parse() else { return Ok(None) };
            Ok(Some(task_dead(tx, task, reason, now).await?))
        }
        Some(Queue::Commands) => {
            let Ok(sync) = dead.message_id.parse() else { return Ok(None) };
            let has_failed = sync_fail(tx, sync, reason, now).await?;
            Ok(has_failed.then_some(PhaseEnd::SyncEnded(SyncState::Failed)))
        }
        Some(Queue::Events) => {
            if let Ok(event) = dead.message_id.parse() {
                webhook_events_mark_failed(tx, &[event], reason).await?;
            }
            Ok(None)
        }
        None => Ok(None),
    }
}

/// Most characters of a dead letter's texts.
const REASON_LIMIT: usize = 2000;
const NAME_LIMIT: usize = 200;

fn letter(dead: &DeadMessage) -> NewDeadLetter {
    let id = DeadLetterId::new();
    // What comes over the wire may hold anything, and be of any length.
    let name = |text: &str| printable(text, NAME_LIMIT).into_owned();
    let of_command = (dead.queue == Queue::Commands.name()).then_some(dead.message_id.as_str());
    let sync_id: Option<SyncId> =
        dead.correlation_id.as_deref().or(of_command).and_then(|id| id.parse().ok());
    NewDeadLetter {
        id,
        message_id: if dead.message_id.is_empty() { nameless(dead) } else { name(&dead.message_id) },
        queue: name(&dead.queue),
        kind: if dead.kind.is_empty() { "unknown".to_owned() } else { name(&dead.kind) },
        body: dead.body.clone(),
        headers: dead.headers.clone(),
        class: dead.class,
        reason: printable(&dead.reason, REASON_LIMIT).into_owned(),
        fingerprint: fingerprint(dead),
        attempts: dead.attempts,
        sync_id,
        trace_id: dead.trace_id.as_deref().map(name),
        died_at: dead.died_at,
        replay_of: dead.replay_of.as_deref().and_then(|id| id.parse().ok()),
    }
}

/// What a message without an id is called, each time it is delivered.
fn nameless(dead: &DeadMessage) -> String {
    format!("nameless-{}", hex::encode(&Sha256::digest(&dead.body)[..8]))
}

/// The same for deaths of one cause: queue, kind, class and the reason without its numbers and ids.
fn fingerprint(dead: &DeadMessage) -> String {
    let words = dead.reason.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    // Ids go by their hexadecimal digits; the three digits of an HTTP status say what went wrong and stay.
    let is_name = |word: &&str| !word.contains(|c: char| c.is_ascii_digit()) || word.len() == 3;
    let reason = words.filter(is_name).collect::<Vec<_>>().join(" ");
    let text = format!("{}|{}|{}|{reason}", dead.queue, dead.kind, dead.class);
    hex::encode(&Sha256::digest(text.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(reason: &str) -> DeadMessage {
        DeadMessage {
            message_id: String::new(),
            kind: String::new(),
            body: b"\xff".to_vec(),
            headers: serde_json::json!({}),
            queue: "sync.tasks".into(),
            class: FailureClass::Transient,
            reason: reason.into(),
            attempts: 4,
            died_at: chrono::DateTime::UNIX_EPOCH,
            correlation_id: None,
            replay_of: None,
            trace_id: None,
        }
    }

    #[test]
    fn deaths_of_one_cause_have_one_fingerprint() {
        let of = |reason: &str| fingerprint(&dead(reason));
        let one = of("answered 500 to sync/vessels/0190a7b4-5c5e-7e2b-8f3a-6c1f4f5b9d01");
        assert_eq!(one, of("answered 500 to sync/vessels/0190a7b4-5c5e-7e2b-8f3a-6c1f4f5b9d02"));
        assert_ne!(one, of("answered 404 to sync/vessels/0190a7b4-5c5e-7e2b-8f3a-6c1f4f5b9d01"));
    }

    #[test]
    fn a_message_that_names_nothing_is_kept_all_the_same() {
        let letter = letter(&dead("garbage"));
        assert_eq!((letter.kind.as_str(), letter.sync_id), ("unknown", None));
        assert_eq!(letter.message_id, "nameless-a8100ae6aa1940d0", "the same when it is delivered again");
    }
}
