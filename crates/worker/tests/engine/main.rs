//! The engine from end to end: a real PostgreSQL, a real RabbitMQ, and a provider that plays what a test needs.

mod control;
mod dry_run;
mod modes;
mod provider;
mod reconcile;
mod runs;
mod scene;
