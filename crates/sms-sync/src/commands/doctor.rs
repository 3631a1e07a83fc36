//! `sms-sync doctor`: what is wrong, why, and what to do.

use std::process::ExitCode;

use clap::Args;
use contracts::operator::DoctorReport;

use crate::{
    api::Api,
    arguments::{OutputFormat, RecordType, query_of},
    output::{self, json_word, print_entries},
};

#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 if nothing is wrong, 1 if something is.")]
pub(super) struct DoctorOptions {
    /// Type of a record that is missing
    #[arg(value_enum, requires = "source_id")]
    record_type: Option<RecordType>,
    /// Id of the record in the onboarding portal
    source_id: Option<String>,
}

pub(super) async fn run(api: &Api, format: OutputFormat, options: DoctorOptions) -> anyhow::Result<ExitCode> {
    let record_type = options.record_type.map(contracts::operator::RecordType::from);
    let query =
        query_of([("recordType", record_type.map(|it| json_word(&it))), ("sourceId", options.source_id)]);
    let report: DoctorReport = api.get(&format!("/api/doctor?{query}")).await?;
    print_entries(format, &report, &report.diagnoses, print_report);
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_report(report: &DoctorReport) {
    for it in &report.diagnoses {
        let mark = if it.ok { "ok  " } else { "FAIL" };
        output::line(format!("{mark} {:<10} {}", json_word(&it.question), it.title));
        for cause in &it.causes {
            output::line(format!("                {cause}"));
        }
        if let Some(fix) = &it.fix {
            output::line(format!("     what to do: {fix}"));
        }
    }
}
