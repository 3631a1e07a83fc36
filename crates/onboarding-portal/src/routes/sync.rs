//! The provider API: approved records and tombstones, for SMS Sync to fetch.

use actix_web::{
    HttpResponse, get,
    http::header::{ContentEncoding, ContentType},
    post, web,
};
use chassis::problem::{Problem, ProblemBody};
use chrono::{DateTime, Utc};
use contracts::provider::{Capabilities, IDS_LIMIT, ListQuery, PAGE_SIZE_LIMIT};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{AppState, OrProblem, access::Reader};
use crate::{
    faults::Fault,
    records::{
        Kind,
        listing::{self, ListRequest},
    },
    shapes::{Equipment, Served, ServedVessel, User},
};

/// Query parameters of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes contracts::provider::ListQuery, which is what is read")]
struct ListParameters {
    /// Records per page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `nextCursor` of the previous page; all other parameters must stay the same.
    cursor: Option<String>,
    /// Only records changed at this time or later; a company's change is a change of its vessels. Ask from a little before the last time: a change that was being
    /// committed then may have been missed.
    updated_since: Option<DateTime<Utc>>,
    /// Only the records with these ids, separated by commas, at most 500.
    ids: Option<String>,
    /// Only records of this vessel (equipment, users).
    vessel_id: Option<String>,
    /// Only records of this company (vessels, users).
    company_id: Option<String>,
    /// `k/n`: only the records whose id belongs to part `k` of `n` by a stable hash; `n` is a power of two up to what
    /// `/api/sync/capabilities` says, `k` from 0 to `n` - 1. Every record belongs to exactly one of `n` slices. A cursor is a place in the
    /// order of the records: one from a page without `slice` leads on in every slice of the same list.
    slice: Option<String>,
    /// `total`: include the totals, which otherwise only the first page has.
    include: Option<String>,
}

/// A page of vessels.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes an answer that is put together as text")]
struct VesselPage {
    /// Approved records and tombstones of withdrawn ones, in the order of `updatedAt` and `id`.
    data: Vec<ServedVessel>,
    page: Page,
}

/// A page of equipment.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes an answer that is put together as text")]
struct EquipmentPage {
    /// Approved records and tombstones of withdrawn ones, in the order of `updatedAt` and `id`.
    data: Vec<Served<Equipment>>,
    page: Page,
}

/// A page of users.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes an answer that is put together as text")]
struct UserPage {
    /// Approved records and tombstones of withdrawn ones, in the order of `updatedAt` and `id`.
    data: Vec<Served<User>>,
    page: Page,
}

/// Position of a page in its list.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes contracts::provider::PageInfo, which is what is written")]
struct Page {
    /// Requested number of records.
    limit: u32,
    /// Cursor of the next page, opaque; absent on the last page.
    next_cursor: Option<String>,
    /// Number of records of the whole list; on the first page, and with `include=total`.
    total: Option<u64>,
    /// Number of companies in the whole list; beside `total`, in lists of vessels.
    total_companies: Option<u64>,
    /// Time at the portal when it read the page.
    as_of: Option<DateTime<Utc>>,
    /// The slice that was asked for; required in the answer if one was.
    slice: Option<String>,
}

/// What the portal can do beyond the least.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", as = Capabilities)]
#[expect(dead_code, reason = "describes contracts::provider::Capabilities, which is what is written")]
struct CapabilitiesBody {
    /// Most slices of a list, a power of two up to 64; absent or 1: `slice` is not understood.
    slices: Option<u32>,
    /// Most records of a page.
    page_size: Option<u32>,
    /// Most ids of a request.
    ids: Option<u32>,
    /// Whether vessels can be exported.
    export: Option<bool>,
    /// Encodings in which answers can be compressed, as `Accept-Encoding` names them.
    compression: Option<Vec<String>>,
}

/// Say what the portal can do
///
/// Optional: of a portal that answers 404, SMS Sync expects the least.
#[utoipa::path(
    operation_id = "getCapabilities", tag = "provider",
    responses((status = 200, body = CapabilitiesBody))
)]
#[get("/api/sync/capabilities")]
pub(crate) async fn get_capabilities(app: web::Data<AppState>, _reader: Reader) -> web::Json<Capabilities> {
    let compression = if app.compress { vec!["gzip".to_owned()] } else { Vec::new() };
    web::Json(Capabilities {
        slices: Some(listing::BUCKETS.into()),
        page_size: Some(PAGE_SIZE_LIMIT),
        ids: Some(IDS_LIMIT as u32),
        export: Some(true),
        compression,
    })
}

