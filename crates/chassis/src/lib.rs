#![doc = include_str!("../README.md")]

pub mod auth;
mod command_line;
pub mod config;
mod daemon;
pub mod error_chain;
pub mod health;
mod healthcheck;
pub mod http;
pub mod metrics;
pub mod openapi;
pub mod ops;
pub mod problem;
mod process;
mod run;
pub mod shutdown;
pub mod telemetry;
pub mod terminal;
mod tls;

pub use command_line::environment_help;
pub use daemon::{Daemon, EXIT_CONFIG};
pub use healthcheck::check_ready;
pub use process::Process;
pub use run::{run, run_with_commands, run_without_arguments};
pub use tls::install_tls;
