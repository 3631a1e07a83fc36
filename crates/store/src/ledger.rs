//! Rows about the work itself: syncs, tasks, webhook events, dead letters and what is noted beside them.
//!
//! A file per table, which reads and writes rows and decides nothing. Knows neither records nor what a sync does: that is
//! [`crate::engine`].

pub mod acknowledgements;
pub mod api_keys;
pub mod attempts;
pub mod audit;
pub mod audit_chain;
pub mod circuits;
pub mod conflicts;
pub mod dead_letters;
pub mod findings;
pub mod idempotency;
pub mod peer_outcomes;
pub mod portal_slots;
pub mod postponed;
pub mod refused_webhooks;
pub mod replay_jobs;
pub mod seen;
pub mod syncs;
pub mod tallies;
pub mod tasks;
pub mod token_revocations;
pub mod unpublished;
pub mod webhook_events;
