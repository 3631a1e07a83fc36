//! The chassis seen from outside: real sockets, real processes.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod auth;
mod certificates;
mod config;
mod http;
mod process;
mod shutdown;
