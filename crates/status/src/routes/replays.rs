//! Replays of dead letters. A replay is a job, which keeps the result of each dead letter.

use actix_web::{HttpResponse, get, http::StatusCode, post, web};
use chassis::{
    auth::{OperatorRole, Viewer},
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{
    List, ReplayAccepted, ReplayItem, ReplayItemState, ReplayJob, ReplayPlan, ReplayRequest,
};
use domain::{DeadLetterId, SyncId, dead_letter::DeadLetterState, update::UpdateName};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{
    engine::replays::{self, ReplayCancelled},
    ledger::{
        dead_letters::{DeadLetterFilter, dead_letter_find},
        replay_jobs::{self, NewReplayJob},
    },
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{dead_letters::dead_letter_not_found, paging::Paging, reason::reason_error};
use crate::{
    app_state::AppState,
    idempotency::{Claimed, IdempotencyHeader, IdempotencyKey, respond_again},
    problems::OrProblem,
    saturating::to_i64,
    views::{
        replays::{replay_item, replay_job},
        updates::dead_letter_replaying_update,
    },
};

/// Most dead letters that one job replays.
const REPLAY_LIMIT: u32 = 10_000;
/// Most messages per second that a request may ask for.
const RATE_LIMIT: i32 = 1000;

/// Replay a dead letter
///
/// Publishes its message to the queue that it came from, with all its retries again.
#[utoipa::path(
    operation_id = "replayDeadLetter", tag = "dead letters", security(("bearer" = ["operator"])),
    params(IdempotencyHeader),
    responses(
        (status = 202, body = ReplayAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The dead letter is being replayed, or its replay succeeded"),
    )
)]
#[post("/api/sync/dead-letters/{id}/replay")]
pub(crate) async fn replay_dead_letter(
    app: web::Data<AppState>,
    operator: OperatorRole,
    id: web::Path<Uuid>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    let uuid = id.into_inner();
    let id = DeadLetterId::from_uuid(uuid);
    let letter = dead_letter_find(&mut *app.store.db().await.or_problem()?, id).await.or_problem()?;
    let letter = letter.ok_or_else(|| dead_letter_not_found(id))?;
    let request = ReplayRequest { ids: vec![uuid], ..ReplayRequest::default() };
    match create_job(&app, &operator, key, request).await? {
        JobCreated::Accepted(answer) => Ok(answer),
        JobCreated::NothingToReplay(_) => {
            let detail =
                format!("The dead letter cannot be replayed: its state is {}.", letter.state.as_str());
            Err(Problem::conflict("not_replayable", detail).with("state", letter.state.as_str()))
        }
    }
}

/// Count the dead letters that a replay would take
///
/// Replays nothing.
#[utoipa::path(
    operation_id = "planReplay", tag = "dead letters", security(("bearer" = ["viewer"])),
    request_body = ReplayRequest,
    responses((status = 200, body = ReplayPlan))
)]
#[post("/api/sync/bulk/replay/plan")]
pub(crate) async fn plan_replay(
    app: web::Data<AppState>,
    _viewer: Viewer,
    request: JsonBody<ReplayRequest>,
) -> Result<web::Json<ReplayPlan>, Problem> {
    let filter = read_filter(&request)?;
    let mut db = app.store.db().await.or_problem()?;
    let matching = replay_jobs::replay_count(&mut db, &filter).await.or_problem()?;
    let replaying = to_i64(matching.min(REPLAY_LIMIT.into()));
    Ok(web::Json(ReplayPlan { matching: to_i64(matching), replaying }))
}

/// Replay many dead letters
///
/// Starts a job that replays the oldest dead letters first, at most 10,000. Poll the job at `Location`.
#[utoipa::path(
    operation_id = "replayDeadLetters", tag = "dead letters", security(("bearer" = ["operator"])),
    params(IdempotencyHeader),
    request_body = ReplayRequest,
    responses((status = 202, body = ReplayAccepted, headers(("Location", description = "Path of the job"))))
)]
#[post("/api/sync/bulk/replay")]
pub(crate) async fn replay_dead_letters(
    app: web::Data<AppState>,
    operator: OperatorRole,
    key: IdempotencyKey,
    request: JsonBody<ReplayRequest>,
) -> Result<HttpResponse, Problem> {
    let (again, asked) = (key.clone(), json!(*request));
    match create_job(&app, &operator, key, request.into_inner()).await? {
        JobCreated::Accepted(answer) => Ok(answer),
        JobCreated::NothingToReplay(accepted) => {
            keep_nothing(&app, &operator, again, &asked, &accepted).await
        }
    }
}

