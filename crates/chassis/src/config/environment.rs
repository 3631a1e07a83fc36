//! The environment of a process: its variables, and whether `SMS_ENV` says development or production.

use std::{collections::BTreeMap, fmt};

use super::problems::ConfigProblem;

/// The environment variables of this process that are text.
#[must_use]
pub fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Development or production. Only development may use default secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Environment {
    /// A developer's machine, a demo, a test.
    Development,
    /// Everything else, and the default.
    #[default]
    Production,
}

impl Environment {
    /// `SMS_ENV` of this process; production where it is absent or not understood.
    #[must_use]
    pub fn current() -> Self {
        Self::read(&process_environment()).unwrap_or_default()
    }

    /// `SMS_ENV` in `environment`; production where it is absent.
    ///
    /// # Errors
    /// When it says something else than `development` or `production`.
    pub fn read(environment: &BTreeMap<String, String>) -> Result<Self, ConfigProblem> {
        match environment.get("SMS_ENV").map(|text| text.trim()) {
            None | Some("" | "production") => Ok(Self::Production),
            Some("development") => Ok(Self::Development),
            Some(other) => Err(ConfigProblem {
                name: "SMS_ENV".to_owned(),
                key: None,
                what: format!("is {other:?}, should be development or production"),
                remedy: "set one of the two, or leave it out for production".to_owned(),
            }),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "development",
            Self::Production => "production",
        })
    }
}
