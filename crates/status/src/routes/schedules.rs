//! Schedules: add, change, pause, resume and delete them.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use chassis::{
    auth::{Admin, OperatorRole, Viewer},
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use chrono::{DateTime, Utc};
use contracts::{
    messages::{SettingsNotice, sync_update},
    operator::{
        Mode, Schedule, ScheduleDefinition, ScheduleList, SchedulePauseRequest, SchedulePreset,
        TriggerRequest,
    },
};
use domain::{
    schedule::{ScheduleName, ScheduleSelection},
    update::UpdateName,
};
use store::{
    Db, Tx,
    settings::schedules::{
        self, SCHEDULES_LIMIT, ScheduleChanged, schedule_create, schedule_delete, schedule_find,
        schedule_list, schedule_pause, schedule_resume, schedule_update,
    },
    settings::sync_settings::settings_read,
    views::ticks::{Tick, last_ticks},
};

use super::{
    etag::{self, Precondition},
    reason::reason_error,
    settings_change::schedule_errors,
    ticks,
    trigger_request::check_trigger,
};
use crate::{
    app_state::AppState,
    problems::OrProblem,
    saturating::to_i64,
    schedule::{ZonedSchedule, next_run, pause, preview_of},
};

/// List schedules, by name
///
/// With expressions for common needs.
#[utoipa::path(
    operation_id = "listSchedules", tag = "schedules", security(("bearer" = ["viewer"])),
    responses((status = 200, body = ScheduleList))
)]
#[get("/api/sync/schedules")]
pub(crate) async fn list_schedules(
    app: web::Data<AppState>,
    _viewer: Viewer,
) -> Result<web::Json<ScheduleList>, Problem> {
    let now = app.clock.now();
    let mut db = app.store.db().await.or_problem()?;
    let schedules = schedule_list(&mut db).await.or_problem()?;
    let mut last = load_last_ticks(&mut db).await?;
    let data = schedules.into_iter().map(|it| {
        let tick = last.remove(it.name.as_str());
        view(it, tick, now)
    });
    Ok(web::Json(ScheduleList { data: data.collect(), presets: presets() }))
}

/// Get a schedule
#[utoipa::path(
    operation_id = "getSchedule", tag = "schedules", security(("bearer" = ["viewer"])),
    responses((status = 200, body = Schedule, headers(("ETag", description = "Version, for `If-Match`"))))
)]
#[get("/api/sync/schedules/{name}")]
pub(crate) async fn get_schedule(
    app: web::Data<AppState>,
    _viewer: Viewer,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let name = known_name(&name)?;
    let mut db = app.store.db().await.or_problem()?;
    let schedule =
        schedule_find(&mut db, &name).await.or_problem()?.ok_or_else(|| not_found(name.as_str()))?;
    answer(&app, &mut db, schedule, HttpResponse::Ok).await
}

