//! Starting a run: what is asked for, checked and made a scope.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, http::header, post, web};
use chassis::{
    auth::OperatorRole,
    problem::{FieldError, Problem, ProblemBody},
    telemetry,
};
use contracts::operator::{SyncAccepted, SyncState, TriggerRequest};
use domain::{
    Cause, Mode, RecordType, Scope, SourceId, SyncId, audit::AuditAction, scope::IDS_LIMIT, values::ImoNumber,
};
use serde_json::json;
use store::{
    Db,
    ledger::{
        audit,
        syncs::{self, NewSync, SyncCreated},
    },
    records::vessel_ids_by_imo,
};

use super::body::optional_json;
use crate::{desk::Desk, failure::OrProblem};

/// Longest reason that is kept, in characters.
pub(crate) const LONGEST_REASON: usize = 500;

/// Start a sync
///
/// Without a body, everything that the onboarding portal has approved is looked at. `incremental` looks at what changed
/// since the last complete sync, `selective` at what is named. The answer comes when the sync is recorded, not when it is
/// done: follow `Location` or the updates.
#[utoipa::path(
    operation_id = "triggerSync", tag = "syncs",
    request_body(content = Option<TriggerRequest>, description = "None starts a full sync"),
    responses(
        (status = 202, body = SyncAccepted, headers(("Location", description = "Where the sync can be looked at"))),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "A full sync is at work; `runningSyncId` says which"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says which"),
    )
)]
#[post("/api/sync/trigger")]
pub(crate) async fn trigger(
    desk: web::Data<Desk>,
    request: HttpRequest,
    operator: OperatorRole,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    // No body at all is a full sync, and so is an empty object.
    let mut asked = checked(optional_json(&request, &body)?)?;
    let now = desk.clock.now();
    let mut tx = desk.store.begin().await.or_problem()?;
    asked.scope.vessel_ids = vessels_of(&mut tx, &asked.imo_numbers).await?;
    let sync = NewSync {
        id: SyncId::new(),
        cause: Cause::Manual,
        mode: asked.mode,
        scope: asked.scope,
        dry_run: asked.dry_run,
        requested_by: operator.subject().to_owned(),
        reason: asked.reason,
        retry_of: None,
        trace_context: json!(telemetry::current_context()),
    };
    if let SyncCreated::FullSyncRunning(running) =
        syncs::sync_create(&mut tx, &sync, now).await.or_problem()?
    {
        return Err(running_already(running));
    }
    let detail =
        json!({ "mode": sync.mode, "scope": sync.scope, "dryRun": sync.dry_run, "reason": sync.reason });
    audit::audit_append(
        &mut tx,
        operator.subject(),
        AuditAction::SyncTrigger,
        &sync.id.to_string(),
        &detail,
        now,
    )
    .await
    .or_problem()?;
    tx.commit().await.or_problem()?;
    // From here on the sync is accepted: what the broker does not take now, the relay publishes.
    desk.outbox.publish_command(sync.id, telemetry::current_context()).await;
    Ok(accepted(sync.id))
}

/// The answer to whatever starts a sync.
pub(crate) fn accepted(id: SyncId) -> HttpResponse {
    let accepted = SyncAccepted { sync_id: id.as_uuid(), state: SyncState::Queued };
    let location = format!("/api/sync/status/{id}");
    HttpResponse::Accepted().insert_header((header::LOCATION, location)).json(accepted)
}

pub(crate) fn running_already(running: SyncId) -> Problem {
    Problem::conflict("full_sync_running", format!("The full sync {running} has not ended yet."))
        .with("runningSyncId", running.to_string())
}

/// What is asked for, sound in itself.
#[derive(Debug, PartialEq)]
struct Asked {
    mode: Mode,
    /// But for the vessels, whose ids the database knows.
    scope: Scope,
    imo_numbers: Vec<ImoNumber>,
    dry_run: bool,
    reason: Option<String>,
}

