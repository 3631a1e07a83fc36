//! What of webhook-ingest a measurement runs.

/// The environment variable that makes this program the service, in this mode.
pub(crate) const MODE_VARIABLE: &str = "WEBHOOK_BENCH_SERVE";

/// What the service does with a verified webhook before or after its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Only verify and answer.
    Nothing,
    /// Insert the event durably, then answer.
    Insert,
    /// Publish the event with a confirm, then answer.
    Publish,
    /// What a running service does: insert, answer, publish.
    Both,
}

impl Mode {
    const ALL: [Self; 4] = [Self::Nothing, Self::Insert, Self::Publish, Self::Both];

    pub(crate) const fn publishes(self) -> bool {
        matches!(self, Self::Publish | Self::Both)
    }
}

/// The mode, if this process is the service under load.
pub(crate) fn requested_mode() -> Option<Mode> {
    let requested = std::env::var(MODE_VARIABLE).ok()?;
    Mode::ALL.into_iter().find(|mode| format!("{mode:?}") == requested)
}
