//! The operator API from outside: the real service, PostgreSQL and RabbitMQ, over HTTP.

mod conflicts;
mod control;
mod labels;
mod replays;
mod scene;
mod undo;
mod users;
mod validation;
