//! The command line that every daemon has: `--help`, `--version`, `healthcheck`, `config print`, `config defaults`.

use std::{error::Error, process::ExitCode};

use clap::{Arg, ArgMatches, Command};

use crate::{
    config::{self, Variable},
    daemon::{Daemon, EXIT_CONFIG},
    healthcheck::check_ready,
    terminal,
};

/// Variables that every daemon reads beside those of its config.
const COMMON_VARIABLES: [(&str, &str); 6] = [
    ("SMS_CONFIG", "a TOML file with what differs from the defaults"),
    ("SMS_<SECTION>__<KEY>", "any other key; `config defaults` lists them"),
    ("SMS_ENV", "development or production (default); default secrets only in development"),
    ("RUST_LOG", "which log lines (default info)"),
    ("LOG_FORMAT", "json (default) or text"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "where traces go; nowhere by default"),
];

pub(crate) fn command(daemon: &Daemon) -> Command {
    let Daemon { name, version, about, .. } = *daemon;
    Command::new(name)
        .version(version)
        .about(about)
        .after_help(environment_help(&[*daemon]))
        .subcommand(
            Command::new("healthcheck")
                .about("Ask the running daemon whether it is ready; exit 0 or 1")
                .arg(Arg::new("address").help("host:port; by default the one it binds")),
        )
        .subcommand(
            Command::new("config")
                .about("Show the configuration")
                .subcommand_required(true)
                .subcommand(Command::new("print").about("What is in force, secrets left out").arg(
                    Arg::new("redacted").long("redacted").num_args(0).help("Always so; accepted for clarity"),
                ))
                .subcommand(Command::new("defaults").about("The commented defaults: the manual")),
        )
}

/// The variables of daemons that share a process, each once, with what a defaults file says about its key.
#[must_use]
pub fn environment_help(daemons: &[Daemon]) -> String {
    let mut variables: Vec<(&Daemon, &Variable)> = Vec::new();
    for (daemon, variable) in
        daemons.iter().flat_map(|it| it.variables.iter().map(move |variable| (it, variable)))
    {
        if !variables.iter().any(|(_, known)| known.name == variable.name) {
            variables.push((daemon, variable));
        }
    }
    let mut help = String::from("Environment:\n");
    let width = variables.iter().map(|(_, variable)| variable.name.len()).max().unwrap_or(0).max(28);
    for (daemon, Variable { name, key, secret, .. }) in variables {
        let what = config::key_description(daemon.defaults, key).unwrap_or_else(|| format!("sets {key}"));
        let file = if *secret { " (or its path in _FILE)" } else { "" };
        help += &format!("  {name:width$}  {what}{file}\n");
    }
    for (name, what) in COMMON_VARIABLES {
        help += &format!("  {name:width$}  {what}\n");
    }
    help
}

/// Runs the subcommand if it is one of those that every daemon has.
pub(crate) fn run_common_command(daemon: &Daemon, arguments: &ArgMatches) -> Option<ExitCode> {
    match arguments.subcommand()? {
        ("healthcheck", arguments) => {
            Some(healthcheck(daemon, arguments.get_one::<String>("address").map(String::as_str)))
        }
        ("config", arguments) => Some(show_config(daemon, arguments.subcommand_name())),
        _ => None,
    }
}

fn show_config(daemon: &Daemon, which: Option<&str>) -> ExitCode {
    if which == Some("defaults") {
        terminal::print(daemon.defaults);
        return ExitCode::SUCCESS;
    }
    let environment = config::process_environment();
    match config::effective(daemon.defaults, daemon.variables, &environment) {
        Ok(effective) => {
            terminal::print_line(format_args!("{effective:#}"));
            ExitCode::SUCCESS
        }
        Err(problems) => {
            terminal::report(format_args!("{}: {problems}", daemon.name));
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

fn healthcheck(daemon: &Daemon, address: Option<&str>) -> ExitCode {
    match own_server(daemon, address).and_then(|(address, tls)| Ok(check_ready(&address, tls)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::report(format_args!("{}: {error}", daemon.name));
            ExitCode::FAILURE
        }
    }
}

/// The address the daemon binds unless another one is named, by the variable named `BIND`, and whether it serves TLS.
fn own_server(daemon: &Daemon, address: Option<&str>) -> Result<(String, bool), Box<dyn Error>> {
    let environment = config::process_environment();
    let effective = config::effective(daemon.defaults, daemon.variables, &environment);
    let value = |name: &str| -> Option<String> {
        let key = daemon.variables.iter().find(|variable| variable.name == name)?.key;
        let pointer = format!("/{}", key.replace('.', "/"));
        Some(effective.as_ref().ok()?.pointer(&pointer)?.as_str()?.to_owned())
    };
    let tls = value("TLS_CERTIFICATE").is_some_and(|path| !path.is_empty());
    if let Some(address) = address.map(str::to_owned).or_else(|| value("BIND")) {
        return Ok((address, tls));
    }
    effective?;
    Err("name the address: there is no variable BIND".into())
}
