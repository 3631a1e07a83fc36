//! `sms-sync history`: past syncs, newest first.

use std::process::ExitCode;

use clap::Args;
use contracts::operator::{Cause, List, Mode, SyncState, SyncSummary};

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, TimeRange, words},
    listing::Listing,
    output,
    sync_report::sync_table,
};

#[derive(Debug, Args)]
pub(super) struct HistoryOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Only syncs in this state
    #[arg(long, value_parser = words(SyncState::ALL, SyncState::as_str))]
    state: Option<SyncState>,
    /// Only syncs that were started by this
    #[arg(long, value_parser = words(Cause::ALL, Cause::as_str))]
    cause: Option<Cause>,
    /// Only syncs of this mode
    #[arg(long, value_parser = words(Mode::ALL, Mode::as_str))]
    mode: Option<Mode>,
    /// Only dry runs (true), or only syncs that write (false)
    #[arg(long)]
    dry_run: Option<bool>,
    #[command(flatten)]
    range: TimeRange,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: &HistoryOptions,
) -> anyhow::Result<ExitCode> {
    let filters = [
        ("state", options.state.map(|it| it.to_string())),
        ("cause", options.cause.map(|it| it.to_string())),
        ("mode", options.mode.map(|it| it.to_string())),
        ("dryRun", options.dry_run.map(|it| it.to_string())),
    ];
    let filters = filters.into_iter().chain(options.range.given());
    let print_list = |list: &List<SyncSummary>| {
        output::print_list(&sync_table(&list.data), &list.pagination, "no syncs");
    };
    Listing::with("/api/sync/history", filters).show(api, format, &options.page, print_list).await?;
    Ok(ExitCode::SUCCESS)
}
