//! What a failure behind us means to the caller.

use std::time::Duration;

use chassis::problem::Problem;
use domain::FailureClass;
use store::StoreError;

/// How soon it is worth asking again when something is away.
const SOON: Duration = Duration::from_secs(5);

/// Turns what failed behind us into what the caller may know.
pub(crate) trait OrProblem<T> {
    /// 503 if it passes by itself, 500 if it does not; the cause goes to the log.
    fn or_problem(self) -> Result<T, Problem>;
}

impl<T> OrProblem<T> for Result<T, StoreError> {
    fn or_problem(self) -> Result<T, Problem> {
        self.map_err(|error| match error.failure_class() {
            FailureClass::Transient => {
                Problem::unavailable("database_unavailable", "The database does not answer at present.", SOON)
                    .with_source(error)
            }
            FailureClass::Permanent | FailureClass::Poison => Problem::internal(error),
        })
    }
}

/// Nobody can change what has no row.
pub(crate) fn no_such_sync(id: impl std::fmt::Display) -> Problem {
    Problem::not_found("sync_not_found", format!("There is no sync {id}."))
}