/// Every value that is wrong, at once, with its place.
fn checked(asked: TriggerRequest) -> Result<Asked, Problem> {
    let mut errors = Vec::new();
    let mode = asked.mode.map_or(Mode::Full, Into::into);
    if asked.reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        let detail = format!("has at most {LONGEST_REASON} characters");
        errors.push(FieldError::new("#/reason", "too_long", detail));
    }

    let named = [
        ("#/recordTypes", !asked.record_types.is_empty(), mode != Mode::Full),
        ("#/vesselImos", !asked.vessel_imos.is_empty(), mode == Mode::Selective),
        ("#/companyId", asked.company_id.is_some(), mode == Mode::Selective),
        ("#/equipmentIds", !asked.equipment_ids.is_empty(), mode == Mode::Selective),
        ("#/changedSince", asked.changed_since.is_some(), mode == Mode::Selective),
        ("#/changedUntil", asked.changed_until.is_some(), mode == Mode::Selective),
    ];
    for (pointer, _, _) in named.iter().filter(|(_, given, allowed)| *given && !allowed) {
        errors.push(FieldError::new(*pointer, "not_in_this_mode", format!("means nothing to a {mode} sync")));
    }
    if mode == Mode::Selective && !named.iter().any(|(_, given, _)| *given) {
        let detail = "names what to look at, by at least one of recordTypes, vesselImos, companyId, equipmentIds, \
            changedSince and changedUntil; to look at everything, ask for a full sync";
        errors.push(FieldError::new("#", "empty_scope", detail));
    }
    let by = [&named[1], &named[2], &named[3]];
    for (pointer, _, _) in by.iter().filter(|(_, given, _)| *given).skip(1) {
        let detail = "cannot be combined: name vesselImos, companyId or equipmentIds";
        errors.push(FieldError::new(*pointer, "exclusive", detail));
    }
    if let (Some(since), Some(until)) = (asked.changed_since, asked.changed_until)
        && since > until
    {
        errors.push(FieldError::new("#/changedUntil", "out_of_range", "is before changedSince"));
    }
    for (pointer, n) in
        [("#/vesselImos", asked.vessel_imos.len()), ("#/equipmentIds", asked.equipment_ids.len())]
    {
        if n > IDS_LIMIT {
            errors.push(FieldError::new(
                pointer,
                "too_many",
                format!("are {IDS_LIMIT} at most, and not {n}"),
            ));
        }
    }

    let mut imo_numbers = Vec::new();
    for (at, text) in asked.vessel_imos.iter().enumerate() {
        match text.parse::<ImoNumber>() {
            Ok(number) => imo_numbers.push(number),
            Err(wrong) => errors.push(FieldError::new(
                format!("#/vesselImos/{at}"),
                "invalid_imo_number",
                wrong.to_string(),
            )),
        }
    }
    let mut source_id = |pointer: String, text: &String| {
        if let Err(wrong) = text.parse::<SourceId>() {
            errors.push(FieldError::new(pointer, "invalid_id", wrong.to_string()));
        }
    };
    asked.company_id.iter().for_each(|id| source_id("#/companyId".to_owned(), id));
    for (at, id) in asked.equipment_ids.iter().enumerate() {
        source_id(format!("#/equipmentIds/{at}"), id);
    }

    let record_types: BTreeSet<RecordType> = asked.record_types.iter().map(|it| (*it).into()).collect();
    if !asked.equipment_ids.is_empty()
        && !record_types.is_empty()
        && !record_types.contains(&RecordType::Equipment)
    {
        let detail = "leaves out equipment, which equipmentIds names";
        errors.push(FieldError::new("#/recordTypes", "contradiction", detail));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("This sync cannot be started.", errors));
    }
    let equipment: BTreeSet<String> = asked.equipment_ids.into_iter().collect();
    let by_id = (!equipment.is_empty()).then(|| (RecordType::Equipment, equipment.into_iter().collect()));
    let scope = Scope {
        record_types,
        company_id: asked.company_id,
        source_ids: by_id.into_iter().collect(),
        updated_since: asked.changed_since,
        updated_until: asked.changed_until,
        ..Scope::default()
    };
    Ok(Asked { mode, scope, imo_numbers, dry_run: asked.dry_run, reason: asked.reason })
}

/// The ids of these vessels in the onboarding portal.
async fn vessels_of(db: &mut Db, imo_numbers: &[ImoNumber]) -> Result<Vec<String>, Problem> {
    if imo_numbers.is_empty() {
        return Ok(Vec::new());
    }
    let known = vessel_ids_by_imo(db, imo_numbers).await.or_problem()?;
    let unknown = |(at, number): (usize, &ImoNumber)| {
        (!known.contains_key(number.as_str())).then(|| {
            let detail =
                format!("{number}: no vessel with this IMO number has come here yet; a full sync brings it");
            FieldError::new(format!("#/vesselImos/{at}"), "unknown_vessel", detail)
        })
    };
    let errors: Vec<_> = imo_numbers.iter().enumerate().filter_map(unknown).collect();
    if !errors.is_empty() {
        return Err(Problem::invalid("Some vessels are not known.", errors));
    }
    let ids: BTreeSet<String> = known.into_values().collect();
    Ok(ids.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use contracts::operator;

    use super::*;

    fn wrong(asked: TriggerRequest) -> Vec<(String, String)> {
        let problem = checked(asked).expect_err("it is wrong");
        problem.body().errors.iter().map(|it| (it.pointer.clone(), it.code.to_string())).collect()
    }

    fn selective() -> TriggerRequest {
        TriggerRequest { mode: Some(operator::Mode::Selective), ..TriggerRequest::default() }
    }

    #[test]
    fn nothing_at_all_is_a_full_sync_of_everything() {
        let asked = checked(TriggerRequest::default()).unwrap();
        assert_eq!((asked.mode, asked.scope), (Mode::Full, Scope::default()));
    }

    #[test]
    fn a_full_sync_takes_no_scope_and_a_selective_one_needs_one() {
        let full = TriggerRequest { company_id: Some("c-1".into()), ..TriggerRequest::default() };
        assert_eq!(wrong(full), [("#/companyId".into(), "not_in_this_mode".into())]);
        assert_eq!(wrong(selective()), [("#".into(), "empty_scope".into())]);
    }

    #[test]
    fn every_wrong_value_is_named_with_its_place() {
        let asked = TriggerRequest {
            vessel_imos: vec!["9074729".into(), "9074728".into()],
            equipment_ids: vec!["a,b".into()],
            record_types: vec![operator::RecordType::User],
            changed_since: Some("2026-02-01T00:00:00Z".parse().unwrap()),
            changed_until: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            reason: Some("x".repeat(LONGEST_REASON + 1)),
            ..selective()
        };
        let expected = [
            ("#/reason", "too_long"),
            ("#/equipmentIds", "exclusive"),
            ("#/changedUntil", "out_of_range"),
            ("#/vesselImos/1", "invalid_imo_number"),
            ("#/equipmentIds/0", "invalid_id"),
            ("#/recordTypes", "contradiction"),
        ];
        assert_eq!(wrong(asked), expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    }

    #[test]
    fn equipment_by_id_is_all_that_is_looked_at() {
        let asked = checked(TriggerRequest { equipment_ids: vec!["e-1".into()], ..selective() }).unwrap();
        assert!(asked.scope.wants(RecordType::Equipment));
        assert!(!asked.scope.wants(RecordType::Vessel) && !asked.scope.wants(RecordType::User));
    }
}
