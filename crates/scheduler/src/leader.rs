//! Leadership: of several schedulers one leads, and runs the periodic tasks.
//!
//! Leadership is an advisory lock of the leader's database connection. It passes on when the leader dies, hangs up or is cut
//! off. In that moment two schedulers may both believe that they lead; each task is harmless when it runs twice.

use std::time::Duration;

use store::{
    Store,
    db::leader::{LeaderLock, Leadership},
};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::periodic_task::PeriodicTask;

/// Pause between two attempts to become the leader.
const LEADERSHIP_RETRY_DELAY: Duration = Duration::from_secs(2);

/// Tries to become the leader, and runs the tasks while it leads, until `stop`.
pub(crate) async fn lead(store: Store, stop: CancellationToken, tasks: Vec<Box<dyn PeriodicTask>>) {
    let leading = metrics::gauge!("sms_scheduler_leading");
    loop {
        leading.set(0.0);
        match store.leadership_take(LeaderLock::Scheduler).await {
            Ok(Some(leadership)) => {
                leading.set(1.0);
                tracing::info!("this scheduler leads");
                match run_tasks(&store, &stop, &tasks, leadership).await {
                    LeadershipEnd::Stopped => return,
                    LeadershipEnd::Lost => tracing::warn!(
                        "this scheduler has lost the leadership: its connection to the database broke"
                    ),
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the leadership could not be taken")
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(LEADERSHIP_RETRY_DELAY) => {}
        }
    }
}

enum LeadershipEnd {
    Stopped,
    Lost,
}

/// Runs each task at once, and then at its interval. Tasks run one at a time; a late run delays the next one of its task.
async fn run_tasks(
    store: &Store,
    stop: &CancellationToken,
    tasks: &[Box<dyn PeriodicTask>],
    mut leadership: Leadership,
) -> LeadershipEnd {
    let mut due_tasks: Vec<_> = tasks.iter().map(|task| (Instant::now(), task)).collect();
    loop {
        let (due_at, task) =
            due_tasks.iter_mut().min_by_key(|(due_at, _)| *due_at).expect("the scheduler has tasks");
        tokio::select! {
            () = stop.cancelled() => return LeadershipEnd::Stopped,
            () = sleep_until(*due_at) => {}
        }
        *due_at = Instant::now() + task.interval();
        if !leadership.is_held().await {
            return LeadershipEnd::Lost;
        }
        if let Err(error) = task.run(store).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                task = task.name(),
                "a periodic task failed; it runs again at its next time"
            );
        }
    }
}