/// Add or replace a schedule
///
/// Without `If-Match`, a new schedule is added. With it, the schedule that is there is replaced: what the body leaves out has its
/// default again. The same definition makes no new version. The schedule `full-sync` is the one that the settings show, too.
#[utoipa::path(
    operation_id = "putSchedule", tag = "schedules", security(("bearer" = ["admin"])),
    request_body = ScheduleDefinition,
    params(("If-Match" = Option<String>, Header,
        description = "`ETag` of the schedule that the change is based on; absent for a new schedule")),
    responses(
        (status = 200, body = Schedule, headers(("ETag", description = "Version"))),
        (status = 201, body = Schedule, headers(("ETag", description = "Version"))),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "There are as many schedules as there may be"),
        (status = 412, body = ProblemBody, content_type = "application/problem+json",
            description = "The schedule has changed since it was read, or is not there"),
        (status = 428, body = ProblemBody, content_type = "application/problem+json",
            description = "There is a schedule of this name, and the header `If-Match` is missing"),
    )
)]
#[put("/api/sync/schedules/{name}")]
pub(crate) async fn put_schedule(
    app: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    name: web::Path<String>,
    body: JsonBody<ScheduleDefinition>,
) -> Result<HttpResponse, Problem> {
    let precondition = etag::precondition(&request)?;
    let (name, definition) = check(&name, body.into_inner())?;
    let now = app.clock.now();
    let mut tx = app.begin(&admin).await?;
    let actor = admin.subject();
    let expected = match precondition {
        Precondition::None | Precondition::AnyVersion => None,
        Precondition::Version(version) => Some(version),
    };
    let (changed, status): (_, fn() -> actix_web::HttpResponseBuilder) = match precondition {
        Precondition::None => {
            (schedule_create(&mut tx, &name, &definition, actor, now).await, HttpResponse::Created)
        }
        Precondition::AnyVersion | Precondition::Version(_) => {
            (schedule_update(&mut tx, &name, &definition, expected, actor, now).await, HttpResponse::Ok)
        }
    };
    let schedule = match changed.or_problem()? {
        ScheduleChanged::Done(schedule) => schedule,
        ScheduleChanged::Stale(_) if precondition == Precondition::None => {
            // The same words as for all that is changed without having been read.
            return Err(etag::required_version(&request).err().unwrap_or_else(|| not_found(name.as_str())));
        }
        ScheduleChanged::Stale(now) => return Err(etag::stale_version(&now.updated_by, now.version)),
        ScheduleChanged::Unknown => {
            let detail = format!("There is no schedule {name}. Send the request without If-Match to add it.");
            return Err(Problem::precondition_failed(detail));
        }
        ScheduleChanged::TooMany => {
            let detail =
                format!("There are {SCHEDULES_LIMIT} schedules, and may not be more. Delete one first.");
            return Err(Problem::conflict("too_many_schedules", detail));
        }
    };
    let answer = answer(&app, &mut tx, schedule, status).await?;
    commit_and_publish(&app, tx).await?;
    Ok(answer)
}

/// Delete a schedule with its ticks
///
/// Its syncs stay. The schedule `full-sync` cannot be deleted, only switched off.
#[utoipa::path(
    operation_id = "deleteSchedule", tag = "schedules", security(("bearer" = ["admin"])),
    params(("If-Match" = String, Header, description = "`ETag` of the schedule that is to go")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The schedule is `full-sync`"),
        (status = 412, body = ProblemBody, content_type = "application/problem+json",
            description = "The schedule has changed since it was read"),
        (status = 428, body = ProblemBody, content_type = "application/problem+json",
            description = "The header `If-Match` is missing"),
    )
)]
#[delete("/api/sync/schedules/{name}")]
pub(crate) async fn delete_schedule(
    app: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let name = known_name(&name)?;
    let expected = etag::required_match(&request)?;
    if name == ScheduleName::full_sync() {
        let detail = "The settings show the schedule full-sync: it cannot be deleted. Switch it off instead.";
        return Err(Problem::conflict("schedule_is_fixed", detail));
    }
    let mut tx = app.begin(&admin).await?;
    let deleted = schedule_delete(&mut tx, &name, expected, admin.subject(), app.clock.now()).await;
    done(deleted.or_problem()?, &name)?;
    commit_and_publish(&app, tx).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Pause a schedule
///
/// Times at which it is due are recorded as skipped, with the reason. A second pause changes the reason and the end of the
/// first one.
#[utoipa::path(
    operation_id = "pauseSchedule", tag = "schedules", security(("bearer" = ["operator"])),
    request_body = SchedulePauseRequest,
    responses((status = 200, body = Schedule, headers(("ETag", description = "Version"))))
)]
#[post("/api/sync/schedules/{name}/pause")]
pub(crate) async fn pause_schedule(
    app: web::Data<AppState>,
    operator: OperatorRole,
    name: web::Path<String>,
    body: JsonBody<SchedulePauseRequest>,
) -> Result<HttpResponse, Problem> {
    let name = known_name(&name)?;
    let SchedulePauseRequest { reason, until } = body.into_inner();
    let now = app.clock.now();
    let reason = reason.trim();
    let mut errors = Vec::from_iter(reason_error(Some(reason)));
    if reason.is_empty() {
        errors.push(FieldError::new("#/reason", "empty", "must say why the schedule is paused"));
    }
    if until.is_some_and(|until| until <= now) {
        let detail = format!("must be later than now, {}", now.format("%Y-%m-%dT%H:%M:%SZ"));
        errors.push(FieldError::new("#/until", "out_of_range", detail));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("The pause is invalid.", errors));
    }
    let mut tx = app.begin(&operator).await?;
    let paused = schedule_pause(&mut tx, &name, reason, until, operator.subject(), now).await;
    let schedule = done(paused.or_problem()?, &name)?;
    let answer = answer(&app, &mut tx, schedule, HttpResponse::Ok).await?;
    commit_and_publish(&app, tx).await?;
    Ok(answer)
}

