//! The portal against a real PostgreSQL: in this process, with a clock that tests turn, or as a process of its own.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod access;
mod changes;
mod command_line;
mod contract;
mod delivery;
mod endpoint;
mod faults;
mod pages;
mod rig;
mod schema;
