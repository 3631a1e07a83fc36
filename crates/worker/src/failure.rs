//! Why a piece of work could not be done, and what that means for its message.

use std::{error::Error, time::Duration};

use chrono::{DateTime, Utc};
use contracts::messages::{DecodeError, UnknownRecordType};
use domain::{FailureClass, SyncState, list_walk::EndlessList};
use portal_client::PortalError;
use store::StoreError;

/// How long a dead task of a full sync waits while another one runs.
const BESIDE_A_FULL_SYNC: Duration = Duration::from_secs(30);

/// A piece of work that could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    /// The onboarding portal.
    #[error("the records could not be fetched")]
    Portal(#[from] PortalError),
    /// The database.
    #[error("the records could not be written")]
    Store(#[from] StoreError),
    /// The message cannot be read.
    #[error("the message cannot be read")]
    Message(#[from] DecodeError),
    /// The message names nothing that this version knows.
    #[error("the message cannot be read")]
    RecordType(#[from] UnknownRecordType),
    /// An id in the message is none.
    #[error("the message holds the id {0:?}, which is none")]
    Id(String),
    /// The message is about a row that is not there.
    #[error("there is no {0}")]
    Missing(String),
    /// The provider does not (yet) list what its own event named.
    #[error("the onboarding portal announced {0} and does not list it")]
    NotListed(String),
    /// The provider lists an older state than its own event was about.
    #[error(
        "the onboarding portal lists {record} as of {listed}, and its event was about {announced}: its list lags behind"
    )]
    Lagging {
        /// Kind and id.
        record: String,
        /// `updatedAt` of the listed state.
        listed: DateTime<Utc>,
        /// `updatedAt` by the event.
        announced: DateTime<Utc>,
    },
    /// The fetch that this event shared with others failed; the first of them keeps the error itself.
    #[error("{said}")]
    Shared {
        /// What went wrong, with its causes.
        said: String,
        /// Whether it may pass.
        class: FailureClass,
        /// When to try again.
        after: Option<Duration>,
        /// When to come again, if it was not even tried.
        snooze: Option<Duration>,
    },
    /// The provider's list shows no end.
    #[error("the onboarding portal's list shows no end")]
    EndlessList(#[from] EndlessList),
    /// An event names more records than are held in memory at once.
    #[error("the event stands for more than {0} records: run a sync of them instead")]
    TooManyRecords(usize),
    /// A page could not be read for a fault of ours.
    #[error("reading the page broke off: {0}")]
    Broken(String),
    /// A replay of work of a sync that has ended, and that only an operator opens again.
    #[error("nothing was fetched: the sync is {0}; resume it, and it goes on with this")]
    SyncStopped(SyncState),
    /// A replay of work of a sync that was undone.
    #[error("nothing was fetched: the sync was undone; start a new one")]
    SyncUndone,
    /// Not a failure: a dead task of a full sync cannot go on while another one runs.
    #[error("another full sync is running")]
    FullSyncRunning,
}

impl WorkError {
    /// Decides between a retry and the dead letters.
    pub(crate) fn class(&self) -> FailureClass {
        match self {
            Self::Portal(error) => error.class(),
            Self::Store(error) => error.failure_class(),
            // Its lists may lag behind its events.
            Self::NotListed(_) | Self::Lagging { .. } | Self::FullSyncRunning | Self::Broken(_) => {
                FailureClass::Transient
            }
            Self::Shared { class, .. } => *class,
            Self::Message(_)
            | Self::RecordType(_)
            | Self::Id(_)
            | Self::Missing(_)
            | Self::EndlessList(_)
            | Self::TooManyRecords(_)
            | Self::SyncStopped(_)
            | Self::SyncUndone => FailureClass::Permanent,
        }
    }

    /// When to come again, if this is no failure of an attempt: nothing was tried.
    pub(crate) fn snooze(&self) -> Option<Duration> {
        match self {
            Self::FullSyncRunning => Some(BESIDE_A_FULL_SYNC),
            Self::Portal(PortalError::CircuitOpen { retry_in } | PortalError::Paused { retry_in }) => {
                Some(*retry_in)
            }
            Self::Shared { snooze, .. } => *snooze,
            _ => None,
        }
    }

    /// When the provider asked to be tried again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Portal(error) => error.retry_after(),
            Self::Shared { after, .. } => *after,
            _ => None,
        }
    }

    /// The same for one more event of a group.
    pub(crate) fn another(&self) -> Self {
        Self::Shared {
            said: self.chain(),
            class: self.class(),
            after: self.retry_after(),
            snooze: self.snooze(),
        }
    }

    /// With its causes, on one line: for people who read rows and logs.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_tells_the_cause_once() {
        let error = WorkError::from(PortalError::Status {
            status: 503,
            path: "sync/vessels".into(),
            detail: None,
            retry_after: Some(Duration::from_secs(7)),
        });
        assert_eq!(
            error.chain(),
            "the records could not be fetched: the onboarding portal answered 503 to sync/vessels"
        );
        assert_eq!(
            (error.class(), error.retry_after()),
            (FailureClass::Transient, Some(Duration::from_secs(7)))
        );
    }
}