/// Resume a schedule
///
/// A schedule that is not paused stays as it is. Times at which it was due in the pause are not caught up.
#[utoipa::path(
    operation_id = "resumeSchedule", tag = "schedules", security(("bearer" = ["operator"])),
    responses((status = 200, body = Schedule, headers(("ETag", description = "Version"))))
)]
#[post("/api/sync/schedules/{name}/resume")]
pub(crate) async fn resume_schedule(
    app: web::Data<AppState>,
    operator: OperatorRole,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let name = known_name(&name)?;
    let mut tx = app.begin(&operator).await?;
    let resumed = schedule_resume(&mut tx, &name, operator.subject(), app.clock.now()).await;
    let schedule = done(resumed.or_problem()?, &name)?;
    let answer = answer(&app, &mut tx, schedule, HttpResponse::Ok).await?;
    commit_and_publish(&app, tx).await?;
    Ok(answer)
}

/// A name that a schedule may have; 404 for others: no schedule has them.
fn known_name(text: &str) -> Result<ScheduleName, Problem> {
    text.parse().map_err(|_invalid| not_found(text))
}

fn not_found(name: &str) -> Problem {
    Problem::not_found("schedule_not_found", format!("There is no schedule {name:?}."))
}

fn done(changed: ScheduleChanged, name: &ScheduleName) -> Result<schedules::Schedule, Problem> {
    match changed {
        ScheduleChanged::Done(schedule) => Ok(schedule),
        ScheduleChanged::Stale(now) => Err(etag::stale_version(&now.updated_by, now.version)),
        ScheduleChanged::Unknown | ScheduleChanged::TooMany => Err(not_found(name.as_str())),
    }
}

/// Checks a definition as a request to start a sync is checked, and its expression. A problem names all wrong values at once.
fn check(
    name: &str,
    body: ScheduleDefinition,
) -> Result<(ScheduleName, schedules::ScheduleDefinition), Problem> {
    let mut errors = Vec::new();
    let name = name.parse::<ScheduleName>();
    if let Err(error) = &name {
        errors.push(FieldError::new("#/name", "invalid_name", error.to_string()));
    }
    if let Err(error) = ZonedSchedule::parse(&body.cron, &body.time_zone) {
        errors.extend(schedule_errors(error, "#/cron", "#/timeZone"));
    }
    if name == Ok(ScheduleName::full_sync()) && body.mode == Mode::Selective {
        let detail =
            "must be full or incremental, as the settings show this schedule; add another for a selection";
        errors.push(FieldError::new("#/mode", "not_possible", detail));
    }
    if name == Ok(ScheduleName::full_sync()) && !body.record_types.is_empty() {
        let detail = "must be absent, as the settings show this schedule; add another for a selection";
        errors.push(FieldError::new("#/recordTypes", "not_possible", detail));
    }
    let trigger = TriggerRequest {
        mode: Some(body.mode),
        record_types: body.record_types.clone(),
        vessel_imos: body.vessel_imos.clone(),
        company_id: body.company_id.clone(),
        equipment_ids: body.equipment_ids.clone(),
        ..TriggerRequest::default()
    };
    let checked = check_trigger(trigger);
    if let Err(problem) = &checked {
        errors.extend(problem.body().errors.iter().cloned());
    }
    let (name, imo_numbers) = match (name, checked) {
        (Ok(name), Ok(checked)) if errors.is_empty() => (name, checked.imo_numbers),
        _ => return Err(Problem::invalid("The schedule is invalid. Nothing was changed.", errors)),
    };
    let definition = schedules::ScheduleDefinition {
        enabled: body.enabled,
        cron: body.cron.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
        time_zone: body.time_zone,
        mode: body.mode.into(),
        selection: ScheduleSelection {
            record_types: body.record_types.into_iter().map(Into::into).collect(),
            vessel_imos: imo_numbers.iter().map(ToString::to_string).collect(),
            company_id: body.company_id,
            equipment_ids: body.equipment_ids,
        },
        overlap: body.overlap.into(),
    };
    Ok((name, definition))
}

