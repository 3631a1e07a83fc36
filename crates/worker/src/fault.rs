//! Places at which a test of the worst moment can hold this process, to kill it there.
//!
//! `SMS_WORKER_PAUSE_AT` names one: `after_hand_on` (the next page is recorded and published, this one not written) or
//! `before_commit` (everything is written and nothing committed). The process then says so in its log and waits for its
//! end. Unset, as in every deployment, a point costs one look at a value in memory.

use std::sync::LazyLock;

static PAUSE_AT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("SMS_WORKER_PAUSE_AT").ok());

/// A place of that name.
pub(crate) async fn point(name: &str) {
    if PAUSE_AT.as_deref() == Some(name) {
        tracing::warn!(fault.point = name, "paused by SMS_WORKER_PAUSE_AT");
        std::future::pending::<()>().await;
    }
}
