//! What the leader does at an interval.

use std::{pin::Pin, time::Duration};

use store::{Store, StoreError};

/// One run of a task.
pub(crate) type TaskRun<'t> = Pin<Box<dyn Future<Output = Result<RunResult, StoreError>> + Send + 't>>;

/// What a run leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunResult {
    /// Nothing: the next run is due at the task's interval.
    Finished,
    /// Work beyond the limit of one run: the next run is due soon.
    MoreWork,
}

/// A task that the leader runs at an interval, beside the other tasks. A run that fails is logged and not retried: the next
/// run does its work. Two schedulers may both believe for a moment that they lead, so a run must be harmless when it happens
/// twice; and when the leadership ends, a run may be dropped at any await.
pub(crate) trait PeriodicTask: Send + Sync {
    /// For logs.
    fn name(&self) -> &'static str;

    fn interval(&self) -> Duration;

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t>;

    /// Takes back what it shows as the leader's, such as gauges: the next leader shows it.
    fn leadership_ended(&self) {}
}