/// List replay jobs, newest first
#[utoipa::path(
    operation_id = "listReplayJobs", tag = "dead letters", security(("bearer" = ["viewer"])),
    params(Paging),
    responses((status = 200, body = List<ReplayJob>))
)]
#[get("/api/sync/bulk/replay")]
pub(crate) async fn list_replay_jobs(
    app: web::Data<AppState>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
) -> Result<web::Json<List<ReplayJob>>, Problem> {
    let window = paging.window::<()>()?;
    let mut db = app.store.db().await.or_problem()?;
    let page = replay_jobs::replay_job_list(&mut db, window.limit, window.offset).await.or_problem()?;
    Ok(paging.list(page, replay_job))
}

/// Get a replay job with its counts
#[utoipa::path(
    operation_id = "getReplayJob", tag = "dead letters", security(("bearer" = ["viewer"])),
    responses((status = 200, body = ReplayJob))
)]
#[get("/api/sync/bulk/replay/{jobId}")]
pub(crate) async fn get_replay_job(
    app: web::Data<AppState>,
    _viewer: Viewer,
    job_id: web::Path<Uuid>,
) -> Result<web::Json<ReplayJob>, Problem> {
    let id = job_id.into_inner();
    let mut db = app.store.db().await.or_problem()?;
    let job = replay_jobs::replay_job_find(&mut db, id).await.or_problem()?;
    Ok(web::Json(replay_job(job.ok_or_else(|| replay_job_not_found(id))?)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReplayItemQuery {
    /// Only dead letters with this outcome.
    outcome: Option<ReplayItemState>,
}

/// List the dead letters of a replay job, each with its outcome
#[utoipa::path(
    operation_id = "listReplayItems", tag = "dead letters", security(("bearer" = ["viewer"])),
    params(Paging, ReplayItemQuery),
    responses((status = 200, body = List<ReplayItem>))
)]
#[get("/api/sync/bulk/replay/{jobId}/items")]
pub(crate) async fn list_replay_items(
    app: web::Data<AppState>,
    _viewer: Viewer,
    job_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
    query: web::Query<ReplayItemQuery>,
) -> Result<web::Json<List<ReplayItem>>, Problem> {
    let id = job_id.into_inner();
    let window = paging.window::<()>()?;
    let mut db = app.store.db().await.or_problem()?;
    if replay_jobs::replay_job_find(&mut db, id).await.or_problem()?.is_none() {
        return Err(replay_job_not_found(id));
    }
    let page = replay_jobs::replay_item_list(&mut db, id, query.outcome.map(Into::into), window)
        .await
        .or_problem()?;
    Ok(paging.list(page, replay_item))
}

/// Cancel a replay job
///
/// Dead letters that the job has not published are in the state `dead` again. Published messages are still processed.
#[utoipa::path(
    operation_id = "cancelReplayJob", tag = "dead letters", security(("bearer" = ["operator"])),
    responses(
        (status = 200, body = ReplayJob),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The job has published all its messages"),
    )
)]
#[post("/api/sync/bulk/replay/{jobId}/cancel")]
pub(crate) async fn cancel_replay_job(
    app: web::Data<AppState>,
    operator: OperatorRole,
    job_id: web::Path<Uuid>,
) -> Result<web::Json<ReplayJob>, Problem> {
    let id = job_id.into_inner();
    let mut tx = app.begin(&operator).await?;
    let cancelled =
        replays::replay_job_cancel(&mut tx, id, operator.subject(), app.clock.now()).await.or_problem()?;
    match cancelled {
        ReplayCancelled::Cancelled(_) => {}
        ReplayCancelled::Ended => {
            return Err(Problem::conflict(
                "replay_ended",
                "The job has published all its messages, so there is nothing to cancel.",
            ));
        }
        ReplayCancelled::Unknown => return Err(replay_job_not_found(id)),
    }
    let job = replay_jobs::replay_job_find(&mut tx, id).await.or_problem()?;
    tx.commit().await.or_problem()?;
    Ok(web::Json(replay_job(job.ok_or_else(|| replay_job_not_found(id))?)))
}

enum JobCreated {
    /// With the answer.
    Accepted(HttpResponse),
    /// A job without dead letters is not kept.
    NothingToReplay(ReplayAccepted),
}

