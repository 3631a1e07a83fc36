//! All services in one process, on one port.

use std::{process::ExitCode, time::Duration};

use actix_web::web;
use chassis::{
    Daemon, Process,
    config::{self, Variable},
    http,
};

/// The services, as each knows itself.
pub(crate) const DAEMONS: [Daemon; 4] =
    [webhook_ingest::DAEMON, worker::DAEMON, scheduler::DAEMON, status::DAEMON];

const UP: Daemon = Daemon {
    name: "sms-sync",
    version: env!("CARGO_PKG_VERSION"),
    about: "All services in one process",
    defaults: status::DAEMON.defaults,
    variables: const { &[Variable::plain("BIND", "server.bind")] },
    // The worker's is the longest.
    grace: Duration::from_secs(40),
};

pub(crate) fn run() -> ExitCode {
    chassis::live(UP, start)
}

async fn start(process: Process) -> anyhow::Result<()> {
    let ingest: webhook_ingest::Config = config(&webhook_ingest::DAEMON)?;
    let work: worker::Config = config(&worker::DAEMON)?;
    let clock: scheduler::Config = config(&scheduler::DAEMON)?;
    let answer: status::Config = config(&status::DAEMON)?;
    let listener = http::listen(&answer.server.bind)?;

    let Process { shutdown, health, .. } = &process;
    let ingest = Box::pin(webhook_ingest::start(&ingest, shutdown, health)).await?;
    let answer = Box::pin(status::start(&answer, shutdown, health)).await?;
    Box::pin(worker::start(&work, shutdown, health)).await?;
    Box::pin(scheduler::start(&clock, shutdown, health)).await?;

    let (ingest, answer) = (ingest.routes(), answer.routes());
    // The dashboard takes every address that is left, so it comes last.
    let routes = move |app: &mut web::ServiceConfig| {
        ingest(app);
        answer(app);
    };
    let options = http::Options { version: process.version(), ..http::Options::default() };
    let serving = http::serve_with(options, listener, shutdown.clone(), health.clone(), routes);
    shutdown.supervise("http", serving);
    Ok(())
}

fn config<T>(daemon: &Daemon) -> Result<T, config::ConfigProblems>
where
    T: serde::de::DeserializeOwned + garde::Validate<Context = ()>,
{
    config::load(daemon.defaults, daemon.variables)
}
