//! `sms-sync migrate`: brings the schema of the maintenance portal's database up to date.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use store::Store;

use crate::{
    arguments::OutputFormat,
    output::{self, print},
};

pub(super) async fn run(format: OutputFormat) -> anyhow::Result<ExitCode> {
    // Without waiting for a server that is away: whoever runs the command sees at once what is wrong, and can repeat it.
    let store = Store::lazy(&database_url()?, 1)?;
    let reached = store.reach().await;
    reached.context("cannot connect to the database that DATABASE_URL names")?;
    let migrated = store.migrate().await?;
    print(format, &json!({ "migrated": format!("{migrated:?}") }), |_answer| {
        output::line("the database schema is up to date");
    });
    Ok(ExitCode::SUCCESS)
}

fn database_url() -> anyhow::Result<String> {
    if let Ok(url) = std::env::var("DATABASE_URL") {
        return Ok(url);
    }
    let file = std::env::var("DATABASE_URL_FILE").context("set DATABASE_URL or DATABASE_URL_FILE")?;
    let url = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    Ok(url.trim().to_owned())
}