async fn create_job(
    app: &AppState,
    operator: &OperatorRole,
    key: IdempotencyKey,
    request: ReplayRequest,
) -> Result<JobCreated, Problem> {
    let which = read_filter(&request)?;
    let job = NewReplayJob {
        id: Uuid::now_v7(),
        which,
        asked: json!(request),
        limit: REPLAY_LIMIT,
        rate_per_second: request.rate_per_second.map(i32::unsigned_abs),
        requested_by: operator.subject().to_owned(),
        reason: request.reason,
    };
    let now = app.clock.now();
    let mut tx = app.begin(operator).await?;
    let claim = match key.claim(&mut tx, operator, &job.asked, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            tx.rollback().await;
            return Ok(JobCreated::Accepted(respond_again(&answer)));
        }
    };
    let replaying = replays::replay_job_create(&mut tx, &job, now).await.or_problem()?;
    if replaying.is_empty() {
        tx.rollback().await;
        return Ok(JobCreated::NothingToReplay(ReplayAccepted { job_id: job.id, replaying: 0 }));
    }
    let accepted = ReplayAccepted { job_id: job.id, replaying: to_i64(replaying.len()) };
    let answer = claim.keep(&mut tx, StatusCode::ACCEPTED, Some(location(job.id)), &accepted).await?;
    tx.commit().await.or_problem()?;
    app.outbox.wake();
    for id in &replaying {
        app.publish_update(UpdateName::DeadLetterReplayed, dead_letter_replaying_update(*id));
    }
    Ok(JobCreated::Accepted(answer))
}

/// The answer of a replay that selects no dead letter. It is kept: sent again, the request selects none that died since.
async fn keep_nothing(
    app: &AppState,
    operator: &OperatorRole,
    key: IdempotencyKey,
    asked: &Value,
    accepted: &ReplayAccepted,
) -> Result<HttpResponse, Problem> {
    let mut tx = app.begin(operator).await?;
    let answer = match key.claim(&mut tx, operator, asked, app.clock.now()).await? {
        Claimed::First(claim) => {
            let location = Some(location(accepted.job_id));
            claim.keep(&mut tx, StatusCode::ACCEPTED, location, accepted).await?
        }
        Claimed::Again(answer) => respond_again(&answer),
    };
    tx.commit().await.or_problem()?;
    Ok(answer)
}

fn location(job: Uuid) -> String {
    format!("/api/sync/bulk/replay/{job}")
}

/// The dead letters that the request selects. The problem names all wrong fields at once.
fn read_filter(request: &ReplayRequest) -> Result<DeadLetterFilter, Problem> {
    let mut errors = Vec::from_iter(reason_error(request.reason.as_deref()));
    let has_filter = request.fingerprint.is_some()
        || request.queue.is_some()
        || request.class.is_some()
        || request.sync_id.is_some()
        || request.record_type.is_some()
        || request.source_id.is_some();
    let ways = usize::from(!request.ids.is_empty()) + usize::from(has_filter) + usize::from(request.all);
    if ways != 1 {
        let detail = "must have exactly one of ids, all, and a filter of fingerprint, queue, class, syncId, recordType and sourceId";
        errors.push(FieldError::new("#", "exactly_one", detail));
    }
    if request.rate_per_second.is_some_and(|rate| !(1..=RATE_LIMIT).contains(&rate)) {
        let detail = format!("must be from 1 to {RATE_LIMIT}");
        errors.push(FieldError::new("#/ratePerSecond", "out_of_range", detail));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("The replay cannot be started.", errors));
    }
    Ok(DeadLetterFilter {
        ids: request.ids.iter().copied().map(DeadLetterId::from_uuid).collect(),
        // A dead letter named by its id may have been replayed before; a filter selects only those in state dead.
        states: if request.ids.is_empty() { vec![DeadLetterState::Dead] } else { Vec::new() },
        class: request.class.map(Into::into),
        queue: request.queue.clone(),
        fingerprint: request.fingerprint.clone(),
        sync_id: request.sync_id.map(SyncId::from_uuid),
        record_type: request.record_type.map(Into::into),
        source_id: request.source_id.clone(),
    })
}

fn replay_job_not_found(id: Uuid) -> Problem {
    Problem::not_found("replay_job_not_found", format!("There is no replay job {id}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replay_must_select_dead_letters_in_exactly_one_way() {
        let request = ReplayRequest::default;
        assert!(read_filter(&ReplayRequest { all: true, ..request() }).is_ok());
        assert!(
            read_filter(&ReplayRequest {
                fingerprint: Some("f".into()),
                queue: Some("q".into()),
                ..request()
            })
            .is_ok()
        );
        for wrong in [request(), ReplayRequest { all: true, queue: Some("sync.tasks".into()), ..request() }] {
            let problem = read_filter(&wrong).unwrap_err();
            assert_eq!(problem.body().errors[0].code, "exactly_one");
        }
        let problem =
            read_filter(&ReplayRequest { all: true, rate_per_second: Some(0), ..request() }).unwrap_err();
        assert_eq!(problem.body().errors[0].pointer, "#/ratePerSecond");
    }
}
