//! The vessels of the fleet, with what waits for somebody.

use actix_web::{get, web};
use chassis::{
    auth::ScopedViewer,
    problem::{Problem, ProblemBody},
};
use contracts::operator::{List, VesselState};
use serde::Deserialize;
use store::views::vessels::{self, VesselFilter, vessel_states};
use utoipa::IntoParams;

use super::{paging::Paging, records::known_company};
use crate::{app_state::AppState, fleet_part::load_fleet_part, problems::OrProblem, saturating::to_i64};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VesselQuery {
    /// Only vessels of this company; by id in the maintenance portal or in the onboarding portal, or IMO company number.
    company: Option<String>,
    /// Only vessels of which something waits for somebody: a rejection that nobody has acknowledged, a conflict, a dead letter.
    #[serde(default)]
    troubled: bool,
}

/// List vessels with what waits for somebody, worst first
///
/// The numbers cover the vessel, its equipment and its users. Vessels that were rejected, or whose messages died, and that have
/// no row are listed, too.
#[utoipa::path(
    operation_id = "listVessels", tag = "records", security(("bearer" = ["viewer"])),
    params(Paging, VesselQuery),
    responses(
        (status = 200, body = List<VesselState>),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "There is no such company (`company_not_found`)"),
    )
)]
#[get("/api/sync/vessels")]
pub(crate) async fn list_vessels(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    paging: web::Query<Paging>,
    query: web::Query<VesselQuery>,
) -> Result<web::Json<List<VesselState>>, Problem> {
    let window = paging.window()?;
    let VesselQuery { company, troubled } = query.into_inner();
    let mut tx = app.store.begin().await.or_problem()?;
    let part = load_fleet_part(&mut tx, &viewer).await?;
    let company = match &company {
        Some(company) => Some(known_company(&mut tx, part.as_ref(), company).await?.id),
        None => None,
    };
    let page =
        vessel_states(&mut tx, &VesselFilter { company, troubled, part }, window).await.or_problem()?;
    tx.rollback().await;
    Ok(paging.list(page, view))
}

fn view(it: vessels::VesselState) -> VesselState {
    VesselState {
        source_id: it.source_id,
        imo_number: it.imo_number,
        name: it.name,
        company_id: it.company_id,
        standing: it.standing.into(),
        rejected: to_i64(it.rejected),
        acknowledged: to_i64(it.acknowledged),
        warnings: to_i64(it.warnings),
        open_conflicts: to_i64(it.open_conflicts),
        dead_letters: to_i64(it.dead_letters),
        equipment_missing: to_i64(it.equipment_missing),
        version_at: it.version_at,
        synced_at: it.synced_at,
        fetched_at: it.fetched_at,
    }
}
