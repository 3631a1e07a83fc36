#![doc = include_str!("../README.md")]

mod api;
mod arguments;
mod commands;
mod connection;
mod follow;
mod listing;
mod output;
mod portal_check;
mod profiles;
mod secrets;
mod sync_report;

use std::process::ExitCode;

use clap::Parser;

/// Runs the command line; `--help` says what the exit codes mean.
#[must_use]
pub fn run() -> ExitCode {
    commands::execute(commands::Cli::parse())
}
