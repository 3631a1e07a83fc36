//! The engine from end to end: a real PostgreSQL, a real RabbitMQ, and a provider that plays what a test needs.
#![expect(clippy::disallowed_types, reason = "tests hand in the machine's clock")]

mod any_value;
mod control;
mod dead_letters;
mod dry_run;
mod false_lists;
mod laws;
mod modes;
mod odd_values;
mod passwords;
mod portal_limiter;
mod reconcile;
mod relations;
mod scene;
mod second_look;
mod sick_provider;
mod slices;
mod syncs;
mod turns;
mod versions;
mod withdrawals;
