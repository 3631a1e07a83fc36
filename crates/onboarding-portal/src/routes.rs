//! The portal's API, a file per subject. The arguments of a handler say which key a caller needs: [`access::Reader`] or
//! [`access::Admin`].

pub(crate) mod access;
pub(crate) mod faults;
pub(crate) mod records;
pub(crate) mod sync;
pub(crate) mod webhooks;

use std::time::Duration;

use chassis::problem::Problem;
use chrono::TimeDelta;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use access::ApiKeys;

use crate::{
    clock::Clock,
    database::{Database, DatabaseError},
    faults::Faults,
    sender::Sender,
};

/// What all handlers share.
pub(crate) struct AppState {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) sender: Sender,
    /// `None` outside development.
    pub(crate) faults: Option<Faults>,
    /// The endpoint of webhooks; empty if there is none.
    pub(crate) webhook_url: String,
    /// How long the previous secret signs beside a new one.
    pub(crate) rotation_overlap: TimeDelta,
    /// Whether pages are compressed for clients that accept it.
    pub(crate) compress: bool,
}

/// Registers every handler; the OpenAPI document is made from the same list.
pub(crate) fn configure(app: &mut ServiceConfig<'_>) {
    app.service(sync::list_vessels)
        .service(sync::list_equipment)
        .service(sync::list_users)
        .service(sync::get_capabilities)
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
        .service(faults::add_fault)
        .service(faults::remove_faults)
        // Last: their paths begin with a variable.
        .service(records::browse)
        .service(records::enter_draft)
        .service(records::get_record)
        .service(records::patch)
        .service(records::approve)
        .service(records::withdraw);
}

/// Turns a database error into the problem that a caller may see.
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
