//! Places at which a test of the worst moment can hold this process, to kill it there.
//!
//! `SMS_WORKER_PAUSE_AT` names one [`Point`]. Whatever comes there says so in the log and waits for the end of the
//! process. Unset, as in every deployment, a point costs one look at a value in memory.

use std::sync::LazyLock;

/// A place, named by what has just been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// `task.fetched`: the page is here, nothing is recorded.
    TaskFetched,
    /// `task.next_recorded`: the next page's task is committed and not published.
    TaskNextRecorded,
    /// `task.handed_on`: the next page's task is published, this page not written.
    TaskHandedOn,
    /// `task.written`: all is written and nothing committed.
    TaskWritten,
    /// `task.committed`: what the task's end opened is committed and not published.
    TaskCommitted,
    /// `task.settled`: all is published, the message not acknowledged.
    TaskSettled,
    /// `command.committed`: the sync has begun, its first tasks are not published.
    CommandCommitted,
    /// `event.written`: all is written and nothing committed.
    EventWritten,
    /// `event.settled`: all is committed, the message not acknowledged.
    EventSettled,
    /// `dead_letter.archived`: the row is committed, the message not acknowledged.
    DeadLetterArchived,
}

impl Point {
    const fn name(self) -> &'static str {
        match self {
            Self::TaskFetched => "task.fetched",
            Self::TaskNextRecorded => "task.next_recorded",
            Self::TaskHandedOn => "task.handed_on",
            Self::TaskWritten => "task.written",
            Self::TaskCommitted => "task.committed",
            Self::TaskSettled => "task.settled",
            Self::CommandCommitted => "command.committed",
            Self::EventWritten => "event.written",
            Self::EventSettled => "event.settled",
            Self::DeadLetterArchived => "dead_letter.archived",
        }
    }
}

static PAUSE_AT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("SMS_WORKER_PAUSE_AT").ok());

/// Here is such a place.
pub(crate) async fn point(point: Point) {
    if PAUSE_AT.as_deref() == Some(point.name()) {
        tracing::warn!(fault.point = point.name(), "paused by SMS_WORKER_PAUSE_AT");
        std::future::pending::<()>().await;
    }
}
