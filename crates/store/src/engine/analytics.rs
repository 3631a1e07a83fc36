//! Counts what happened in each hour and day into `analytics`, while the rows that it is counted from are there.
//!
//! The last hours are counted anew each time, so that a run that happens twice, and one that was interrupted, change nothing.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::analytics::{Measure, WindowWidth, bucket_sql};

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// Rows may become visible so long after the time that stands in them: a transaction that takes long, a clock that is slow.
const OVERLAP: TimeDelta = TimeDelta::hours(2);

/// The most that one run counts, so that a history of years is no single transaction.
const SPAN_LIMIT: TimeDelta = TimeDelta::days(7);

/// How long hours are kept.
const HOURS_KEPT: TimeDelta = TimeDelta::days(100);

/// How long days of single vessels are kept.
const VESSEL_DAYS_KEPT: TimeDelta = TimeDelta::days(400);

/// How long days are kept: ten years.
const DAYS_KEPT: TimeDelta = TimeDelta::days(3660);

/// Counts what is not counted yet. Returns until when all is counted now; None if there is nothing to count.
pub async fn analytics_count(db: &mut Db, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
    let counted: Vec<DateTime<Utc>> = statement("SELECT counted_until FROM analytics_progress FOR UPDATE")
        .returning::<Timestamptz>()
        .load(db)
        .await?;
    let from = match counted.as_slice().first() {
        // A clock was ahead, nobody knows by how much: a day is counted anew.
        Some(until) if *until > now + OVERLAP => now - TimeDelta::days(1),
        Some(until) => until.min(&now).to_owned() - OVERLAP,
        None => {
            let oldest: Option<DateTime<Utc>> = statement(
                "SELECT least((SELECT min(started_at) FROM sync_logs), (SELECT min(received_at) FROM webhook_events))",
            )
            .returning::<Nullable<Timestamptz>>()
            .get_result(db)
            .await?;
            let Some(oldest) = oldest else { return Ok(None) };
            oldest
        }
    };
    // Hours that would be forgotten at once are not counted.
    let from = WindowWidth::Hour.start_of(from.max(now - HOURS_KEPT));
    let until = now.min(from + SPAN_LIMIT);
    if until <= from {
        // The clock was set back: what is counted stays.
        return Ok(counted.as_slice().first().copied());
    }
    statement("DELETE FROM analytics WHERE width = 'hour' AND starts_at >= $1 AND starts_at < $2")
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(until)
        .execute(db)
        .await?;
    for source in SOURCES.iter() {
        statement(source).bind::<Timestamptz, _>(from).bind::<Timestamptz, _>(until).execute(db).await?;
    }
    let day = WindowWidth::Day.start_of(from);
    statement("DELETE FROM analytics WHERE width = 'day' AND starts_at >= $1 AND starts_at < $2")
        .bind::<Timestamptz, _>(day)
        .bind::<Timestamptz, _>(until)
        .execute(db)
        .await?;
    statement(
        "INSERT INTO analytics (width, starts_at, measure, record_type, vessel_id, key, bucket, count)
         SELECT 'day', date_trunc('day', starts_at, 'UTC'), measure, record_type, vessel_id, key, bucket, sum(count)
         FROM analytics WHERE width = 'hour' AND starts_at >= $1 AND starts_at < $2
         GROUP BY 2, measure, record_type, vessel_id, key, bucket",
    )
    .bind::<Timestamptz, _>(day)
    .bind::<Timestamptz, _>(until)
    .execute(db)
    .await?;
    statement(
        "INSERT INTO analytics_progress (counted_until) VALUES ($1)
         ON CONFLICT (only_row) DO UPDATE SET counted_until = excluded.counted_until",
    )
    .bind::<Timestamptz, _>(until)
    .execute(db)
    .await?;
    Ok(Some(until))
}

/// Removes windows that are old enough, in a batch of at most `limit`. Returns how many.
pub async fn analytics_purge(db: &mut Db, now: DateTime<Utc>, limit: u32) -> Result<usize, StoreError> {
    Ok(statement(
        "DELETE FROM analytics WHERE ctid = ANY(ARRAY(
             SELECT ctid FROM analytics
             WHERE starts_at < $1 AND (width = 'hour' OR starts_at < $2 AND vessel_id <> '' OR starts_at < $3) LIMIT $4))",
    )
    // Of whole days, so that the day of the oldest hours has all of them, should it be counted again.
    .bind::<Timestamptz, _>(WindowWidth::Day.start_of(now - HOURS_KEPT - TimeDelta::days(2)))
    .bind::<Timestamptz, _>(now - VESSEL_DAYS_KEPT)
    .bind::<Timestamptz, _>(now - DAYS_KEPT)
    .bind::<Int8, _>(i64::from(limit))
    .execute(db)
    .await?)
}

