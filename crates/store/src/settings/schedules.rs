//! Schedules that operators add, change, pause and delete. The one named `full-sync` is always there: the settings show it.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    Mode,
    audit::AuditAction,
    schedule::{OverlapPolicy, ScheduleName, SchedulePause, ScheduleSelection},
};
use serde_json::{Value, json};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        statement::{Statement, statement},
    },
    ledger::audit::audit_append,
};

/// Most schedules: each is looked at every second.
pub const SCHEDULES_LIMIT: u32 = 100;

/// What the audit log calls a schedule, before its name.
const SUBJECT_PREFIX: &str = "schedule ";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub name: ScheduleName,
    /// Grows with every change; the ETag.
    pub version: u64,
    pub definition: ScheduleDefinition,
    /// The last pause, also when it has ended.
    pub pause: Option<SchedulePause>,
    /// When the definition was changed last: ticks that were due before are not caught up.
    pub updated_at: DateTime<Utc>,
    /// Who has made the version: by a change of the definition, a pause, or its end.
    pub updated_by: String,
}

/// When a schedule starts syncs, and which. The caller checks the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleDefinition {
    /// Whether the schedule starts syncs at all.
    pub enabled: bool,
    /// Five or six fields.
    pub cron: String,
    /// IANA name.
    pub time_zone: String,
    pub mode: Mode,
    /// Empty for full syncs, at most record types for incremental ones.
    pub selection: ScheduleSelection,
    pub overlap: OverlapPolicy,
}

/// Result of a change that an operator has asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum ScheduleChanged {
    /// With the schedule as it is now.
    Done(Schedule),
    /// The schedule is in another version; with the schedule as it is now.
    Stale(Schedule),
    Unknown,
    /// There are [`SCHEDULES_LIMIT`] already.
    TooMany,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Int8)]
    version: i64,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Text)]
    cron: String,
    #[diesel(sql_type = Text)]
    time_zone: String,
    #[diesel(sql_type = Text)]
    mode: String,
    #[diesel(sql_type = Jsonb)]
    selection: Value,
    #[diesel(sql_type = Text)]
    overlap: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paused_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paused_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pause_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    paused_by: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    updated_by: String,
}

impl TryFrom<Row> for Schedule {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let pause = match (row.paused_since, row.pause_reason, row.paused_by) {
            (Some(since), Some(reason), Some(by)) => {
                Some(SchedulePause { reason, by, since, until: row.paused_until })
            }
            _ => None,
        };
        Ok(Self {
            version: count(row.version),
            definition: ScheduleDefinition {
                mode: word("schedules", "mode", &row.name, &row.mode)?,
                overlap: word("schedules", "overlap", &row.name, &row.overlap)?,
                selection: serde_json::from_value(row.selection).map_err(|source| {
                    StoreError::Contradiction {
                        table: "schedules",
                        column: "selection",
                        id: row.name.clone(),
                        source: source.into(),
                    }
                })?,
                enabled: row.enabled,
                cron: row.cron,
                time_zone: row.time_zone,
            },
            name: word("schedules", "name", &row.name, &row.name)?,
            pause,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
        })
    }
}

const COLUMNS: &str =
    "name, version, enabled, cron, time_zone, mode, selection, overlap, paused_since, paused_until,
    pause_reason, paused_by, updated_at, updated_by";

/// All schedules, by name. One that cannot be read was written into the table by hand: it is named in the log, and stops none
/// of the others.
pub async fn schedule_list(db: &mut Db) -> Result<Vec<Schedule>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM schedules ORDER BY name");
    let rows: Vec<Row> = statement(&text).load(db).await?;
    let read = |row| {
        Schedule::try_from(row)
            .inspect_err(|error| {
                tracing::error!(error = error as &dyn std::error::Error, "a schedule is left out")
            })
            .ok()
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

pub async fn schedule_find(db: &mut Db, name: &ScheduleName) -> Result<Option<Schedule>, StoreError> {
    schedule_select(db, name, "").await
}

/// The schedule with its row locked: changes of one schedule wait for each other.
pub(super) async fn schedule_lock(db: &mut Db, name: &ScheduleName) -> Result<Option<Schedule>, StoreError> {
    schedule_select(db, name, "FOR UPDATE").await
}

async fn schedule_select(
    db: &mut Db,
    name: &ScheduleName,
    lock: &str,
) -> Result<Option<Schedule>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM schedules WHERE name = $1 {lock}");
    let rows: Vec<Row> = statement(&text).bind::<Text, _>(name.as_str()).load(db).await?;
    rows.into_iter().next().map(Schedule::try_from).transpose()
}

