//! The operator API from outside: the real service, PostgreSQL and RabbitMQ, over HTTP.

mod control;
mod labels;
mod replays;
mod scene;
mod validation;
