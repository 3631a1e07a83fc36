//! Analytics: what happened in each hour or day.

use std::collections::BTreeMap;

use actix_web::{get, web};
use chassis::{
    auth::ScopedViewer,
    problem::{FieldError, Problem, ProblemBody},
};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::operator::{
    Analytics, AnalyticsWindow, FailureCount, FindingCount, Percentiles, RecordFigures, RecordType,
    SyncEndCount, SyncFigures, WindowFigures, WindowWidth,
};
use domain::{
    SyncState,
    analytics::{self, Measure},
};
use serde::Deserialize;
use store::views::{
    analytics::{CountFilter, WindowCount, analytics_read},
    data_quality::vessel_identity,
};
use utoipa::IntoParams;

use crate::{
    app_state::AppState,
    fleet_part::{check_vessel, check_whole_fleet, load_fleet_part},
    problems::{OrProblem, vessel_not_found},
    saturating::to_i64,
};

/// Most windows of an answer: a month of hours, two years of days.
const WINDOWS_LIMIT: usize = 750;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct AnalyticsQuery {
    /// How long a window is: `hour` by default. Hours are kept for 100 days, days for ten years.
    window: Option<WindowWidth>,
    /// A time in the first window. By default a day of hours, or 30 days, before `to`.
    from: Option<DateTime<Utc>>,
    /// A time in the last window; now by default.
    to: Option<DateTime<Utc>>,
    /// Only records of this type, and findings about them.
    record_type: Option<RecordType>,
    /// Only events and findings about this vessel and its equipment, by IMO number or id in either portal. Of single vessels days
    /// are kept for 400 days. Syncs are of no single vessel, so their figures are absent.
    #[param(min_length = 1)]
    vessel: Option<String>,
}

/// Get what happened in each hour or day
///
/// Figures are counted every half minute, and kept when the syncs and events that they are counted from have been removed.
#[utoipa::path(
    operation_id = "getAnalytics", tag = "analytics", security(("bearer" = ["viewer"])),
    params(AnalyticsQuery),
    responses(
        (status = 200, body = Analytics),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "Nothing is known of the vessel in that time"),
    )
)]
#[get("/api/sync/analytics")]
pub(crate) async fn get_analytics(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    query: web::Query<AnalyticsQuery>,
) -> Result<web::Json<Analytics>, Problem> {
    let AnalyticsQuery { window, from, to, record_type, vessel } = query.into_inner();
    let window = window.unwrap_or(WindowWidth::Hour);
    let width = analytics::WindowWidth::from(window);
    let last = width.start_of(to.unwrap_or_else(|| app.clock.now()));
    let span = match window {
        WindowWidth::Hour => TimeDelta::hours(23),
        WindowWidth::Day => TimeDelta::days(29),
    };
    let first = width.start_of(from.unwrap_or(last - span));
    let starts: Vec<DateTime<Utc>> = std::iter::successors(Some(first), |start| Some(width.next(*start)))
        .take_while(|start| *start <= last)
        .take(WINDOWS_LIMIT + 1)
        .collect();
    if starts.is_empty() {
        let error = FieldError::new("#/from", "out_of_range", "must not be after `to`");
        return Err(Problem::invalid("`from` is after `to`.", vec![error]));
    }
    if starts.len() > WINDOWS_LIMIT {
        let detail = format!("lies more than {WINDOWS_LIMIT} windows before `to`, which is the most");
        return Err(Problem::invalid(
            "An answer has not so many windows: choose a later `from`, or days.",
            vec![FieldError::new("#/from", "out_of_range", detail)],
        ));
    }
    let mut db = app.store.db().await.or_problem()?;
    let identity = match &vessel {
        None => None,
        Some(vessel) => vessel_identity(&mut db, vessel).await.or_problem()?,
    };
    let part = load_fleet_part(&mut db, &viewer).await?;
    match (&vessel, &identity) {
        (Some(vessel), Some(identity)) => check_vessel(part.as_ref(), &identity.source_id, vessel)?,
        (Some(vessel), None) => check_vessel(part.as_ref(), vessel, vessel)?,
        (None, _) => check_whole_fleet(part.as_ref(), "a `vessel` of it")?,
    }
    let has_row = identity.is_some();
    let is_of_vessel = vessel.is_some();
    let filter = CountFilter {
        width,
        from: first,
        until: width.next(last),
        record_type: record_type.map(Into::into),
        vessel_id: identity.map(|it| it.source_id).or_else(|| vessel.clone()),
    };
    let (counts, counted_until) = analytics_read(&mut db, &filter).await.or_problem()?;
    if let Some(vessel) = vessel.filter(|_| !has_row && counts.is_empty()) {
        // A vessel that never got a row is known by its events and findings alone. Zeros would say that nothing was wrong.
        return Err(vessel_not_found(&vessel));
    }
    let mut of_window: BTreeMap<DateTime<Utc>, Vec<&WindowCount>> = BTreeMap::new();
    for count in &counts {
        of_window.entry(count.starts_at).or_default().push(count);
    }
    let all: Vec<&WindowCount> = counts.iter().collect();
    let windows = starts.iter().map(|start| AnalyticsWindow {
        starts_at: *start,
        figures: figures(of_window.get(start).map_or(&[], Vec::as_slice), is_of_vessel),
    });
    Ok(web::Json(Analytics {
        window,
        from: first,
        to: filter.until,
        counted_until,
        total: figures(&all, is_of_vessel),
        syncs: sync_ends(&all),
        findings: findings(&all),
        failures: failures(&all),
        windows: windows.collect(),
    }))
}

