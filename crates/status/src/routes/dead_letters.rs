//! Dead letters: look at them, put them back on their way.

use actix_web::{HttpResponse, get, post, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use chassis::{
    auth::{OperatorRole, Viewer},
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{DeadLetter, DeadLetterDetail, List, ReplayAccepted, ReplayRequest};
use domain::DeadLetterId;
use serde::Deserialize;
use store::dead_letters::{self, DeadLetterFilter as Filter, DeadLetterState as State};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::paging::Paging;
use crate::{desk::Desk, failure::OrProblem, views};

/// Most dead letters that one request replays: more come with the next.
const MOST_REPLAYS: u32 = 10_000;
/// Most attempts that are shown with a dead letter.
const ATTEMPTS_SHOWN: u32 = 50;

/// Where a dead letter stands.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeadLetterState {
    /// Waits for a person.
    Dead,
    /// Asked to be replayed, not yet back in its queue.
    Replaying,
    /// Back in its queue.
    Replayed,
    /// Its replay was done.
    Succeeded,
}

/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterFilter {
    /// Only those in this state.
    #[param(inline)]
    state: Option<DeadLetterState>,
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
    let states = filter.state.map(state).into_iter().collect();
    let filter = Filter { states, ..Filter::default() };
    let mut db = desk.store.db().await.or_problem()?;
    let page = dead_letters::dead_letter_list(&mut db, &filter, window).await.or_problem()?;
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
    let attempts =
        store::overview::attempts_of(&mut db, &letter.message_id, ATTEMPTS_SHOWN).await.or_problem()?;
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

/// Replay a dead letter
///
/// It goes back to the queue it died in, with a new budget of attempts.
#[utoipa::path(
    operation_id = "replayDeadLetter", tag = "dead letters",
    responses(
        (status = 202, body = ReplayAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "It is not dead"),
    )
)]
#[post("/api/sync/dead-letters/{id}/replay")]
pub(crate) async fn replay_one(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let id = DeadLetterId::from_uuid(id.into_inner());
    let mut db = desk.store.db().await.or_problem()?;
    let letter = dead_letters::dead_letter_find(&mut db, id).await.or_problem()?;
    drop(db);
    let letter = letter.ok_or_else(|| no_such_letter(id))?;
    let filter = Filter { ids: vec![id], ..Filter::default() };
    let replaying = replay(&desk, &operator, &filter).await?;
    if replaying == 0 {
        let detail = format!("It is {}, so there is nothing to replay.", letter.state.as_str());
        return Err(Problem::conflict("not_replayable", detail).with("state", letter.state.as_str()));
    }
    Ok(HttpResponse::Accepted().json(ReplayAccepted { replaying }))
}

/// Replay many dead letters
#[utoipa::path(
    operation_id = "replayDeadLetters", tag = "dead letters",
    request_body = ReplayRequest,
    responses(
        (status = 202, body = ReplayAccepted),
        (status = 422, body = ProblemBody, content_type = "application/problem+json",
            description = "Not exactly one of `ids`, `fingerprint` and `all`"),
    )
)]
#[post("/api/sync/bulk/replay")]
pub(crate) async fn replay_many(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    which: web::Json<ReplayRequest>,
) -> Result<HttpResponse, Problem> {
    let ReplayRequest { ids, fingerprint, all } = which.into_inner();
    let ways = usize::from(!ids.is_empty()) + usize::from(fingerprint.is_some()) + usize::from(all);
    if ways != 1 {
        let errors =
            vec![FieldError::new("#", "exactly_one", "name exactly one of ids, fingerprint and all")];
        return Err(Problem::invalid("It is not clear what to replay.", errors));
    }
    // By name, those whose replay died are replayed again; by cause or all, only those that nobody has touched.
    let states = if ids.is_empty() { vec![State::Dead] } else { Vec::new() };
    let ids = ids.into_iter().map(DeadLetterId::from_uuid).collect();
    let filter = Filter { ids, states, fingerprint, ..Filter::default() };
    let replaying = replay(&desk, &operator, &filter).await?;
    Ok(HttpResponse::Accepted().json(ReplayAccepted { replaying }))
}

async fn replay(desk: &Desk, operator: &OperatorRole, filter: &Filter) -> Result<i64, Problem> {
    let mut tx = desk.store.begin().await.or_problem()?;
    let replaying =
        dead_letters::replay_request(&mut tx, filter, MOST_REPLAYS, operator.subject(), desk.clock.now())
            .await
            .or_problem()?;
    tx.commit().await.or_problem()?;
    for id in &replaying {
        desk.tell("deadletter.replayed", views::replaying(*id)).await;
    }
    Ok(i64::try_from(replaying.len()).unwrap_or(i64::MAX))
}

fn state(asked: DeadLetterState) -> State {
    match asked {
        DeadLetterState::Dead => State::Dead,
        DeadLetterState::Replaying => State::Replaying,
        DeadLetterState::Replayed => State::Replayed,
        DeadLetterState::Succeeded => State::Succeeded,
    }
}

fn no_such_letter(id: DeadLetterId) -> Problem {
    Problem::not_found("dead_letter_not_found", format!("There is no dead letter {id}."))
}
