//! `sms-sync records`: lists records, shows where one stands, and what happened to it, and acknowledges rejections.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use contracts::operator::{
    self, Acknowledgement, AcknowledgementRequest, List, Part, PartKind, Record, RecordDetail,
    RecordStatusFilter, Severity, StandingError, Timeline,
};
use domain::clock::Clock;
use reqwest::Method;

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, RecordType, path_segment, words},
    listing::Listing,
    output::{self, json_word, print, time, timestamp},
};

const PATH: &str = "/api/sync/records";

#[derive(Debug, Subcommand)]
pub(super) enum RecordsCommand {
    /// List records of a type
    List(ListOptions),
    /// Show a record: its values, where it stands, and its findings
    Show(RecordOptions),
    /// List the critical parts and maintenance schedules of a vessel, or of a piece of equipment
    Parts {
        /// IMO number of the vessel, or its id in either portal
        #[arg(long, required_unless_present = "equipment", conflicts_with = "equipment")]
        vessel: Option<String>,
        /// Id of the equipment in the onboarding portal
        #[arg(long)]
        equipment: Option<String>,
        /// Only of this kind
        #[arg(long, value_parser = words(PartKind::ALL, PartKind::as_str))]
        kind: Option<PartKind>,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Acknowledge the rejection of a record: it needs no attention until a time
    Acknowledge {
        #[command(flatten)]
        record: RecordOptions,
        /// Why nothing is to be done for now, kept in the audit log
        #[arg(long)]
        reason: String,
        /// For how many days
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=400))]
        days: u16,
    },
    /// Take back the acknowledgement of a rejection
    Unacknowledge(RecordOptions),
    /// Show what happened to a record, newest first
    Timeline {
        #[command(flatten)]
        record: RecordOptions,
        #[command(flatten)]
        page: PageOptions,
    },
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Type of the records
    #[arg(value_enum, value_name = "TYPE")]
    record_type: RecordType,
    #[command(flatten)]
    page: PageOptions,
    /// Only records with this status
    #[arg(long, value_parser = words(RecordStatusFilter::ALL, RecordStatusFilter::as_str))]
    status: Option<RecordStatusFilter>,
    /// With --status rejected: only records whose rejection is acknowledged (true), or only the others (false)
    #[arg(long, value_name = "true|false", requires = "status")]
    acknowledged: Option<bool>,
    /// Only this vessel, or what belongs to it: IMO number, or id in either portal
    #[arg(long)]
    vessel: Option<String>,
    /// Only this company, or what belongs to it: IMO company number, or id in either portal
    #[arg(long)]
    company: Option<String>,
    /// Only records that a search for this text would find
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RecordOptions {
    /// Type of the record
    #[arg(value_enum, value_name = "TYPE")]
    record_type: RecordType,
    /// Id of the record in the onboarding portal
    #[arg(value_name = "ID")]
    source_id: String,
}

impl RecordOptions {
    fn path(&self) -> String {
        format!("{}/{}", path_of(self.record_type), path_segment(&self.source_id))
    }
}

fn path_of(record_type: RecordType) -> String {
    format!("{PATH}/{}", operator::RecordType::from(record_type))
}

