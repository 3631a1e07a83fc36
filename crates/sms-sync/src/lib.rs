#![doc = include_str!("../README.md")]

mod api;
mod arguments;
mod commands;
mod follow;
mod output;
mod portal_check;
mod secrets;
mod sync_report;

use std::process::ExitCode;

use clap::Parser;

/// Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong arguments, 78 wrong config.
#[must_use]
pub fn run() -> ExitCode {
    commands::execute(commands::Cli::parse())
}
