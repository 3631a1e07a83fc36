//! What may be asked of the portal. A file per subject; what a handler takes as argument says which key it needs.

pub(crate) mod access;
pub(crate) mod faults;
pub(crate) mod records;
pub(crate) mod sync;
pub(crate) mod webhooks;

use std::time::Duration;

use chassis::problem::Problem;
use chrono::TimeDelta;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use access::Keys;

use crate::{
    clock::Clock,
    database::{Database, DatabaseError},
    faults::Faults,
    sender::Sender,
};

/// What handlers work with.
pub(crate) struct Desk {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) sender: Sender,
    /// Only in development.
    pub(crate) faults: Option<Faults>,
    /// Where webhooks go.
    pub(crate) url: String,
    /// How long a rotated secret signs on.
    pub(crate) overlap: TimeDelta,
    /// Whether pages are compressed for those who accept it.
    pub(crate) compress: bool,
}

/// Registers every handler, and so describes it.
pub(crate) fn configure(app: &mut ServiceConfig<'_>) {
    app.service(sync::list_vessels)
        .service(sync::list_equipment)
        .service(sync::list_users)
        .service(sync::export_vessel)
        .service(webhooks::list_messages)
        .service(webhooks::get_message)
        .service(webhooks::redeliver)
        .service(webhooks::recover)
        .service(webhooks::send_test)
        .service(webhooks::get_endpoint)
        .service(webhooks::enable_endpoint)
        .service(webhooks::disable_endpoint)
        .service(webhooks::rotate_secret)
        .service(faults::get_faults)
        .service(faults::order_fault)
        .service(faults::end_faults)
        // Last: their paths begin with a variable.
        .service(records::browse)
        .service(records::enter)
        .service(records::get_record)
        .service(records::patch)
        .service(records::approve)
        .service(records::withdraw);
}

/// What the caller may know of a failing database.
pub(crate) trait OrProblem<T> {
    fn or_problem(self) -> Result<T, Problem>;
}

impl<T> OrProblem<T> for Result<T, DatabaseError> {
    fn or_problem(self) -> Result<T, Problem> {
        self.map_err(|error| match error {
            DatabaseError::Connection(_) | DatabaseError::Pool(_) => {
                let wait = Duration::from_secs(5);
                Problem::unavailable("database_unavailable", "The database cannot be reached.", wait)
                    .with_source(error)
            }
            _ => Problem::internal(error),
        })
    }
}