pub(super) async fn run(
    api: &Api,
    clock: &dyn Clock,
    format: OutputFormat,
    command: RecordsCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        RecordsCommand::List(options) => {
            let filters = [
                ("status", options.status.map(|it| it.to_string())),
                ("acknowledged", options.acknowledged.map(|it| it.to_string())),
                ("vessel", options.vessel),
                ("company", options.company),
                ("q", options.search),
            ];
            let records = Listing::with(path_of(options.record_type), filters);
            records.show(api, format, &options.page, print_list).await?;
        }
        RecordsCommand::Show(record) => {
            let detail: RecordDetail = api.get(&record.path()).await?;
            print(format, &detail, print_detail);
        }
        RecordsCommand::Parts { vessel, equipment, kind, page } => {
            let filters =
                [("vessel", vessel), ("equipment", equipment), ("kind", kind.map(|it| it.to_string()))];
            Listing::with("/api/sync/parts", filters).show(api, format, &page, print_parts).await?;
        }
        RecordsCommand::Acknowledge { record, reason, days } => {
            let until = clock.now() + TimeDelta::days(days.into());
            // What stands now is acknowledged, and not what comes in the meantime.
            let detail: RecordDetail = api.get(&record.path()).await?;
            let seen = detail.findings.iter().filter(|it| it.severity == Severity::Error);
            let seen = seen.map(|it| StandingError { code: it.code.clone(), pointer: it.pointer.clone() });
            let is_whole = usize::try_from(detail.findings_total) == Ok(detail.findings.len());
            let request = AcknowledgementRequest { reason, until, errors: is_whole.then(|| seen.collect()) };
            let path = format!("{}/acknowledgement", record.path());
            let acknowledged: Acknowledgement = api.put(&path, &request, None).await?;
            print(format, &acknowledged, |it| {
                output::line(format!("acknowledged until {}: {}", timestamp(it.until), it.reason));
            });
        }
        RecordsCommand::Unacknowledge(record) => {
            let path = format!("{}/acknowledgement", record.path());
            api.send(api.request(Method::DELETE, &path), &path).await?;
            output::line("the rejection needs attention again");
        }
        RecordsCommand::Timeline { record, page } => {
            let timeline = Listing::at(format!("{}/timeline", record.path()));
            timeline.show(api, format, &page, print_timeline).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_list(list: &List<Record>) {
    let mut table =
        output::table(["id", "name", "standing", "row", "updated at source (UTC)", "synced (UTC)"])
            .text(["name"])
            .optional(["updated at source (UTC)", "synced (UTC)", "row"]);
    for it in &list.data {
        table.add_row([
            it.source_id.clone(),
            it.name.clone().unwrap_or_default(),
            json_word(&it.standing),
            it.status.map_or_else(|| "none".to_owned(), |status| json_word(&status)),
            it.source_updated_at.map(time).unwrap_or_default(),
            it.synced_at.map(time).unwrap_or_default(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no records");
}

fn print_parts(list: &List<Part>) {
    let mut table = output::table(["equipment", "kind", "id", "name", "row"])
        .text(["name", "equipment"])
        .optional(["id", "row"]);
    for it in &list.data {
        table.add_row([
            it.equipment_name.clone(),
            it.kind.to_string().replace('_', " "),
            it.source_id.clone(),
            it.name.clone(),
            json_word(&it.status),
        ]);
    }
    output::print_list(&table, &list.pagination, "no parts");
}

fn print_detail(it: &RecordDetail) {
    let record = &it.summary;
    let name = record.name.as_deref().unwrap_or_default();
    output::line(format!("{} {}  {name}", json_word(&record.record_type), record.source_id));
    let row =
        record.status.map_or_else(|| "no row".to_owned(), |status| format!("row {}", json_word(&status)));
    output::line(format!("  {}, {row}, {} open conflicts", json_word(&record.standing), it.open_conflicts));
    if let (Some(updated), Some(synced)) = (record.source_updated_at, record.synced_at) {
        output::line(format!("  updated at source {}, synced {}", timestamp(updated), timestamp(synced)));
    }
    if let (Some(at), Some(writer)) = (record.version_at, &record.last_writer) {
        output::line(format!("  last written by the {} portal, {}", json_word(writer), timestamp(at)));
    }
    if let Some(id) = record.sync_id {
        let kept = if it.sync_is_kept == Some(false) { " (no longer kept)" } else { "" };
        output::line(format!("  last sync {id}{kept}"));
    }
    if let Some(at) = record.missing_since {
        output::line(format!("  missing in the onboarding portal since {}", timestamp(at)));
    }
    if let Some(at) = record.withdrawal_due_at {
        output::line(format!("  to be withdrawn {}", timestamp(at)));
    }
    if let Some(known) = &it.acknowledgement {
        let holds = if known.holds { "" } else { ", which covers it no more" };
        let (until, by) = (timestamp(known.until), &known.acknowledged_by);
        output::line(format!("  acknowledged by {by} until {until}{holds}: {}", known.reason));
    }
    for (name, counts) in &it.dependents {
        output::line(format!("  {name}: {} active, {} withdrawn", counts.active, counts.withdrawn));
    }
    if !it.particulars.is_empty() {
        let mut table = output::table(["field", "value"]).text(["value"]);
        for (field, value) in &it.particulars {
            table.add_row([field.clone(), value.to_string()]);
        }
        table.print();
    }
    for finding in &it.findings {
        let (severity, code) = (json_word(&finding.severity), &finding.code);
        output::line(format!("{severity} {code} at {}: {}", finding.pointer, finding.message));
    }
    let listed = i64::try_from(it.findings.len()).unwrap_or(i64::MAX);
    if listed < it.findings_total {
        output::line(format!("{listed} of {} findings", it.findings_total));
    }
}

fn print_timeline(timeline: &Timeline) {
    let mut table =
        output::table(["at (UTC)", "kind", "what happened", "id"]).text(["what happened"]).optional(["id"]);
    for it in &timeline.entries {
        let ids = [it.conflict_id, it.dead_letter_id, it.webhook_event_id, it.sync_id];
        let id = ids.into_iter().flatten().next();
        table.add_row([
            time(it.at),
            json_word(&it.kind),
            it.summary.clone(),
            id.map(|id| id.to_string()).unwrap_or_default(),
        ]);
    }
    output::print_list(&table, &timeline.pagination, "nothing is known to have happened");
    let kept = |at: Option<_>| at.map_or_else(|| "none".to_owned(), timestamp);
    let since = &timeline.kept_since;
    output::line(format!(
        "kept since: syncs {}, webhook events {}, decisions {}",
        kept(since.syncs),
        kept(since.webhook_events),
        kept(since.decisions)
    ));
}
