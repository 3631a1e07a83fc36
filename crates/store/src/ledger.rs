//! Rows about the work itself: syncs, tasks, webhook events, dead letters and what was noted beside them.

pub mod audit;
pub mod circuits;
pub mod dead_letters;
pub mod findings;
pub mod refused_webhooks;
pub mod replay_jobs;
pub mod seen;
pub mod syncs;
pub mod tallies;
pub mod tasks;
pub mod unpublished;
pub mod webhook_events;
