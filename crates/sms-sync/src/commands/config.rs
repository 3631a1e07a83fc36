//! What the services of `up` are configured with.

use std::process::ExitCode;

use chassis::config;
use serde_json::{Map, Value};

use crate::{
    arguments::{Config, Output},
    commands::up::DAEMONS,
    output,
};

pub(crate) fn run(which: Config, format: Output) -> ExitCode {
    let environment = config::process_environment();
    let mut all = Map::new();
    for daemon in DAEMONS {
        match which {
            Config::Defaults => output::line(daemon.defaults),
            Config::Print => match config::effective(daemon.defaults, daemon.variables, &environment) {
                Ok(effective) => {
                    all.insert(daemon.name.to_owned(), effective);
                }
                Err(problems) => {
                    eprintln!("error: {}: {problems}", daemon.name);
                    return ExitCode::from(chassis::EXIT_CONFIG);
                }
            },
        }
    }
    match (which, format) {
        (Config::Defaults, _) => {}
        (Config::Print, Output::Json) => output::json(&all),
        (Config::Print, Output::Table) => {
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
