//! The operator API from outside: the real service, PostgreSQL and RabbitMQ, over HTTP.

mod control;
mod labels;
mod scene;
mod validation;
