//! Labels of equipment: one as an image, or all of a vessel on sheets to print.

use actix_web::{HttpResponse, get, http::header, web};
use chassis::{
    auth::ScopedViewer,
    problem::{FieldError, Problem, ProblemBody},
};
use serde::Deserialize;
use store::views::labels;
use utoipa::IntoParams;

use super::records::known_vessel;
use crate::{
    app_state::AppState,
    fleet_part::load_fleet_part,
    labels::{Label, Layout, PER_SHEET, render_png, render_sheets, render_svg},
    problems::{OrProblem, vessel_not_found},
};

/// A label contains names from outside: a browser shows the document and runs nothing in it.
const CONTENT_SECURITY_POLICY: (header::HeaderName, &str) =
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-modals");

/// Get the label of a piece of equipment as SVG
///
/// The label measures 70 by 37 mm. It shows a QR symbol of the equipment's code (error correction level Q, quiet zone of
/// four modules), the vessel, its IMO number, the SFI code with the unit number, the name, and the code as text.
#[utoipa::path(
    operation_id = "getLabelSvg", tag = "labels", security(("bearer" = ["viewer"])),
    params(("id" = String, Path, description = "Id of the equipment in the maintenance portal or in the onboarding portal")),
    responses((status = 200, body = String, content_type = "image/svg+xml", description = "The label"))
)]
#[get("/api/equipment/{id}/qr.svg")]
pub(crate) async fn get_label_svg(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let layout = layout_label(&load_label(&app, &viewer, &id).await?)?;
    Ok(document_response("image/svg+xml").insert_header(CONTENT_SECURITY_POLICY).body(render_svg(&layout)))
}

/// Get the label of a piece of equipment as PNG
///
/// The same label as the SVG, at 203 dpi for label printers.
#[utoipa::path(
    operation_id = "getLabelPng", tag = "labels", security(("bearer" = ["viewer"])),
    params(("id" = String, Path, description = "Id of the equipment in the maintenance portal or in the onboarding portal")),
    responses((status = 200, content_type = "image/png", description = "The label"))
)]
#[get("/api/equipment/{id}/qr.png")]
pub(crate) async fn get_label_png(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let layout = layout_label(&load_label(&app, &viewer, &id).await?)?;
    Ok(document_response("image/png").body(render_png(&layout).map_err(Problem::internal)?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SheetQuery {
    /// Number of labels that are already peeled off the first sheet: their places stay empty.
    #[serde(default)]
    #[param(minimum = 0, maximum = 23, default = 0)]
    used: usize,
}

/// Get the labels of a vessel's equipment as sheets to print
///
/// An HTML page of A4 sheets with 24 labels of 70 by 37 mm each, in the order of the SFI codes, without withdrawn
/// equipment. Print it at 100 %.
#[utoipa::path(
    operation_id = "getLabelSheets", tag = "labels", security(("bearer" = ["viewer"])),
    params(
        ("id" = String, Path,
            description = "IMO number of the vessel, or its id in the maintenance portal or in the onboarding portal"),
        SheetQuery,
    ),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The sheets"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`used` is out of range"),
    )
)]
#[get("/api/vessels/{id}/labels.html")]
pub(crate) async fn get_label_sheets(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    id: web::Path<String>,
    query: web::Query<SheetQuery>,
) -> Result<HttpResponse, Problem> {
    if query.used >= PER_SHEET {
        let detail = format!("must be from 0 to {}", PER_SHEET - 1);
        let errors = vec![FieldError::new("#/used", "out_of_range", detail)];
        return Err(Problem::invalid("A sheet has 24 labels, so at most 23 of them can be used.", errors));
    }
    let mut db = app.store.db().await.or_problem()?;
    let part = load_fleet_part(&mut db, &viewer).await?;
    known_vessel(&mut db, part.as_ref(), &id).await?;
    let found = labels::label_list(&mut db, &id).await.or_problem()?;
    drop(db);
    let found = found.ok_or_else(|| vessel_not_found(&id))?;
    let title = found
        .first()
        .map_or_else(|| "No labels".to_owned(), |it| format!("{} (IMO {})", it.vessel_name, it.imo_number));
    // A vessel has thousands of labels: drawing them here would block the other requests of this thread.
    let page = web::block(move || {
        let layouts = found.into_iter().map(|it| layout_label(&it)).collect::<Result<Vec<_>, _>>()?;
        Ok::<_, Problem>(render_sheets(&title, &layouts, query.used))
    });
    let page = page.await.map_err(Problem::internal)??;
    Ok(document_response("text/html; charset=utf-8").insert_header(CONTENT_SECURITY_POLICY).body(page))
}

fn document_response(content_type: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.content_type(content_type).insert_header((header::CACHE_CONTROL, "private, no-cache"));
    response
}

async fn load_label(app: &AppState, viewer: &ScopedViewer, id: &str) -> Result<labels::Label, Problem> {
    let mut db = app.store.db().await.or_problem()?;
    let part = load_fleet_part(&mut db, viewer).await?;
    let label = labels::label_find(&mut db, id).await.or_problem()?;
    let label = label.filter(|it| part.is_none_or(|part| part.has_vessel(&it.vessel_id)));
    label.ok_or_else(|| Problem::not_found("equipment_not_found", format!("There is no equipment {id}.")))
}

fn layout_label(it: &labels::Label) -> Result<Layout, Problem> {
    let label = Label {
        qr_code: it.qr_code.clone(),
        vessel: it.vessel_name.clone(),
        imo_number: it.imo_number.clone(),
        tag: format!("{} / {}", it.code, it.unit_number),
        name: it.name.clone(),
    };
    Layout::of(&label).map_err(Problem::internal)
}
