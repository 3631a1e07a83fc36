//! What is particular about a daemon before it runs.

use std::time::Duration;

use crate::config::{self, ConfigProblems, Variable};

/// The exit code for a wrong config, `EX_CONFIG` of sysexits.h: restarting does not help.
pub const EXIT_CONFIG: u8 = 78;

#[derive(Debug, Clone, Copy)]
pub struct Daemon {
    /// Its name in logs, traces and metrics, and as a command.
    pub name: &'static str,
    /// `env!("CARGO_PKG_VERSION")`
    pub version: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// The embedded default config, a commented TOML text.
    pub defaults: &'static str,
    /// The variables its operators know. One named `BIND` (`host:port`) tells `healthcheck` where to ask.
    pub variables: &'static [Variable],
    /// The services that run in it, for the metrics that it shows.
    pub services: &'static [&'static str],
    /// How long the work in hand may take at the end.
    pub grace: Duration,
}

impl Daemon {
    /// The daemon's config, or as many of its sections as `T` has: [`config::load`] with its defaults and variables.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn config<T>(&self) -> Result<T, ConfigProblems>
    where
        T: serde::de::DeserializeOwned + garde::Validate<Context = ()>,
    {
        config::load(self.defaults, self.variables)
    }
}
