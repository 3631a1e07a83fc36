//! `sms-sync vessels`: the vessels of the fleet with what waits for somebody.

use std::process::ExitCode;

use clap::Args;
use contracts::operator::{List, VesselState};

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions},
    listing::Listing,
    output::{self, Cell, json_word, right_aligned, time},
};

#[derive(Debug, Args)]
pub(super) struct VesselsOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Only vessels of this company: IMO company number, or id in either portal
    #[arg(long)]
    company: Option<String>,
    /// Only vessels of which something waits for somebody
    #[arg(long)]
    troubled: bool,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: VesselsOptions,
) -> anyhow::Result<ExitCode> {
    let VesselsOptions { page, company, troubled } = options;
    let filters = [("company", company), ("troubled", troubled.then(|| "true".to_owned()))];
    Listing::with("/api/sync/vessels", filters).show(api, format, &page, print_list).await?;
    Ok(ExitCode::SUCCESS)
}

fn print_list(list: &List<VesselState>) {
    let header = [
        "id",
        "name",
        "IMO",
        "standing",
        "rejected",
        "known",
        "conflicts",
        "dead",
        "warnings",
        "changed (UTC)",
    ];
    let mut table = output::table(header).text(["name"]).optional(["changed (UTC)", "known", "id"]);
    for it in &list.data {
        table.add_row([
            Cell::new(&it.source_id),
            Cell::new(it.name.as_deref().unwrap_or_default()),
            Cell::new(it.imo_number.as_deref().unwrap_or_default()),
            Cell::new(json_word(&it.standing)),
            right_aligned(it.rejected),
            right_aligned(it.acknowledged),
            right_aligned(it.open_conflicts),
            right_aligned(it.dead_letters),
            right_aligned(it.warnings),
            Cell::new(it.version_at.map(time).unwrap_or_default()),
        ]);
    }
    output::print_list(&table, &list.pagination, "no vessels");
}
