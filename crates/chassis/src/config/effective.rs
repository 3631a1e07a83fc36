//! The config in force as people may see it: without secrets.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{layers::Layers, library_error::key_and_message, problems::ConfigProblems, variable::Variable};

/// Printed in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// The config in force, for `config print`: all layers merged, every secret replaced by [`REDACTED`].
///
/// # Errors
/// What keeps the layers from being read (a file that is missing or no TOML); the values are not judged.
pub fn effective(
    defaults: &'static str,
    variables: &[Variable],
    environment: &BTreeMap<String, String>,
) -> Result<Value, ConfigProblems> {
    let mut problems = Vec::new();
    let layers = Layers::read(defaults, variables, environment, &mut problems);
    if !problems.is_empty() {
        return Err(ConfigProblems::new(problems));
    }
    let merged = layers.build().and_then(::config::Config::try_deserialize::<Value>);
    let merged = merged.map_err(|error| {
        let (key, what) = key_and_message(&error);
        ConfigProblems::new(vec![layers.problem(&key, &what)])
    })?;
    Ok(redacted(merged, variables))
}

/// `config` with the value of every secret variable replaced by [`REDACTED`]; an absent or empty one stays as it is,
/// so that one sees what is missing.
fn redacted(mut config: Value, variables: &[Variable]) -> Value {
    for variable in variables.iter().filter(|variable| variable.secret) {
        let pointer = format!("/{}", variable.key.replace('.', "/"));
        if let Some(value) = config.pointer_mut(&pointer)
            && !value.is_null()
            && value.as_str() != Some("")
        {
            *value = Value::String(REDACTED.to_owned());
        }
    }
    config
}
