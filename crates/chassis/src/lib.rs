#![doc = include_str!("../README.md")]

pub mod auth;
pub mod config;
mod daemon;
pub mod health;
pub mod http;
pub mod metrics;
pub mod ops;
pub mod problem;
pub mod shutdown;
pub mod telemetry;

pub use daemon::{Daemon, EXIT_CONFIG, Process, ask_ready, install_tls, live, run, run_with_commands};
