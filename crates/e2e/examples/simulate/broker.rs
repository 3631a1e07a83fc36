//! RabbitMQ of servers that belong to the simulation: it is killed and started by `deploy/local/servers.sh`.

use std::path::PathBuf;

use anyhow::Context;
use tokio::process::Command;

/// The directory of `servers.sh` in which the server's data is.
pub(crate) struct Broker {
    pub(crate) directory: PathBuf,
}

impl Broker {
    /// SIGKILL, after RabbitMQ has written down which queues it has: it does so half a second late.
    pub(crate) async fn kill(&self) -> anyhow::Result<()> {
        self.ask("settle-rabbitmq").await?;
        self.ask("kill-rabbitmq").await
    }

    /// Returns when it accepts connections.
    pub(crate) async fn start(&self) -> anyhow::Result<()> {
        self.ask("start-rabbitmq").await
    }

    async fn ask(&self, verb: &str) -> anyhow::Result<()> {
        let mut command = Command::new(testbed::workspace_root().join("deploy/local/servers.sh"));
        let output = command.arg(verb).arg(&self.directory).output().await.context("servers.sh")?;
        anyhow::ensure!(
            output.status.success(),
            "servers.sh {verb} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}
