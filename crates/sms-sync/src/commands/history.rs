//! `sms-sync history`: past syncs, newest first.

use std::process::ExitCode;

use contracts::operator::{List, SyncSummary};

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions},
    output::{list_footer, print},
    sync_report::print_syncs,
};

pub(super) async fn run(api: &Api, format: OutputFormat, page: &PageOptions) -> anyhow::Result<ExitCode> {
    let list: List<SyncSummary> = api.get(&format!("/api/sync/history?{}", page.query())).await?;
    print(format, &list, |list| {
        print_syncs(&list.data);
        list_footer(list);
    });
    Ok(ExitCode::SUCCESS)
}