/// Commits a change. Dashboards that are open read schedules and settings anew.
async fn commit_and_publish(app: &AppState, mut tx: Tx) -> Result<(), Problem> {
    let version = settings_read(&mut tx).await.or_problem()?.version;
    tx.commit().await.or_problem()?;
    app.publish_update(UpdateName::ScheduleChanged, sync_update::What::Settings(SettingsNotice { version }));
    Ok(())
}

async fn load_last_ticks(db: &mut Db) -> Result<HashMap<String, Tick>, Problem> {
    let ticks = last_ticks(db).await.or_problem()?;
    Ok(ticks.into_iter().map(|tick| (tick.schedule.clone(), tick)).collect())
}

async fn answer(
    app: &AppState,
    db: &mut Db,
    schedule: schedules::Schedule,
    status: fn() -> actix_web::HttpResponseBuilder,
) -> Result<HttpResponse, Problem> {
    let tick = load_last_ticks(db).await?.remove(schedule.name.as_str());
    let version = schedule.version;
    Ok(etag::respond_with_version_as(status(), version, view(schedule, tick, app.clock.now())))
}

fn view(it: schedules::Schedule, last_tick: Option<Tick>, now: DateTime<Utc>) -> Schedule {
    let definition = &it.definition;
    let preview = preview_of(definition, now);
    let next_run_at = next_run(&it, now);
    let selection = definition.selection.clone();
    Schedule {
        name: it.name.to_string(),
        version: to_i64(it.version),
        definition: ScheduleDefinition {
            cron: definition.cron.clone(),
            time_zone: definition.time_zone.clone(),
            mode: definition.mode.into(),
            enabled: definition.enabled,
            overlap: definition.overlap.into(),
            record_types: selection.record_types.into_iter().map(Into::into).collect(),
            vessel_imos: selection.vessel_imos,
            company_id: selection.company_id,
            equipment_ids: selection.equipment_ids,
        },
        pause: it.pause.filter(|pause| pause.holds_at(now)).map(pause),
        preview,
        next_run_at,
        last_tick: last_tick.map(ticks::view),
        updated_at: it.updated_at,
        updated_by: it.updated_by,
    }
}

fn presets() -> Vec<SchedulePreset> {
    let preset = |cron: &str, mode, description: &str| SchedulePreset {
        cron: cron.to_owned(),
        mode,
        description: description.to_owned(),
    };
    vec![
        preset("0 2 * * *", Mode::Full, "Every night at 02:00: all records, and what is missing"),
        preset("0 2 * * 0", Mode::Full, "Every Sunday at 02:00: all records, and what is missing"),
        preset("*/15 * * * *", Mode::Incremental, "Every 15 minutes: what has changed"),
        preset("0 * * * *", Mode::Incremental, "Every hour: what has changed"),
        preset("0 6-18 * * 1-5", Mode::Incremental, "Every hour of a working day: what has changed"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_schedules() {
        for preset in presets() {
            assert!(ZonedSchedule::parse(&preset.cron, "UTC").is_ok(), "{}", preset.cron);
        }
    }

    #[test]
    fn definition_with_several_wrong_values_is_refused_with_all_their_pointers() {
        let body = serde_json::json!({
            "cron": "0 40 * * *", "timeZone": "Mars/Olympus", "mode": "selective", "vesselImos": ["9074728"],
        });
        let body: ScheduleDefinition = serde_json::from_value(body).unwrap();
        let problem = check("Nightly", body.clone()).unwrap_err();
        let pointers: Vec<_> = problem.body().errors.iter().map(|it| it.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/name", "#/cron", "#/timeZone", "#/vesselImos/0"]);
        let problem = check("full-sync", body).unwrap_err();
        assert_eq!(problem.body().errors[2].pointer, "#/mode");
    }
}
