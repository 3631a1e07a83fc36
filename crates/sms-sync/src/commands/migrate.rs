//! `sms-sync migrate`: brings the schema of the maintenance portal's database up to date, and makes the queues if it is told
//! where RabbitMQ is: the services' own users may lack the right to.

use std::{process::ExitCode, sync::Arc};

use anyhow::Context;
use broker::Broker;
use domain::clock::Clock;
use serde_json::json;
use store::Store;

use crate::{
    arguments::OutputFormat,
    output::{self, print},
};

pub(super) async fn run(clock: Arc<dyn Clock>, format: OutputFormat) -> anyhow::Result<ExitCode> {
    // Without waiting for a server that is away: whoever runs the command sees at once what is wrong, and can repeat it.
    let store = Store::lazy(&database_url()?, 1)?;
    let reached = store.reach().await;
    reached.context("cannot connect to the database that DATABASE_URL names")?;
    let migrated = store.migrate().await?;
    let broker_url = secret("AMQP_URL")?;
    if let Some(url) = &broker_url {
        let broker = Broker::connect(url.clone().into(), "sms-sync", clock);
        broker.ping().await.context("cannot make the queues in the broker that AMQP_URL names")?;
    }
    let queues = broker_url.is_some();
    print(format, &json!({ "migrated": format!("{migrated:?}"), "queues": queues }), |_answer| {
        output::line("the database schema is up to date");
        if queues {
            output::line("the queues are there");
        }
    });
    Ok(ExitCode::SUCCESS)
}

/// The URL of the maintenance portal's database, from the environment.
pub(super) fn database_url() -> anyhow::Result<String> {
    secret("DATABASE_URL")?.context("set DATABASE_URL or DATABASE_URL_FILE")
}

/// A secret of the environment, or of the file that the environment names.
fn secret(name: &str) -> anyhow::Result<Option<String>> {
    let of_environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(value) = of_environment(name) {
        return Ok(Some(value));
    }
    let Some(file) = of_environment(&format!("{name}_FILE")) else { return Ok(None) };
    let value = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    Ok(Some(value.trim().to_owned()))
}
