//! The engine: what a sync does inside its transactions, and what operators do to a sync.
//!
//! Every function works in a transaction that its caller begins and commits, and returns what to publish after the
//! commit. A function that changes a sync locks the sync's row first ([`crate::ledger::syncs::sync_lock`]), and adds to
//! its tally before that, never after, so that two tasks that end at the same time lock the rows in one order.
//!
//! The engine knows neither the portal nor the broker: what it fetches and publishes is the worker's business. How a
//! row of a record is written is that of [`crate::records`], and what a row of the ledger holds that of
//! [`crate::ledger`].
//!
//! A sync in its order: `lifecycle` starts it, `phases` opens its phases, `settle` ends its tasks and the sync itself,
//! `second_look` fetches at a phase's end what was rejected and may be mended, `reconcile` finds the records that were not
//! listed. `dry_run` wraps the pages of a sync that changes nothing.
//! Afterwards operators resume and retry (`control`), undo (`undo`), decide conflicts (`conflict_resolution`), accept
//! the states of a portal that has gone back in time (`older_states`) and replay dead letters (`replays`). `ticks`
//! creates the syncs of schedules, `due_withdrawals` carries out announced ones, `retention` deletes old rows, and
//! `role_changes` gives users other roles.
//!
//! Start with `lifecycle::sync_start` and `settle::task_complete`.

pub mod analytics;
pub mod conflict_resolution;
pub mod control;
pub mod dry_run;
pub mod due_withdrawals;
pub mod lifecycle;
pub mod older_states;
pub mod phases;
pub mod reconcile;
pub mod replays;
pub mod retention;
pub mod role_changes;
pub mod second_look;
pub mod settle;
pub mod ticks;
pub mod undo;
