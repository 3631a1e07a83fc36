//! What the chassis hands to a daemon's own work.

use actix_web::web;

use crate::{
    config::ConfigProblems,
    daemon::Daemon,
    health::Health,
    http::{self, Listener, Options},
    ops::Version,
    shutdown::Shutdown,
};

/// A running daemon: its config, readiness, shutdown and server.
#[derive(Debug, Clone)]
pub struct Process {
    pub daemon: Daemon,
    pub shutdown: Shutdown,
    pub health: Health,
}

impl Process {
    /// The daemon's config: [`Daemon::config`].
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn config<T>(&self) -> Result<T, ConfigProblems>
    where
        T: serde::de::DeserializeOwned + garde::Validate<Context = ()>,
    {
        self.daemon.config()
    }

    /// The answer of `/version`, for [`Options`].
    #[must_use]
    pub fn version(&self) -> Version {
        Version { service: self.daemon.name, version: self.daemon.version }
    }

    /// Serves `routes` and those of [`crate::ops`] on `listener` until shutdown, as a supervised task.
    pub fn serve<C>(&self, listener: Listener, routes: C)
    where
        C: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        self.serve_with(Options { version: self.version(), ..Options::default() }, listener, routes);
    }

    /// Serves only the routes of [`crate::ops`]: for a daemon that takes its work elsewhere.
    pub fn serve_ops(&self, listener: Listener) {
        let options = Options { version: self.version(), workers: 1, ..Options::default() };
        self.serve_with(options, listener, |_no_routes| {});
    }

    fn serve_with<C>(&self, options: Options, listener: Listener, routes: C)
    where
        C: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        let serving = http::serve_with(options, listener, self.shutdown.clone(), self.health.clone(), routes);
        self.shutdown.supervise("http", serving);
    }
}
