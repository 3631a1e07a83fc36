//! From `main` to the exit code: what every daemon does before and after its own work.

use std::{future::Future, process::ExitCode, time::Duration};

use clap::{Command, Subcommand};

use crate::{
    command_line::{command, run_common_command},
    config::ConfigProblems,
    daemon::{Daemon, EXIT_CONFIG},
    health::Health,
    metrics,
    process::Process,
    shutdown::{Shutdown, ShutdownResult},
    telemetry::{self, Telemetry},
    terminal,
    tls::install_tls,
};

/// How long blocking calls may outlive the end: a DNS look-up that hangs must not hang the process.
const BLOCKING_CALLS_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs a daemon: `start` reads its config and spawns its tasks with [`Shutdown::supervise`], then returns; the
/// process lives until a signal comes or a task fails.
///
/// Also answers `--help`, `--version`, `healthcheck`, `config print` and `config defaults`.
///
/// The exit code is 0 after a clean end, 78 for a wrong config, 1 for every other failure.
pub fn run<S, F, E>(daemon: Daemon, start: S) -> ExitCode
where
    S: FnOnce(Process) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    let arguments = command(&daemon).get_matches();
    run_common_command(&daemon, &arguments).unwrap_or_else(|| run_without_arguments(daemon, start))
}

/// As [`run`], for a daemon with commands of its own beside `serve`, which runs it and may be left out. `execute` runs
/// one of them, without logs or signal handlers: Ctrl-C ends it where it stands. The exit codes are those of [`run`].
pub fn run_with_commands<C, X, FX, EX, S, F, E>(daemon: Daemon, execute: X, start: S) -> ExitCode
where
    C: Subcommand,
    X: FnOnce(Daemon, C) -> FX,
    FX: Future<Output = Result<(), EX>>,
    EX: Into<anyhow::Error>,
    S: FnOnce(Process) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    let serve = Command::new("serve").about("Run the daemon; so does no command at all");
    // The commands' own description would replace the daemon's.
    let commands =
        C::augment_subcommands(command(&daemon).subcommand(serve)).about(daemon.about).long_about(None);
    let arguments = commands.get_matches();
    if let Some(code) = run_common_command(&daemon, &arguments) {
        return code;
    }
    match C::from_arg_matches(&arguments) {
        Ok(command) => run_command(daemon, execute(daemon, command)),
        Err(_serve_or_nothing) => run_without_arguments(daemon, start),
    }
}

/// Runs one command to its end.
fn run_command<E: Into<anyhow::Error>>(
    daemon: Daemon,
    command: impl Future<Output = Result<(), E>>,
) -> ExitCode {
    install_tls();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(command).map_err(Into::into));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report_failure(daemon.name, &error),
    }
}

/// As [`run`], for a program with a command line of its own: the arguments are not read.
pub fn run_without_arguments<S, F, E>(daemon: Daemon, start: S) -> ExitCode
where
    S: FnOnce(Process) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    heap::return_freed_memory();
    install_tls();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::report(format_args!("{}: no runtime: {error}", daemon.name));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        let telemetry = telemetry::init(daemon.name, daemon.version);
        metrics::install();
        metrics::set_build_info(daemon.name, daemon.version);
        metrics::register(daemon.services);
        let code = Box::pin(run_until_shutdown(daemon, start)).await;
        // After a failure too: its traces are the ones that are looked for.
        Telemetry::shutdown(telemetry).await;
        code
    });
    runtime.shutdown_timeout(BLOCKING_CALLS_TIMEOUT);
    code
}

async fn run_until_shutdown<S, F, E>(daemon: Daemon, start: S) -> ExitCode
where
    S: FnOnce(Process) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    let shutdown = match Shutdown::on_signals(daemon.grace) {
        Ok(shutdown) => shutdown,
        Err(error) => {
            tracing::error!(%error, "no signal handlers");
            return ExitCode::FAILURE;
        }
    };
    let process = Process { daemon, shutdown: shutdown.clone(), health: Health::new() };
    tracing::info!(version = daemon.version, "starting");
    // A start may wait for a database; a signal ends it all the same.
    let started = tokio::select! {
        started = start(process) => started.map_err(Into::into),
        () = shutdown.requested() => Ok(()),
    };
    let mut code = ExitCode::SUCCESS;
    if let Err(error) = started {
        code = report_failure(daemon.name, &error);
        shutdown.request("the start failed");
    }
    match shutdown.finished().await {
        ShutdownResult::Clean => tracing::info!("stopped"),
        ShutdownResult::Failed => {
            tracing::error!("stopped after a failure");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Reports why the start failed, to people on stderr and to machines in the log.
fn report_failure(name: &str, error: &anyhow::Error) -> ExitCode {
    let problems = error.chain().find_map(|cause| cause.downcast_ref::<ConfigProblems>());
    match problems {
        Some(problems) => {
            for problem in problems.problems() {
                tracing::error!(config.name = problem.name, config.key = problem.key, "{problem}");
            }
            terminal::report(format_args!(
                "{name}: {problems}\nsee `{name} --help`, `{name} config defaults`"
            ));
            ExitCode::from(EXIT_CONFIG)
        }
        None => {
            tracing::error!(error = format!("{error:#}"), "the start failed");
            terminal::report(format_args!("{name}: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