/// The statements that count the hours from `$1` to `$2`, one for each table that is counted from.
static SOURCES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let insert =
        "INSERT INTO analytics (width, starts_at, measure, record_type, vessel_id, key, bucket, count)";
    let hour = |column: &str| format!("date_trunc('hour', {column}, 'UTC')");
    // The vessel of a record, by its id in the onboarding portal: of a vessel itself, and of equipment. Of a rejected piece of
    // equipment, which may have no row, its standing findings know it. A record that came without an id is of no vessel.
    let vessel = |of: &str| {
        format!(
            "nullif(CASE {of}.record_type WHEN 'vessel' THEN {of}.source_id WHEN 'equipment' THEN coalesce(
                 (SELECT v.source_id FROM equipment e JOIN vessels v ON v.id = e.vessel_id
                  WHERE e.source_id = {of}.source_id),
                 (SELECT r.vessel_ids[1] FROM record_findings r
                  WHERE r.record_type = 'equipment' AND r.source_id = {of}.source_id LIMIT 1)
             ) END, '')"
        )
    };
    // Once for all vessels, and once for each. Rows of no vessel count among all alone.
    let with_vessels = |measure: Measure, rows: &str| {
        format!(
            "{insert}
             SELECT 'hour', hour, '{measure}', record_type, CASE grouping(vessel_id) WHEN 0 THEN vessel_id ELSE '' END, key,
                 bucket, count(*)
             FROM ({rows}) AS counted
             GROUP BY GROUPING SETS ((hour, record_type, key, bucket), (hour, record_type, key, bucket, vessel_id))
             HAVING grouping(vessel_id) = 1 OR vessel_id IS NOT NULL"
        )
    };
    let ended = "s.completed_at >= $1 AND s.completed_at < $2 AND NOT s.dry_run";
    let ended_at = hour("s.completed_at");
    let seconds = bucket_sql("extract(epoch FROM s.completed_at - s.started_at)");
    let lag = bucket_sql("extract(epoch FROM w.processed_at - w.record_updated_at)");
    vec![
        format!(
            "{insert} SELECT 'hour', {ended_at}, '{}', '', '', s.mode || '/' || s.cause || '/' || s.state, 0, count(*)
             FROM sync_logs s WHERE {ended} GROUP BY 2, 6",
            Measure::Syncs
        ),
        format!(
            "{insert} SELECT 'hour', {ended_at}, '{}', '', '', s.mode, {seconds}, count(*)
             FROM sync_logs s WHERE {ended} GROUP BY 2, 6, 7",
            Measure::SyncSeconds
        ),
        format!(
            "{insert} SELECT 'hour', {ended_at}, '{}', c.record_type, '', o.outcome, 0, sum(o.n)
             FROM sync_logs s JOIN sync_counts c ON c.sync_id = s.id
             CROSS JOIN LATERAL (VALUES ('created', c.created), ('updated', c.updated), ('unchanged', c.unchanged),
                 ('conflict', c.conflict), ('rejected', c.rejected), ('skipped', c.skipped), ('deactivated', c.deactivated)
             ) AS o (outcome, n)
             WHERE {ended} AND o.n > 0 GROUP BY 2, 4, 6",
            Measure::Records
        ),
        with_vessels(
            Measure::LagSeconds,
            &format!(
                "SELECT {hour} AS hour, w.record_type, '' AS key, {lag} AS bucket, {vessel} AS vessel_id
                 FROM webhook_events w
                 WHERE w.processed_at >= $1 AND w.processed_at < $2 AND w.state = 'processed'
                   AND w.record_type IS NOT NULL AND w.record_updated_at IS NOT NULL",
                hour = hour("w.processed_at"),
                vessel = vessel("w")
            ),
        ),
        with_vessels(
            Measure::Findings,
            &format!(
                "SELECT {hour} AS hour, f.record_type, f.code AS key, 0::smallint AS bucket, {vessel} AS vessel_id
                 FROM findings f JOIN sync_logs s ON s.id = f.sync_id AND NOT s.dry_run
                 WHERE f.found_at >= $1 AND f.found_at < $2",
                hour = hour("f.found_at"),
                vessel = vessel("f")
            ),
        ),
        format!(
            "{insert} SELECT 'hour', {hour}, '{measure}', '', '', class, 0, count(*)
             FROM attempts a WHERE began_at >= $1 AND began_at < $2
               AND NOT EXISTS (SELECT FROM sync_logs s WHERE s.id = a.sync_id AND s.dry_run) GROUP BY 2, 6",
            hour = hour("began_at"),
            measure = Measure::Attempts
        ),
    ]
});
