//! Checks a request to start a sync, and makes the sync's scope of it. A problem names all wrong values at once, each with
//! its pointer.

use std::collections::BTreeSet;

use chassis::problem::{FieldError, Problem};
use contracts::operator::TriggerRequest;
use domain::{Mode, RecordType, Scope, SourceId, scope::IDS_LIMIT, values::ImoNumber};

use super::reason::reason_error;

/// A request whose values are valid by themselves.
#[derive(Debug, PartialEq)]
pub(super) struct CheckedTrigger {
    pub(super) mode: Mode,
    /// Without the ids of `imo_numbers`, which only the database knows.
    pub(super) scope: Scope,
    pub(super) imo_numbers: Vec<ImoNumber>,
    pub(super) dry_run: bool,
    pub(super) reason: Option<String>,
}

pub(super) fn check_trigger(request: TriggerRequest) -> Result<CheckedTrigger, Problem> {
    let mode = request.mode.map_or(Mode::Full, Into::into);
    let mut errors = Vec::from_iter(reason_error(request.reason.as_deref()));
    check_selection(&mut errors, mode, &request);
    check_period(&mut errors, &request);
    check_id_counts(&mut errors, &request);
    let imo_numbers = read_imo_numbers(&mut errors, &request.vessel_imos);
    check_source_ids(&mut errors, &request);
    let record_types: BTreeSet<RecordType> = request.record_types.iter().map(|it| (*it).into()).collect();
    if !request.equipment_ids.is_empty()
        && !record_types.is_empty()
        && !record_types.contains(&RecordType::Equipment)
    {
        let detail = "must contain equipment, as equipmentIds names equipment";
        errors.push(FieldError::new("#/recordTypes", "contradiction", detail));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("The sync cannot be started.", errors));
    }
    let equipment_ids: BTreeSet<String> = request.equipment_ids.into_iter().collect();
    let source_ids =
        (!equipment_ids.is_empty()).then(|| (RecordType::Equipment, equipment_ids.into_iter().collect()));
    let scope = Scope {
        record_types,
        company_id: request.company_id,
        source_ids: source_ids.into_iter().collect(),
        updated_since: request.changed_since,
        updated_until: request.changed_until,
        ..Scope::default()
    };
    Ok(CheckedTrigger { mode, scope, imo_numbers, dry_run: request.dry_run, reason: request.reason })
}

/// Which fields a mode allows, and which of them exclude each other.
fn check_selection(errors: &mut Vec<FieldError>, mode: Mode, request: &TriggerRequest) {
    struct Field {
        pointer: &'static str,
        is_given: bool,
        is_allowed: bool,
    }
    let is_selective = mode == Mode::Selective;
    let selective = |pointer, is_given| Field { pointer, is_given, is_allowed: is_selective };
    let record_types = Field {
        pointer: "#/recordTypes",
        is_given: !request.record_types.is_empty(),
        is_allowed: mode != Mode::Full,
    };
    let exclusive = [
        selective("#/vesselImos", !request.vessel_imos.is_empty()),
        selective("#/companyId", request.company_id.is_some()),
        selective("#/equipmentIds", !request.equipment_ids.is_empty()),
    ];
    let period = [
        selective("#/changedSince", request.changed_since.is_some()),
        selective("#/changedUntil", request.changed_until.is_some()),
    ];
    let fields = || [&record_types].into_iter().chain(&exclusive).chain(&period);
    for field in fields().filter(|field| field.is_given && !field.is_allowed) {
        let detail = format!("must be absent in the mode {mode}");
        errors.push(FieldError::new(field.pointer, "not_in_this_mode", detail));
    }
    if is_selective && !fields().any(|field| field.is_given) {
        let detail = "must have at least one of recordTypes, vesselImos, companyId, equipmentIds, changedSince and \
            changedUntil; to sync all records, use the mode full";
        errors.push(FieldError::new("#", "empty_scope", detail));
    }
    for field in exclusive.iter().filter(|field| field.is_given).skip(1) {
        let detail =
            "must be absent, as the request may have only one of vesselImos, companyId and equipmentIds";
        errors.push(FieldError::new(field.pointer, "exclusive", detail));
    }
}