/// A vessel with its equipment and users.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes an answer that is put together as text")]
struct VesselExport {
    vessel: ServedVessel,
    /// Equipment with critical parts and maintenance schedules.
    equipment: Vec<Served<Equipment>>,
    /// Users who may see the vessel.
    users: Vec<Served<User>>,
    /// Time at the portal when it read the records.
    as_of: DateTime<Utc>,
}

/// List vessels with their companies
///
/// Pages are in the order of `updatedAt` and `id`. A record that changes between two pages comes again at the end, and
/// no record is missed.
#[utoipa::path(
    operation_id = "listVessels", tag = "provider", params(ListParameters),
    responses((status = 200, body = VesselPage))
)]
#[get("/api/sync/vessels")]
pub(crate) async fn list_vessels(
    app: web::Data<AppState>,
    _reader: Reader,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    list(&app, Kind::Vessel, query.into_inner()).await
}

/// List equipment with critical parts and maintenance schedules
#[utoipa::path(
    operation_id = "listEquipment", tag = "provider", params(ListParameters),
    responses((status = 200, body = EquipmentPage))
)]
#[get("/api/sync/equipment")]
pub(crate) async fn list_equipment(
    app: web::Data<AppState>,
    _reader: Reader,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    list(&app, Kind::Equipment, query.into_inner()).await
}

/// List users
#[utoipa::path(
    operation_id = "listUsers", tag = "provider", params(ListParameters),
    responses((status = 200, body = UserPage))
)]
#[get("/api/sync/users")]
pub(crate) async fn list_users(
    app: web::Data<AppState>,
    _reader: Reader,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    list(&app, Kind::User, query.into_inner()).await
}

fn answer(app: &AppState, fault: Option<&Fault>, text: String) -> HttpResponse {
    let text = match fault {
        Some(fault) => fault.apply_to_text(text),
        None => text,
    };
    let mut answer = HttpResponse::Ok();
    answer.content_type(ContentType::json());
    if !app.compress {
        answer.insert_header(ContentEncoding::Identity);
    }
    answer.body(text)
}

async fn list(app: &AppState, kind: Kind, mut query: ListQuery) -> Result<HttpResponse, Problem> {
    let fault = app.faults.as_ref().and_then(|faults| faults.take(kind.path()));
    if let Some(fault) = &fault {
        fault.apply_to_query(&mut query).await?;
    }
    let cursor = query.cursor.clone();
    let request = ListRequest::parse(kind, query).map_err(|invalid| {
        let detail = format!("`{}` {}.", invalid.name, invalid.reason);
        Problem::bad_request("invalid_query", detail).with("parameter", invalid.name)
    })?;
    let mut db = app.database.connection().await.or_problem()?;
    let mut page = listing::load_page(&mut db, &request, app.clock.now()).await.or_problem()?;
    drop(db);
    if let Some(fault) = &fault {
        fault.apply_to_page(&mut page, cursor);
    }
    Ok(answer(app, fault.as_ref(), page.json()))
}

/// Export a vessel with its equipment and users, read at one moment
#[utoipa::path(
    operation_id = "exportVessel", tag = "provider", params(("vesselId" = String, Path)),
    responses(
        (status = 200, body = VesselExport),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No approved or withdrawn vessel has this id"),
    )
)]
#[post("/api/sync/export/{vesselId}")]
pub(crate) async fn export_vessel(
    app: web::Data<AppState>,
    _reader: Reader,
    vessel: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let fault = app.faults.as_ref().and_then(|faults| faults.take("export"));
    if let Some(fault) = &fault {
        fault.apply_to_query(&mut ListQuery::default()).await?;
    }
    let now = app.clock.now();
    let mut db = app.database.connection().await.or_problem()?;
    let mut export = listing::load_export(&mut db, &vessel).await.or_problem()?.ok_or_else(|| {
        Problem::not_found("vessel_unknown", format!("No approved or withdrawn vessel has the id {vessel}."))
    })?;
    if let Some(fault) = &fault {
        fault.apply_to_export(&mut export);
    }
    Ok(answer(&app, fault.as_ref(), export.json(now)))
}
