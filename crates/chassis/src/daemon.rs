//! From `main` to the exit code: what every daemon does before and after its own work.

use std::{
    error::Error,
    future::Future,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    process::ExitCode,
    time::Duration,
};

use actix_web::web;
use clap::{Arg, ArgMatches, Command, Subcommand};

use crate::{
    config::{self, ConfigProblems, Variable},
    health::Health,
    http::{self, Options},
    metrics,
    ops::Version,
    shutdown::{Ended, Shutdown},
    telemetry::{self, Telemetry},
};

/// The exit code for a wrong configuration, `EX_CONFIG` of sysexits.h: restarting does not help.
pub const EXIT_CONFIG: u8 = 78;

/// What is particular about a daemon before it runs.
#[derive(Debug, Clone, Copy)]
pub struct Daemon {
    /// Its name: in logs, traces, metrics, and as the command.
    pub name: &'static str,
    /// Its version, `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// Its embedded default configuration.
    pub defaults: &'static str,
    /// The variables its operators know. One named `BIND` (`host:port`) tells `healthcheck` where to ask.
    pub variables: &'static [Variable],
    /// How long the work in hand may take at the end.
    pub grace: Duration,
}

impl Daemon {
    /// The daemon's config, or as many of its sections as `T` has: [`config::load`] with its defaults and variables.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn config<T>(&self) -> Result<T, ConfigProblems>
    where
        T: serde::de::DeserializeOwned + garde::Validate<Context = ()>,
    {
        config::load(self.defaults, self.variables)
    }
}

/// What the chassis hands to a daemon's own work.
#[derive(Debug, Clone)]
pub struct Process {
    /// The daemon, for its defaults and variables.
    pub daemon: Daemon,
    /// The end of the process.
    pub shutdown: Shutdown,
    /// Its readiness.
    pub health: Health,
}

impl Process {
    /// The daemon's config: [`Daemon::config`].
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn config<T>(&self) -> Result<T, ConfigProblems>
    where
        T: serde::de::DeserializeOwned + garde::Validate<Context = ()>,
    {
        self.daemon.config()
    }

    /// What `/version` says, for [`crate::http::Options`].
    #[must_use]
    pub fn version(&self) -> Version {
        Version { service: self.daemon.name, version: self.daemon.version }
    }

    /// Serves `routes` and those of [`crate::ops`] on `listener` until shutdown, as a supervised task.
    pub fn serve<C>(&self, listener: TcpListener, routes: C)
    where
        C: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        self.serve_with(Options { version: self.version(), ..Options::default() }, listener, routes);
    }

    /// Serves only the routes of [`crate::ops`]: for a daemon that takes its work elsewhere.
    pub fn serve_ops(&self, listener: TcpListener) {
        let options = Options { version: self.version(), workers: 1, ..Options::default() };
        self.serve_with(options, listener, |_no_routes| {});
    }

    fn serve_with<C>(&self, options: Options, listener: TcpListener, routes: C)
    where
        C: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        let serving = http::serve_with(options, listener, self.shutdown.clone(), self.health.clone(), routes);
        self.shutdown.supervise("http", serving);
    }
}

/// Runs a daemon: `start` reads its config and spawns its parts with [`Shutdown::supervise`], then returns; the
/// process lives until a signal comes or a part fails.
///
/// Also answers `--help`, `--version`, `healthcheck`, `config print` and `config defaults`.
///
/// The exit code is 0 after a clean end, 78 for a wrong configuration, 1 for every other failure.
pub fn run<S, F, E>(daemon: Daemon, start: S) -> ExitCode
where
    S: FnOnce(Process) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    let arguments = command(&daemon).get_matches();
    about_itself(&daemon, &arguments).unwrap_or_else(|| live(daemon, start))
}

/// As [`run`], for a daemon with commands of its own beside `serve`, which runs it and may be left out. `execute` does
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
    // The commands' own description would stand in the place of the daemon's.
    let commands =
        C::augment_subcommands(command(&daemon).subcommand(serve)).about(daemon.about).long_about(None);
    let arguments = commands.get_matches();
    if let Some(code) = about_itself(&daemon, &arguments) {
        return code;
    }
    match C::from_arg_matches(&arguments) {
        Ok(command) => once(daemon, execute(daemon, command)),
        Err(_serve_or_nothing) => live(daemon, start),
    }
}

/// Does what every daemon can tell about itself, if that is what was asked for.
fn about_itself(daemon: &Daemon, arguments: &ArgMatches) -> Option<ExitCode> {
    match arguments.subcommand()? {
        ("healthcheck", arguments) => {
            Some(healthcheck(daemon, arguments.get_one::<String>("address").map(String::as_str)))
        }
        ("config", arguments) => Some(config(daemon, arguments.subcommand_name())),
        _ => None,
    }
}

/// Runs one command to its end.
fn once<E: Into<anyhow::Error>>(daemon: Daemon, work: impl Future<Output = Result<(), E>>) -> ExitCode {
    install_tls();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(work).map_err(Into::into));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(daemon.name, &error),
    }
}

fn command(daemon: &Daemon) -> Command {
    let Daemon { name, version, about, .. } = *daemon;
    Command::new(name)
        .version(version)
        .about(about)
        .after_help(environment_help(daemon))
        .subcommand(
            Command::new("healthcheck")
                .about("Ask the running daemon whether it is ready; exit 0 or 1")
                .arg(Arg::new("address").help("host:port; by default the one it binds")),
        )
        .subcommand(
            Command::new("config")
                .about("Show the configuration")
                .subcommand_required(true)
                .subcommand(Command::new("print").about("What is in force, secrets left out").arg(
                    Arg::new("redacted").long("redacted").num_args(0).help("Always so; accepted for clarity"),
                ))
                .subcommand(Command::new("defaults").about("The commented defaults: the manual")),
        )
}

