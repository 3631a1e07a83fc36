//! The provider API: what is approved, for whoever carries it elsewhere.

use actix_web::{
    HttpResponse, get,
    http::header::{ContentEncoding, ContentType},
    post, web,
};
use chassis::problem::{Problem, ProblemBody};
use chrono::{DateTime, Utc};
use contracts::provider::ListQuery;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Desk, OrProblem, access::Reader};
use crate::{
    faults::Fault,
    records::{
        Kind,
        listing::{self, Listing},
    },
    shapes::{Equipment, Served, ServedVessel, User},
};

/// What a list may be asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes contracts::provider::ListQuery, which is what is read")]
struct ListParameters {
    /// Records per page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `nextCursor` of the page before; everything else as it was asked there.
    cursor: Option<String>,
    /// Only records changed at this time or later. Ask from a little before the last time: what was being committed then
    /// may have been missed.
    updated_since: Option<DateTime<Utc>>,
    /// Only these, separated by commas, at most 500.
    ids: Option<String>,
    /// Only what belongs to this vessel (equipment, users).
    vessel_id: Option<String>,
    /// Only what belongs to this company (vessels, users).
    company_id: Option<String>,
    /// `total`: say the totals on any page.
    include: Option<String>,
}

/// A page of vessels.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is put together as text")]
struct VesselPage {
    /// Approved ones, and tombstones of those that were, by `updatedAt` and `id`.
    data: Vec<ServedVessel>,
    page: Page,
}

/// A page of equipment.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is put together as text")]
struct EquipmentPage {
    /// Approved ones, and tombstones of those that were, by `updatedAt` and `id`.
    data: Vec<Served<Equipment>>,
    page: Page,
}

/// A page of users.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is put together as text")]
struct UserPage {
    /// Approved ones, and tombstones of those that were, by `updatedAt` and `id`.
    data: Vec<Served<User>>,
    page: Page,
}

/// Where a page stands in its list.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes contracts::provider::PageInfo, which is what is written")]
struct Page {
    /// Records asked for.
    limit: u32,
    /// Opaque; absent on the last page.
    next_cursor: Option<String>,
    /// Records of the whole list: on the first page, and with `include=total`.
    total: Option<u64>,
    /// Different companies of the whole list of vessels; there, beside `total`.
    total_companies: Option<u64>,
    /// The portal's time when it read the page.
    as_of: Option<DateTime<Utc>>,
}

/// A vessel with all that belongs to it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes what is put together as text")]
struct VesselExport {
    /// The vessel, with its company.
    vessel: ServedVessel,
    /// Its equipment, with parts and schedules.
    equipment: Vec<Served<Equipment>>,
    /// The users that are assigned to it.
    users: Vec<Served<User>>,
    /// The portal's time when it read them.
    as_of: DateTime<Utc>,
}

/// Vessels, with their companies
///
/// Pages by `updatedAt` and `id`: a record that changes while one pages comes again at the end, and none is missed.
#[utoipa::path(
    operation_id = "listVessels", tag = "provider", params(ListParameters),
    responses((status = 200, body = VesselPage))
)]
#[get("/api/sync/vessels")]
pub(crate) async fn list_vessels(
    desk: web::Data<Desk>,
    _reader: Reader,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    list(&desk, Kind::Vessel, query.into_inner()).await
}

/// Equipment, with critical parts and maintenance schedules
#[utoipa::path(
    operation_id = "listEquipment", tag = "provider", params(ListParameters),
    responses((status = 200, body = EquipmentPage))
)]
#[get("/api/sync/equipment")]
pub(crate) async fn list_equipment(
    desk: web::Data<Desk>,
    _reader: Reader,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    list(&desk, Kind::Equipment, query.into_inner()).await
}

/// Users
#[utoipa::path(
    operation_id = "listUsers", tag = "provider", params(ListParameters),
    responses((status = 200, body = UserPage))
)]
#[get("/api/sync/users")]
pub(crate) async fn list_users(
    desk: web::Data<Desk>,
    _reader: Reader,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    list(&desk, Kind::User, query.into_inner()).await
}

fn answer(desk: &Desk, fault: Option<&Fault>, text: String) -> HttpResponse {
    let text = match fault {
        Some(fault) => fault.text(text),
        None => text,
    };
    let mut answer = HttpResponse::Ok();
    answer.content_type(ContentType::json());
    if !desk.compress {
        answer.insert_header(ContentEncoding::Identity);
    }
    answer.body(text)
}

async fn list(desk: &Desk, kind: Kind, mut query: ListQuery) -> Result<HttpResponse, Problem> {
    let fault = desk.faults.as_ref().and_then(|faults| faults.next(kind.path()));
    if let Some(fault) = &fault {
        fault.before(&mut query).await?;
    }
    let cursor = query.cursor.clone();
    let listing = Listing::parse(kind, query).map_err(|unusable| {
        let detail = format!("`{}` {}.", unusable.parameter, unusable.why);
        Problem::bad_request("invalid_query", detail).with("parameter", unusable.parameter)
    })?;
    let mut db = desk.database.connection().await.or_problem()?;
    let mut page = listing::list(&mut db, &listing, desk.clock.now()).await.or_problem()?;
    drop(db);
    if let Some(fault) = &fault {
        fault.page(&mut page, cursor);
    }
    Ok(answer(desk, fault.as_ref(), page.json()))
}

/// A vessel with all that belongs to it, as of one moment
#[utoipa::path(
    operation_id = "exportVessel", tag = "provider", params(("vesselId" = String, Path)),
    responses(
        (status = 200, body = VesselExport),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No vessel that is or was approved has this id"),
    )
)]
#[post("/api/sync/export/{vesselId}")]
pub(crate) async fn export_vessel(
    desk: web::Data<Desk>,
    _reader: Reader,
    vessel: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let fault = desk.faults.as_ref().and_then(|faults| faults.next("export"));
    if let Some(fault) = &fault {
        fault.before(&mut ListQuery::default()).await?;
    }
    let now = desk.clock.now();
    let mut db = desk.database.connection().await.or_problem()?;
    let mut export = listing::export(&mut db, &vessel).await.or_problem()?.ok_or_else(|| {
        Problem::not_found(
            "vessel_unknown",
            format!("No vessel that is or was approved has the id {vessel}."),
        )
    })?;
    if let Some(fault) = &fault {
        fault.export(&mut export);
    }
    Ok(answer(&desk, fault.as_ref(), export.json(now)))
}