/// Adds a schedule; stale if there is one of this name.
pub async fn schedule_create(
    db: &mut Db,
    name: &ScheduleName,
    definition: &ScheduleDefinition,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<ScheduleChanged, StoreError> {
    if let Some(there) = schedule_lock(db, name).await? {
        return Ok(ScheduleChanged::Stale(there));
    }
    let there: i64 = statement("SELECT count(*) FROM schedules").returning::<Int8>().get_result(db).await?;
    if count(there) >= SCHEDULES_LIMIT.into() {
        return Ok(ScheduleChanged::TooMany);
    }
    let inserted = definition_bind(
        "INSERT INTO schedules (name, enabled, cron, time_zone, mode, selection, overlap, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        name,
        definition,
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .execute(db)
    .await?;
    let schedule = schedule_find(db, name).await?.ok_or(diesel::result::Error::NotFound)?;
    if inserted == 0 {
        return Ok(ScheduleChanged::Stale(schedule));
    }
    let detail = json!({ "version": schedule.version, "after": described(definition) });
    audit_append(db, actor, AuditAction::ScheduleCreate, &subject(name.as_str()), &detail, now).await?;
    Ok(ScheduleChanged::Done(schedule))
}

/// Gives a schedule another definition, if its version is still `expected` (none: whatever it is). The same definition makes no new version.
pub async fn schedule_update(
    db: &mut Db,
    name: &ScheduleName,
    definition: &ScheduleDefinition,
    expected: Option<u64>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<ScheduleChanged, StoreError> {
    let before = match schedule_lock(db, name).await? {
        None => return Ok(ScheduleChanged::Unknown),
        Some(there) if expected.is_some_and(|version| version != there.version) => {
            return Ok(ScheduleChanged::Stale(there));
        }
        Some(there) if there.definition == *definition => return Ok(ScheduleChanged::Done(there)),
        Some(there) => there,
    };
    definition_write(db, name, definition, actor, now).await?;
    let schedule = after_change(db, name, actor, now).await?;
    let detail = json!({
        "version": schedule.version,
        "before": described(&before.definition),
        "after": described(definition),
    });
    audit_append(db, actor, AuditAction::ScheduleUpdate, &subject(name.as_str()), &detail, now).await?;
    Ok(ScheduleChanged::Done(schedule))
}

/// Writes the definition of a schedule that is there, and makes a new version of it.
pub(super) async fn definition_write(
    db: &mut Db,
    name: &ScheduleName,
    definition: &ScheduleDefinition,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    definition_bind(
        "UPDATE schedules SET enabled = $2, cron = $3, time_zone = $4, mode = $5, selection = $6, overlap = $7,
             updated_at = $8, updated_by = $9, version = version + 1
         WHERE name = $1",
        name,
        definition,
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes a schedule with its ticks, if its version is still `expected`. With the schedule as it was.
pub async fn schedule_delete(
    db: &mut Db,
    name: &ScheduleName,
    expected: Option<u64>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<ScheduleChanged, StoreError> {
    let before = match schedule_lock(db, name).await? {
        None => return Ok(ScheduleChanged::Unknown),
        Some(there) if expected.is_some_and(|version| version != there.version) => {
            return Ok(ScheduleChanged::Stale(there));
        }
        Some(there) => there,
    };
    statement("DELETE FROM schedules WHERE name = $1").bind::<Text, _>(name.as_str()).execute(db).await?;
    let detail = json!({ "before": described(&before.definition) });
    audit_append(db, actor, AuditAction::ScheduleDelete, &subject(name.as_str()), &detail, now).await?;
    Ok(ScheduleChanged::Done(before))
}

/// Pauses a schedule from now on, or changes the reason and the end of a pause that holds.
pub async fn schedule_pause(
    db: &mut Db,
    name: &ScheduleName,
    reason: &str,
    until: Option<DateTime<Utc>>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<ScheduleChanged, StoreError> {
    let Some(before) = schedule_lock(db, name).await? else { return Ok(ScheduleChanged::Unknown) };
    let since = before.pause.filter(|pause| pause.holds_at(now)).map_or(now, |pause| pause.since);
    statement(
        "UPDATE schedules SET paused_since = $2, paused_until = $3, pause_reason = $4, paused_by = $5,
             version = version + 1, updated_by = $5
         WHERE name = $1",
    )
    .bind::<Text, _>(name.as_str())
    .bind::<Timestamptz, _>(since)
    .bind::<Nullable<Timestamptz>, _>(until)
    .bind::<Text, _>(reason)
    .bind::<Text, _>(actor)
    .execute(db)
    .await?;
    let schedule = after_change(db, name, actor, now).await?;
    let detail = json!({ "version": schedule.version, "reason": reason, "until": until });
    audit_append(db, actor, AuditAction::SchedulePause, &subject(name.as_str()), &detail, now).await?;
    Ok(ScheduleChanged::Done(schedule))
}

/// Ends the pause of a schedule; one that is not paused stays as it is.
pub async fn schedule_resume(
    db: &mut Db,
    name: &ScheduleName,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<ScheduleChanged, StoreError> {
    let Some(before) = schedule_lock(db, name).await? else { return Ok(ScheduleChanged::Unknown) };
    if !before.pause.as_ref().is_some_and(|pause| pause.holds_at(now)) {
        return Ok(ScheduleChanged::Done(before));
    }
    statement(
        "UPDATE schedules SET paused_until = $2, version = version + 1, updated_by = $3 WHERE name = $1",
    )
    .bind::<Text, _>(name.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .execute(db)
    .await?;
    let schedule = after_change(db, name, actor, now).await?;
    let detail = json!({ "version": schedule.version, "reason": before.pause.map(|pause| pause.reason) });
    audit_append(db, actor, AuditAction::ScheduleResume, &subject(name.as_str()), &detail, now).await?;
    Ok(ScheduleChanged::Done(schedule))
}

/// The schedule after a change. The settings show `full-sync`, so they have a new version as well.
async fn after_change(
    db: &mut Db,
    name: &ScheduleName,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Schedule, StoreError> {
    if *name == ScheduleName::full_sync() {
        statement("UPDATE settings SET version = version + 1, updated_at = $1, updated_by = $2")
            .bind::<Timestamptz, _>(now)
            .bind::<Text, _>(actor)
            .execute(db)
            .await?;
    }
    Ok(schedule_find(db, name).await?.ok_or(diesel::result::Error::NotFound)?)
}

/// A statement whose first seven parameters are name and definition.
fn definition_bind<'t>(text: &'t str, name: &'t ScheduleName, it: &'t ScheduleDefinition) -> Statement<'t> {
    statement(text)
        .bind::<Text, _>(name.as_str())
        .bind::<Bool, _>(it.enabled)
        .bind::<Text, _>(&it.cron)
        .bind::<Text, _>(&it.time_zone)
        .bind::<Text, _>(it.mode.as_str())
        .bind::<Jsonb, _>(json!(it.selection))
        .bind::<Text, _>(it.overlap.as_str())
}

/// A definition as the audit keeps it, by the names of the operator API.
fn described(it: &ScheduleDefinition) -> Value {
    json!({
        "enabled": it.enabled,
        "cron": it.cron,
        "timeZone": it.time_zone,
        "mode": it.mode,
        "selection": it.selection,
        "overlap": it.overlap,
    })
}

/// What the audit log calls the schedule with this name.
#[must_use]
pub fn subject(name: &str) -> String {
    format!("{SUBJECT_PREFIX}{name}")
}

/// The name of the schedule that an entry of the audit log is about.
#[must_use]
pub fn name_of_subject(subject: &str) -> Option<&str> {
    subject.strip_prefix(SUBJECT_PREFIX)
}
