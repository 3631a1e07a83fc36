//! The service on a real PostgreSQL and a real RabbitMQ: what it takes, what it refuses, what it does when something is
//! away, and whether others' libraries agree with it.

mod bounds;
mod durability;
mod interop;
mod scene;
mod verification;
