//! `sms-sync history`: past syncs, newest first.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use contracts::operator::{Cause, List, Mode, SyncState, SyncSummary};

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions},
    output::{list_footer, print},
    sync_report::print_syncs,
};

#[derive(Debug, Args)]
pub(super) struct HistoryOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Only syncs in this state, such as failed or completed_with_errors
    #[arg(long)]
    state: Option<SyncState>,
    /// Only syncs that were started by this: manual, scheduled, webhook or replay
    #[arg(long)]
    cause: Option<Cause>,
    /// Only syncs of this mode: full, incremental or selective
    #[arg(long)]
    mode: Option<Mode>,
    /// Only dry runs (true), or only syncs that write (false)
    #[arg(long)]
    dry_run: Option<bool>,
    /// Only syncs that were asked for at this time or later (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Only syncs that were asked for before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    to: Option<DateTime<Utc>>,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: &HistoryOptions,
) -> anyhow::Result<ExitCode> {
    let query = options.page.query_with([
        ("state", options.state.map(|it| it.to_string())),
        ("cause", options.cause.map(|it| it.to_string())),
        ("mode", options.mode.map(|it| it.to_string())),
        ("dryRun", options.dry_run.map(|it| it.to_string())),
        ("from", options.from.map(|it| it.to_rfc3339())),
        ("to", options.to.map(|it| it.to_rfc3339())),
    ]);
    let list: List<SyncSummary> = api.get(&format!("/api/sync/history?{query}")).await?;
    print(format, &list, |list| {
        print_syncs(&list.data);
        list_footer(list);
    });
    Ok(ExitCode::SUCCESS)
}
