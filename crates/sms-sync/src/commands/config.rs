//! `sms-sync config`: the config of the services that `up` runs.

use std::process::ExitCode;

use chassis::{config, terminal};
use clap::Subcommand;
use serde_json::{Map, Value};

use crate::{arguments::OutputFormat, commands::up::DAEMONS, output};

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the config in force for each service, without secrets
    Print,
    /// Print the default config of each service, with comments
    Defaults,
}

pub(crate) fn run(which: ConfigCommand, format: OutputFormat) -> ExitCode {
    let environment = config::process_environment();
    let mut all = Map::new();
    for daemon in DAEMONS {
        match which {
            ConfigCommand::Defaults => output::document(daemon.defaults),
            ConfigCommand::Print => {
                match config::effective(daemon.defaults, daemon.variables, &environment) {
                    Ok(effective) => {
                        all.insert(daemon.name.to_owned(), effective);
                    }
                    Err(problems) => {
                        terminal::report(format_args!("error: {}: {problems}", daemon.name));
                        return ExitCode::from(chassis::EXIT_CONFIG);
                    }
                }
            }
        }
    }
    match (which, format) {
        (ConfigCommand::Defaults, _) => {}
        (ConfigCommand::Print, OutputFormat::Json) => output::json(&all),
        (ConfigCommand::Print, OutputFormat::Table) => {
            for (service, settings) in &all {
                output::line(format!("# {service}"));
                print(settings, "");
            }
        }
    }
    ExitCode::SUCCESS
}

fn print(value: &Value, path: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                print(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") });
            }
        }
        value => output::line(format!("{path} = {value}")),
    }
}
