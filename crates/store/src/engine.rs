//! What a sync does inside its transactions, and what operators do to it.
//!
//! Every function here works in a transaction that the caller begins and commits. Whoever changes a sync locks its row
//! first ([`crate::ledger::syncs::sync_lock`]), and asks for its tally before that, never after.

pub mod conflict_resolution;
pub mod control;
pub mod dry_run;
pub mod lifecycle;
pub mod phases;
pub mod reconcile;
pub mod replays;
pub mod retention;
pub mod role_changes;
pub mod settle;
pub mod ticks;
pub mod undo;
