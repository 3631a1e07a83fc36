//! The operator API about records, from outside: the real service, PostgreSQL and RabbitMQ, over HTTP.

mod labels;
mod scene;
mod validation;
