//! Measures the service: how fast an update reaches all clients of the event stream, and how fast lists answer when the tables are
//! those of years. Each figure stands beside a limit that the same run measures.
//!
//! `make bench` runs it with the names `updates` and `history`. It needs `SMS_TEST_SERVERS`, the `servers.env` of servers that it
//! may load, and the program `status` built in its own profile. Linux: it reads /proc.
#![expect(clippy::disallowed_types, reason = "a benchmark is wired here")]

mod figures;
mod history;
mod service;
mod updates;

use std::process::ExitCode;

use clap::Parser;

/// What this process does.
#[derive(Parser)]
enum Role {
    /// Measures the event stream
    Updates(updates::Arguments),
    /// Measures lists, search, timelines and analytics
    History(history::Arguments),
    /// The bare broadcast loop; started by `updates`
    #[command(hide = true)]
    Bare,
    /// Clients of the event stream; started by `updates`
    #[command(hide = true)]
    Clients,
}

fn main() -> ExitCode {
    chassis::install_tls();
    let ran = match Role::parse() {
        Role::Updates(arguments) => updates::run_on_one_thread(updates::measure(&arguments)),
        Role::History(arguments) => updates::run_on_one_thread(history::measure(&arguments)),
        Role::Bare => updates::serve_bare_loop(),
        Role::Clients => updates::run_on_one_thread(updates::run_clients()),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("status_bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
