//! What became of the times at which schedules were due.

use actix_web::{get, web};
use chassis::{auth::Viewer, problem::Problem};
use chrono::{DateTime, Utc};
use contracts::operator::{List, ScheduleTick, TickOutcome};
use domain::SyncId;
use serde::Deserialize;
use store::views::ticks::{self, TickFilter, tick_list};
use utoipa::IntoParams;

use super::paging::Paging;
use crate::{app_state::AppState, problems::OrProblem};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TickQuery {
    /// Only ticks of this schedule.
    schedule: Option<String>,
    /// Only ticks with this outcome.
    outcome: Option<TickOutcome>,
    /// Only ticks due at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only ticks due before this time.
    to: Option<DateTime<Utc>>,
}

/// List ticks of the schedules, the last due first
///
/// Every time at which a schedule was due is one: it started a sync, was skipped, or was missed.
#[utoipa::path(
    operation_id = "listTicks", tag = "schedules", security(("bearer" = ["viewer"])),
    params(Paging, TickQuery),
    responses((status = 200, body = List<ScheduleTick>))
)]
#[get("/api/sync/schedule/ticks")]
pub(crate) async fn list_ticks(
    app: web::Data<AppState>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
    query: web::Query<TickQuery>,
) -> Result<web::Json<List<ScheduleTick>>, Problem> {
    let window = paging.window()?;
    let query = query.into_inner();
    let outcomes = query.outcome.map(Into::into).into_iter().collect();
    let filter = TickFilter {
        schedules: query.schedule.into_iter().collect(),
        outcomes,
        from: query.from,
        until: query.to,
    };
    let mut db = app.store.db().await.or_problem()?;
    let page = tick_list(&mut db, &filter, window).await.or_problem()?;
    Ok(paging.list(page, view))
}

pub(super) fn view(tick: ticks::Tick) -> ScheduleTick {
    ScheduleTick {
        schedule: tick.schedule,
        due_at: tick.due_at,
        outcome: tick.outcome.into(),
        detail: tick.detail,
        sync_id: tick.sync_id.map(SyncId::as_uuid),
        handled_at: tick.fired_at,
    }
}
