//! Settings of syncs that operators change, with the schedule of the full sync.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{Mode, audit::AuditAction, missing_records::MissingPolicy, schedule::ScheduleName};
use serde_json::{Value, json};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        statement::statement,
    },
    ledger::audit::audit_append,
    settings::schedules::{Schedule, ScheduleDefinition, definition_write, schedule_find, schedule_lock},
};

/// The settings in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Grows with every change, of the schedule too; the ETag.
    pub version: u64,
    /// Records per page.
    pub page_size: u32,
    /// The delays before the three retries.
    pub retry_delays_ms: [u32; 3],
    /// How far before the last complete sync an incremental one begins.
    pub incremental_overlap_seconds: u32,
    /// What a full sync does with records that are not listed any more.
    pub missing_records: MissingPolicy,
    /// Of the active records of a type; if more are missing, an operator is asked.
    pub deactivation_limit_percent: u32,
    pub updated_at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub updated_by: String,
    /// Of the full sync.
    pub schedule: Schedule,
}

/// A change of settings; what is absent stays. The caller checks the values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// 1 to 1000.
    pub page_size: Option<u32>,
    pub retry_delays_ms: Option<[u32; 3]>,
    /// Up to a week.
    pub incremental_overlap_seconds: Option<u32>,
    pub missing_records: Option<MissingPolicy>,
    /// Up to 100.
    pub deactivation_limit_percent: Option<u32>,
    /// Of the schedule: full, or incremental.
    pub mode: Option<Mode>,
    /// Whether the schedule starts syncs.
    pub enabled: Option<bool>,
    /// Of the schedule.
    pub cron: Option<String>,
    /// Of the schedule; IANA name.
    pub time_zone: Option<String>,
}

/// Result of changing the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SettingsUpdated {
    /// With the settings as they are now.
    Updated(Settings),
    /// Another operator has changed them since; with the settings as they are now.
    Stale(Settings),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Int8)]
    version: i64,
    #[diesel(sql_type = Int4)]
    page_size: i32,
    #[diesel(sql_type = Array<Int4>)]
    retry_delays_ms: Vec<i32>,
    #[diesel(sql_type = Int4)]
    incremental_overlap_seconds: i32,
    #[diesel(sql_type = Text)]
    missing_records: String,
    #[diesel(sql_type = Int4)]
    deactivation_limit_percent: i32,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    updated_by: String,
}

pub async fn settings_read(db: &mut Db) -> Result<Settings, StoreError> {
    let row: Row = statement(
        "SELECT version, page_size, retry_delays_ms, incremental_overlap_seconds, missing_records,
             deactivation_limit_percent, updated_at, updated_by FROM settings",
    )
    .get_result(db)
    .await?;
    let schedule =
        schedule_find(db, &ScheduleName::full_sync()).await?.ok_or(diesel::result::Error::NotFound)?;
    let delays: Vec<u32> = row.retry_delays_ms.iter().map(|ms| ms.unsigned_abs()).collect();
    Ok(Settings {
        version: count(row.version),
        page_size: row.page_size.unsigned_abs(),
        retry_delays_ms: [delays[0], delays[1], delays[2]],
        incremental_overlap_seconds: row.incremental_overlap_seconds.unsigned_abs(),
        missing_records: word("settings", "missing_records", "the row", &row.missing_records)?,
        deactivation_limit_percent: row.deactivation_limit_percent.unsigned_abs(),
        updated_at: row.updated_at,
        updated_by: row.updated_by,
        schedule,
    })
}

