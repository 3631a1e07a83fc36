//! Labels of equipment: one, or a vessel's on sheets to print.

use actix_web::{HttpResponse, get, http::header, web};
use chassis::{
    auth::Viewer,
    problem::{FieldError, Problem, ProblemBody},
};
use serde::Deserialize;
use store::views::labels;
use utoipa::IntoParams;

use crate::{
    desk::Desk,
    failure::OrProblem,
    labels::{Label, Layout, PER_SHEET, png, sheets, svg},
};

/// What a document of ours may do in a browser: show itself.
const CONTENT_SECURITY_POLICY: (header::HeaderName, &str) =
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-modals");

/// The label of a piece of equipment, as SVG
///
/// 70 by 37 mm: a QR symbol (error correction Q, quiet zone of four modules) that holds the equipment's code, and beside
/// it vessel, IMO number, SFI code with unit, name, and the code in letters.
#[utoipa::path(
    operation_id = "getLabelSvg", tag = "labels",
    params(("id" = String, Path, description = "The equipment, by its id here or in the onboarding portal")),
    responses(
        (status = 200, body = String, content_type = "image/svg+xml"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/equipment/{id}/qr.svg")]
pub(crate) async fn label_svg(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let layout = layout(&label(&desk, &id).await?)?;
    Ok(document("image/svg+xml").insert_header(CONTENT_SECURITY_POLICY).body(svg(&layout)))
}

/// The label of a piece of equipment, as PNG
///
/// As the SVG, at 203 dpi, for label printers.
#[utoipa::path(
    operation_id = "getLabelPng", tag = "labels",
    params(("id" = String, Path, description = "The equipment, by its id here or in the onboarding portal")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "image/png"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/equipment/{id}/qr.png")]
pub(crate) async fn label_png(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let layout = layout(&label(&desk, &id).await?)?;
    Ok(document("image/png").body(png(&layout).map_err(Problem::internal)?))
}

/// How the sheets are used.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sheets {
    /// Labels of the first sheet that were peeled off before: their places stay empty.
    #[serde(default)]
    #[param(minimum = 0, maximum = 23, default = 0)]
    used: usize,
}

/// The labels of a vessel's equipment, to print
///
/// An HTML page of A4 sheets with 24 labels of 70 by 37 mm each, in the order of the codes; equipment that was withdrawn
/// is left out. Print it at 100 %.
#[utoipa::path(
    operation_id = "getLabelSheets", tag = "labels",
    params(
        ("id" = String, Path,
            description = "The vessel, by its IMO number, or by its id here or in the onboarding portal"),
        Sheets,
    ),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`used` is no place"),
    )
)]
#[get("/api/vessels/{id}/labels.html")]
pub(crate) async fn label_sheets(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    id: web::Path<String>,
    how: web::Query<Sheets>,
) -> Result<HttpResponse, Problem> {
    if how.used >= PER_SHEET {
        let detail = format!("is from 0 to {}", PER_SHEET - 1);
        let errors = vec![FieldError::new("#/used", "out_of_range", detail)];
        return Err(Problem::invalid("A sheet has 24 labels.", errors));
    }
    let mut db = desk.store.db().await.or_problem()?;
    let found = labels::label_list(&mut db, &id).await.or_problem()?;
    drop(db);
    let found =
        found.ok_or_else(|| Problem::not_found("vessel_not_found", format!("There is no vessel {id}.")))?;
    let title = found
        .first()
        .map_or_else(|| "No labels".to_owned(), |it| format!("{} (IMO {})", it.vessel_name, it.imo_number));
    // A ship has thousands: drawing them takes a while and would hold up others on this thread.
    let page = web::block(move || {
        let layouts = found.into_iter().map(|it| layout(&it)).collect::<Result<Vec<_>, _>>()?;
        Ok::<_, Problem>(sheets(&title, &layouts, how.used))
    });
    let page = page.await.map_err(Problem::internal)??;
    Ok(document("text/html; charset=utf-8").insert_header(CONTENT_SECURITY_POLICY).body(page))
}

fn document(content_type: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.content_type(content_type).insert_header((header::CACHE_CONTROL, "private, no-cache"));
    response
}

async fn label(desk: &Desk, id: &str) -> Result<labels::Label, Problem> {
    let mut db = desk.store.db().await.or_problem()?;
    let label = labels::label_find(&mut db, id).await.or_problem()?;
    label.ok_or_else(|| Problem::not_found("equipment_not_found", format!("There is no equipment {id}.")))
}

fn layout(it: &labels::Label) -> Result<Layout, Problem> {
    let label = Label {
        qr_code: it.qr_code.clone(),
        vessel: it.vessel_name.clone(),
        imo_number: it.imo_number.clone(),
        tag: format!("{} / {}", it.code, it.unit_number),
        name: it.name.clone(),
    };
    Layout::of(&label).map_err(Problem::internal)
}
