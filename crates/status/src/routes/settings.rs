//! Settings of the sync: schedule, page size, retries, missing records. `settings_change.rs` checks a change.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chassis::{
    auth::{Admin, Viewer},
    http::JsonBody,
    problem::{Problem, ProblemBody},
};
use contracts::{
    messages::{SettingsNotice, sync_update},
    operator::{self, SchedulePreview, Settings},
};
use domain::update::UpdateName;
use serde::Deserialize;
use store::settings::sync_settings::{self, SettingsChange, SettingsUpdated};
use utoipa::IntoParams;

use super::{
    etag,
    settings_change::{read_change, schedule_errors, without_unchanged},
};
use crate::{
    app_state::AppState,
    problems::OrProblem,
    saturating::{to_i32, to_i64},
    schedule::{ZonedSchedule, pause, preview_of},
};

/// Get the settings
#[utoipa::path(
    operation_id = "getSettings", tag = "settings", security(("bearer" = ["viewer"])),
    responses((status = 200, body = Settings, headers(("ETag", description = "Version, for `If-Match`"))))
)]
#[get("/api/sync/settings")]
pub(crate) async fn get_settings(app: web::Data<AppState>, _viewer: Viewer) -> Result<HttpResponse, Problem> {
    let mut db = app.store.db().await.or_problem()?;
    let settings = sync_settings::settings_read(&mut db).await.or_problem()?;
    Ok(answer(&app, settings))
}

/// Change settings
///
/// A setting that is absent keeps its value. A change that changes nothing makes no new version. The change is
/// refused if the settings have changed since they were read.
#[utoipa::path(
    operation_id = "changeSettings", tag = "settings", security(("bearer" = ["admin"])),
    request_body = operator::SettingsChange,
    params(("If-Match" = String, Header, description = "`ETag` of the settings that the change is based on")),
    responses(
        (status = 200, body = Settings, headers(("ETag", description = "New version"))),
        (status = 412, body = ProblemBody, content_type = "application/problem+json",
            description = "The settings have changed since they were read"),
        (status = 428, body = ProblemBody, content_type = "application/problem+json",
            description = "The header `If-Match` is missing"),
    )
)]
#[post("/api/sync/settings")]
pub(crate) async fn change_settings(
    app: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    change: JsonBody<operator::SettingsChange>,
) -> Result<HttpResponse, Problem> {
    let expected = etag::required_match(&request)?;
    let now = app.clock.now();
    let mut tx = app.begin(&admin).await?;
    let before = sync_settings::settings_read(&mut tx).await.or_problem()?;
    let change = without_unchanged(read_change(&change, &before.schedule.definition)?, &before);
    if change == SettingsChange::default() {
        if expected.is_some_and(|version| version != before.version) {
            return Err(etag::stale_version(&before.updated_by, before.version));
        }
        return Ok(answer(&app, before));
    }
    let updated = sync_settings::settings_update(&mut tx, &change, expected, admin.subject(), now)
        .await
        .or_problem()?;
    let settings = match updated {
        SettingsUpdated::Updated(settings) => settings,
        SettingsUpdated::Stale(now) => return Err(etag::stale_version(&now.updated_by, now.version)),
    };
    tx.commit().await.or_problem()?;
    let notice = SettingsNotice { version: settings.version };
    app.publish_update(UpdateName::ScheduleChanged, sync_update::What::Settings(notice));
    Ok(answer(&app, settings))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ScheduleQuery {
    /// Cron expression: minute, hour, day of month, month, day of week; a field for seconds may stand before them.
    #[param(example = "0 2 * * *")]
    cron: String,
    /// IANA time zone of the expression; the default is UTC.
    #[param(example = "Europe/Oslo")]
    time_zone: Option<String>,
}

/// Preview a cron expression
///
/// Describes the expression in words, and lists its next times.
#[utoipa::path(
    operation_id = "previewSchedule", tag = "schedules", security(("bearer" = ["viewer"])),
    params(ScheduleQuery),
    responses(
        (status = 200, body = SchedulePreview),
        (status = 422, body = ProblemBody, content_type = "application/problem+json",
            description = "The cron expression or the time zone is invalid; `errors` names each"),
    )
)]
#[get("/api/sync/schedule/preview")]
pub(crate) async fn preview_schedule(
    app: web::Data<AppState>,
    _viewer: Viewer,
    query: web::Query<ScheduleQuery>,
) -> Result<web::Json<SchedulePreview>, Problem> {
    let ScheduleQuery { cron, time_zone } = query.into_inner();
    let schedule = ZonedSchedule::parse(&cron, time_zone.as_deref().unwrap_or("UTC")).map_err(|error| {
        Problem::invalid("The schedule is invalid.", schedule_errors(error, "#/cron", "#/timeZone"))
    })?;
    Ok(web::Json(schedule.preview(app.clock.now())))
}

fn answer(app: &AppState, it: sync_settings::Settings) -> HttpResponse {
    let schedule = &it.schedule.definition;
    let preview = preview_of(schedule, app.clock.now());
    let settings = Settings {
        version: to_i64(it.version),
        enable_scheduled_sync: schedule.enabled,
        schedule_cron: schedule.cron.clone(),
        schedule_time_zone: schedule.time_zone.clone(),
        page_size: to_i32(it.page_size),
        retry_delays_ms: it.retry_delays_ms.iter().map(|ms| to_i32(*ms)).collect(),
        incremental_overlap_seconds: to_i32(it.incremental_overlap_seconds),
        schedule_mode: schedule.mode.into(),
        missing_records: it.missing_records.into(),
        deactivation_limit_percent: to_i32(it.deactivation_limit_percent),
        schedule: preview,
        schedule_pause: it.schedule.pause.clone().filter(|pause| pause.holds_at(app.clock.now())).map(pause),
        updated_at: it.updated_at,
        updated_by: it.updated_by,
    };
    etag::respond_with_version(it.version, settings)
}
