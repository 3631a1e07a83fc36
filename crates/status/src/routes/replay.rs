//! Replays: put dead letters back on their way, as jobs whose result is kept per dead letter.

use actix_web::{HttpResponse, get, http::header::LOCATION, post, web};
use chassis::{
    auth::{OperatorRole, Viewer},
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{List, ReplayAccepted, ReplayItem, ReplayJob, ReplayPlan, ReplayRequest};
use domain::{DeadLetterId, SyncId, dead_letter::DeadLetterState as State, update::UpdateName};
use serde_json::json;
use store::{
    engine::replays::{self, ReplayCancelled},
    ledger::{
        dead_letters::{DeadLetterFilter as Filter, dead_letter_find},
        replay_jobs::{self, NewReplayJob},
    },
};
use uuid::Uuid;

use super::{dead_letters::no_such_letter, paging::Paging, sync_control::reason_checked};
use crate::{desk::Desk, failure::OrProblem, views};

/// Most dead letters that one job replays: more come with the next.
const MOST_REPLAYS: u32 = 10_000;
/// Fastest that can be asked for.
const FASTEST: i32 = 1000;

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
    let uuid = id.into_inner();
    let id = DeadLetterId::from_uuid(uuid);
    let letter = dead_letter_find(&mut *desk.store.db().await.or_problem()?, id).await.or_problem()?;
    let letter = letter.ok_or_else(|| no_such_letter(id))?;
    let accepted =
        replay(&desk, &operator, ReplayRequest { ids: vec![uuid], ..ReplayRequest::default() }).await?;
    if accepted.replaying == 0 {
        let detail = format!("It is {}, so there is nothing to replay.", letter.state.as_str());
        return Err(Problem::conflict("not_replayable", detail).with("state", letter.state.as_str()));
    }
    Ok(answer(&accepted))
}

/// Say what a replay would take, without replaying
#[utoipa::path(
    operation_id = "planReplay", tag = "dead letters",
    request_body = ReplayRequest,
    responses(
        (status = 200, body = ReplayPlan),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says why"),
    )
)]
#[post("/api/sync/bulk/replay/plan")]
pub(crate) async fn plan(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    which: web::Json<ReplayRequest>,
) -> Result<web::Json<ReplayPlan>, Problem> {
    let filter = checked(&which)?;
    let mut db = desk.store.db().await.or_problem()?;
    let matching = replay_jobs::replay_count(&mut db, &filter).await.or_problem()?;
    let replaying = views::number(matching.min(MOST_REPLAYS.into()));
    Ok(web::Json(ReplayPlan { matching: views::number(matching), replaying }))
}

/// Replay many dead letters
///
/// As a job: follow it at `Location`. What can be replayed is replayed, the oldest first, at most 10,000 at a time.
#[utoipa::path(
    operation_id = "replayDeadLetters", tag = "dead letters",
    request_body = ReplayRequest,
    responses(
        (status = 202, body = ReplayAccepted, headers(("Location", description = "Where the job can be looked at"))),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says why"),
    )
)]
#[post("/api/sync/bulk/replay")]
pub(crate) async fn replay_many(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    which: web::Json<ReplayRequest>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&replay(&desk, &operator, which.into_inner()).await?))
}

/// Replay jobs, newest first
#[utoipa::path(
    operation_id = "listReplayJobs", tag = "dead letters",
    params(Paging),
    responses((status = 200, body = List<ReplayJob>))
)]
#[get("/api/sync/bulk/replay")]
pub(crate) async fn list_jobs(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
) -> Result<web::Json<List<ReplayJob>>, Problem> {
    let window = paging.window::<()>()?;
    let mut db = desk.store.db().await.or_problem()?;
    let page = replay_jobs::replay_job_list(&mut db, window.limit, window.offset).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    Ok(web::Json(List { data: page.rows.into_iter().map(views::replay_job).collect(), pagination }))
}

/// A replay job, with what became of its dead letters so far
#[utoipa::path(operation_id = "getReplayJob", tag = "dead letters", responses((status = 200, body = ReplayJob)))]
#[get("/api/sync/bulk/replay/{jobId}")]
pub(crate) async fn find_job(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    job_id: web::Path<Uuid>,
) -> Result<web::Json<ReplayJob>, Problem> {
    let id = job_id.into_inner();
    let mut db = desk.store.db().await.or_problem()?;
    let job = replay_jobs::replay_job_find(&mut db, id).await.or_problem()?;
    Ok(web::Json(views::replay_job(job.ok_or_else(|| no_such_job(id))?)))
}

/// The dead letters of a replay job, each with what became of it
#[utoipa::path(
    operation_id = "listReplayItems", tag = "dead letters",
    params(Paging),
    responses((status = 200, body = List<ReplayItem>))
)]
#[get("/api/sync/bulk/replay/{jobId}/items")]
pub(crate) async fn list_items(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    job_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
) -> Result<web::Json<List<ReplayItem>>, Problem> {
    let id = job_id.into_inner();
    let window = paging.window::<()>()?;
    let mut db = desk.store.db().await.or_problem()?;
    if replay_jobs::replay_job_find(&mut db, id).await.or_problem()?.is_none() {
        return Err(no_such_job(id));
    }
    let page = replay_jobs::replay_item_list(&mut db, id, window.limit, window.offset).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    Ok(web::Json(List { data: page.rows.into_iter().map(views::replay_item).collect(), pagination }))
}

