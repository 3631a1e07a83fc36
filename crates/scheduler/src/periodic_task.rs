//! What the leader does at an interval.

use std::{pin::Pin, time::Duration};

use store::{Store, StoreError};

/// One run of a task.
pub(crate) type TaskRun<'t> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 't>>;

/// A task that the leader runs at an interval. A run that fails is logged and not retried: the next run does its work. Two
/// schedulers may both believe for a moment that they lead, so a run must be harmless when it happens twice.
pub(crate) trait PeriodicTask: Send + Sync {
    /// For logs.
    fn name(&self) -> &'static str;

    fn interval(&self) -> Duration;

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t>;
}
