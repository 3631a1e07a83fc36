//! Configuration in three layers: an embedded default file, an optional file, the environment.
//!
//! 1. The *defaults*: a commented TOML text embedded in the binary. It names every key and says what it means, so it
//!    is the manual, and `<daemon> config defaults` prints it. A value an operator must supply stands in it as `""`.
//! 2. The *file* named by `SMS_CONFIG`, TOML of the same shape, with only what differs.
//! 3. The *environment*: the [`Variable`]s operators know by name (`DATABASE_URL`), for each secret also
//!    `NAME_FILE` with the path of a file that holds it, and `SMS_<SECTION>__<KEY>` for any other key.
//!    Empty variables count as absent.
//!
//! Nothing stops at the first mistake: [`load`] collects everything that is wrong and says it at once. Sections of
//! the file or of the environment that a daemon does not know are left to the other daemons (one file may serve all)
//! and mentioned in the log; an unknown key inside a known section is a mistake.

mod environment;
mod layers;
mod problems;

use std::collections::BTreeMap;

use ::config::ConfigError;
use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use environment::Environment;
pub use problems::{ConfigProblem, ConfigProblems};
pub use secrecy::{ExposeSecret, SecretString as Secret};

use layers::Layers;

/// What stands where a secret would have been printed.
pub const REDACTED: &str = "[redacted]";

/// An environment variable that operators know by its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// The name in the environment, e.g. `DATABASE_URL`.
    pub name: &'static str,
    /// The configuration key it sets, e.g. `database.url`.
    pub key: &'static str,
    /// Whether the value is a secret: then `NAME_FILE` is understood too, the value is never printed, and its
    /// default is refused outside development.
    pub secret: bool,
}

impl Variable {
    /// A variable whose value may be printed.
    #[must_use]
    pub const fn plain(name: &'static str, key: &'static str) -> Self {
        Self { name, key, secret: false }
    }

    /// A variable whose value may not.
    #[must_use]
    pub const fn secret(name: &'static str, key: &'static str) -> Self {
        Self { name, key, secret: true }
    }
}

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
    let mut layers = Layers::gather(defaults, variables, environment, &mut problems);
    let kind = Environment::read(environment).unwrap_or_else(|problem| {
        problems.push(problem);
        Environment::Production
    });
    if kind == Environment::Production {
        layers.refuse_placeholders(&mut problems);
    }
    let config = deserialize::<T>(&mut layers, &mut problems);
    if let Some(config) = &config
        && let Err(report) = config.validate()
    {
        for (path, error) in report.iter() {
            let key = path.to_string();
            if !problems.iter().any(|problem| problem.key.as_deref() == Some(key.as_str())) {
                problems.push(layers.problem(&key, error.message()));
            }
        }
    }
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(ConfigProblems::new(problems)),
    }
}

/// The library stops at the first error. So: note it, take the offending value away, ask again. What remains is the
/// default, which is right, so every value is judged in the end.
fn deserialize<T: DeserializeOwned>(layers: &mut Layers<'_>, problems: &mut Vec<ConfigProblem>) -> Option<T> {
    loop {
        let error = match layers.build().and_then(::config::Config::try_deserialize::<T>) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let (key, what) = describe(&error);
        let taken = layers.remove(&key);
        problems.push(layers.problem_from(&key, &what, taken.as_deref()));
        taken?; // the defaults themselves do not fit: nothing to take away
    }
}

/// The key an error is about, and what it says.
fn describe(error: &ConfigError) -> (String, String) {
    match error {
        ConfigError::At { error, key, .. } => {
            let (inner, what) = describe(error);
            let outer = key.clone().unwrap_or_default();
            let key = match (outer.is_empty(), inner.is_empty()) {
                (_, true) => outer,
                (true, false) => inner,
                (false, false) => format!("{outer}.{inner}"),
            };
            (key, what)
        }
        ConfigError::Type { key, unexpected, expected, .. } => {
            (key.clone().unwrap_or_default(), format!("is {unexpected}, should be {expected}"))
        }
        ConfigError::NotFound(key) => (key.clone(), "is missing".to_owned()),
        ConfigError::Message(text) => match unknown_field(text) {
            Some((field, rest)) => (field.to_owned(), format!("is not a known key{rest}")),
            None => (String::new(), text.clone()),
        },
        other => (String::new(), other.to_string()),
    }
}

/// serde says "unknown field `x`, expected one of ..." and has no other way to say which.
fn unknown_field(text: &str) -> Option<(&str, String)> {
    let (field, rest) = text.strip_prefix("unknown field `")?.split_once('`')?;
    let known = rest.strip_prefix(", expected ").map(|known| format!(" (known: {known})"));
    Some((field, known.unwrap_or_default()))
}

/// The configuration in force, for `config print`: all layers merged, every secret replaced by [`REDACTED`].
///
/// # Errors
/// What keeps the layers from being read (a file that is missing or no TOML); the values are not judged.
pub fn effective(
    defaults: &'static str,
    variables: &[Variable],
    environment: &BTreeMap<String, String>,
) -> Result<Value, ConfigProblems> {
    let mut problems = Vec::new();
    let layers = Layers::gather(defaults, variables, environment, &mut problems);
    if !problems.is_empty() {
        return Err(ConfigProblems::new(problems));
    }
    let merged = layers.build().and_then(::config::Config::try_deserialize::<Value>);
    let merged = merged.map_err(|error| {
        let (key, what) = describe(&error);
        ConfigProblems::new(vec![layers.problem(&key, &what)])
    })?;
    Ok(redacted(&merged, variables))
}

/// `config` with the value of every secret variable replaced by [`REDACTED`]; an absent or empty one stays as it is,
/// so that one sees what is missing.
#[must_use]
pub fn redacted(config: &Value, variables: &[Variable]) -> Value {
    let mut config = config.clone();
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

/// The environment of this process, as far as it is text.
#[must_use]
pub fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// A garde rule for secrets that must be there: `#[garde(custom(chassis::config::present))]`.
///
/// # Errors
/// When the secret is empty.
pub fn present(secret: &Secret, _: &()) -> garde::Result {
    at_least(1)(secret, &())
}

/// A garde rule for secrets with a least length in bytes: `#[garde(custom(chassis::config::at_least(32)))]`.
pub fn at_least(bytes: usize) -> impl FnOnce(&Secret, &()) -> garde::Result {
    move |secret, ()| match secret.expose_secret().len() {
        length if length >= bytes => Ok(()),
        0 => Err(garde::Error::new("is missing")),
        length => Err(garde::Error::new(format!("has {length} bytes, needs at least {bytes}"))),
    }
}

/// What the comments of the default file say about `key`: the comment lines right above it, joined.
#[must_use]
pub fn described(defaults: &str, key: &str) -> Option<String> {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let mut current = String::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in defaults.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
            continue;
        }
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            current = header.0.trim().to_owned();
        } else if current == section && line.split('=').next().is_some_and(|left| left.trim() == name) {
            return (!comment.is_empty()).then(|| comment.join(" "));
        }
        comment.clear();
    }
    None
}