fn figures(counts: &[&WindowCount], is_of_vessel: bool) -> WindowFigures {
    let of = |measure| counts.iter().filter(move |it| it.measure == measure);
    let sum = |measure, is_wanted: &dyn Fn(&str) -> bool| {
        to_i64(of(measure).filter(|it| is_wanted(&it.key)).map(|it| it.count).sum::<u64>())
    };
    let percentiles = |measure| {
        let mut buckets: BTreeMap<i16, u64> = BTreeMap::new();
        for count in of(measure) {
            *buckets.entry(count.bucket).or_default() += count.count;
        }
        let all = analytics::Percentiles::of(&buckets.into_iter().collect::<Vec<_>>())?;
        let analytics::Percentiles { count, p50, p90, p99 } = all;
        Some(Percentiles { count: to_i64(count), p50_seconds: p50, p90_seconds: p90, p99_seconds: p99 })
    };
    let ended = |state: SyncState| sum(Measure::Syncs, &|key| key.rsplit('/').next() == Some(state.as_str()));
    let syncs = || {
        let (completed, with_errors) = (ended(SyncState::Completed), ended(SyncState::CompletedWithErrors));
        let failed = ended(SyncState::Failed);
        let judged = completed + with_errors + failed;
        SyncFigures {
            completed,
            completed_with_errors: with_errors,
            failed,
            cancelled: ended(SyncState::Cancelled),
            success_rate: (judged > 0).then(|| (completed + with_errors) as f64 / judged as f64),
        }
    };
    let outcome = |outcome: &str| sum(Measure::Records, &|key| key == outcome);
    let records = || RecordFigures {
        created: outcome("created"),
        updated: outcome("updated"),
        unchanged: outcome("unchanged"),
        conflict: outcome("conflict"),
        rejected: outcome("rejected"),
        skipped: outcome("skipped"),
        deactivated: outcome("deactivated"),
    };
    WindowFigures {
        syncs: (!is_of_vessel).then(syncs),
        sync_duration: percentiles(Measure::SyncSeconds),
        records: (!is_of_vessel).then(records),
        approval_lag: percentiles(Measure::LagSeconds),
        findings: sum(Measure::Findings, &|_| true),
        failed_attempts: (!is_of_vessel).then(|| sum(Measure::Attempts, &|_| true)),
    }
}

/// The counts of a measure by what `key` makes of them, the largest first.
fn summed<K: Ord>(
    counts: &[&WindowCount],
    measure: Measure,
    key: impl Fn(&WindowCount) -> K,
) -> Vec<(K, i64)> {
    let mut sums: BTreeMap<K, u64> = BTreeMap::new();
    for count in counts.iter().filter(|it| it.measure == measure) {
        *sums.entry(key(count)).or_default() += count.count;
    }
    let mut sums: Vec<_> = sums.into_iter().map(|(key, n)| (key, to_i64(n))).collect();
    sums.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    sums
}

fn sync_ends(counts: &[&WindowCount]) -> Vec<SyncEndCount> {
    let sums = summed(counts, Measure::Syncs, |it| it.key.clone());
    let read = |(key, count): (String, i64)| {
        let mut words = key.split('/');
        // Words of a release that came later are left out: this one has no name for them.
        Some(SyncEndCount {
            mode: words.next()?.parse().ok()?,
            cause: words.next()?.parse().ok()?,
            state: words.next()?.parse().ok()?,
            count,
        })
    };
    sums.into_iter().filter_map(read).collect()
}

fn findings(counts: &[&WindowCount]) -> Vec<FindingCount> {
    let sums = summed(counts, Measure::Findings, |it| (it.record_type, it.key.clone()));
    sums.into_iter()
        .map(|((record_type, code), count)| FindingCount {
            record_type: record_type.map(Into::into),
            code,
            count,
        })
        .collect()
}

fn failures(counts: &[&WindowCount]) -> Vec<FailureCount> {
    let sums = summed(counts, Measure::Attempts, |it| it.key.clone());
    sums.into_iter().map(|(class, count)| FailureCount { class, count }).collect()
}
