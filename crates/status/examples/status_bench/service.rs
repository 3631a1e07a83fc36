//! The service under load: `status` as a process, on a database and a vhost of its own.

use std::time::Duration;

use anyhow::Context;
use chassis::{
    auth::{OperatorKeys, Role},
    config::Secret,
};
use testbed::{Process, World, wait_until};

const JWT_SECRET: &str = "bench-secret-that-operators-tokens-are-signed-with";
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A database with all tables, and a vhost.
pub(crate) async fn new_world() -> anyhow::Result<World> {
    let template = testbed::template_name("bench", "maintenance")?;
    World::from_template(&template, async |url| {
        store::Store::connect(&url, 2).await?.migrate().await?;
        Ok(())
    })
    .await
}

pub(crate) struct Service {
    pub(crate) port: u16,
    process: Process,
    // The last field, so that it is dropped after the process that uses it.
    pub(crate) world: World,
}

impl Service {
    /// On an empty database, with places for so many clients, all of one operator.
    pub(crate) async fn start(clients: usize) -> anyhow::Result<Self> {
        Self::start_in(new_world().await?, clients).await
    }

    pub(crate) async fn start_in(world: World, clients: usize) -> anyhow::Result<Self> {
        let port = testbed::free_port();
        let environment = [
            ("SMS_ENV", "development".to_owned()),
            ("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_unset| "warn".to_owned())),
            ("BIND", format!("127.0.0.1:{port}")),
            ("DATABASE_URL", world.database_url.clone()),
            ("AMQP_URL", world.amqp_url().await?.to_owned()),
            ("ONBOARDING_API_KEY", "bench".to_owned()),
            ("OPERATOR_JWT_SECRET", JWT_SECRET.to_owned()),
            ("PASSWORD_SEAL_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".to_owned()),
            ("SMS_UPDATES__CLIENTS", clients.to_string()),
            ("SMS_UPDATES__CLIENTS_PER_OPERATOR", clients.to_string()),
            // All clients connect at once, which an operator may not.
            ("SMS_OPERATORS__RATE_PER_SECOND", "0".to_owned()),
        ];
        let mut process = Process::spawn(testbed::binary("status")?, &[], environment)?;
        process.wait_ready(&format!("http://127.0.0.1:{port}"), START_TIMEOUT).await?;
        // The service begins to read the stream soon after its start, and at its end: an update of before would reach nobody.
        wait_until("the service reads the updates", START_TIMEOUT, async || {
            let count = world.consumers("sync.updates").await.map_err(|error| format!("{error:#}"))?;
            if count > 0 { Ok(()) } else { Err("it does not yet".to_owned()) }
        })
        .await?;
        Ok(Self { port, process, world })
    }

    /// Of an operator who may read everything but personal data.
    pub(crate) fn token(&self) -> anyhow::Result<String> {
        let keys = OperatorKeys::from_secret(&Secret::from(JWT_SECRET))?;
        Ok(keys.mint("bench", Role::Viewer, Duration::from_secs(6 * 3600))?)
    }

    pub(crate) async fn amqp_url(&self) -> anyhow::Result<String> {
        Ok(self.world.amqp_url().await?.to_owned())
    }

    /// Heaps and stacks of the process, in kilobytes.
    pub(crate) fn anonymous_memory(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("RssAnon")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}
