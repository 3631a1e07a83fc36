//! The overview: what needs attention, health, running syncs, the last full sync, counts.

use actix_web::{get, web};
use chassis::{auth::Viewer, error_chain::ErrorChain, problem::Problem};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::operator::{FleetCount, LastOutcome, Overview, PartHealth, SyncSummary};
use domain::{SyncId, TaskState, peer_outcome::OutcomeClass};
use store::{
    Db, StoreError, Window,
    ledger::{
        acknowledgements::acknowledged_count,
        circuits::{OpenCircuit, circuits_open},
        peer_outcomes::{PeerOutcome, peer_outcomes},
        portal_slots::portal_pause_find,
        syncs::{self, SyncFilter},
    },
    settings::schedules::schedule_list,
    views::{
        data_quality::{self, Subject},
        gauges, overview,
        ticks::missed_ticks_standing,
    },
};

use crate::{
    app_state::AppState,
    problems::OrProblem,
    saturating::to_i64,
    schedule::next_run,
    views::{
        attention::{Standing, attention},
        syncs::load_sync_summaries,
    },
};

const ONBOARDING_PORTAL: &str = "onboarding-portal";
/// How much older than the newest outcome that of another worker may be.
const OUTCOME_AGE: TimeDelta = TimeDelta::minutes(1);
/// How long the report of an open circuit counts. A worker reports twice a minute, so an older report comes from a worker
/// that has gone.
const CIRCUIT_REPORT_TIMEOUT: TimeDelta = TimeDelta::minutes(2);

/// Get the overview
///
/// What needs attention, health of the services, running syncs, the last full sync, and counts of records, dead letters, open
/// conflicts, and of messages that are unpublished or postponed.
#[utoipa::path(
    operation_id = "getOverview", tag = "syncs", security(("bearer" = ["viewer"])),
    responses((status = 200, body = Overview))
)]
#[get("/api/sync/status")]
pub(crate) async fn get_overview(
    app: web::Data<AppState>,
    _viewer: Viewer,
) -> Result<web::Json<Overview>, Problem> {
    let now = app.clock.now();
    let mut db = app.store.db().await.or_problem()?;
    let active = syncs::syncs_active(&mut db).await.or_problem()?;
    let running = load_sync_summaries(&mut db, active).await.or_problem()?;
    let last_full_sync = load_last_full_sync(&mut db).await.or_problem()?;
    let gauges = gauges::gauges(&mut db).await.or_problem()?;
    let fleet = overview::fleet_counts(&mut db).await.or_problem()?;
    let last_webhook_at = overview::webhook_last_at(&mut db).await.or_problem()?;
    let schedules = schedule_list(&mut db).await.or_problem()?;
    let dead_tasks = match &last_full_sync {
        Some(sync) => count_dead_tasks(&mut db, SyncId::from_uuid(sync.sync_id)).await.or_problem()?,
        None => 0,
    };
    let quality = data_quality::quality_records(&mut db, &Subject::Fleet).await.or_problem()?;
    let open_circuits = circuits_open(&mut db, now - CIRCUIT_REPORT_TIMEOUT).await.or_problem()?;
    let pause = portal_pause_find(&mut db).await.or_problem()?;
    let outcomes = peer_outcomes(&mut db, ONBOARDING_PORTAL).await.or_problem()?;
    let acknowledged = acknowledged_count(&mut db).await.or_problem()?;
    let missed_ticks = missed_ticks_standing(&mut db).await.or_problem()?;
    drop(db);

    let broker = app.broker.ping().await;
    let health = vec![
        PartHealth { name: "database".to_owned(), ok: true, detail: None, last_outcome: None },
        PartHealth {
            name: "broker".to_owned(),
            ok: broker.is_ok(),
            detail: broker.err().map(|error| ErrorChain(&error).to_string()),
            last_outcome: None,
        },
        onboarding_portal_health(&open_circuits, pause.as_ref(), &outcomes),
    ];
    let fleet = fleet
        .map(|(record_type, active)| FleetCount { record_type: record_type.into(), active: to_i64(active) });
    let rejected: u64 = quality.iter().map(|it| it.with_errors).sum();
    let attention = attention(&Standing {
        health: &health,
        last_full_sync: last_full_sync.as_ref(),
        dead_tasks,
        dead_letters: gauges.dead_letters,
        rejected_records: to_i64(rejected.saturating_sub(acknowledged)),
        open_conflicts: gauges.open_conflicts,
        missed_ticks: to_i64(missed_ticks),
    });
    Ok(web::Json(Overview {
        attention,
        running,
        last_full_sync,
        next_scheduled_at: schedules.iter().filter_map(|schedule| next_run(schedule, now)).min(),
        fleet: fleet.into(),
        dead_letters: gauges.dead_letters,
        open_conflicts: gauges.open_conflicts,
        acknowledged_rejections: to_i64(acknowledged),
        unpublished: gauges.unpublished,
        postponed: gauges.postponed,
        last_webhook_at,
        health,
    }))
}

/// Health of the onboarding portal as the workers have met it: the overview sends it no request. It is not well while a
/// circuit is open or all workers leave it alone, and while the last request of a worker failed for good.
fn onboarding_portal_health(
    open_circuits: &[OpenCircuit],
    pause: Option<&(DateTime<Utc>, String)>,
    outcomes: &[PeerOutcome],
) -> PartHealth {
    let all_paused = pause.map(|(until, reason)| {
        format!("all workers have paused requests until {}: {reason}", until.format("%Y-%m-%d %H:%M:%S UTC"))
    });
    let paused = open_circuits.first().map(|it| {
        let since = it.since.format("%Y-%m-%d %H:%M:%S UTC");
        let workers = match open_circuits.len() {
            1 => "1 worker has".to_owned(),
            n => format!("{n} workers have"),
        };
        format!("{workers} paused requests since {since}: {}", it.failure)
    });
    let paused = paused.or(all_paused);
    let newest = outcomes.first().map(|it| it.ended_at);
    // Another worker may have another key. What a worker met long before the newest outcome says nothing any more.
    let recent =
        || outcomes.iter().filter(|it| newest.is_some_and(|newest| newest - it.ended_at < OUTCOME_AGE));
    let refused = recent().find(|it| it.class == OutcomeClass::Permanent);
    let last = refused.or(outcomes.first());
    let failed = refused.and_then(|it| it.failure.clone());
    PartHealth {
        name: ONBOARDING_PORTAL.to_owned(),
        ok: paused.is_none() && refused.is_none(),
        detail: paused.or(failed),
        last_outcome: last.map(|it| LastOutcome {
            class: it.class.into(),
            failure: it.failure.clone(),
            ended_at: it.ended_at,
        }),
    }
}

async fn count_dead_tasks(db: &mut Db, id: SyncId) -> Result<i64, StoreError> {
    let counts = overview::task_counts(db, id).await?;
    Ok(counts.iter().filter(|(state, _)| *state == TaskState::Dead).map(|(_, n)| to_i64(*n)).sum())
}

async fn load_last_full_sync(db: &mut Db) -> Result<Option<SyncSummary>, StoreError> {
    let filter = SyncFilter {
        modes: vec![domain::Mode::Full],
        dry_run: Some(false),
        states: domain::SyncState::ALL.iter().copied().filter(|state| state.is_terminal()).collect(),
        ..SyncFilter::default()
    };
    let window = Window { limit: 1, ..Window::default() };
    let page = syncs::sync_list(db, &filter, window).await?;
    Ok(load_sync_summaries(db, page.rows).await?.into_iter().next())
}