fn check_period(errors: &mut Vec<FieldError>, request: &TriggerRequest) {
    if let (Some(since), Some(until)) = (request.changed_since, request.changed_until)
        && since > until
    {
        errors.push(FieldError::new("#/changedUntil", "out_of_range", "must not be before changedSince"));
    }
}

fn check_id_counts(errors: &mut Vec<FieldError>, request: &TriggerRequest) {
    for (pointer, count) in
        [("#/vesselImos", request.vessel_imos.len()), ("#/equipmentIds", request.equipment_ids.len())]
    {
        if count > IDS_LIMIT {
            let detail = format!("must have at most {IDS_LIMIT} entries, has {count}");
            errors.push(FieldError::new(pointer, "too_many", detail));
        }
    }
}

fn read_imo_numbers(errors: &mut Vec<FieldError>, texts: &[String]) -> Vec<ImoNumber> {
    let mut imo_numbers = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match text.parse::<ImoNumber>() {
            Ok(number) => imo_numbers.push(number),
            Err(error) => {
                let pointer = format!("#/vesselImos/{at}");
                errors.push(FieldError::new(pointer, "invalid_imo_number", error.to_string()));
            }
        }
    }
    imo_numbers
}

fn check_source_ids(errors: &mut Vec<FieldError>, request: &TriggerRequest) {
    let company = request.company_id.iter().map(|id| ("#/companyId".to_owned(), id));
    let equipment =
        request.equipment_ids.iter().enumerate().map(|(at, id)| (format!("#/equipmentIds/{at}"), id));
    for (pointer, id) in company.chain(equipment) {
        if let Err(error) = id.parse::<SourceId>() {
            errors.push(FieldError::new(pointer, "invalid_id", error.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::operator;

    use super::*;
    use crate::routes::reason::REASON_LENGTH_LIMIT;

    fn errors_of(request: TriggerRequest) -> Vec<(String, String)> {
        let problem = check_trigger(request).expect_err("the request is invalid");
        problem.body().errors.iter().map(|it| (it.pointer.clone(), it.code.to_string())).collect()
    }

    fn selective() -> TriggerRequest {
        TriggerRequest { mode: Some(operator::Mode::Selective), ..TriggerRequest::default() }
    }

    #[test]
    fn empty_request_starts_a_full_sync_of_all_records() {
        let checked = check_trigger(TriggerRequest::default()).unwrap();
        assert_eq!((checked.mode, checked.scope), (Mode::Full, Scope::default()));
    }

    #[test]
    fn full_sync_with_a_scope_is_refused() {
        let full = TriggerRequest { company_id: Some("c-1".into()), ..TriggerRequest::default() };
        assert_eq!(errors_of(full), [("#/companyId".into(), "not_in_this_mode".into())]);
    }

    #[test]
    fn selective_sync_without_a_scope_is_refused() {
        assert_eq!(errors_of(selective()), [("#".into(), "empty_scope".into())]);
    }

    #[test]
    fn request_with_several_wrong_values_is_refused_with_all_their_pointers() {
        let request = TriggerRequest {
            vessel_imos: vec!["9074729".into(), "9074728".into()],
            equipment_ids: vec!["a,b".into()],
            record_types: vec![operator::RecordType::User],
            changed_since: Some("2026-02-01T00:00:00Z".parse().unwrap()),
            changed_until: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            reason: Some("x".repeat(REASON_LENGTH_LIMIT + 1)),
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
        assert_eq!(errors_of(request), expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    }

    #[test]
    fn scope_of_equipment_ids_contains_no_other_record_type() {
        let request = TriggerRequest { equipment_ids: vec!["e-1".into()], ..selective() };
        let checked = check_trigger(request).unwrap();
        assert!(checked.scope.wants(RecordType::Equipment));
        assert!(!checked.scope.wants(RecordType::Vessel) && !checked.scope.wants(RecordType::User));
    }
}
