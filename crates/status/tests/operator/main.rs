//! The operator API from outside: the real service, PostgreSQL and RabbitMQ, over HTTP.
#![expect(clippy::disallowed_types, reason = "tests hand in the machine's clock")]

mod analytics;
mod api_keys;
mod audit;
mod configuration;
mod conflicts;
mod control;
mod cursors;
mod doctor;
mod idempotency;
mod issuer;
mod labels;
mod odd_text;
mod overview;
mod records;
mod replays;
mod request;
mod request_limits;
mod roles;
mod scene;
mod schedules;
mod scopes;
mod sessions;
mod strict_requests;
mod tokens;
mod unchanged_settings;
mod undo;
mod updates;
mod users;
mod validation;
mod vessels;
