//! `sms-sync history`: past syncs.

use std::process::ExitCode;

use clap::Args;
use contracts::operator::{Cause, List, Mode, RecordType, SyncState, SyncSummary};

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, SortOption, TimeRange, repeated, words},
    listing::Listing,
    output,
    sync_report::sync_table,
};

#[derive(Debug, Args)]
pub(super) struct HistoryOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Only syncs in this state, or in one of several
    #[arg(long, value_delimiter = ',', value_parser = words(SyncState::ALL, SyncState::as_str))]
    state: Vec<SyncState>,
    /// Only syncs that were started by this, or by one of several
    #[arg(long, value_delimiter = ',', value_parser = words(Cause::ALL, Cause::as_str))]
    cause: Vec<Cause>,
    /// Only syncs of this mode, or of one of several
    #[arg(long, value_delimiter = ',', value_parser = words(Mode::ALL, Mode::as_str))]
    mode: Vec<Mode>,
    /// Only syncs that account for records of this type, or of one of several
    #[arg(long, value_delimiter = ',', value_parser = words(RecordType::ALL, RecordType::as_str))]
    record_type: Vec<RecordType>,
    /// Only syncs that were asked for this vessel, by IMO number or id, and of its approvals
    #[arg(long)]
    vessel: Option<String>,
    /// Only syncs that were asked for this company, by id or IMO company number, and of its approvals
    #[arg(long)]
    company: Option<String>,
    /// Only syncs that this operator asked for
    #[arg(long, value_name = "OPERATOR")]
    requested_by: Option<String>,
    /// Only dry runs (true), or only syncs that write (false)
    #[arg(long)]
    dry_run: Option<bool>,
    #[command(flatten)]
    range: TimeRange,
    #[command(flatten)]
    sort: SortOption,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: &HistoryOptions,
) -> anyhow::Result<ExitCode> {
    let one = [
        ("dryRun", options.dry_run.map(|it| it.to_string())),
        ("vessel", options.vessel.clone()),
        ("company", options.company.clone()),
        ("requestedBy", options.requested_by.clone()),
        options.sort.given(),
    ];
    let filters = repeated("state", &options.state)
        .chain(repeated("cause", &options.cause))
        .chain(repeated("mode", &options.mode))
        .chain(repeated("recordType", &options.record_type))
        .chain(one)
        .chain(options.range.given());
    let print_list = |list: &List<SyncSummary>| {
        output::print_list(&sync_table(&list.data), &list.pagination, "no syncs");
    };
    Listing::with("/api/sync/history", filters).show(api, format, &options.page, print_list).await?;
    Ok(ExitCode::SUCCESS)
}
