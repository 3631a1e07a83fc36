//! Critical parts and maintenance schedules.

use actix_web::{get, web};
use chassis::{
    auth::ScopedViewer,
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{List, Part, PartKind};
use domain::RecordType;
use serde::Deserialize;
use store::views::parts::{self, PartFilter, part_list};
use utoipa::IntoParams;

use super::{
    paging::Paging,
    records::{check_record, known_vessel},
};
use crate::{app_state::AppState, problems::OrProblem, views::records::parts_fields};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PartQuery {
    /// Of the equipment of this vessel; by IMO number or id in either portal.
    vessel: Option<String>,
    /// Of this piece of equipment, by its id in the onboarding portal.
    equipment: Option<String>,
    /// Only of this kind.
    kind: Option<PartKind>,
}

/// List critical parts and maintenance schedules
///
/// Of a vessel, or of a piece of equipment: exactly one of `vessel` and `equipment` must be given.
#[utoipa::path(
    operation_id = "listParts", tag = "records", security(("bearer" = ["viewer"])),
    params(Paging, PartQuery),
    responses(
        (status = 200, body = List<Part>),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "There is no such vessel (`vessel_not_found`)"),
    )
)]
#[get("/api/sync/parts")]
pub(crate) async fn list_parts(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    paging: web::Query<Paging>,
    query: web::Query<PartQuery>,
) -> Result<web::Json<List<Part>>, Problem> {
    let window = paging.window()?;
    let PartQuery { vessel, equipment, kind } = query.into_inner();
    let mut db = app.store.db().await.or_problem()?;
    let (vessel_id, equipment_id) = match (vessel, equipment) {
        (Some(vessel), None) => {
            let id = known_vessel(&mut db, None, &vessel).await?;
            check_record(&mut db, &viewer, RecordType::Vessel, &id).await?;
            (Some(id), None)
        }
        (None, Some(id)) => {
            check_record(&mut db, &viewer, RecordType::Equipment, &id).await?;
            (None, Some(id))
        }
        _ => {
            let errors =
                vec![FieldError::new("#/vessel", "exactly_one", "give either `vessel` or `equipment`")];
            return Err(Problem::invalid("It is not clear whose parts are asked for.", errors));
        }
    };
    let kind = kind.map(|kind| match kind {
        PartKind::CriticalPart => parts::PartKind::CriticalPart,
        PartKind::MaintenanceSchedule => parts::PartKind::MaintenanceSchedule,
    });
    let page =
        part_list(&mut db, &PartFilter { vessel_id, equipment_id, kind }, window).await.or_problem()?;
    Ok(paging.list(page, view))
}

fn view(it: parts::Part) -> Part {
    Part {
        kind: match it.kind {
            parts::PartKind::CriticalPart => PartKind::CriticalPart,
            parts::PartKind::MaintenanceSchedule => PartKind::MaintenanceSchedule,
        },
        source_id: it.source_id,
        name: it.name,
        equipment_id: it.equipment_id,
        equipment_name: it.equipment_name,
        status: it.status.into(),
        values: parts_fields(it.values),
    }
}
