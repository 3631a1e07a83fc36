//! Revoked tokens, in memory: each request asks, so the list must cost no query.
//!
//! It must not know where the list is kept: the service that holds the table replaces the list whenever it has changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::watch;

use super::{Operator, canonical_token_id};

/// The tokens that are valid no longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationList {
    /// `jti` of single tokens, each as [`canonical_token_id`] writes it.
    pub token_ids: BTreeSet<String>,
    /// By `sub`: all its tokens that were issued at this time (seconds since 1970) or before.
    pub subjects: BTreeMap<String, u64>,
}

/// The current [`RevocationList`]. Clones share it.
#[derive(Debug, Clone)]
pub struct Revocations(Arc<watch::Sender<Arc<RevocationList>>>);

impl Default for Revocations {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Arc::default())))
    }
}

impl Revocations {
    /// Puts `list` in the place of the current one. Watchers are told only of a list that differs.
    pub fn replace(&self, list: RevocationList) {
        self.0.send_if_modified(|current| {
            let differs = **current != list;
            if differs {
                *current = Arc::new(list);
            }
            differs
        });
    }

    #[must_use]
    pub fn is_revoked(&self, operator: &Operator) -> bool {
        self.includes(operator.token_id(), operator.subject(), operator.issued_at())
    }

    /// Whether the token or API key with this id is revoked, or those that were issued to the subject then (seconds since 1970).
    #[must_use]
    pub fn includes(&self, token_id: Option<&str>, subject: &str, issued_at: u64) -> bool {
        let list = self.0.borrow();
        token_id.is_some_and(|id| list.token_ids.contains(&canonical_token_id(id)))
            || list.subjects.get(subject).is_some_and(|until| issued_at <= *until)
    }

    /// Waits until the token is revoked: for answers that go on for long.
    pub async fn wait_until_revoked(&self, operator: &Operator) {
        let mut changes = self.0.subscribe();
        while !self.is_revoked(operator) {
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}
