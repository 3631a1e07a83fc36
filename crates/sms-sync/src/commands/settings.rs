//! `sms-sync settings`: shows and changes the settings of the sync.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use contracts::operator::{
    self, ConfigurationChange, ConfigurationPart, List, Settings, SettingsChange, ValueChange,
};
use domain::text::printable;

use crate::{
    api::Api,
    arguments::{MissingPolicy, OutputFormat, PageOptions, SortOption, TimeRange, repeated, words},
    listing::Listing,
    output::{self, json_word, print, time, timestamp},
};

const PATH: &str = "/api/sync/settings";
/// Most characters of a value in a table; JSON shows all.
const VALUE_LIMIT: usize = 60;

#[derive(Debug, Subcommand)]
pub(super) enum SettingsCommand {
    /// Show the settings
    Get,
    /// Change settings; a setting that is not named keeps its value
    Set(ChangeOptions),
    /// List who changed settings, schedules, conflict policies and role mapping, with the values before and after
    History(HistoryOptions),
}

#[derive(Debug, Args)]
pub(super) struct HistoryOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Only changes of this part, or of one of several
    #[arg(long, value_delimiter = ',', value_parser = words(ConfigurationPart::ALL, ConfigurationPart::as_str))]
    part: Vec<ConfigurationPart>,
    /// Only changes of the schedule with this name
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// Only what this operator changed
    #[arg(long)]
    actor: Option<String>,
    #[command(flatten)]
    range: TimeRange,
    #[command(flatten)]
    sort: SortOption,
}

#[derive(Debug, Args)]
pub(super) struct ChangeOptions {
    /// Whether the schedule starts syncs
    #[arg(long, value_name = "true|false")]
    enable_scheduled_sync: Option<bool>,
    /// When the schedule starts a sync: cron fields, for example "0 2 * * *"
    #[arg(long, value_name = "CRON")]
    schedule_cron: Option<String>,
    /// Time zone of the schedule, for example Europe/Oslo
    #[arg(long, value_name = "ZONE")]
    schedule_time_zone: Option<String>,
    /// Records per page requested from the onboarding portal, 1 to 1000
    #[arg(long)]
    page_size: Option<i32>,
    /// Delays before the second, third and fourth attempt in milliseconds, for example 10000,30000,90000
    #[arg(long, value_delimiter = ',', value_name = "MS,MS,MS")]
    retry_delays_ms: Option<Vec<i32>>,
    /// Overlap: an incremental sync also reads records changed this long before the last complete sync
    #[arg(long, value_name = "SECONDS")]
    incremental_overlap_seconds: Option<i32>,
    /// Which records a scheduled sync looks at
    #[arg(long, value_enum)]
    schedule_mode: Option<ScheduleMode>,
    /// What a full sync does with records that the onboarding portal no longer lists
    #[arg(long, value_enum)]
    missing_records: Option<MissingPolicy>,
    /// Largest share of a record type's active records that a full sync deactivates without asking
    #[arg(long, value_name = "PERCENT")]
    deactivation_limit_percent: Option<i32>,
}

/// Which records a scheduled sync looks at. The API refuses `selective`: a schedule names no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScheduleMode {
    /// All approved records
    Full,
    /// Records changed since the last complete sync
    Incremental,
}

impl From<ScheduleMode> for operator::Mode {
    fn from(mode: ScheduleMode) -> Self {
        match mode {
            ScheduleMode::Full => Self::Full,
            ScheduleMode::Incremental => Self::Incremental,
        }
    }
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    command: SettingsCommand,
) -> anyhow::Result<ExitCode> {
    let settings: Settings = match command {
        SettingsCommand::Get => api.get(PATH).await?,
        SettingsCommand::Set(options) => {
            let change = SettingsChange::from(options);
            anyhow::ensure!(
                change != SettingsChange::default(),
                "no setting is named: see sms-sync settings set --help"
            );
            let (_, version) = api.get_with_version::<Settings>(PATH).await?;
            api.post_if_match(PATH, &change, &version).await?
        }
        SettingsCommand::History(options) => {
            let HistoryOptions { page, part, schedule, actor, range, sort } = options;
            let one = [("schedule", schedule), ("actor", actor), sort.given()];
            let filters = repeated("part", &part).chain(one).chain(range.given());
            let history = Listing::with(format!("{PATH}/history"), filters);
            history.show(api, format, &page, print_history).await?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    print(format, &settings, print_settings);
    Ok(ExitCode::SUCCESS)
}

impl From<ChangeOptions> for SettingsChange {
    fn from(options: ChangeOptions) -> Self {
        Self {
            enable_scheduled_sync: options.enable_scheduled_sync,
            schedule_cron: options.schedule_cron,
            schedule_time_zone: options.schedule_time_zone,
            page_size: options.page_size,
            retry_delays_ms: options.retry_delays_ms,
            incremental_overlap_seconds: options.incremental_overlap_seconds,
            schedule_mode: options.schedule_mode.map(Into::into),
            missing_records: options.missing_records.map(Into::into),
            deactivation_limit_percent: options.deactivation_limit_percent,
        }
    }
}

fn print_history(list: &List<ConfigurationChange>) {
    let mut table =
        output::table(["at (UTC)", "by", "of", "version", "changed"]).text(["changed"]).optional(["version"]);
    for it in &list.data {
        let part = match &it.schedule {
            Some(name) => format!("schedule {name}"),
            None => it.part.to_string().replace('_', " "),
        };
        let changes: Vec<String> = it
            .changes
            .iter()
            .map(|ValueChange { name, before, after }| {
                let (before, after) = (before.to_string(), after.to_string());
                format!("{name}: {} → {}", printable(&before, VALUE_LIMIT), printable(&after, VALUE_LIMIT))
            })
            .collect();
        table.add_row([
            time(it.at),
            it.actor.clone(),
            part,
            it.version.map(|it| it.to_string()).unwrap_or_default(),
            changes.join("; "),
        ]);
    }
    output::print_list(&table, &list.pagination, "no changes");
}

fn print_settings(settings: &Settings) {
    let on = match (settings.enable_scheduled_sync, &settings.schedule_pause) {
        (false, _) => "off",
        (true, Some(_)) => "paused",
        (true, None) => "on",
    };
    output::line(format!(
        "schedule             {on}: {}, {} ({}), {}",
        json_word(&settings.schedule_mode),
        settings.schedule_cron,
        settings.schedule_time_zone,
        settings.schedule.description
    ));
    for at in &settings.schedule.next_runs {
        output::line(format!("                     {}", timestamp(*at)));
    }
    output::line(format!("page size            {}", settings.page_size));
    output::line(format!("retry delays         {:?} ms", settings.retry_delays_ms));
    output::line(format!("incremental overlap  {} s", settings.incremental_overlap_seconds));
    output::line(format!(
        "missing records      {}; an operator decides above {} %",
        json_word(&settings.missing_records),
        settings.deactivation_limit_percent
    ));
    output::line(format!(
        "version              {}, {} by {}",
        settings.version,
        timestamp(settings.updated_at),
        settings.updated_by
    ));
}
