//! The engine from end to end: a real PostgreSQL, a real RabbitMQ, and a provider that plays what a test needs.

mod control;
mod dead_letters;
mod dry_run;
mod modes;
mod passwords;
mod provider;
mod reconcile;
mod scene;
mod syncs;
mod turns;
