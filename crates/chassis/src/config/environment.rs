//! Development or production: what `SMS_ENV` says.

use std::{collections::BTreeMap, fmt};

use super::ConfigProblem;

/// Where the process runs. Only development may use default secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Environment {
    /// A developer's machine, a demo, a test: default secrets are fine.
    Development,
    /// Everything else, and what is assumed when nothing is said.
    #[default]
    Production,
}

impl Environment {
    /// What `SMS_ENV` of this process says; production where it is absent or not understood.
    #[must_use]
    pub fn current() -> Self {
        Self::read(&super::process_environment()).unwrap_or_default()
    }

    /// What `SMS_ENV` in `environment` says; production where it is absent.
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