/// Changes settings, if their version is still `expected_version`, and writes the audit.
pub async fn settings_update(
    db: &mut Db,
    change: &SettingsChange,
    expected_version: Option<u64>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<SettingsUpdated, StoreError> {
    // The schedule first, as whoever changes the schedule itself does it: they wait for each other, and neither writes over
    // what the other has changed.
    schedule_lock(db, &ScheduleName::full_sync()).await?;
    let before = settings_read(db).await?;
    if !settings_write(db, change, expected_version, actor, now).await? {
        return Ok(SettingsUpdated::Stale(settings_read(db).await?));
    }
    if change.concerns_schedule() {
        let schedule = &before.schedule;
        let definition = change.definition(&schedule.definition);
        definition_write(db, &schedule.name, &definition, actor, now).await?;
    }
    let settings = settings_read(db).await?;
    audit_append(
        db,
        actor,
        AuditAction::SettingsUpdate,
        "settings",
        &change.audit_detail(&before, settings.version),
        now,
    )
    .await?;
    Ok(SettingsUpdated::Updated(settings))
}

/// Writes the row of the settings, whose version grows even if only the schedule changes. False if the version is another.
async fn settings_write(
    db: &mut Db,
    change: &SettingsChange,
    expected_version: Option<u64>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let updated = statement(
        "UPDATE settings SET version = version + 1, page_size = coalesce($1, page_size),
             retry_delays_ms = coalesce($2, retry_delays_ms),
             incremental_overlap_seconds = coalesce($6, incremental_overlap_seconds),
             missing_records = coalesce($7, missing_records),
             deactivation_limit_percent = coalesce($8, deactivation_limit_percent), updated_at = $3, updated_by = $4
         WHERE $5 IS NULL OR version = $5",
    )
    .bind::<Nullable<Int4>, _>(change.page_size.map(number))
    .bind::<Nullable<Array<Int4>>, _>(change.retry_delays_ms.map(|delays| delays.map(number).to_vec()))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .bind::<Nullable<Int8>, _>(expected_version.map(|it| i64::try_from(it).unwrap_or(i64::MAX)))
    .bind::<Nullable<Int4>, _>(change.incremental_overlap_seconds.map(number))
    .bind::<Nullable<Text>, _>(change.missing_records.map(MissingPolicy::as_str))
    .bind::<Nullable<Int4>, _>(change.deactivation_limit_percent.map(number))
    .execute(db)
    .await?;
    Ok(updated > 0)
}

impl SettingsChange {
    const fn concerns_schedule(&self) -> bool {
        self.enabled.is_some() || self.mode.is_some() || self.cron.is_some() || self.time_zone.is_some()
    }

    /// The schedule's definition after the change.
    fn definition(&self, before: &ScheduleDefinition) -> ScheduleDefinition {
        let mode = self.mode.unwrap_or(before.mode);
        ScheduleDefinition {
            enabled: self.enabled.unwrap_or(before.enabled),
            cron: self.cron.clone().unwrap_or_else(|| before.cron.clone()),
            time_zone: self.time_zone.clone().unwrap_or_else(|| before.time_zone.clone()),
            mode,
            selection: before.selection.clone().for_mode(mode),
            overlap: before.overlap,
        }
    }

    /// The change as the audit keeps it, by the names of the operator API: the new values, and under `before` those that they
    /// replace; `version`: of the settings after it.
    fn audit_detail(&self, before: &Settings, version: u64) -> Value {
        let schedule = &before.schedule.definition;
        let mut replaced = json!({
            "pageSize": before.page_size,
            "retryDelaysMs": before.retry_delays_ms,
            "incrementalOverlapSeconds": before.incremental_overlap_seconds,
            "missingRecords": before.missing_records.as_str(),
            "deactivationLimitPercent": before.deactivation_limit_percent,
            "scheduleMode": schedule.mode,
            "enableScheduledSync": schedule.enabled,
            "scheduleCron": schedule.cron,
            "scheduleTimeZone": schedule.time_zone,
        });
        let mut detail = self.values();
        if let (Some(replaced), Some(values)) = (replaced.as_object_mut(), detail.as_object()) {
            replaced.retain(|name, _| values.get(name).is_some_and(|value| !value.is_null()));
        }
        detail["version"] = json!(version);
        detail["before"] = replaced;
        detail
    }

    fn values(&self) -> Value {
        json!({
            "pageSize": self.page_size,
            "retryDelaysMs": self.retry_delays_ms,
            "incrementalOverlapSeconds": self.incremental_overlap_seconds,
            "missingRecords": self.missing_records.map(MissingPolicy::as_str),
            "deactivationLimitPercent": self.deactivation_limit_percent,
            "scheduleMode": self.mode,
            "enableScheduledSync": self.enabled,
            "scheduleCron": self.cron,
            "scheduleTimeZone": self.time_zone,
        })
    }
}
