//! Checks a change of the settings. A problem names all wrong values at once, each with its pointer.

use std::ops::RangeInclusive;

use chassis::problem::{FieldError, Problem};
use contracts::operator::{Mode, SettingsChange};
use store::settings::{
    schedules::ScheduleDefinition,
    sync_settings::{self, Settings},
};

use crate::schedule::{InvalidSchedule, ZonedSchedule};

const PAGE_SIZES: RangeInclusive<i32> = 1..=1000;
/// From a millisecond to a day.
const RETRY_DELAYS_MS: RangeInclusive<i32> = 1..=86_400_000;
/// Up to a week.
const OVERLAPS_SECONDS: RangeInclusive<i32> = 0..=604_800;
const PERCENTAGES: RangeInclusive<i32> = 0..=100;

/// The change as the store takes it. `schedule` gives what the change leaves out: cron and time zone are checked together.
pub(super) fn read_change(
    change: &SettingsChange,
    schedule: &ScheduleDefinition,
) -> Result<sync_settings::SettingsChange, Problem> {
    let mut errors = Vec::new();
    let page_size = change.page_size.map(|size| read_number(&mut errors, "#/pageSize", size, PAGE_SIZES));
    let retry_delays_ms = change.retry_delays_ms.as_deref().map(|it| read_retry_delays(&mut errors, it));
    let incremental_overlap_seconds = change
        .incremental_overlap_seconds
        .map(|it| read_number(&mut errors, "#/incrementalOverlapSeconds", it, OVERLAPS_SECONDS));
    let deactivation_limit_percent = change
        .deactivation_limit_percent
        .map(|it| read_number(&mut errors, "#/deactivationLimitPercent", it, PERCENTAGES));
    check_schedule(&mut errors, change, schedule);
    if !errors.is_empty() {
        return Err(Problem::invalid("Some settings are invalid. Nothing was changed.", errors));
    }
    Ok(sync_settings::SettingsChange {
        page_size,
        retry_delays_ms,
        incremental_overlap_seconds,
        missing_records: change.missing_records.map(Into::into),
        deactivation_limit_percent,
        mode: change.schedule_mode.map(Into::into),
        enabled: change.enable_scheduled_sync,
        cron: change.schedule_cron.clone(),
        time_zone: change.schedule_time_zone.clone(),
    })
}

/// The change without the values that the settings have already.
pub(super) fn without_unchanged(
    change: sync_settings::SettingsChange,
    before: &Settings,
) -> sync_settings::SettingsChange {
    let schedule = &before.schedule.definition;
    sync_settings::SettingsChange {
        page_size: change.page_size.filter(|it| *it != before.page_size),
        retry_delays_ms: change.retry_delays_ms.filter(|it| *it != before.retry_delays_ms),
        incremental_overlap_seconds: change
            .incremental_overlap_seconds
            .filter(|it| *it != before.incremental_overlap_seconds),
        missing_records: change.missing_records.filter(|it| *it != before.missing_records),
        deactivation_limit_percent: change
            .deactivation_limit_percent
            .filter(|it| *it != before.deactivation_limit_percent),
        mode: change.mode.filter(|it| *it != schedule.mode),
        enabled: change.enabled.filter(|it| *it != schedule.enabled),
        cron: change.cron.filter(|it| *it != schedule.cron),
        time_zone: change.time_zone.filter(|it| *it != schedule.time_zone),
    }
}

/// The number without its sign: a number out of range is an error, so its value does not matter.
fn read_number(
    errors: &mut Vec<FieldError>,
    pointer: impl Into<String>,
    number: i32,
    range: RangeInclusive<i32>,
) -> u32 {
    if !range.contains(&number) {
        let detail = format!("must be from {} to {}", range.start(), range.end());
        errors.push(FieldError::new(pointer, "out_of_range", detail));
    }
    number.unsigned_abs()
}

fn read_retry_delays(errors: &mut Vec<FieldError>, delays: &[i32]) -> [u32; 3] {
    let mut read = Vec::with_capacity(delays.len());
    for (at, delay) in delays.iter().enumerate() {
        read.push(read_number(errors, format!("#/retryDelaysMs/{at}"), *delay, RETRY_DELAYS_MS));
    }
    <[u32; 3]>::try_from(read).unwrap_or_else(|read| {
        let detail = format!("must have three delays in milliseconds, has {}", read.len());
        errors.push(FieldError::new("#/retryDelaysMs", "wrong_length", detail));
        [0; 3]
    })
}

fn check_schedule(errors: &mut Vec<FieldError>, change: &SettingsChange, schedule: &ScheduleDefinition) {
    if change.schedule_mode == Some(Mode::Selective) {
        let detail =
            "must be full or incremental, as the settings name no records; add a schedule of its own";
        errors.push(FieldError::new("#/scheduleMode", "not_possible", detail));
    }
    if change.schedule_cron.is_some() || change.schedule_time_zone.is_some() {
        let cron = change.schedule_cron.as_ref().unwrap_or(&schedule.cron);
        let zone = change.schedule_time_zone.as_ref().unwrap_or(&schedule.time_zone);
        if let Err(error) = ZonedSchedule::parse(cron, zone) {
            errors.extend(schedule_errors(error, "#/scheduleCron", "#/scheduleTimeZone"));
        }
    }
}

/// The errors of a schedule; the pointers name the fields that hold cron expression and time zone.
pub(super) fn schedule_errors(error: InvalidSchedule, cron: &str, zone: &str) -> Vec<FieldError> {
    let cron = error.cron.map(|detail| FieldError::new(cron, "invalid_cron", detail));
    let zone = error.zone.map(|detail| FieldError::new(zone, "unknown_time_zone", detail));
    cron.into_iter().chain(zone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_with_several_wrong_values_is_refused_with_all_their_pointers() {
        let schedule = ScheduleDefinition {
            enabled: false,
            cron: "0 2 * * *".into(),
            time_zone: "UTC".into(),
            mode: domain::Mode::Full,
            selection: domain::schedule::ScheduleSelection::default(),
            overlap: domain::schedule::OverlapPolicy::Skip,
        };
        let change = SettingsChange {
            enable_scheduled_sync: Some(true),
            schedule_cron: Some("nonsense".into()),
            schedule_time_zone: Some("Mars/Olympus".into()),
            page_size: Some(0),
            retry_delays_ms: Some(vec![0]),
            incremental_overlap_seconds: Some(-1),
            schedule_mode: Some(Mode::Selective),
            missing_records: None,
            deactivation_limit_percent: Some(101),
        };
        let problem = read_change(&change, &schedule).unwrap_err();
        let pointers: Vec<_> = problem.body().errors.iter().map(|error| error.pointer.as_str()).collect();
        let expected = [
            "#/pageSize",
            "#/retryDelaysMs/0",
            "#/retryDelaysMs",
            "#/incrementalOverlapSeconds",
            "#/deactivationLimitPercent",
            "#/scheduleMode",
            "#/scheduleCron",
            "#/scheduleTimeZone",
        ];
        assert_eq!(pointers, expected);
    }
}
