#![doc = include_str!("../README.md")]

mod api;
mod arguments;
mod commands;
mod follow;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};

/// The command line, from arguments to exit code: 0 done, 1 failed, 2 wrong arguments, 78 wrong configuration.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        // A daemon from here on, with telemetry and a shutdown of its own.
        Command::Up => return commands::up::run(),
        Command::Config { which } => return commands::config::run(which, arguments.connection.output),
        _ => {}
    }
    chassis::install_tls();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&anyhow::Error::from(error).context("no runtime")),
    };
    match runtime.block_on(Box::pin(commands::run(arguments))) {
        Ok(code) => code,
        Err(error) => output::failure(&error),
    }
}
