//! `sms-sync audit`: verifies the chain of the audit log, on the database itself.

use std::{process::ExitCode, str::FromStr};

use anyhow::Context;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::json;
use store::{
    Store, StoreError,
    ledger::audit_chain::{ChainPlace, ChainVerdict, audit_verify},
};

use super::migrate::database_url;
use crate::{
    arguments::OutputFormat,
    output::{self, print},
};

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Verify that no row of the audit log was changed, added or deleted (DATABASE_URL)
    Verify(VerifyOptions),
}

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    /// A place that an earlier run has printed: finds out if the whole chain was written anew since
    #[arg(long, value_name = "POSITION:HASH")]
    expect: Option<NotedPlace>,
}

#[derive(Debug, Clone)]
struct NotedPlace(ChainPlace);

impl FromStr for NotedPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = || {
            let (position, hash) = text.split_once(':')?;
            let hash = hex::decode(hash).ok().filter(|hash| hash.len() == 32)?;
            Some(Self(ChainPlace { position: position.parse().ok()?, hash }))
        };
        place().ok_or_else(|| "expected a position and 64 hexadecimal digits, as POSITION:HASH".to_owned())
    }
}

pub(super) async fn run(format: OutputFormat, command: AuditCommand) -> anyhow::Result<ExitCode> {
    let AuditCommand::Verify(VerifyOptions { expect }) = command;
    let store = Store::lazy(database_url()?.expose_secret(), 1)?;
    let reached = store.reach().await;
    reached.context("cannot connect to the database that DATABASE_URL names")?;
    let noted = expect.map(|NotedPlace(place)| place);
    let verdict =
        store.transaction::<_, StoreError, _>(async |tx| audit_verify(tx, noted.as_ref()).await).await;
    let verdict =
        verdict.context("cannot read the audit log; `sms-sync migrate` brings its tables up to date")?;
    let (answer, line, code) = match &verdict {
        ChainVerdict::Intact { rows, anchor, end } => (
            json!({ "intact": true, "rows": rows, "purgedUntil": anchor.position, "end": place_text(end) }),
            format!(
                "the audit log is intact: {rows} rows, positions {} to {}\nnote elsewhere, for --expect: {}",
                anchor.position + 1,
                end.position,
                place_text(end)
            ),
            ExitCode::SUCCESS,
        ),
        ChainVerdict::Broken(broken) => (
            json!({ "intact": false, "problem": broken.to_string() }),
            format!("the audit log is broken: {broken}"),
            ExitCode::FAILURE,
        ),
        ChainVerdict::NotedPlacePurged { anchor } => (
            json!({ "intact": true, "problem": "the expected place was purged", "purgedUntil": anchor.position }),
            format!(
                "the rows that are left are intact, but the expected place was purged: positions until {} are",
                anchor.position
            ),
            ExitCode::FAILURE,
        ),
    };
    print(format, &answer, |_answer| output::line(&line));
    Ok(code)
}

fn place_text(place: &ChainPlace) -> String {
    format!("{}:{}", place.position, hex::encode(&place.hash))
}
