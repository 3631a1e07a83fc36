//! Search over records, syncs, webhook events, dead letters and traces.

use actix_web::{get, web};
use chassis::{
    auth::{Role, Viewer},
    problem::Problem,
};
use contracts::operator::{SearchGroup, SearchHit, SearchResult};
use domain::{RecordType, audit::AuditAction, search::HitKind};
use serde::Deserialize;
use serde_json::json;
use store::views::search::{self, Hit, HitGroup};
use utoipa::IntoParams;

use super::records::parse_text;
use crate::{app_state::AppState, problems::OrProblem, views::records::record_link};

/// Hits of a kind.
const HITS_LIMIT: u32 = 10;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// Text to search for.
    #[param(min_length = 2, max_length = 200)]
    q: String,
}

/// Search for anything
///
/// Names are found by any part of three letters or digits, shorter texts at the beginning of a name; IMO numbers, tags, SFI
/// codes, QR codes and ids in the onboarding portal by their beginning; ids of this system by eight hexadecimal digits or more;
/// a webhook by its `webhook-id`, and what a request has caused by its trace id. Capital and small letters are the same in names
/// and QR codes. Names and e-mail addresses of users are searched for admins only.
#[utoipa::path(
    operation_id = "searchAll", tag = "records", security(("bearer" = ["viewer"])),
    params(SearchQuery),
    responses((status = 200, body = SearchResult))
)]
#[get("/api/search")]
pub(crate) async fn search_all(
    app: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<SearchQuery>,
) -> Result<web::Json<SearchResult>, Problem> {
    let text = parse_text(&query.q)?;
    let is_admin = viewer.role() >= Role::Admin;
    let groups = search::search(&app.store, &text, is_admin, HITS_LIMIT).await.or_problem()?;
    let of_users = groups.iter().filter(|it| it.kind == HitKind::User).flat_map(|it| &it.hits);
    let users: Vec<_> = of_users.map(|it| &it.id).collect();
    if is_admin && !users.is_empty() {
        let detail = json!({ "search": text.as_str(), "users": users });
        app.record_reading(&viewer, AuditAction::UserRead, "users", &detail).await?;
    }
    let cut_short = groups.iter().any(|it| it.is_cut_short);
    let told = groups.into_iter().filter(|it| !it.hits.is_empty() || it.is_cut_short);
    Ok(web::Json(SearchResult {
        query: text.as_str().to_owned(),
        groups: told.map(|it| group(it, is_admin)).collect(),
        cut_short,
    }))
}

fn group(it: HitGroup, is_admin: bool) -> SearchGroup {
    let hit = |hit: Hit| SearchHit {
        link: link(it.kind, &hit.id, is_admin),
        id: hit.id,
        title: hit.title,
        subtitle: hit.subtitle,
        matched: hit.matched.into(),
        standing: hit.standing.map(Into::into),
    };
    SearchGroup {
        kind: it.kind.into(),
        more: it.has_more,
        cut_short: it.is_cut_short,
        hits: it.hits.into_iter().map(hit).collect(),
    }
}

fn link(kind: HitKind, id: &str, is_admin: bool) -> String {
    match kind {
        HitKind::Vessel => record_link(RecordType::Vessel, id),
        HitKind::Equipment => record_link(RecordType::Equipment, id),
        HitKind::User => record_link(RecordType::User, id),
        HitKind::Company => record_link(RecordType::Company, id),
        HitKind::Sync => format!("/api/sync/status/{id}"),
        HitKind::Webhook => format!("/api/sync/webhooks/{id}"),
        HitKind::DeadLetter => format!("/api/sync/dead-letters/{id}"),
        // The audit log is for admins; others find what the trace has caused by its id.
        HitKind::Trace if is_admin => format!("/api/sync/audit?traceId={id}"),
        HitKind::Trace => format!("/api/search?q={id}"),
    }
}
