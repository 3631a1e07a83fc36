//! Records and their timelines as the API shows them.

use std::collections::BTreeMap;

use contracts::operator as api;
use domain::{RecordType, SyncId, timeline::TimelineKind, values::Email};
use serde_json::{Map, Value};
use store::{
    ledger::acknowledgements::Acknowledgement,
    views::{
        records::{Record, RecordDetail},
        timeline::{KeptSince, TimelineEntry},
    },
};

use super::syncs::finding;
use crate::saturating::to_i64;

/// Fields that identify a user.
const PERSONAL_FIELDS: [&str; 4] = ["email", "givenName", "familyName", "employeeNumber"];

/// A record. `is_masked`: personal data is not for the caller.
pub(crate) fn record(record_type: RecordType, it: Record, is_masked: bool) -> api::Record {
    let is_masked = is_masked && record_type == RecordType::User && it.row.is_some();
    let row = it.row.as_ref();
    api::Record {
        record_type: record_type.into(),
        // The label of a record without a row is masked as it is kept.
        name: it.name.map(|name| if is_masked { Email::mask(&name) } else { name }),
        standing: it.standing.into(),
        status: row.map(|row| row.status.into()),
        id: row.map(|row| row.id),
        vessel_id: row.and_then(|row| row.vessel_id.clone()),
        company_id: row.and_then(|row| row.company_id.clone()),
        source_updated_at: row.map(|row| row.source_updated_at),
        version_at: row.map(|row| row.version_at),
        last_writer: row.map(|row| row.last_writer.into()),
        sync_id: row.and_then(|row| row.synced_by).map(SyncId::as_uuid),
        synced_at: row.map(|row| row.synced_at),
        created_at: row.map(|row| row.created_at),
        missing_since: row.and_then(|row| row.missing_since),
        withdrawal_due_at: row.and_then(|row| row.withdrawal_due_at),
        source_id: it.source_id,
    }
}

pub(crate) fn record_detail(record_type: RecordType, it: RecordDetail, is_masked: bool) -> api::RecordDetail {
    let has_sync = it.record.row.as_ref().is_some_and(|row| row.synced_by.is_some());
    let counts = |(name, active, withdrawn): (&str, u64, u64)| {
        (name.to_owned(), api::DependentCounts { active: to_i64(active), withdrawn: to_i64(withdrawn) })
    };
    api::RecordDetail {
        particulars: fields(record_type, it.particulars, is_masked),
        sync_is_kept: has_sync.then_some(it.sync_is_kept),
        fetched_at: it.record.row.as_ref().and_then(|row| row.fetched_at),
        open_conflicts: to_i64(it.open_conflicts),
        acknowledgement: it.acknowledgement.map(acknowledgement),
        findings_total: to_i64(it.findings_total),
        findings: it.findings.into_iter().map(finding).collect(),
        dependents: it.dependents.into_iter().map(counts).collect(),
        summary: record(record_type, it.record, is_masked),
    }
}

pub(crate) fn acknowledgement(it: Acknowledgement) -> api::Acknowledgement {
    api::Acknowledgement {
        reason: it.reason,
        until: it.until,
        acknowledged_at: it.acknowledged_at,
        acknowledged_by: it.acknowledged_by,
        holds: it.holds,
    }
}

/// Columns of a part under the names of the API.
pub(crate) fn parts_fields(columns: Map<String, Value>) -> BTreeMap<String, Value> {
    columns.into_iter().map(|(column, value)| (camel_case(&column), value)).collect()
}

/// Columns under the names of the API.
fn fields(record_type: RecordType, columns: Map<String, Value>, is_masked: bool) -> BTreeMap<String, Value> {
    let named = columns.into_iter().map(|(column, value)| {
        let field = field_of(&column);
        let is_personal = record_type == RecordType::User && PERSONAL_FIELDS.contains(&field.as_str());
        let value = match value {
            Value::String(text) if is_masked && is_personal => Email::mask(&text).into(),
            value => value,
        };
        (field, value)
    });
    named.collect()
}

/// The name of a column in the API, in which a bare `companyId` is always the id in the onboarding portal.
fn field_of(column: &str) -> String {
    match column {
        "company_id" => "companyRowId".to_owned(),
        "vessel_id" => "vesselRowId".to_owned(),
        "company_source_id" => "companyId".to_owned(),
        column => camel_case(column),
    }
}

