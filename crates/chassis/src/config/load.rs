//! Loading and judging a config: everything that is wrong is found in one go.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use garde::Validate;
use serde::de::DeserializeOwned;

use super::{
    endpoint::Endpoint,
    environment::{Environment, process_environment},
    layers::Layers,
    library_error::key_and_message,
    problems::{ConfigProblem, ConfigProblems},
    variable::Variable,
};

/// Loads `T` from `defaults`, the file named by `SMS_CONFIG` and the environment of this process.
///
/// # Errors
/// Everything that is wrong, each with the variable or key and what to do about it.
pub fn load<T>(defaults: &'static str, variables: &[Variable]) -> Result<T, ConfigProblems>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    load_from(defaults, variables, &process_environment())
}

/// Like [`load`], with the environment handed in: for tests, and for a process that starts several daemons.
///
/// # Errors
/// As [`load`].
pub fn load_from<T>(
    defaults: &'static str,
    variables: &[Variable],
    environment: &BTreeMap<String, String>,
) -> Result<T, ConfigProblems>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let mut problems = Vec::new();
    let mut layers = Layers::read(defaults, variables, environment, &mut problems);
    let kind = Environment::read(environment).unwrap_or_else(|problem| {
        problems.push(problem);
        Environment::Production
    });
    if kind == Environment::Production {
        layers.refuse_worthless_secrets(&mut problems);
        warn_of_plaintext(&layers, environment);
    }
    let config = deserialize::<T>(&mut layers, &mut problems);
    if let Some(config) = &config {
        check_bounds(config, &layers, &mut problems);
    }
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(ConfigProblems::new(problems)),
    }
}

/// Warns of URLs that lead to another host without encryption, each once per process: several daemons may share one.
fn warn_of_plaintext(layers: &Layers<'_>, environment: &BTreeMap<String, String>) {
    static WARNED_OF: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

    let of_traces = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    let of_traces = of_traces.into_iter().filter_map(|name| {
        let endpoint = Endpoint::parse(environment.get(name)?)?;
        endpoint.is_plaintext_to_another_host().then_some((name, endpoint.host))
    });
    for (name, host) in layers.plaintext_hosts().into_iter().chain(of_traces) {
        let is_new = WARNED_OF.lock().expect("no holder panics").insert((name.to_owned(), host.clone()));
        if is_new {
            tracing::warn!(
                config.variable = name,
                server.address = host,
                "the connection to another host is not encrypted: whoever is on the way can read and change it"
            );
        }
    }
}

/// Deserializes the layers. The library stops at its first error: the offending value is noted and taken away, and
/// the library asked again. What remains is the default, which is right, so every value is judged in the end.
fn deserialize<T: DeserializeOwned>(layers: &mut Layers<'_>, problems: &mut Vec<ConfigProblem>) -> Option<T> {
    loop {
        let error = match layers.build().and_then(::config::Config::try_deserialize::<T>) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let (key, what) = key_and_message(&error);
        let taken = layers.remove(&key);
        problems.push(layers.problem_from(&key, &what, taken.as_deref()));
        taken?; // the defaults themselves do not fit: nothing to take away
    }
}

/// Checks the rules of the fields; a key that has a problem already gets no second one.
fn check_bounds<T: Validate<Context = ()>>(
    config: &T,
    layers: &Layers<'_>,
    problems: &mut Vec<ConfigProblem>,
) {
    let Err(report) = config.validate() else { return };
    for (path, error) in report.iter() {
        let key = path.to_string();
        if !problems.iter().any(|problem| problem.key.as_deref() == Some(key.as_str())) {
            problems.push(layers.problem(&key, error.message()));
        }
    }
}