/// Stop a replay job
///
/// What is not published yet is a dead letter as before. What is on its way goes on.
#[utoipa::path(
    operation_id = "cancelReplayJob", tag = "dead letters",
    responses(
        (status = 200, body = ReplayJob),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "Nothing is left to stop"),
    )
)]
#[post("/api/sync/bulk/replay/{jobId}/cancel")]
pub(crate) async fn cancel_job(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    job_id: web::Path<Uuid>,
) -> Result<web::Json<ReplayJob>, Problem> {
    let id = job_id.into_inner();
    let mut tx = desk.store.begin().await.or_problem()?;
    let cancelled =
        replays::replay_job_cancel(&mut tx, id, operator.subject(), desk.clock.now()).await.or_problem()?;
    match cancelled {
        ReplayCancelled::Cancelled(_) => {}
        ReplayCancelled::Ended => {
            return Err(Problem::conflict(
                "replay_ended",
                "All of it is published: nothing is left to stop.",
            ));
        }
        ReplayCancelled::Unknown => return Err(no_such_job(id)),
    }
    let job = replay_jobs::replay_job_find(&mut tx, id).await.or_problem()?;
    tx.commit().await.or_problem()?;
    Ok(web::Json(views::replay_job(job.ok_or_else(|| no_such_job(id))?)))
}

async fn replay(
    desk: &Desk,
    operator: &OperatorRole,
    asked: ReplayRequest,
) -> Result<ReplayAccepted, Problem> {
    let which = checked(&asked)?;
    let job = NewReplayJob {
        id: Uuid::now_v7(),
        which,
        asked: json!(asked),
        limit: MOST_REPLAYS,
        rate_per_second: asked.rate_per_second.map(i32::unsigned_abs),
        requested_by: operator.subject().to_owned(),
        reason: asked.reason,
    };
    let mut tx = desk.store.begin().await.or_problem()?;
    let replaying = replays::replay_job_create(&mut tx, &job, desk.clock.now()).await.or_problem()?;
    if replaying.is_empty() {
        // No job of nothing.
        tx.rollback().await;
        return Ok(ReplayAccepted { job_id: job.id, replaying: 0 });
    }
    tx.commit().await.or_problem()?;
    desk.outbox.wake();
    for id in &replaying {
        desk.tell(UpdateName::DeadLetterReplayed, views::replaying(*id)).await;
    }
    Ok(ReplayAccepted { job_id: job.id, replaying: i64::try_from(replaying.len()).unwrap_or(i64::MAX) })
}

fn answer(accepted: &ReplayAccepted) -> HttpResponse {
    let location = format!("/api/sync/bulk/replay/{}", accepted.job_id);
    HttpResponse::Accepted().insert_header((LOCATION, location)).json(accepted)
}

/// Which dead letters are meant; every value that is wrong, at once.
fn checked(asked: &ReplayRequest) -> Result<Filter, Problem> {
    reason_checked(asked.reason.as_deref())?;
    let mut errors = Vec::new();
    let narrowed = asked.fingerprint.is_some()
        || asked.queue.is_some()
        || asked.class.is_some()
        || asked.sync_id.is_some();
    let ways = usize::from(!asked.ids.is_empty()) + usize::from(narrowed) + usize::from(asked.all);
    if ways != 1 {
        let detail =
            "say which by exactly one of ids, all, and a filter of fingerprint, queue, class and syncId";
        errors.push(FieldError::new("#", "exactly_one", detail));
    }
    if asked.rate_per_second.is_some_and(|rate| !(1..=FASTEST).contains(&rate)) {
        let detail = format!("is from 1 to {FASTEST}");
        errors.push(FieldError::new("#/ratePerSecond", "out_of_range", detail));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("It is not clear what to replay.", errors));
    }
    Ok(Filter {
        ids: asked.ids.iter().copied().map(DeadLetterId::from_uuid).collect(),
        // By name, those whose replay died are replayed again; otherwise only those that nobody has touched.
        states: if asked.ids.is_empty() { vec![State::Dead] } else { Vec::new() },
        class: asked.class.map(Into::into),
        queue: asked.queue.clone(),
        fingerprint: asked.fingerprint.clone(),
        sync_id: asked.sync_id.map(SyncId::from_uuid),
    })
}

fn no_such_job(id: Uuid) -> Problem {
    Problem::not_found("replay_job_not_found", format!("There is no replay job {id}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_says_which_in_exactly_one_way() {
        let asked = ReplayRequest::default;
        assert!(checked(&ReplayRequest { all: true, ..asked() }).is_ok());
        assert!(
            checked(&ReplayRequest { fingerprint: Some("f".into()), queue: Some("q".into()), ..asked() })
                .is_ok()
        );
        for wrong in [asked(), ReplayRequest { all: true, queue: Some("sync.tasks".into()), ..asked() }] {
            let problem = checked(&wrong).unwrap_err();
            assert_eq!(problem.body().errors[0].code, "exactly_one");
        }
        let problem = checked(&ReplayRequest { all: true, rate_per_second: Some(0), ..asked() }).unwrap_err();
        assert_eq!(problem.body().errors[0].pointer, "#/ratePerSecond");
    }
}
