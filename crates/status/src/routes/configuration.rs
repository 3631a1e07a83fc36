//! The history of settings, schedules, conflict policies and role mapping, from the audit log.

use actix_web::{HttpRequest, HttpResponse, get, web};
use actix_web_lab::extract::Query;
use chassis::{auth::Viewer, problem::Problem};
use chrono::{DateTime, Utc};
use contracts::operator::{ConfigurationChange, ConfigurationPart, List};
use serde::Deserialize;
use store::{
    ledger::audit::{AuditFilter, audit_list},
    settings::schedules,
};
use utoipa::IntoParams;

use super::paging::CursorPaging;
use crate::{app_state::AppState, problems::OrProblem, views::configuration::configuration_change};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConfigurationQuery {
    /// Only changes of this part, or of one of these.
    #[serde(default)]
    part: Vec<ConfigurationPart>,
    /// Only changes of the schedule with this name.
    schedule: Option<String>,
    /// Only what this operator changed.
    actor: Option<String>,
    /// Only changes at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only changes before this time.
    to: Option<DateTime<Utc>>,
}

/// List changes of the configuration
///
/// Of the settings, the schedules, the conflict policies and the role mapping: who changed what, with the values before and
/// after. As far back as the audit log is kept.
#[utoipa::path(
    operation_id = "listConfigurationChanges", tag = "settings", security(("bearer" = ["viewer"])),
    params(CursorPaging, ConfigurationQuery),
    responses((status = 200, body = List<ConfigurationChange>, headers(("Link", description = "`rel=\"next\"`: the next page, if there is one"))))
)]
#[get("/api/sync/settings/history")]
pub(crate) async fn list_configuration_changes(
    app: web::Data<AppState>,
    _viewer: Viewer,
    request: HttpRequest,
    paging: Query<CursorPaging>,
    query: Query<ConfigurationQuery>,
) -> Result<HttpResponse, Problem> {
    const LIST: &str = "configuration";
    let window = paging.window(LIST)?;
    let ConfigurationQuery { part, schedule, actor, from, to } = query.into_inner();
    let parts = if part.is_empty() { ConfigurationPart::ALL.to_vec() } else { part };
    let actions = parts.iter().flat_map(|part| part.actions().iter().copied());
    let filter = AuditFilter {
        actors: actor.into_iter().collect(),
        actions: actions.map(Into::into).collect(),
        subject: schedule.map(|name| schedules::subject(&name)),
        from,
        until: to,
        ..AuditFilter::default()
    };
    let mut db = app.store.db().await.or_problem()?;
    let page = audit_list(&mut db, &filter, window).await.or_problem()?;
    let next_cursor = page.rows.last().filter(|_| page.has_more).map(|last| paging.encode(LIST, &last.id));
    let data: Vec<ConfigurationChange> = page.rows.into_iter().filter_map(configuration_change).collect();
    Ok(paging.respond(&request, data, page.total, next_cursor))
}
