//! Dead letters: list, group and show them. `replays.rs` replays them.

use actix_web::{HttpRequest, HttpResponse, get, web};
use actix_web_lab::extract::Query;
use base64::{Engine, engine::general_purpose::STANDARD};
use chassis::{auth::Viewer, problem::Problem};
use contracts::operator::{
    DeadLetter, DeadLetterDetail, DeadLetterGroup, DeadLetterState, FailureClass, List, RecordType,
};
use domain::{DeadLetterId, SyncId, audit::AuditAction};
use serde::Deserialize;
use serde_json::json;
use store::ledger::{
    attempts,
    dead_letters::{self, DeadLetterFilter},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::{CursorPaging, Paging};
use crate::{app_state::AppState, problems::OrProblem, views};

/// Most attempts that the answer lists, newest first.
const ATTEMPTS_LIMIT: u32 = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterQuery {
    /// Only dead letters in this state, or in one of these.
    #[serde(default)]
    state: Vec<DeadLetterState>,
    /// Only dead letters with this cause, as `fingerprint` names it.
    fingerprint: Option<String>,
    /// Only dead letters from this queue.
    queue: Option<String>,
    /// Only dead letters of this failure class.
    class: Option<FailureClass>,
    /// Only dead letters of this sync.
    sync_id: Option<Uuid>,
    /// Only dead letters about records of this type.
    record_type: Option<RecordType>,
    /// Only dead letters about the record with this id in the onboarding portal.
    source_id: Option<String>,
}

impl DeadLetterQuery {
    fn filter(&self) -> DeadLetterFilter {
        DeadLetterFilter {
            states: self.state.iter().copied().map(Into::into).collect(),
            fingerprint: self.fingerprint.clone(),
            queue: self.queue.clone(),
            class: self.class.map(Into::into),
            sync_id: self.sync_id.map(SyncId::from_uuid),
            record_type: self.record_type.map(Into::into),
            source_id: self.source_id.clone(),
            ..DeadLetterFilter::default()
        }
    }
}

/// List dead letters
#[utoipa::path(
    operation_id = "listDeadLetters", tag = "dead letters", security(("bearer" = ["viewer"])),
    params(CursorPaging, DeadLetterQuery),
    responses((status = 200, body = List<DeadLetter>, headers(("Link", description = "`rel=\"next\"`: the next page, if there is one"))))
)]
#[get("/api/sync/dead-letters")]
pub(crate) async fn list_dead_letters(
    app: web::Data<AppState>,
    _viewer: Viewer,
    request: HttpRequest,
    paging: Query<CursorPaging>,
    query: Query<DeadLetterQuery>,
) -> Result<HttpResponse, Problem> {
    let window = paging.window("dead-letters")?;
    let mut db = app.store.db().await.or_problem()?;
    let page = dead_letters::dead_letter_list(&mut db, &query.filter(), window).await.or_problem()?;
    Ok(paging.list(
        &request,
        "dead-letters",
        page,
        |row| (row.archived_at, row.id),
        |it| views::dead_letters::dead_letter(&it),
    ))
}

/// Get a dead letter with its message and its attempts
#[utoipa::path(
    operation_id = "getDeadLetter", tag = "dead letters", security(("bearer" = ["viewer"])),
    responses((status = 200, body = DeadLetterDetail))
)]
#[get("/api/sync/dead-letters/{id}")]
pub(crate) async fn get_dead_letter(
    app: web::Data<AppState>,
    viewer: Viewer,
    id: web::Path<Uuid>,
) -> Result<web::Json<DeadLetterDetail>, Problem> {
    let id = DeadLetterId::from_uuid(id.into_inner());
    let mut db = app.store.db().await.or_problem()?;
    let letter = dead_letters::dead_letter_find(&mut db, id).await.or_problem()?;
    let letter = letter.ok_or_else(|| dead_letter_not_found(id))?;
    let attempts = attempts::attempts_of(&mut db, &letter.message_id, ATTEMPTS_LIMIT).await.or_problem()?;
    drop(db);
    let (action, detail) = (AuditAction::DeadLetterRead, json!({ "bytes": letter.body.len() }));
    app.record_reading(&viewer, action, &id.to_string(), &detail).await?;
    let summary = views::dead_letters::dead_letter(&letter);
    let (body, body_base64) = match String::from_utf8(letter.body) {
        Ok(text) => (Some(text), None),
        Err(bytes) => (None, Some(STANDARD.encode(bytes.as_bytes()))),
    };
    Ok(web::Json(DeadLetterDetail {
        summary,
        body,
        body_base64,
        headers: letter.headers,
        attempts_made: attempts.into_iter().map(views::syncs::attempt).collect(),
    }))
}

/// Group dead letters by cause
///
/// Groups with dead letters in the state `dead` come first.
#[utoipa::path(
    operation_id = "listDeadLetterGroups", tag = "dead letters", security(("bearer" = ["viewer"])),
    params(Paging, DeadLetterQuery),
    responses((status = 200, body = List<DeadLetterGroup>))
)]
#[get("/api/sync/dead-letters/groups")]
pub(crate) async fn list_dead_letter_groups(
    app: web::Data<AppState>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
    query: Query<DeadLetterQuery>,
) -> Result<web::Json<List<DeadLetterGroup>>, Problem> {
    let window = paging.window::<()>()?;
    let mut db = app.store.db().await.or_problem()?;
    let page = dead_letters::dead_letter_groups(&mut db, &query.filter(), window.limit, window.offset)
        .await
        .or_problem()?;
    Ok(paging.list(page, views::dead_letters::dead_letter_group))
}

pub(super) fn dead_letter_not_found(id: DeadLetterId) -> Problem {
    Problem::not_found("dead_letter_not_found", format!("There is no dead letter {id}."))
}
