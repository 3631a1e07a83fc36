//! `sms-sync audit`: lists and exports the audit log, and verifies its chain on the database itself.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use contracts::operator::{AuditAction, AuditChain, AuditEntry, List};
use domain::text::printable;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use store::{
    Store, StoreError,
    ledger::audit_chain::{ChainPlace, ChainVerdict, audit_verify},
};

use super::migrate::database_url;
use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, SortOption, TimeRange, query_of, repeated, words},
    listing::Listing,
    output::{self, print, time},
};

const PATH: &str = "/api/sync/audit";
/// Most characters of an entry's detail in a table; JSON shows all.
const DETAIL_LIMIT: usize = 80;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List what operators did, were refused, and read of personal data (role admin)
    List(ListOptions),
    /// Write the whole log, or what of it is asked for, oldest first, one JSON object per line (role admin)
    Export(AuditFilters),
    /// Ask the service to verify that no row of the audit log was changed, added or deleted (role admin)
    Chain(VerifyOptions),
    /// Verify the same on the database itself, without the service (DATABASE_URL)
    Verify(VerifyOptions),
}

impl AuditCommand {
    /// Whether it asks the operator API anything.
    pub(super) fn needs_api(&self) -> bool {
        !matches!(self, Self::Verify(_))
    }
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    #[command(flatten)]
    page: PageOptions,
    #[command(flatten)]
    filters: AuditFilters,
    #[command(flatten)]
    sort: SortOption,
}

#[derive(Debug, Args)]
pub(super) struct AuditFilters {
    /// Only what this operator did, or one of several
    #[arg(long, value_delimiter = ',')]
    actor: Vec<String>,
    /// Only this action, such as sync.trigger or access.refuse, or one of several
    #[arg(long, value_delimiter = ',', value_parser = words(AuditAction::ALL, AuditAction::as_str), hide_possible_values = true)]
    action: Vec<AuditAction>,
    /// Only what was done to this, such as the id of a sync
    #[arg(long)]
    subject: Option<String>,
    /// Only what this request did
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Only what was done in this trace
    #[arg(long, value_name = "ID")]
    trace_id: Option<String>,
    #[command(flatten)]
    range: TimeRange,
}

impl AuditFilters {
    fn given(&self) -> impl Iterator<Item = (&'static str, Option<String>)> {
        let one = [
            ("subject", self.subject.clone()),
            ("requestId", self.request_id.clone()),
            ("traceId", self.trace_id.clone()),
        ];
        repeated("actor", &self.actor)
            .chain(repeated("action", &self.action))
            .chain(one)
            .chain(self.range.given())
    }
}

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    /// A place that an earlier run has printed: finds out if the whole chain was written anew since
    #[arg(long, value_name = "POSITION:HASH")]
    expect: Option<ChainPlace>,
}

pub(super) async fn run(api: &Api, format: OutputFormat, command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::List(ListOptions { page, filters, sort }) => {
            Listing::with(PATH, filters.given().chain([sort.given()]))
                .show(api, format, &page, print_list)
                .await?;
            Ok(ExitCode::SUCCESS)
        }
        AuditCommand::Export(filters) => export(api, &filters).await,
        AuditCommand::Chain(VerifyOptions { expect }) => {
            let is_compared = expect.is_some();
            let query = query_of([("expect", expect.map(|place| place.to_string()))]);
            let chain: AuditChain = api.get(format!("{PATH}/chain?{query}").trim_end_matches('?')).await?;
            print(format, &chain, print_chain);
            let is_proved = chain.intact && (chain.problem.is_none() || !is_compared);
            Ok(if is_proved { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        AuditCommand::Verify(options) => verify(format, options).await,
    }
}

fn print_list(list: &List<AuditEntry>) {
    let mut table = output::table(["at (UTC)", "by", "action", "subject", "detail"])
        .text(["detail"])
        .optional(["detail"]);
    for it in &list.data {
        let detail = it.detail.to_string();
        let detail = printable(&detail, DETAIL_LIMIT);
        table.add_row([
            time(it.at),
            it.actor.clone(),
            it.action.to_string(),
            it.subject.clone(),
            detail.into_owned(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no entries");
}

fn print_chain(it: &AuditChain) {
    match (&it.problem, it.intact) {
        (None, _) => output::line(format!("the audit log is intact: {} rows", it.rows.unwrap_or_default())),
        (Some(problem), true) => output::line(format!("the rows that are left are intact, but {problem}")),
        (Some(problem), false) => output::line(format!("the audit log is broken: {problem}")),
    }
    if let Some(end) = &it.end {
        output::line(format!("note elsewhere, for --expect: {end}"));
    }
}

/// Prints the lines as they come; fails if the last one, which says that the log is complete, is missing.
async fn export(api: &Api, filters: &AuditFilters) -> anyhow::Result<ExitCode> {
    let path = format!("{PATH}/export?{}", query_of(filters.given()));
    let mut response = api.send(api.request(Method::GET, &path), &path).await?;
    let (mut waiting, mut is_complete) = (Vec::new(), false);
    while let Some(chunk) =
        response.chunk().await.context("the export broke off: what was printed is not all")?
    {
        waiting.extend_from_slice(&chunk);
        while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = waiting.drain(..=end).collect();
            let entry: Value = serde_json::from_slice(&line).context("a line of the export is not JSON")?;
            if entry == json!({ "complete": true }) {
                is_complete = true;
            } else {
                output::line(entry.to_string());
            }
        }
    }
    anyhow::ensure!(is_complete, "the export broke off: what was printed is not all");
    Ok(ExitCode::SUCCESS)
}

async fn verify(format: OutputFormat, options: VerifyOptions) -> anyhow::Result<ExitCode> {
    let VerifyOptions { expect } = options;
    let store = Store::lazy(database_url()?.expose_secret(), 1)?;
    let reached = store.reach().await;
    reached.context("cannot connect to the database that DATABASE_URL names")?;
    let verdict =
        store.transaction::<_, StoreError, _>(async |tx| audit_verify(tx, expect.as_ref()).await).await;
    let verdict = verdict.context(
        "cannot read the audit log: DATABASE_URL needs a user who may (the owner may), and tables that are up to date \
         (`sms-sync migrate`)",
    )?;
    let (answer, line, code) = match &verdict {
        ChainVerdict::Intact { rows, anchor, end } => (
            json!({ "intact": true, "rows": rows, "purgedUntil": anchor.position, "end": end.to_string() }),
            format!(
                "the audit log is intact: {rows} rows, positions {} to {}\nnote elsewhere, for --expect: {}",
                anchor.position + 1,
                end.position,
                end
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
    print(format, &answer, |_answer| line.lines().for_each(output::line));
    Ok(code)
}
