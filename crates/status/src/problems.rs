//! Problems that several handlers answer: a database that fails, a sync that is unknown or running, a vessel that is unknown.

use std::time::Duration;

use chassis::problem::Problem;
use domain::{FailureClass, SyncId};
use store::StoreError;

/// `Retry-After` while the database does not answer.
const DATABASE_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Turns an error of the store into a problem.
pub(crate) trait OrProblem<T> {
    /// 503 for an error that passes by itself, else 500. The cause goes to the log, not to the caller.
    fn or_problem(self) -> Result<T, Problem>;
}

impl<T> OrProblem<T> for Result<T, StoreError> {
    fn or_problem(self) -> Result<T, Problem> {
        self.map_err(|error| match error.failure_class() {
            FailureClass::Transient => {
                let detail = "The database does not answer. Try again in a few seconds.";
                Problem::unavailable("database_unavailable", detail, DATABASE_RETRY_DELAY).with_source(error)
            }
            FailureClass::Permanent | FailureClass::Poison => Problem::internal(error),
        })
    }
}

/// 404.
pub(crate) fn sync_not_found(id: SyncId) -> Problem {
    Problem::not_found("sync_not_found", format!("There is no sync {id}."))
}

/// 404.
pub(crate) fn vessel_not_found(id: &str) -> Problem {
    let detail = format!("There is no vessel with the IMO number or id {id}.");
    Problem::not_found("vessel_not_found", detail)
}

/// 409: a second full sync would do the work of the first one again.
pub(crate) fn full_sync_running(running: SyncId) -> Problem {
    let detail = format!("The full sync {running} has not ended. Wait for its end, or cancel it.");
    Problem::conflict("full_sync_running", detail).with("runningSyncId", running.to_string())
}

/// 409: what an undone sync wrote from now on could not be undone again.
pub(crate) fn sync_undone(what: &str) -> Problem {
    let detail = format!("The sync was undone and cannot be {what}. Start a new sync.");
    Problem::conflict("sync_undone", detail)
}
