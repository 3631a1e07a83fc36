#![doc = include_str!("../README.md")]

pub mod accounts;
pub mod audit;
pub mod circuits;
pub mod conflicts;
mod connection;
pub mod dead_letters;
pub mod dry_run;
mod error;
pub mod findings;
pub mod gauges;
pub mod labels;
pub mod leader;
pub mod migrations;
pub mod overview;
mod page;
pub mod phases;
pub mod quality;
pub mod reconcile;
pub mod records;
pub mod refused_webhooks;
pub mod replay_jobs;
pub mod role_mappings;
pub mod run_control;
pub mod seen;
pub mod settings;
mod sql;
pub mod sync_counts;
pub mod sync_runs;
pub mod tasks;
pub mod undo;
pub mod unpublished;
pub mod webhook_events;

pub use connection::{Connection, Db, Store, Tx};
pub use error::{Constraint, StoreError};
pub use page::{Page, Window};
