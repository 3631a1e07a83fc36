//! Conflicts as the API shows them.

use contracts::operator as api;
use domain::{RecordType, SyncId, values::Email};
use serde_json::Value;
use store::ledger::conflicts::Conflict;

/// Columns of `users` that identify a person.
const PERSONAL_COLUMNS: [&str; 4] = ["email", "given_name", "family_name", "employee_number"];

/// How much of a person's data a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PersonalData {
    Masked,
    Plain,
}

pub(crate) fn conflict(it: Conflict, personal_data: PersonalData) -> api::Conflict {
    let is_masked = |column: &str| {
        personal_data == PersonalData::Masked
            && it.record_type == RecordType::User
            && PERSONAL_COLUMNS.contains(&column)
    };
    let shown = |column: &str, value: Option<&Value>| match value {
        Some(Value::String(text)) if is_masked(column) => Email::mask(text).into(),
        value => value.cloned().unwrap_or_default(),
    };
    let fields = it.source.iter().filter(|(column, value)| it.local.get(*column) != Some(value)).map(
        |(column, value)| {
            let local = shown(column, it.local.get(column));
            (column.clone(), api::ConflictField { local, source: shown(column, Some(value)) })
        },
    );
    api::Conflict {
        fields: fields.collect(),
        id: it.id.as_uuid(),
        sync_id: it.sync_id.map(SyncId::as_uuid),
        record_type: it.record_type.into(),
        source_id: it.source_id.to_string(),
        label: it.label.clone(),
        kind: it.kind.into(),
        policy: it.policy.into(),
        winner: it.winner.into(),
        local_writer: it.local_writer.into(),
        local_at: it.local_at,
        source_at: it.source_at,
        state: it.state.into(),
        opened_at: it.opened_at,
        resolved_at: it.resolved_at,
        resolved_by: it.resolved_by.clone(),
        resolution: it.resolution.map(Into::into),
        resolved_fields: it.resolved_fields.clone().and_then(|it| serde_json::from_value(it).ok()),
    }
}
