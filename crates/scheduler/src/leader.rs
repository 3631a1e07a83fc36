//! Leadership: of several schedulers one leads, and runs the periodic tasks.
//!
//! Leadership is an advisory lock of the leader's database connection. It passes on when the leader dies, hangs up or is cut
//! off. In that moment two schedulers may both believe that they lead; each task is harmless when it runs twice.
//!
//! Each task has a loop of its own, so that none waits for another: a tick fires while old rows are deleted.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use store::{
    Store,
    db::leader::{LeaderLock, Leadership},
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::periodic_task::{PeriodicTask, RunResult};

/// Pause between two attempts to become the leader.
const LEADERSHIP_RETRY_DELAY: Duration = Duration::from_secs(2);

/// Pause before the next run of a task that has more work than one run may do.
const MORE_WORK_DELAY: Duration = Duration::from_secs(1);
/// How long runs in progress may go on when the process stops. A purge may wait for a lock of somebody else.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// Tries to become the leader, and runs the tasks while it leads, until `stop`.
pub(crate) async fn lead(store: Store, stop: CancellationToken, tasks: Vec<Box<dyn PeriodicTask>>) {
    let leading = metrics::gauge!("sms_scheduler_leading");
    loop {
        leading.set(0.0);
        match store.leadership_take(LeaderLock::Scheduler).await {
            Ok(Some(leadership)) => {
                leading.set(1.0);
                tracing::info!("this scheduler leads");
                let end = run_tasks(&store, &stop, &tasks, leadership).await;
                tasks.iter().for_each(|task| task.leadership_ended());
                match end {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeadershipEnd {
    Stopped,
    Lost,
}

/// Runs all tasks until the leadership ends. On `stop`, runs in progress have a while to finish; when the leadership is lost,
/// they are dropped, and their open transactions are rolled back.
async fn run_tasks(
    store: &Store,
    stop: &CancellationToken,
    tasks: &[Box<dyn PeriodicTask>],
    leadership: Leadership,
) -> LeadershipEnd {
    let leadership = Mutex::new(leadership);
    let mut loops: FuturesUnordered<_> =
        tasks.iter().map(|task| run_task(store, stop, task.as_ref(), &leadership)).collect();
    let end = loops.next().await.expect("the scheduler has tasks");
    if end == LeadershipEnd::Stopped {
        let all_ended = async { while loops.next().await.is_some() {} };
        if timeout(FINISH_TIMEOUT, all_ended).await.is_err() {
            tracing::info!("a periodic task was stopped before it had finished");
        }
    }
    end
}

/// Runs a task at once, and then at its interval. A late run delays the next one.
async fn run_task(
    store: &Store,
    stop: &CancellationToken,
    task: &dyn PeriodicTask,
    leadership: &Mutex<Leadership>,
) -> LeadershipEnd {
    let mut due_at = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return LeadershipEnd::Stopped,
            () = sleep_until(due_at) => {}
        }
        due_at = Instant::now() + task.interval();
        if !leadership.lock().await.is_held().await {
            return LeadershipEnd::Lost;
        }
        match task.run(store).await {
            Ok(RunResult::Finished) => {}
            Ok(RunResult::MoreWork) => due_at = due_at.min(Instant::now() + MORE_WORK_DELAY),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                task = task.name(),
                "a periodic task failed; it runs again at its next time"
            ),
        }
    }
}
