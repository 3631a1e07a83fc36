//! Settings that operators change, the schedules among them.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::Mode;
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        statement::statement,
    },
    engine::reconcile::MissingPolicy,
    ledger::audit::audit_append,
};

/// The schedule that the settings speak of.
pub const FULL_SYNC: &str = "full-sync";

/// The settings as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Grows with every change, of the schedule too; the ETag.
    pub version: u64,
    /// Records per page.
    pub page_size: u32,
    /// The pauses before the retries, in milliseconds.
    pub retry_delays_ms: [u32; 3],
    /// How far before the last complete sync an incremental one begins.
    pub incremental_overlap_seconds: u32,
    /// What a full sync does with records that are not listed any more.
    pub missing_records: MissingPolicy,
    /// Of the active records of a type; beyond it an operator is asked.
    pub deactivation_limit_percent: u32,
    /// When they were changed last.
    pub updated_at: DateTime<Utc>,
    /// Who did.
    pub updated_by: String,
    /// The schedule of the full sync.
    pub schedule: Schedule,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Five fields.
    pub cron: String,
    /// By its IANA name.
    pub time_zone: String,
    /// What it starts.
    pub mode: Mode,
    /// When it was changed last: ticks before that are not made up for.
    pub updated_at: DateTime<Utc>,
}

/// What to change; what is absent stays. To be checked by the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// Records per page, 1 to 1000.
    pub page_size: Option<u32>,
    /// The pauses before the retries, in milliseconds.
    pub retry_delays_ms: Option<[u32; 3]>,
    /// How far before the last complete sync an incremental one begins, up to a week.
    pub incremental_overlap_seconds: Option<u32>,
    /// What a full sync does with records that are not listed any more.
    pub missing_records: Option<MissingPolicy>,
    /// Of the active records of a type, up to 100; beyond it an operator is asked.
    pub deactivation_limit_percent: Option<u32>,
    /// Full, or incremental.
    pub mode: Option<Mode>,
    /// Whether the full sync runs by itself.
    pub enabled: Option<bool>,
    /// When.
    pub cron: Option<String>,
    /// Where those hours count.
    pub time_zone: Option<String>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SettingsUpdated {
    /// They stand like this now.
    Updated(Settings),
    /// Somebody else was faster; they stand like this.
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

/// The settings.
///
/// # Errors
///
/// If the database fails.
pub async fn settings_read(db: &mut Db) -> Result<Settings, StoreError> {
    let row: Row = statement(
        "SELECT version, page_size, retry_delays_ms, incremental_overlap_seconds, missing_records,
             deactivation_limit_percent, updated_at, updated_by FROM settings",
    )
    .get_result(db)
    .await?;
    let schedule = schedule_find(db, FULL_SYNC).await?.ok_or(diesel::result::Error::NotFound)?;
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

/// Changes settings, if they still have `expected_version`, and writes the audit. In a transaction.
///
/// # Errors
///
/// If the database fails, or refuses a value.
pub async fn settings_update(
    db: &mut Db,
    change: &SettingsChange,
    expected_version: Option<u64>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<SettingsUpdated, StoreError> {
    let delays = change.retry_delays_ms.map(|it| it.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)).to_vec());
    let updated = statement(
        "UPDATE settings SET version = version + 1, page_size = coalesce($1, page_size),
             retry_delays_ms = coalesce($2, retry_delays_ms),
             incremental_overlap_seconds = coalesce($6, incremental_overlap_seconds),
             missing_records = coalesce($7, missing_records),
             deactivation_limit_percent = coalesce($8, deactivation_limit_percent), updated_at = $3, updated_by = $4
         WHERE $5 IS NULL OR version = $5",
    )
    .bind::<Nullable<Int4>, _>(change.page_size.map(|n| i32::try_from(n).unwrap_or(i32::MAX)))
    .bind::<Nullable<Array<Int4>>, _>(delays)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .bind::<Nullable<Int8>, _>(expected_version.map(|it| i64::try_from(it).unwrap_or(i64::MAX)))
    .bind::<Nullable<Int4>, _>(change.incremental_overlap_seconds.map(|n| i32::try_from(n).unwrap_or(i32::MAX)))
    .bind::<Nullable<Text>, _>(change.missing_records.map(MissingPolicy::as_str))
    .bind::<Nullable<Int4>, _>(change.deactivation_limit_percent.map(|n| i32::try_from(n).unwrap_or(i32::MAX)))
    .execute(db)
    .await?;
    if updated == 0 {
        return Ok(SettingsUpdated::Stale(settings_read(db).await?));
    }
    let schedules = change.enabled.is_some() || change.mode.is_some();
    if schedules || change.cron.is_some() || change.time_zone.is_some() {
        statement(
            "UPDATE schedules SET enabled = coalesce($2, enabled), cron = coalesce($3, cron),
                 time_zone = coalesce($4, time_zone), mode = coalesce($7, mode), updated_at = $5, updated_by = $6
             WHERE name = $1",
        )
        .bind::<Text, _>(FULL_SYNC)
        .bind::<Nullable<Bool>, _>(change.enabled)
        .bind::<Nullable<Text>, _>(&change.cron)
        .bind::<Nullable<Text>, _>(&change.time_zone)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor)
        .bind::<Nullable<Text>, _>(change.mode.map(Mode::as_str))
        .execute(db)
        .await?;
    }
    let settings = settings_read(db).await?;
    let detail = json!({
        "version": settings.version,
        "pageSize": change.page_size,
        "retryDelaysMs": change.retry_delays_ms,
        "incrementalOverlapSeconds": change.incremental_overlap_seconds,
        "missingRecords": change.missing_records.map(MissingPolicy::as_str),
        "deactivationLimitPercent": change.deactivation_limit_percent,
        "scheduleMode": change.mode,
        "enableScheduledSync": change.enabled,
        "scheduleCron": change.cron,
        "scheduleTimeZone": change.time_zone,
    });
    audit_append(db, actor, "settings.update", "settings", &detail, now).await?;
    Ok(SettingsUpdated::Updated(settings))
}

type ScheduleColumns = (String, bool, String, String, String, DateTime<Utc>);

pub(crate) fn schedule(
    (name, enabled, cron, time_zone, mode, updated_at): ScheduleColumns,
) -> Result<Schedule, StoreError> {
    Ok(Schedule {
        mode: word("schedules", "mode", &name, &mode)?,
        name,
        enabled,
        cron,
        time_zone,
        updated_at,
    })
}

/// A schedule.
///
/// # Errors
///
/// If the database fails.
pub async fn schedule_find(db: &mut Db, name: &str) -> Result<Option<Schedule>, StoreError> {
    Ok(schedule_list(db).await?.into_iter().find(|schedule| schedule.name == name))
}

/// All schedules, by name.
///
/// # Errors
///
/// If the database fails.
pub async fn schedule_list(db: &mut Db) -> Result<Vec<Schedule>, StoreError> {
    let rows: Vec<ScheduleColumns> =
        statement("SELECT name, enabled, cron, time_zone, mode, updated_at FROM schedules ORDER BY name")
            .returning::<(Text, Bool, Text, Text, Text, Timestamptz)>()
            .load(db)
            .await?;
    rows.into_iter().map(schedule).collect()
}
