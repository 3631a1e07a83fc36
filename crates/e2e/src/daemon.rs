//! Our programs as processes.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use anyhow::Context;
use testbed::Process;

use crate::environment::Environment;
use crate::environment::PATIENCE;

/// A daemon that runs, with the address that it serves on.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    /// Where it serves, without a path.
    pub url: String,
}

impl Daemon {
    /// Starts a program on a port, with this environment.
    pub(crate) async fn start_on(
        port: u16,
        name: &str,
        arguments: &[&str],
        mut environment: Environment,
    ) -> anyhow::Result<Self> {
        let address = format!("127.0.0.1:{port}");
        environment.insert("BIND".to_owned(), address.clone());
        let process = Process::spawn(program(name).await?, arguments, environment)?;
        Ok(Self { process, url: format!("http://{address}") })
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        self.process.wait_ready(&self.url, PATIENCE).await
    }
}

impl Deref for Daemon {
    type Target = Process;
    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Daemon {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// The path of a program of the workspace, built.
pub async fn program(name: &str) -> anyhow::Result<PathBuf> {
    let name = name.to_owned();
    tokio::task::spawn_blocking(move || testbed::binary(&name)).await.context("cannot ask cargo")?
}

/// Runs a program to its end.
pub(crate) async fn output_of(
    name: &str,
    arguments: &[&str],
    environment: &Environment,
) -> anyhow::Result<std::process::Output> {
    let mut command = tokio::process::Command::new(program(name).await?);
    command.args(arguments).env_clear().envs(environment).kill_on_drop(true);
    command.output().await.with_context(|| format!("cannot run {name}"))
}

/// Runs a program to its end, and takes nothing but success.
pub(crate) async fn run(name: &str, arguments: &[&str], environment: &Environment) -> anyhow::Result<String> {
    let output = output_of(name, arguments, environment).await?;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    anyhow::ensure!(
        output.status.success(),
        "{name} {arguments:?} ended with {}\n{said}\n{complained}",
        output.status
    );
    Ok(said.into_owned())
}
