//! All services in one process, on one port.

use std::{process::ExitCode, time::Duration};

use actix_web::web;
use chassis::{
    Daemon, Process,
    config::{ConfigProblems, sections::Server},
    http::Listener,
};

/// The services that `up` runs.
pub(crate) const DAEMONS: [Daemon; 4] =
    [webhook_ingest::DAEMON, worker::DAEMON, scheduler::DAEMON, status::DAEMON];

const UP: Daemon = Daemon {
    name: "sms-sync",
    version: env!("CARGO_PKG_VERSION"),
    about: "All services in one process",
    defaults: status::DAEMON.defaults,
    variables: &[Server::BIND, Server::TLS_CERTIFICATE, Server::TLS_KEY],
    services: &["webhook-ingest", "scheduler", "worker", "status"],
    // As long as the worker's, which is the longest.
    grace: Duration::from_secs(40),
};

/// The variables of all services, for `--help`.
pub(super) fn environment_help() -> String {
    chassis::environment_help(&DAEMONS)
}

pub(crate) fn run() -> ExitCode {
    chassis::run_without_arguments(UP, start)
}

async fn start(process: Process) -> anyhow::Result<()> {
    let configs = Configs::load().map_err(|problems| {
        let problems = problems.into_iter().map(|(_, problems)| problems).reduce(ConfigProblems::and);
        problems.expect("at least one config failed to load")
    })?;
    let listener = Listener::bind(&configs.status.server)?;

    let Process { shutdown, health, .. } = &process;
    let webhook_ingest = Box::pin(webhook_ingest::start(&configs.webhook_ingest, shutdown, health)).await?;
    let status = Box::pin(status::start(&configs.status, shutdown, health)).await?;
    Box::pin(worker::start(&configs.worker, shutdown, health)).await?;
    Box::pin(scheduler::start(&configs.scheduler, shutdown, health)).await?;

    let (webhook_routes, status_routes) = (webhook_ingest.routes(), status.routes());
    // The dashboard answers every other path, so the routes of status come last.
    let routes = move |app: &mut web::ServiceConfig| {
        webhook_routes(app);
        status_routes(app);
    };
    process.serve(listener, routes);
    Ok(())
}

pub(super) struct Configs {
    webhook_ingest: webhook_ingest::Config,
    worker: worker::Config,
    scheduler: scheduler::Config,
    status: status::Config,
}

impl Configs {
    /// Loads the config of each service. An error has the problems of all services that have some.
    pub(super) fn load() -> Result<Self, Vec<(&'static str, ConfigProblems)>> {
        let loaded = (
            webhook_ingest::DAEMON.config(),
            worker::DAEMON.config(),
            scheduler::DAEMON.config(),
            status::DAEMON.config(),
        );
        match loaded {
            (Ok(webhook_ingest), Ok(worker), Ok(scheduler), Ok(status)) => {
                Ok(Self { webhook_ingest, worker, scheduler, status })
            }
            (webhook_ingest, worker, scheduler, status) => {
                let problems = [webhook_ingest.err(), worker.err(), scheduler.err(), status.err()];
                let of_service = DAEMONS.iter().zip(problems);
                Err(of_service.filter_map(|(daemon, problems)| Some((daemon.name, problems?))).collect())
            }
        }
    }
}
