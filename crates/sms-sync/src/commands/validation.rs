//! `sms-sync validation`: the data-quality report of the fleet, of a vessel or of a sync.

use std::process::ExitCode;

use clap::Args;
use contracts::operator::{Severity, ValidationReport};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, RecordType, words},
    listing::Listing,
    output::{self, right_aligned},
    sync_report::finding_table,
};

#[derive(Debug, Args)]
pub(super) struct ValidationOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Report of this vessel: IMO number, or id in either portal [default: the fleet]
    #[arg(long, conflicts_with = "sync_id")]
    vessel: Option<String>,
    /// Report of this sync
    #[arg(long, value_name = "ID")]
    sync_id: Option<Uuid>,
    /// Only findings of this severity
    #[arg(long, value_parser = words(Severity::ALL, Severity::as_str))]
    severity: Option<Severity>,
    /// Only findings with this code, such as imo_check_digit
    #[arg(long)]
    code: Option<String>,
    /// Only findings about this record type
    #[arg(long, value_enum, value_name = "TYPE")]
    record_type: Option<RecordType>,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: ValidationOptions,
) -> anyhow::Result<ExitCode> {
    let record_type = options.record_type.map(contracts::operator::RecordType::from);
    let filters = [
        ("vessel", options.vessel),
        ("syncId", options.sync_id.map(|it| it.to_string())),
        ("severity", options.severity.map(|it| it.to_string())),
        ("code", options.code),
        ("recordType", record_type.map(|it| it.to_string())),
    ];
    let report = Listing::with("/api/sync/validation/reports", filters);
    report.show(api, format, &options.page, print_report).await?;
    Ok(ExitCode::SUCCESS)
}

fn print_report(report: &ValidationReport) {
    if let Some(vessel) = &report.vessel {
        output::line(format!("{} (IMO {}), {}", vessel.name, vessel.imo_number, vessel.source_id));
    }
    let mut table = output::table(["records", "number", "with errors", "with warnings"]);
    for it in &report.records {
        let numbers = [it.records, it.with_errors, it.with_warnings].map(right_aligned);
        table.add_row([output::Cell::new(it.record_type)].into_iter().chain(numbers));
    }
    table.print();
    if let Some(number) = report.critical_spares_below_minimum.filter(|number| *number > 0) {
        output::line(format!("{number} critical parts have less stock on board than the minimum"));
    }
    if !report.codes.is_empty() {
        output::line("");
        let mut table = output::table(["code", "severity", "record type", "findings", "records"]);
        for it in &report.codes {
            let kind = [it.code.clone(), it.severity.to_string(), it.record_type.to_string()];
            let numbers = [it.findings, it.records].map(right_aligned);
            table.add_row(kind.into_iter().map(output::Cell::new).chain(numbers));
        }
        table.print();
    }
    output::line("");
    output::print_list(&finding_table(&report.findings), &report.pagination, "no findings");
}
