//! `sms-sync trigger`: starts a sync.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use contracts::operator::{SyncAccepted, TriggerRequest};

use super::status::follow_and_report;
use crate::{
    api::Api,
    arguments::{Mode, OutputFormat, RecordType},
    output::{self, json_word, print},
};

#[derive(Debug, Args)]
pub(super) struct TriggerOptions {
    /// Which records to sync [default: full; selective if other options name records]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Only this record type; may be given more than once
    #[arg(long = "record-type", value_enum, value_name = "TYPE")]
    record_types: Vec<RecordType>,
    /// Only the vessel with this IMO number, its equipment and its users; may be given more than once
    #[arg(long = "imo", value_name = "NUMBER")]
    imos: Vec<String>,
    /// Only the company with this id in the onboarding portal, and its vessels
    #[arg(long, value_name = "ID")]
    company: Option<String>,
    /// Only the piece of equipment with this id in the onboarding portal; may be given more than once
    #[arg(long = "equipment", value_name = "ID")]
    equipment: Vec<String>,
    /// Only records changed at this time or later, for example 2026-11-24T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
    /// Only records changed at this time or earlier
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
    /// Write nothing, and report what would happen to each record
    #[arg(long)]
    dry_run: bool,
    /// Follow the sync until it ends; exit code 1 if it fails or is cancelled
    #[arg(long, short)]
    watch: bool,
    /// Reason, kept with the sync and in the audit log
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: TriggerOptions,
) -> anyhow::Result<ExitCode> {
    let watch = options.watch;
    let accepted: SyncAccepted =
        api.post_once("/api/sync/trigger", Some(&TriggerRequest::from(options))).await?;
    if watch {
        if format == OutputFormat::Table {
            output::line(format!("sync {}", accepted.sync_id));
        }
        return follow_and_report(api, format, accepted.sync_id).await;
    }
    print(format, &accepted, |accepted| {
        output::line(format!("{} {}", accepted.sync_id, json_word(&accepted.state)));
        output::line(format!("to follow it: sms-sync status {} --watch", accepted.sync_id));
    });
    Ok(ExitCode::SUCCESS)
}

impl From<TriggerOptions> for TriggerRequest {
    fn from(options: TriggerOptions) -> Self {
        let mut request = Self {
            mode: None,
            record_types: options.record_types.into_iter().map(Into::into).collect(),
            vessel_imos: options.imos,
            company_id: options.company,
            equipment_ids: options.equipment,
            changed_since: options.since,
            changed_until: options.until,
            dry_run: options.dry_run,
            reason: options.reason,
        };
        let without_records =
            Self { reason: request.reason.clone(), dry_run: request.dry_run, ..Self::default() };
        let default = if request == without_records { Mode::Full } else { Mode::Selective };
        request.mode = Some(options.mode.unwrap_or(default).into());
        request
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use contracts::operator;

    use super::*;

    #[derive(Debug, Parser)]
    struct TriggerOnly {
        #[command(flatten)]
        options: TriggerOptions,
    }

    fn request(arguments: &[&str]) -> TriggerRequest {
        let arguments = ["trigger"].iter().chain(arguments);
        TriggerOnly::try_parse_from(arguments).unwrap().options.into()
    }

    #[test]
    fn trigger_that_names_no_records_requests_a_full_sync() {
        assert_eq!(request(&["--reason", "drill"]).mode, Some(operator::Mode::Full));
    }

    #[test]
    fn trigger_that_names_records_requests_a_selective_sync() {
        assert_eq!(request(&["--imo", "9074729"]).mode, Some(operator::Mode::Selective));
        assert_eq!(request(&["--since", "2026-11-24T08:00:00Z"]).mode, Some(operator::Mode::Selective));
    }

    #[test]
    fn trigger_with_mode_and_record_type_requests_both() {
        let request = request(&["--mode", "incremental", "--record-type", "equipment"]);
        assert_eq!(request.mode, Some(operator::Mode::Incremental));
        assert_eq!(request.record_types, [operator::RecordType::Equipment]);
    }
}
