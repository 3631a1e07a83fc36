//! `sms-sync schedules`: adds, changes, pauses and deletes schedules, and lists what came of their ticks.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use contracts::operator::{
    self, ClockChange, List, LocalRun, Schedule, ScheduleDefinition, ScheduleList, SchedulePauseRequest,
    SchedulePreview, ScheduleTick, TickOutcome,
};
use reqwest::Method;

use crate::{
    api::Api,
    arguments::{Mode, OutputFormat, PageOptions, RecordType, TimeRange, path_segment, query_of, words},
    listing::Listing,
    output::{self, json_word, print, print_entries, time, timestamp},
};

const PATH: &str = "/api/sync/schedules";

#[derive(Debug, Subcommand)]
pub(super) enum SchedulesCommand {
    /// List all schedules, with cron expressions for common needs
    List,
    /// Show a schedule with its next times
    Show {
        /// Name of the schedule
        name: String,
    },
    /// Add a schedule, or change one: what is not named keeps its value (role admin)
    Set(SetOptions),
    /// Have a schedule start no syncs for a while
    Pause(PauseOptions),
    /// End the pause of a schedule
    Resume {
        /// Name of the schedule
        name: String,
    },
    /// Delete a schedule with its ticks (role admin)
    Delete {
        /// Name of the schedule
        name: String,
    },
    /// Describe a cron expression, and list its next times
    Preview {
        /// Cron expression, for example "0 2 * * *"
        cron: String,
        /// Time zone of the expression, for example Europe/Oslo
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        time_zone: String,
    },
    /// List the times at which schedules were due, and what came of each, the last one first
    Ticks(TickOptions),
}

#[derive(Debug, Args)]
pub(super) struct SetOptions {
    /// Name: lower-case letters, digits and hyphens
    name: String,
    /// When: minute, hour, day of month, month, day of week, for example "0 2 * * *"; seconds may stand before them
    #[arg(long)]
    cron: Option<String>,
    /// Time zone of the expression, for example Europe/Oslo; UTC for a new schedule
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Which records a sync looks at; full for a new schedule
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Whether the schedule starts syncs
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// What to do at a tick while an earlier sync has not ended
    #[arg(long, value_enum)]
    overlap: Option<Overlap>,
    /// Only these record types (selective)
    #[arg(long, value_enum, value_delimiter = ',')]
    record_type: Option<Vec<RecordType>>,
    /// Only these vessels with their equipment and users (selective)
    #[arg(long, value_delimiter = ',', value_name = "IMO")]
    imo: Option<Vec<String>>,
    /// Only this company and its vessels (selective)
    #[arg(long, value_name = "ID")]
    company: Option<String>,
    /// Only these pieces of equipment (selective)
    #[arg(long, value_delimiter = ',', value_name = "ID")]
    equipment: Option<Vec<String>>,
}

/// What a schedule does while an earlier sync has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Overlap {
    /// Skip the tick
    Skip,
    /// Start the sync all the same
    Allow,
}

