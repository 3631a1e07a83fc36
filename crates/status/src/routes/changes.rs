//! What a sync changed, and what a dry run would change, record by record.

use actix_web::{get, web};
use chassis::{auth::Viewer, problem::Problem};
use contracts::operator::{Change, ChangeOutcome, FieldChange, List, RecordType};
use domain::{Outcome, SyncId};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{
    Page,
    engine::dry_run::{self, ChangeFilter, change_list},
    ledger::syncs::sync_find,
    views::sync_writes::{SyncWrite, WriteFilter, WriteKind, sync_writes},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{
    app_state::AppState,
    problems::{OrProblem, sync_not_found},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeQuery {
    /// Only changes of this record type.
    record_type: Option<RecordType>,
    /// Only changes with this outcome.
    outcome: Option<ChangeOutcome>,
}

/// List what a sync changed, or what a dry run would change
///
/// Of a dry run in the order in which it found them. Of any other sync first the records that were there before, in the order in
/// which it wrote them, then those that it created; what it rejected and the conflicts that it met are in `findings` and
/// `/api/sync/conflicts`.
#[utoipa::path(
    operation_id = "listChanges", tag = "syncs", security(("bearer" = ["viewer"])),
    params(Paging, ChangeQuery),
    responses((status = 200, body = List<Change>))
)]
#[get("/api/sync/status/{syncId}/changes")]
pub(crate) async fn list_changes(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
    query: web::Query<ChangeQuery>,
) -> Result<web::Json<List<Change>>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let window = paging.window::<()>()?;
    let ChangeQuery { record_type, outcome } = query.into_inner();
    let record_type = record_type.map(Into::into);
    let mut tx = app.store.begin().await.or_problem()?;
    let Some(sync) = sync_find(&mut tx, id).await.or_problem()? else { return Err(sync_not_found(id)) };
    if sync.dry_run {
        let page = match wanted(outcome, dry_run_outcome) {
            Wanted::Nothing => Page::none(),
            Wanted::Of(outcome) => {
                let filter = ChangeFilter { record_type, outcome };
                change_list(&mut tx, id, filter, window.limit, window.offset).await.or_problem()?
            }
        };
        tx.rollback().await;
        let pagination = paging.pagination(page.total);
        let data: Result<Vec<Change>, Problem> = page.rows.into_iter().map(change_of_dry_run).collect();
        return Ok(web::Json(List { data: data?, pagination }));
    }
    let page = match wanted(outcome, write_kind) {
        Wanted::Nothing => Page::none(),
        Wanted::Of(kind) => {
            let filter = WriteFilter { record_type, kind };
            sync_writes(&mut tx, id, filter, window).await.or_problem()?
        }
    };
    tx.rollback().await;
    Ok(paging.list(page, change))
}

/// What a filter by outcome asks of a list that has some of them.
enum Wanted<T> {
    /// None of those that the list has.
    Nothing,
    /// This one, or all.
    Of(Option<T>),
}

fn wanted<T>(outcome: Option<ChangeOutcome>, of_list: impl Fn(ChangeOutcome) -> Option<T>) -> Wanted<T> {
    match outcome.map(of_list) {
        None => Wanted::Of(None),
        Some(None) => Wanted::Nothing,
        Some(one) => Wanted::Of(one),
    }
}

const fn dry_run_outcome(it: ChangeOutcome) -> Option<Outcome> {
    match it {
        ChangeOutcome::Created => Some(Outcome::Created),
        ChangeOutcome::Updated => Some(Outcome::Updated),
        ChangeOutcome::Conflict => Some(Outcome::Conflict),
        ChangeOutcome::Rejected => Some(Outcome::Rejected),
        ChangeOutcome::Withdrawn | ChangeOutcome::Returned => None,
    }
}

const fn write_kind(it: ChangeOutcome) -> Option<WriteKind> {
    match it {
        ChangeOutcome::Created => Some(WriteKind::Created),
        ChangeOutcome::Updated => Some(WriteKind::Updated),
        ChangeOutcome::Withdrawn => Some(WriteKind::Withdrawn),
        ChangeOutcome::Returned => Some(WriteKind::Returned),
        ChangeOutcome::Conflict | ChangeOutcome::Rejected => None,
    }
}

fn change(it: SyncWrite) -> Change {
    let outcome = match it.kind {
        WriteKind::Created => ChangeOutcome::Created,
        WriteKind::Updated => ChangeOutcome::Updated,
        WriteKind::Withdrawn => ChangeOutcome::Withdrawn,
        WriteKind::Returned => ChangeOutcome::Returned,
    };
    let fields_known = it.fields.is_some();
    let fields = it.fields.unwrap_or_default().into_iter();
    Change {
        record_type: it.record_type.into(),
        source_id: it.source_id,
        label: it.label,
        outcome,
        fields: fields.map(|(field, old, new)| FieldChange { field, old, new }).collect(),
        fields_known,
        conflict: None,
    }
}

fn change_of_dry_run(it: dry_run::Change) -> Result<Change, Problem> {
    // The JSON columns `fields` and `conflict` hold what the API shows.
    let value: Value = json!({
        "recordType": it.record_type,
        "sourceId": it.source_id,
        "label": it.label,
        "outcome": it.outcome,
        "fields": it.fields,
        "fieldsKnown": true,
        "conflict": it.conflict,
    });
    serde_json::from_value(value).map_err(Problem::internal)
}
