//! Brings the maintenance portal's database to the newest schema.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use store::Store;

use crate::{arguments::Output, output};

pub(crate) async fn run(output: Output) -> anyhow::Result<ExitCode> {
    let url = match std::env::var("DATABASE_URL") {
        Ok(url) => url,
        Err(_absent) => {
            let file =
                std::env::var("DATABASE_URL_FILE").context("set DATABASE_URL, or DATABASE_URL_FILE")?;
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?.trim().to_owned()
        }
    };
    let store = Store::connect(&url, 1).await?;
    let ran = store.migrate().await?;
    output::either(output, &json!({ "migrated": format!("{ran:?}") }), |_all| {
        output::line("the database is at the newest schema");
    });
    Ok(ExitCode::SUCCESS)
}