impl From<Overlap> for operator::OverlapPolicy {
    fn from(overlap: Overlap) -> Self {
        match overlap {
            Overlap::Skip => Self::Skip,
            Overlap::Allow => Self::Allow,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct PauseOptions {
    /// Name of the schedule
    name: String,
    /// Why; kept in the audit log and with each skipped tick
    #[arg(long)]
    reason: String,
    /// When the schedule goes on by itself (RFC 3339); without it, when it is resumed
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
}

#[derive(Debug, Args)]
pub(super) struct TickOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Only ticks of this schedule
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// Only ticks with this outcome
    #[arg(long, value_parser = words(TickOutcome::ALL, TickOutcome::as_str))]
    outcome: Option<TickOutcome>,
    #[command(flatten)]
    range: TimeRange,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    command: SchedulesCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        SchedulesCommand::List => {
            let list: ScheduleList = api.get(PATH).await?;
            print_entries(format, &list, &list.data, print_list);
        }
        SchedulesCommand::Show { name } => {
            print(format, &api.get::<Schedule>(&path_of(&name)).await?, print_schedule);
        }
        SchedulesCommand::Set(options) => print(format, &set(api, options).await?, print_schedule),
        SchedulesCommand::Pause(PauseOptions { name, reason, until }) => {
            let request = SchedulePauseRequest { reason, until };
            let path = format!("{}/pause", path_of(&name));
            print(format, &api.post::<Schedule>(&path, &request).await?, print_schedule);
        }
        SchedulesCommand::Resume { name } => {
            let path = format!("{}/resume", path_of(&name));
            print(format, &api.post_without_body::<Schedule>(&path).await?, print_schedule);
        }
        SchedulesCommand::Delete { name } => {
            let path = path_of(&name);
            let (schedule, version) = api.get_with_version::<Schedule>(&path).await?;
            let request = api.request_if_match(Method::DELETE, &path, &version);
            api.send(request, &path).await?;
            print(format, &schedule, |it| output::line(format!("deleted the schedule {}", it.name)));
        }
        SchedulesCommand::Preview { cron, time_zone } => {
            let query = query_of([("cron", Some(cron)), ("timeZone", Some(time_zone))]);
            let preview: SchedulePreview = api.get(&format!("/api/sync/schedule/preview?{query}")).await?;
            print(format, &preview, print_preview);
        }
        SchedulesCommand::Ticks(TickOptions { page, schedule, outcome, range }) => {
            let filters = [("schedule", schedule), ("outcome", outcome.map(|it| it.to_string()))];
            let filters = filters.into_iter().chain(range.given());
            Listing::with("/api/sync/schedule/ticks", filters).show(api, format, &page, print_ticks).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds a schedule, or changes the one that is there.
async fn set(api: &Api, options: SetOptions) -> anyhow::Result<Schedule> {
    let path = path_of(&options.name);
    match api.get_with_version::<Schedule>(&path).await {
        Ok((there, version)) => {
            let definition = options.changed(there.definition);
            Ok(api.put(&path, &definition, Some(&version)).await?)
        }
        Err(error) if error.code() == Some("schedule_not_found") => {
            let Some(cron) = options.cron.clone() else {
                anyhow::bail!("there is no schedule {}: name its --cron to add it", options.name);
            };
            let new = ScheduleDefinition {
                cron,
                time_zone: "UTC".to_owned(),
                mode: operator::Mode::Full,
                enabled: true,
                overlap: operator::OverlapPolicy::Skip,
                record_types: Vec::new(),
                vessel_imos: Vec::new(),
                company_id: None,
                equipment_ids: Vec::new(),
            };
            Ok(api.put(&path, &options.changed(new), None).await?)
        }
        Err(error) => Err(error.into()),
    }
}

impl SetOptions {
    /// The definition with what the options name. Another selection, or another mode than `selective`, replaces the whole
    /// selection.
    fn changed(self, before: ScheduleDefinition) -> ScheduleDefinition {
        let mode = self.mode.map_or(before.mode, Into::into);
        let names_records = self.imo.is_some() || self.company.is_some() || self.equipment.is_some();
        let keeps = mode == operator::Mode::Selective && !names_records;
        let kept = |ids: Vec<String>| if keeps { ids } else { Vec::new() };
        let record_types = match self.record_type {
            Some(types) => types.into_iter().map(Into::into).collect(),
            None if mode == before.mode && !names_records => before.record_types,
            None => Vec::new(),
        };
        ScheduleDefinition {
            cron: self.cron.unwrap_or(before.cron),
            time_zone: self.time_zone.unwrap_or(before.time_zone),
            mode,
            enabled: self.enabled.unwrap_or(before.enabled),
            overlap: self.overlap.map_or(before.overlap, Into::into),
            record_types,
            vessel_imos: self.imo.unwrap_or_else(|| kept(before.vessel_imos)),
            company_id: self.company.or(before.company_id.filter(|_| keeps)),
            equipment_ids: self.equipment.unwrap_or_else(|| kept(before.equipment_ids)),
        }
    }
}

fn path_of(name: &str) -> String {
    format!("{PATH}/{}", path_segment(name))
}

fn print_list(list: &ScheduleList) {
    let mut table = output::table(["name", "state", "mode", "cron", "zone", "next (UTC)", "last tick (UTC)"])
        .optional(["last tick (UTC)", "zone", "mode"]);
    for it in &list.data {
        table.add_row([
            it.name.clone(),
            state(it).to_owned(),
            json_word(&it.definition.mode),
            it.definition.cron.clone(),
            it.definition.time_zone.clone(),
            it.next_run_at.map(time).unwrap_or_default(),
            it.last_tick
                .as_ref()
                .map(|tick| format!("{} {}", time(tick.due_at), tick.outcome))
                .unwrap_or_default(),
        ]);
    }
    if table.is_empty() {
        output::line("no schedules; to add one: sms-sync schedules set NAME --cron \"0 2 * * *\"");
    } else {
        table.print();
    }
    output::line("expressions for common needs:");
    let mut presets = output::table(["cron", "mode", "for"]).text(["for"]);
    for preset in &list.presets {
        presets.add_row([preset.cron.clone(), json_word(&preset.mode), preset.description.clone()]);
    }
    presets.print();
}

fn state(it: &Schedule) -> &'static str {
    match (it.definition.enabled, &it.pause) {
        (false, _) => "off",
        (true, Some(_)) => "paused",
        (true, None) => "on",
    }
}

fn print_schedule(it: &Schedule) {
    let ScheduleDefinition { cron, time_zone, mode, overlap, .. } = &it.definition;
    output::line(format!("schedule   {} ({}), version {}", it.name, state(it), it.version));
    output::line(format!("starts     {} syncs: {cron} ({time_zone})", json_word(mode)));
    let selection = selection(&it.definition);
    if !selection.is_empty() {
        output::line(format!("records    {selection}"));
    }
    let overlap = match overlap {
        operator::OverlapPolicy::Skip => "skips a tick while an earlier sync has not ended",
        operator::OverlapPolicy::Allow => "starts a sync though an earlier one has not ended",
    };
    output::line(format!("overlap    {overlap}"));
    if let Some(pause) = &it.pause {
        let until = pause.until.map_or_else(|| "it is resumed".to_owned(), timestamp);
        output::line(format!("paused     until {until}, by {}: {}", pause.by, pause.reason));
    }
    if let Some(tick) = &it.last_tick {
        let detail = tick.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        output::line(format!("last tick  {} {}{detail}", timestamp(tick.due_at), tick.outcome));
    }
    output::line(format!("changed    {} by {}", timestamp(it.updated_at), it.updated_by));
    print_preview(&it.preview);
}

fn selection(it: &ScheduleDefinition) -> String {
    let named = [
        ("types", it.record_types.iter().map(json_word).collect::<Vec<_>>()),
        ("vessels", it.vessel_imos.clone()),
        ("company", it.company_id.iter().cloned().collect()),
        ("equipment", it.equipment_ids.clone()),
    ];
    let named = named.into_iter().filter(|(_, values)| !values.is_empty());
    named.map(|(name, values)| format!("{name} {}", values.join(", "))).collect::<Vec<_>>().join("; ")
}

fn print_preview(preview: &SchedulePreview) {
    output::line(format!("when       {}", preview.description));
    for (at, local) in preview.next_runs.iter().zip(&preview.local_runs) {
        output::line(format!("           {}  {}", timestamp(*at), local_text(local)));
    }
    for ClockChange { at, offset_before, offset_after, first_run } in &preview.clock_changes {
        output::line(format!("clocks     {} from {offset_before} to {offset_after}", timestamp(*at)));
        if let Some(run) = first_run {
            output::line(format!("           first time then: {}", local_text(run)));
        }
    }
}

fn local_text(run: &LocalRun) -> String {
    let note = run.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{}{note}", run.at.format("%Y-%m-%d %H:%M:%S %:z"))
}

fn print_ticks(list: &List<ScheduleTick>) {
    let mut table = output::table(["schedule", "due (UTC)", "outcome", "sync", "why"])
        .text(["why"])
        .optional(["why", "sync"]);
    for it in &list.data {
        table.add_row([
            it.schedule.clone(),
            time(it.due_at),
            it.outcome.to_string(),
            it.sync_id.map(|id| id.to_string()).unwrap_or_default(),
            it.detail.clone().unwrap_or_default(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no ticks");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> SetOptions {
        SetOptions {
            name: "a".to_owned(),
            cron: None,
            time_zone: None,
            mode: None,
            enabled: None,
            overlap: None,
            record_type: None,
            imo: None,
            company: None,
            equipment: None,
        }
    }

    #[test]
    fn another_selection_or_mode_replaces_the_whole_selection() {
        let before = ScheduleDefinition {
            cron: "0 2 * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            mode: operator::Mode::Selective,
            enabled: true,
            overlap: operator::OverlapPolicy::Skip,
            record_types: vec![operator::RecordType::Vessel],
            vessel_imos: vec!["9074729".to_owned()],
            company_id: None,
            equipment_ids: Vec::new(),
        };
        let kept = SetOptions { enabled: Some(false), ..options() }.changed(before.clone());
        assert_eq!(kept, ScheduleDefinition { enabled: false, ..before.clone() });
        let company = SetOptions { company: Some("c-1".to_owned()), ..options() }.changed(before.clone());
        assert_eq!((company.vessel_imos.len(), company.company_id.as_deref()), (0, Some("c-1")));
        assert!(company.record_types.is_empty(), "equipment and users of the company, too");
        let full = SetOptions { mode: Some(Mode::Full), ..options() }.changed(before);
        assert!(full.vessel_imos.is_empty() && full.record_types.is_empty());
    }
}