fn camel_case(column: &str) -> String {
    let mut words = column.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

pub(crate) fn kept_since(it: KeptSince) -> api::KeptSince {
    api::KeptSince { syncs: it.syncs, webhook_events: it.webhook_events, decisions: it.decisions }
}

pub(crate) fn timeline_entry(
    record_type: RecordType,
    it: TimelineEntry,
    is_masked: bool,
) -> api::TimelineEntry {
    let summary = summary(&it);
    let (mut before, mut after) = (
        it.before.map(|it| fields(record_type, it, is_masked)),
        it.after.map(|it| fields(record_type, it, is_masked)),
    );
    let mut detail = it.detail;
    if let Value::Object(detail) = &mut detail {
        // A dry run keeps both sides field by field, with personal data masked.
        if it.kind == TimelineKind::DryRun
            && let Some(Value::Array(changes)) = detail.remove("fields")
        {
            before = Some(side_of(&changes, "old"));
            after = Some(side_of(&changes, "new"));
        }
        detail.retain(|_, value| !value.is_null());
    }
    api::TimelineEntry {
        at: it.at,
        kind: it.kind.into(),
        summary,
        sync_id: it.sync_id.map(SyncId::as_uuid),
        webhook_event_id: it.webhook_event_id.map(|id| id.as_uuid()),
        conflict_id: it.conflict_id.map(|id| id.as_uuid()),
        dead_letter_id: it.dead_letter_id.map(|id| id.as_uuid()),
        actor: it.actor,
        before,
        after,
        detail,
    }
}

/// One side of the changes of a dry run, by JSON pointers without the first slash.
fn side_of(changes: &[Value], side: &str) -> BTreeMap<String, Value> {
    let value = |change: &Value| {
        let field = change["field"].as_str()?.trim_start_matches('/').to_owned();
        Some((field, change[side].clone()))
    };
    changes.iter().filter_map(value).collect()
}

/// What happened, in a sentence.
fn summary(it: &TimelineEntry) -> String {
    let text = |name: &str| it.detail[name].as_str().unwrap_or("unknown");
    let actor = it.actor.as_deref().unwrap_or("unknown");
    let changed = || {
        let columns = it.after.as_ref().or(it.before.as_ref()).into_iter().flat_map(Map::keys);
        columns.map(|column| field_of(column)).collect::<Vec<_>>().join(", ")
    };
    match it.kind {
        TimelineKind::WebhookReceived => {
            let state = match text("state") {
                "received" => "and waits for its publication",
                "published" => "and published",
                "processed" => "and processed",
                "failed" => "and given up",
                _ => "and ignored",
            };
            format!("The webhook {} was received {state}.", text("eventType"))
        }
        TimelineKind::WebhookProcessed => format!("The webhook {} was processed.", text("eventType")),
        TimelineKind::WebhookRefused => {
            "A webhook with the id of an earlier one and another body was refused.".to_owned()
        }
        TimelineKind::DeadLetter => format!("The webhook's message became a dead letter: {}", text("reason")),
        TimelineKind::Created => "A sync created the record.".to_owned(),
        TimelineKind::Updated if it.after.is_none() => {
            "A sync wrote the record; what it changed is not known, since it was changed in the maintenance portal, too."
                .to_owned()
        }
        TimelineKind::Updated if it.after.as_ref().is_some_and(Map::is_empty) => {
            "A sync wrote the record; no field of its row changed.".to_owned()
        }
        TimelineKind::Updated => format!("A sync changed {}.", changed()),
        TimelineKind::Withdrawn => "A sync withdrew the record.".to_owned(),
        TimelineKind::Returned => "A sync made the record active again.".to_owned(),
        TimelineKind::Missing => "A sync did not find the record in the onboarding portal.".to_owned(),
        TimelineKind::DryRun => format!("A dry run found that the record would be {}.", text("outcome")),
        TimelineKind::Finding => {
            let did = match (it.detail["dryRun"] == true, text("severity") == "error") {
                (false, true) => "A sync rejected the record",
                (false, false) => "A sync warned",
                (true, true) => "A dry run would reject the record",
                (true, false) => "A dry run warned",
            };
            format!("{did}: {} {}", text("code"), text("message"))
        }
        TimelineKind::ConflictOpened => format!("A conflict was opened: {}.", text("kind")),
        TimelineKind::ConflictResolved => format!("{actor} resolved a conflict: {}.", text("resolution")),
        TimelineKind::Undone => match it.detail["reason"].as_str() {
            Some(reason) => format!("{actor} undid a sync, and the record was skipped: {reason}."),
            None => format!("{actor} undid a sync, and the record was {}.", text("result")),
        },
        TimelineKind::Edited => "The record was changed in the maintenance portal.".to_owned(),
        TimelineKind::PasswordClaim => {
            format!("{actor} asked for the temporary password: {}.", text("result"))
        }
        TimelineKind::PasswordReissue => {
            format!("{actor} asked for a new temporary password: {}.", text("result"))
        }
    }
}

/// The path of a record in the API.
pub(crate) fn record_link(record_type: RecordType, source_id: &str) -> String {
    format!("/api/sync/records/{record_type}/{}", path_segment(source_id))
}

/// A text as one segment of a path: ids of rejected records may hold anything.
fn path_segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push('%');
            segment.push_str(&hex::encode_upper([byte]));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_link_holds_any_id_in_one_segment() {
        let link = record_link(RecordType::Vessel, "skip/é #1?%");
        assert_eq!(link, "/api/sync/records/vessel/skip%2F%C3%A9%20%231%3F%25");
        assert_eq!(record_link(RecordType::User, "u-1.a~b:c@d"), "/api/sync/records/user/u-1.a~b:c@d");
    }
}
