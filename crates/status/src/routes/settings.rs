//! Settings: schedule, paging, retries.

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, web};
use chassis::{
    auth::{Admin, Viewer},
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::{
    messages::{SettingsNotice, sync_update},
    operator::{Mode, SchedulePreview, Settings, SettingsChange},
};
use domain::update::UpdateName;
use serde::Deserialize;
use store::settings::sync_settings::{self, SettingsUpdated};
use utoipa::IntoParams;

use crate::{
    desk::Desk,
    failure::OrProblem,
    schedule::{Unreadable, ZonedSchedule},
    views,
};

/// Settings as they stand
#[utoipa::path(
    operation_id = "getSettings", tag = "settings",
    responses((status = 200, body = Settings, headers(("ETag", description = "The version, for `If-Match`"))))
)]
#[get("/api/sync/settings")]
pub(crate) async fn get(desk: web::Data<Desk>, _viewer: Viewer) -> Result<HttpResponse, Problem> {
    let mut db = desk.store.db().await.or_problem()?;
    let settings = sync_settings::settings_read(&mut db).await.or_problem()?;
    answer(&desk, settings)
}

/// Change settings
///
/// What is absent stays. Send the `ETag` as `If-Match` so that you do not undo what you have not seen.
#[utoipa::path(
    operation_id = "changeSettings", tag = "settings",
    request_body = SettingsChange,
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for")),
    responses(
        (status = 200, body = Settings, headers(("ETag", description = "The new version"))),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "Changed meanwhile"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says which"),
    )
)]
#[post("/api/sync/settings")]
pub(crate) async fn change_settings(
    desk: web::Data<Desk>,
    request: HttpRequest,
    admin: Admin,
    change: web::Json<SettingsChange>,
) -> Result<HttpResponse, Problem> {
    let expected = version_of(&request)?;
    let now = desk.clock.now();
    let mut tx = desk.store.begin().await.or_problem()?;
    let before = sync_settings::settings_read(&mut tx).await.or_problem()?;
    let change = checked(&change, &before.schedule)?;
    let updated = sync_settings::settings_update(&mut tx, &change, expected, admin.subject(), now)
        .await
        .or_problem()?;
    let settings = match updated {
        SettingsUpdated::Updated(settings) => settings,
        SettingsUpdated::Stale(now) => {
            let detail =
                format!("The settings were changed by {} meanwhile; read them again.", now.updated_by);
            return Err(Problem::precondition_failed(detail).with("currentVersion", now.version));
        }
    };
    tx.commit().await.or_problem()?;
    let notice = SettingsNotice { version: settings.version };
    desk.tell(UpdateName::ScheduleChanged, sync_update::What::Settings(notice)).await;
    answer(&desk, settings)
}

/// An expression to be looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct Expression {
    /// Five fields: minute, hour, day of month, month, day of week.
    #[param(example = "0 2 * * *")]
    cron: String,
    /// IANA zone; UTC by default.
    #[param(example = "Europe/Oslo")]
    time_zone: Option<String>,
}

/// What a cron expression means
#[utoipa::path(
    operation_id = "previewSchedule", tag = "settings",
    params(Expression),
    responses(
        (status = 200, body = SchedulePreview),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says which"),
    )
)]
#[get("/api/sync/schedule/preview")]
pub(crate) async fn preview_schedule(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    expression: web::Query<Expression>,
) -> Result<web::Json<SchedulePreview>, Problem> {
    let Expression { cron, time_zone } = expression.into_inner();
    let schedule = ZonedSchedule::parse(&cron, time_zone.as_deref().unwrap_or("UTC")).map_err(|wrong| {
        Problem::invalid("This is no schedule.", unreadable(wrong, "#/cron", "#/timeZone"))
    })?;
    Ok(web::Json(schedule.preview(desk.clock.now())))
}

/// The version that the caller has seen. `*`, and no header at all, take any.
fn version_of(request: &HttpRequest) -> Result<Option<u64>, Problem> {
    let Some(tag) = request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let tag = tag.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let version =
        tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    // What was never an ETag of ours matches nothing.
    version.map(Some).ok_or_else(|| Problem::precondition_failed("If-Match is not an ETag of the settings."))
}

