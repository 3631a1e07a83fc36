//! The service on a real PostgreSQL and a real RabbitMQ: what it takes, what it refuses, and whether others' libraries
//! agree with it.

mod interop;
mod scene;
mod verification;
