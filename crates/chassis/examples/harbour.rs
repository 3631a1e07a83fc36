//! The smallest daemon: the one whose life `tests/chassis/process.rs` follows.

use std::{process::ExitCode, time::Duration};

use actix_web::web;
use chassis::config::{Secret, Variable, secret_given};
use garde::Validate;
use serde::Deserialize;

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Config {
    #[garde(dive)]
    http: Http,
    #[garde(dive)]
    harbour: Harbour,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Http {
    #[garde(length(min = 1))]
    bind: String,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Harbour {
    #[garde(custom(secret_given))]
    key: Secret,
    #[garde(range(min = 1, max = 99))]
    berths: u16,
}

const DAEMON: chassis::Daemon = chassis::Daemon {
    name: "harbour",
    version: env!("CARGO_PKG_VERSION"),
    about: "Watches the harbour",
    defaults: include_str!("harbour.toml"),
    variables: &[Variable::plain("BIND", "http.bind"), Variable::secret("HARBOUR_KEY", "harbour.key")],
    services: &["harbour"],
    grace: Duration::from_secs(10),
};

fn main() -> ExitCode {
    chassis::run(DAEMON, |process| async move {
        let config: Config = process.config()?;
        tracing::info!(berths = config.harbour.berths, key = ?config.harbour.key, "the harbour opens");
        let listener = chassis::http::listen(&config.http.bind)?;
        let address = listener.local_addr()?;
        let shutdown = process.shutdown.clone();
        let routes = move |app: &mut web::ServiceConfig| {
            let (storm, fog) = (shutdown.clone(), shutdown.clone());
            app.route(
                "/storm",
                web::post().to(move || {
                    storm.supervise("lighthouse", async {
                        panic!("the lamp is out") as Result<(), std::io::Error>
                    });
                    async { "a storm" }
                }),
            );
            app.route(
                "/fog",
                web::post().to(move || {
                    fog.supervise("pilot", std::future::pending::<Result<(), std::io::Error>>());
                    async { "a fog" }
                }),
            );
        };
        let options = chassis::http::Options { version: process.version(), workers: 1, ..Default::default() };
        let (health, shutdown) = (process.health.clone(), process.shutdown.clone());
        process
            .shutdown
            .supervise("http", chassis::http::serve_with(options, listener, shutdown, health, routes));
        tracing::info!(address = %address, "ready");
        anyhow::Ok(())
    })
}
