//! Dead letters: look at them, one by one or by what they have in common.

use actix_web::{get, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use chassis::{auth::Viewer, problem::Problem};
use contracts::operator::{
    DeadLetter, DeadLetterDetail, DeadLetterGroup, DeadLetterState, FailureClass, List,
};
use domain::{DeadLetterId, SyncId};
use serde::Deserialize;
use store::ledger::dead_letters::{self, DeadLetterFilter as Filter};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{desk::Desk, failure::OrProblem, views};

/// Most attempts that are shown with a dead letter.
const ATTEMPTS_SHOWN: u32 = 50;

/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterFilter {
    /// Only those in this state.
    state: Option<DeadLetterState>,
    /// Only those of this cause.
    fingerprint: Option<String>,
    /// Only those of this queue.
    queue: Option<String>,
    /// Only those of this class.
    class: Option<FailureClass>,
    /// Only those of this sync.
    sync_id: Option<Uuid>,
}

impl DeadLetterFilter {
    fn of_store(&self) -> Filter {
        Filter {
            states: self.state.map(Into::into).into_iter().collect(),
            fingerprint: self.fingerprint.clone(),
            queue: self.queue.clone(),
            class: self.class.map(Into::into),
            sync_id: self.sync_id.map(SyncId::from_uuid),
            ..Filter::default()
        }
    }
}

/// Dead letters, newest first
#[utoipa::path(
    operation_id = "listDeadLetters", tag = "dead letters",
    params(Paging, DeadLetterFilter),
    responses((status = 200, body = List<DeadLetter>))
)]
#[get("/api/sync/dead-letters")]
pub(crate) async fn list(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
    filter: web::Query<DeadLetterFilter>,
) -> Result<web::Json<List<DeadLetter>>, Problem> {
    let window = paging.window()?;
    let mut db = desk.store.db().await.or_problem()?;
    let page = dead_letters::dead_letter_list(&mut db, &filter.of_store(), window).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    Ok(web::Json(List { data: page.rows.iter().map(views::dead_letter).collect(), pagination }))
}

/// A dead letter, whole
#[utoipa::path(operation_id = "getDeadLetter", tag = "dead letters", responses((status = 200, body = DeadLetterDetail)))]
#[get("/api/sync/dead-letters/{id}")]
pub(crate) async fn find(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    id: web::Path<Uuid>,
) -> Result<web::Json<DeadLetterDetail>, Problem> {
    let id = DeadLetterId::from_uuid(id.into_inner());
    let mut db = desk.store.db().await.or_problem()?;
    let letter =
        dead_letters::dead_letter_find(&mut db, id).await.or_problem()?.ok_or_else(|| no_such_letter(id))?;
    let attempts = store::ledger::attempts::attempts_of(&mut db, &letter.message_id, ATTEMPTS_SHOWN)
        .await
        .or_problem()?;
    let summary = views::dead_letter(&letter);
    let (body, body_base64) = match String::from_utf8(letter.body) {
        Ok(text) => (Some(text), None),
        Err(bytes) => (None, Some(STANDARD.encode(bytes.as_bytes()))),
    };
    Ok(web::Json(DeadLetterDetail {
        summary,
        body,
        body_base64,
        headers: letter.headers,
        attempts_made: attempts.into_iter().map(views::attempt).collect(),
    }))
}

/// Dead letters by what they have in common, those that wait for somebody first
#[utoipa::path(
    operation_id = "listDeadLetterGroups", tag = "dead letters",
    params(Paging, DeadLetterFilter),
    responses((status = 200, body = List<DeadLetterGroup>))
)]
#[get("/api/sync/dead-letters/groups")]
pub(crate) async fn groups(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
    filter: web::Query<DeadLetterFilter>,
) -> Result<web::Json<List<DeadLetterGroup>>, Problem> {
    let window = paging.window::<()>()?;
    let mut db = desk.store.db().await.or_problem()?;
    let page = dead_letters::dead_letter_groups(&mut db, &filter.of_store(), window.limit, window.offset)
        .await
        .or_problem()?;
    let pagination = paging.with_total(page.total);
    Ok(web::Json(List { data: page.rows.into_iter().map(views::dead_letter_group).collect(), pagination }))
}

pub(super) fn no_such_letter(id: DeadLetterId) -> Problem {
    Problem::not_found("dead_letter_not_found", format!("There is no dead letter {id}."))
}
