//! Settings: look and change.

use std::process::ExitCode;

use contracts::operator::{Settings as Shape, SettingsChange};

use crate::{
    api::Api,
    arguments::{Output, Settings},
    output,
};

const PATH: &str = "/api/sync/settings";

pub(crate) async fn run(api: &Api, output: Output, command: Settings) -> anyhow::Result<ExitCode> {
    let settings: Shape = match command {
        Settings::Get => api.get(PATH).await?,
        Settings::Set {
            enable_scheduled_sync,
            schedule_cron,
            schedule_time_zone,
            page_size,
            retry_delays_ms,
            incremental_overlap_seconds,
            schedule_mode,
            missing_records,
            deactivation_limit_percent,
        } => {
            let change = SettingsChange {
                enable_scheduled_sync,
                schedule_cron,
                schedule_time_zone,
                page_size,
                retry_delays_ms,
                incremental_overlap_seconds,
                schedule_mode: schedule_mode.map(super::trigger::mode),
                missing_records: missing_records.map(super::syncs::missing),
                deactivation_limit_percent,
            };
            anyhow::ensure!(
                change != SettingsChange::default(),
                "nothing to change: see sms-sync settings set --help"
            );
            api.post(PATH, Some(&change)).await?
        }
    };
    output::either(output, &settings, |it| {
        let on = if it.enable_scheduled_sync { "on" } else { "off" };
        output::line(format!(
            "schedule     {on}: {}, {} ({}), {}",
            output::word(&it.schedule_mode),
            it.schedule_cron,
            it.schedule_time_zone,
            it.schedule.description
        ));
        for sync in &it.schedule.next_runs {
            output::line(format!("             {}", output::time(*sync)));
        }
        output::line(format!("page size    {}", it.page_size));
        output::line(format!("retry waits  {:?} ms", it.retry_delays_ms));
        output::line(format!("overlap      {} s, of incremental syncs", it.incremental_overlap_seconds));
        output::line(format!(
            "missing      {}, asks beyond {} %",
            output::word(&it.missing_records),
            it.deactivation_limit_percent
        ));
        output::line(format!(
            "version      {}, {} by {}",
            it.version,
            output::time(it.updated_at),
            it.updated_by
        ));
    });
    Ok(ExitCode::SUCCESS)
}
