//! The portal against a real PostgreSQL: in the test's process with a clock that the test advances, or as a separate
//! process.
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