/// Every value that is wrong, at once, with its place.
fn checked(
    change: &SettingsChange,
    schedule: &sync_settings::Schedule,
) -> Result<sync_settings::SettingsChange, Problem> {
    let mut errors = Vec::new();
    let page_size = change.page_size.map(|size| {
        if !(1..=1000).contains(&size) {
            errors.push(FieldError::new("#/pageSize", "out_of_range", "is from 1 to 1000"));
        }
        size.unsigned_abs()
    });
    let retry_delays_ms = change.retry_delays_ms.as_ref().map(|delays| {
        for (at, delay) in delays.iter().enumerate() {
            if !(1..=86_400_000).contains(delay) {
                let pointer = format!("#/retryDelaysMs/{at}");
                errors.push(FieldError::new(pointer, "out_of_range", "is from 1 ms to a day"));
            }
        }
        <[i32; 3]>::try_from(delays.as_slice()).unwrap_or_else(|_other_length| {
            errors.push(FieldError::new("#/retryDelaysMs", "wrong_length", "has three waits"));
            [1; 3]
        })
    });
    let overlap = change.incremental_overlap_seconds.map(|seconds| {
        if !(0..=604_800).contains(&seconds) {
            let detail = "is from 0 to 604800: a week";
            errors.push(FieldError::new("#/incrementalOverlapSeconds", "out_of_range", detail));
        }
        seconds.unsigned_abs()
    });
    let limit = change.deactivation_limit_percent.map(|percent| {
        if !(0..=100).contains(&percent) {
            errors.push(FieldError::new("#/deactivationLimitPercent", "out_of_range", "is from 0 to 100"));
        }
        percent.unsigned_abs()
    });
    if change.schedule_mode == Some(Mode::Selective) {
        let detail = "is full or incremental: a schedule names no records";
        errors.push(FieldError::new("#/scheduleMode", "not_possible", detail));
    }
    if change.schedule_cron.is_some() || change.schedule_time_zone.is_some() {
        let cron = change.schedule_cron.as_ref().unwrap_or(&schedule.cron);
        let zone = change.schedule_time_zone.as_ref().unwrap_or(&schedule.time_zone);
        if let Err(wrong) = ZonedSchedule::parse(cron, zone) {
            errors.extend(unreadable(wrong, "#/scheduleCron", "#/scheduleTimeZone"));
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("Some values are not possible.", errors));
    }
    Ok(sync_settings::SettingsChange {
        page_size,
        retry_delays_ms: retry_delays_ms.map(|delays| delays.map(i32::unsigned_abs)),
        incremental_overlap_seconds: overlap,
        missing_records: change.missing_records.map(Into::into),
        deactivation_limit_percent: limit,
        mode: change.schedule_mode.map(Into::into),
        enabled: change.enable_scheduled_sync,
        cron: change.schedule_cron.clone(),
        time_zone: change.schedule_time_zone.clone(),
    })
}

fn unreadable(wrong: Unreadable, cron: &str, zone: &str) -> Vec<FieldError> {
    let cron = wrong.cron.map(|detail| FieldError::new(cron, "invalid_cron", detail));
    let zone = wrong.zone.map(|detail| FieldError::new(zone, "unknown_time_zone", detail));
    cron.into_iter().chain(zone).collect()
}

fn answer(desk: &Desk, it: sync_settings::Settings) -> Result<HttpResponse, Problem> {
    let schedule = &it.schedule;
    let preview = match ZonedSchedule::parse(&schedule.cron, &schedule.time_zone) {
        Ok(schedule) => schedule.preview(desk.clock.now()),
        // Somebody has written to the table by hand: say so where the words would stand.
        Err(wrong) => SchedulePreview {
            description: format!("cannot be read: {}", wrong.cron.or(wrong.zone).unwrap_or_default()),
            next_runs: Vec::new(),
        },
    };
    let shape = Settings {
        version: views::number(it.version),
        enable_scheduled_sync: schedule.enabled,
        schedule_cron: schedule.cron.clone(),
        schedule_time_zone: schedule.time_zone.clone(),
        page_size: i32::try_from(it.page_size).unwrap_or(i32::MAX),
        retry_delays_ms: it.retry_delays_ms.iter().map(|ms| i32::try_from(*ms).unwrap_or(i32::MAX)).collect(),
        incremental_overlap_seconds: i32::try_from(it.incremental_overlap_seconds).unwrap_or(i32::MAX),
        schedule_mode: schedule.mode.into(),
        missing_records: it.missing_records.into(),
        deactivation_limit_percent: i32::try_from(it.deactivation_limit_percent).unwrap_or(i32::MAX),
        schedule: preview,
        updated_at: it.updated_at,
        updated_by: it.updated_by,
    };
    Ok(HttpResponse::Ok().insert_header((header::ETAG, format!("\"{}\"", shape.version))).json(shape))
}

#[cfg(test)]
mod tests {
    use store::settings::sync_settings::Schedule;

    use super::*;

    #[test]
    fn every_wrong_value_is_named_with_its_place() {
        let schedule = Schedule {
            name: "full-sync".into(),
            enabled: false,
            cron: "0 2 * * *".into(),
            time_zone: "UTC".into(),
            mode: domain::Mode::Full,
            updated_at: chrono::DateTime::UNIX_EPOCH,
        };
        let change = SettingsChange {
            enable_scheduled_sync: Some(true),
            schedule_cron: Some("nonsense".into()),
            schedule_time_zone: Some("Mars/Olympus".into()),
            page_size: Some(0),
            retry_delays_ms: Some(vec![0]),
            incremental_overlap_seconds: Some(-1),
            schedule_mode: Some(Mode::Selective),
            missing_records: None,
            deactivation_limit_percent: Some(101),
        };
        let problem = checked(&change, &schedule).unwrap_err();
        let pointers: Vec<_> = problem.body().errors.iter().map(|error| error.pointer.as_str()).collect();
        let expected = [
            "#/pageSize",
            "#/retryDelaysMs/0",
            "#/retryDelaysMs",
            "#/incrementalOverlapSeconds",
            "#/deactivationLimitPercent",
            "#/scheduleMode",
            "#/scheduleCron",
            "#/scheduleTimeZone",
        ];
        assert_eq!(pointers, expected);
    }
}