/// The variables, each with what the defaults file says about its key.
fn environment_help(daemon: &Daemon) -> String {
    let mut help = String::from("Environment:\n");
    let width = daemon.variables.iter().map(|variable| variable.name.len()).max().unwrap_or(0).max(28);
    for Variable { name, key, secret } in daemon.variables {
        let what = config::key_description(daemon.defaults, key).unwrap_or_else(|| format!("sets {key}"));
        let file = if *secret { " (or its path in _FILE)" } else { "" };
        help += &format!("  {name:width$}  {what}{file}\n");
    }
    for (name, what) in [
        ("SMS_CONFIG", "a TOML file with what differs from the defaults"),
        ("SMS_<SECTION>__<KEY>", "any other key; `config defaults` lists them"),
        ("SMS_ENV", "development or production (default); default secrets only in development"),
        ("RUST_LOG", "which log lines (default info)"),
        ("LOG_FORMAT", "json (default) or text"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "where traces go; nowhere by default"),
    ] {
        help += &format!("  {name:width$}  {what}\n");
    }
    help
}

#[expect(clippy::print_stdout, reason = "this is the command line")]
fn config(daemon: &Daemon, which: Option<&str>) -> ExitCode {
    if which == Some("defaults") {
        print!("{}", daemon.defaults);
        return ExitCode::SUCCESS;
    }
    let environment = config::process_environment();
    match config::effective(daemon.defaults, daemon.variables, &environment) {
        Ok(effective) => {
            println!("{effective:#}");
            ExitCode::SUCCESS
        }
        Err(problems) => {
            eprintln!("{}: {problems}", daemon.name);
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

/// As [`run`], for a command line of another's making: without reading the arguments.
pub fn live<S, F, E>(daemon: Daemon, start: S) -> ExitCode
where
    S: FnOnce(Process) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    install_tls();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{}: no runtime: {error}", daemon.name);
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        let telemetry = telemetry::init(daemon.name);
        metrics::install();
        metrics::build_info(daemon.name, daemon.version);
        let code = Box::pin(work(daemon, start)).await;
        // Whether or not it failed: the traces of a failure are the ones somebody wants.
        Telemetry::shutdown(telemetry).await;
        code
    });
    // A blocking call that hangs (a DNS look-up, say) must not hang the end.
    runtime.shutdown_timeout(Duration::from_secs(2));
    code
}

async fn work<S, F, E>(daemon: Daemon, start: S) -> ExitCode
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
    // A signal during a start that waits (for a database, say) must not have to wait with it.
    let started = tokio::select! {
        started = start(process) => started.map_err(Into::into),
        () = shutdown.requested() => Ok(()),
    };
    let mut code = ExitCode::SUCCESS;
    if let Err(error) = started {
        code = report(daemon.name, &error);
        shutdown.trip("the start failed");
    }
    match shutdown.finished().await {
        Ended::Clean => tracing::info!("stopped"),
        Ended::Failed => {
            tracing::error!("stopped after a failure");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Says once, to people on stderr and to machines in the log, why the start failed.
fn report(name: &str, error: &anyhow::Error) -> ExitCode {
    let problems = error.chain().find_map(|cause| cause.downcast_ref::<ConfigProblems>());
    match problems {
        Some(problems) => {
            for problem in problems.problems() {
                tracing::error!(config.name = problem.name, config.key = problem.key, "{problem}");
            }
            eprintln!("{name}: {problems}\nsee `{name} --help`, `{name} config defaults`");
            ExitCode::from(EXIT_CONFIG)
        }
        None => {
            tracing::error!(error = format!("{error:#}"), "the start failed");
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Makes `ring` the TLS implementation of this process. Clients panic without one. Doing it again changes nothing.
pub fn install_tls() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS implementation was installed before");
    }
}

fn healthcheck(daemon: &Daemon, address: Option<&str>) -> ExitCode {
    let address = match address {
        Some(address) => Ok(address.to_owned()),
        None => bound(daemon),
    };
    match address.and_then(|address| Ok(ask_ready(&address)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", daemon.name);
            ExitCode::FAILURE
        }
    }
}

/// The address the daemon binds, by the variable named `BIND`.
fn bound(daemon: &Daemon) -> Result<String, Box<dyn Error>> {
    let variable = daemon.variables.iter().find(|variable| variable.name == "BIND");
    let key = variable.map_or("http.bind", |variable| variable.key);
    let environment = config::process_environment();
    let effective = config::effective(daemon.defaults, daemon.variables, &environment)?;
    let value = effective.pointer(&format!("/{}", key.replace('.', "/"))).and_then(serde_json::Value::as_str);
    Ok(value.ok_or_else(|| format!("name the address: there is no {key}"))?.to_owned())
}

/// Asks `/readyz` at `host:port` over plain HTTP; `0.0.0.0` and `::` mean this machine.
///
/// # Errors
/// When nobody answers within three seconds, or the answer is not 200.
pub fn ask_ready(address: &str) -> std::io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(3);
    let mut address: SocketAddr =
        address.to_socket_addrs()?.next().ok_or_else(|| std::io::Error::other("the host has no address"))?;
    if address.ip().is_unspecified() {
        let local = if address.is_ipv4() { "127.0.0.1" } else { "::1" };
        address.set_ip(local.parse().map_err(std::io::Error::other)?);
    }
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz?verbose HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).unwrap_or("no answer");
    if status == "200" {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Err(std::io::Error::other(format!("not ready ({status}): {body}")))
}
