//! `sms-sync config`: the config of the services that `up` runs.

use std::process::ExitCode;

use chassis::{
    EXIT_CONFIG,
    config::{self, ConfigProblem, ConfigProblems},
    terminal,
};
use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    arguments::OutputFormat,
    commands::up::{Configs, DAEMONS, environment_help},
    output,
};

#[derive(Debug, Clone, Copy, Subcommand)]
#[command(after_help = environment_help())]
pub(crate) enum ConfigCommand {
    /// Check the config of all services, and print everything that is wrong with it
    Check,
    /// Print the config in force for each service, without secrets
    Print,
    /// Print the default config of each service, with comments
    Defaults,
}

pub(crate) fn run(which: ConfigCommand, format: OutputFormat) -> ExitCode {
    match which {
        ConfigCommand::Check => check(format),
        ConfigCommand::Print => print_in_force(format),
        ConfigCommand::Defaults => {
            DAEMONS.iter().for_each(|daemon| output::document(daemon.defaults));
            ExitCode::SUCCESS
        }
    }
}

fn check(format: OutputFormat) -> ExitCode {
    let names: Vec<&str> = DAEMONS.iter().map(|daemon| daemon.name).collect();
    match Configs::load() {
        Ok(_configs) => {
            let answer = json!({ "ok": true, "services": names, "problems": [] });
            output::print(format, &answer, |_answer| {
                output::line(format!("the config is right: {}", names.join(", ")));
            });
            ExitCode::SUCCESS
        }
        Err(problems) => {
            let grouped = group(problems);
            let entries: Vec<Value> =
                grouped.iter().map(|(problem, services)| json_of(problem, services)).collect();
            let answer = json!({ "ok": false, "services": names, "problems": entries });
            output::print_entries(format, &answer, &entries, |_answer| report(&grouped));
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

fn print_in_force(format: OutputFormat) -> ExitCode {
    let environment = config::process_environment();
    let (mut all, mut problems) = (Map::new(), Vec::new());
    for daemon in DAEMONS {
        match config::effective(daemon.defaults, daemon.variables, &environment) {
            Ok(effective) => {
                all.insert(daemon.name.to_owned(), effective);
            }
            Err(found) => problems.push((daemon.name, found)),
        }
    }
    if !problems.is_empty() {
        report(&group(problems));
        return ExitCode::from(EXIT_CONFIG);
    }
    output::print(format, &all, |all| {
        for (service, settings) in all {
            output::line(format!("# {service}"));
            print(settings, "");
        }
    });
    ExitCode::SUCCESS
}

/// Each problem once, with the services that have it.
fn group(problems: Vec<(&'static str, ConfigProblems)>) -> Vec<(ConfigProblem, Vec<&'static str>)> {
    let mut grouped: Vec<(ConfigProblem, Vec<&'static str>)> = Vec::new();
    for (service, problems) in problems {
        for problem in problems.problems() {
            match grouped.iter_mut().find(|(known, _)| known == problem) {
                Some((_, services)) => services.push(service),
                None => grouped.push((problem.clone(), vec![service])),
            }
        }
    }
    grouped
}

fn report(grouped: &[(ConfigProblem, Vec<&'static str>)]) {
    let plural = if grouped.len() == 1 { "" } else { "s" };
    terminal::report(format_args!("error: the config has {} problem{plural}", grouped.len()));
    for (problem, services) in grouped {
        output::note(format_args!("  - {problem} [{}]", services.join(", ")));
    }
    terminal::report("what to do: see `sms-sync config --help` and `sms-sync config defaults`");
}

fn json_of(problem: &ConfigProblem, services: &[&str]) -> Value {
    let ConfigProblem { name, key, what, remedy } = problem;
    json!({ "name": name, "key": key, "what": what, "remedy": remedy, "services": services })
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
