//! The timeline of a record, newest first: webhooks about it, what syncs wrote, findings, conflicts, decisions, undos and edits.
//!
//! One statement of branches, each with an index and a limit: a page costs the same after years. What retention has deleted is
//! not in it: [`KeptSince`] says from when on syncs, webhook events and decisions are kept.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    ConflictId, DeadLetterId, RecordType, SyncId, WebhookEventId, audit::AuditAction,
    last_write_wins::Writer, row_status::RowStatus, timeline::TimelineKind,
};
use serde_json::{Map, Value};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        page::{Page, Window},
        statement::{Statement, statement},
    },
    records::{STATE_COLUMNS, row_image_sql, table_name, table_schema},
    views::record_conditions::{STATEMENT_TIMEOUT, limits_set},
};

/// Webhook events of a record whose dead letters are looked for, the newest.
const DEAD_LETTERS_OF_LIMIT: u32 = 1_000;

/// What happened to a record.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    pub at: DateTime<Utc>,
    pub kind: TimelineKind,
    pub sync_id: Option<SyncId>,
    pub webhook_event_id: Option<WebhookEventId>,
    pub conflict_id: Option<ConflictId>,
    pub dead_letter_id: Option<DeadLetterId>,
    /// Subject of the operator's token.
    pub actor: Option<String>,
    /// Values of the row before, by column: of those that changed, or of all if those after it are not known.
    pub before: Option<Map<String, Value>>,
    /// Values of the row afterwards, of the columns that changed. None: not known, since the row was changed in the maintenance
    /// portal as well before the next sync wrote it.
    pub after: Option<Map<String, Value>>,
    /// More about it, by kind; a JSON object.
    pub detail: Value,
}

/// From when on history is kept; none: nothing of the kind is kept. What was before has been deleted by retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptSince {
    /// Start of the oldest sync.
    pub syncs: Option<DateTime<Utc>>,
    /// Receipt of the oldest webhook event.
    pub webhook_events: Option<DateTime<Utc>>,
    /// The oldest decision about a conflict.
    pub decisions: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Uuid>)]
    sync_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Uuid>)]
    webhook_event_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Uuid>)]
    conflict_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Uuid>)]
    dead_letter_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    actor: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    before: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    after: Option<Value>,
    #[diesel(sql_type = Jsonb)]
    detail: Value,
}

impl TryFrom<Row> for TimelineEntry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind: TimelineKind = word("timeline", "kind", row.at, &row.kind)?;
        let (before, after) = (object(row.before), object(row.after));
        let kind =
            if kind == TimelineKind::Updated { kind_of_write(before.as_ref(), after.as_ref()) } else { kind };
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => {
                let (before, after) = differing(before, after);
                (Some(before), Some(after))
            }
            sides => sides,
        };
        Ok(Self {
            at: row.at,
            kind,
            sync_id: row.sync_id.map(SyncId::from_uuid),
            webhook_event_id: row.webhook_event_id.map(WebhookEventId::from_uuid),
            conflict_id: row.conflict_id.map(ConflictId::from_uuid),
            dead_letter_id: row.dead_letter_id.map(DeadLetterId::from_uuid),
            actor: row.actor,
            before,
            after,
            detail: row.detail,
        })
    }
}

/// Columns of images that say nothing of a sync: the role follows from the mapping in force, which changes by itself.
const DERIVED_COLUMNS: [&str; 2] = ["role", "role_mapping_version"];

fn object(value: Option<Value>) -> Option<Map<String, Value>> {
    match value {
        Some(Value::Object(mut fields)) => {
            fields.retain(|name, _| !DERIVED_COLUMNS.contains(&name.as_str()));
            Some(fields)
        }
        _ => None,
    }
}

/// What a sync did that wrote over a row: its status says so.
fn kind_of_write(before: Option<&Map<String, Value>>, after: Option<&Map<String, Value>>) -> TimelineKind {
    let is_withdrawn = |side: Option<&Map<String, Value>>| {
        Some(side?.get("status")?.as_str()? == RowStatus::Withdrawn.as_str())
    };
    match (is_withdrawn(before), is_withdrawn(after)) {
        (Some(false), Some(true)) => TimelineKind::Withdrawn,
        (Some(true), Some(false)) => TimelineKind::Returned,
        _ => TimelineKind::Updated,
    }
}

/// The values in which two images of a row differ. An image of an earlier release may lack a column: then nothing is known of it.
fn differing(
    before: Map<String, Value>,
    after: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    let differs = |name: &String, value: &Value, other: &Map<String, Value>| {
        other.get(name).is_some_and(|it| it != value)
    };
    let changed = |side: &Map<String, Value>, other: &Map<String, Value>| {
        let values = side.iter().filter(|(name, value)| differs(name, value, other));
        values.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    (changed(&before, &after), changed(&after, &before))
}

/// A part of the timeline: rows of one table.
struct Branch {
    kind: TimelineKind,
    at: &'static str,
    /// Expressions for columns that are not null; all others are.
    columns: &'static [(&'static str, &'static str)],
    from: String,
    /// The newest first, as the index has them.
    order: &'static str,
}

/// The columns that a branch may leave out, with their types.
const OPTIONAL_COLUMNS: [(&str, &str); 10] = [
    ("sync_id", "NULL::uuid"),
    ("webhook_event_id", "NULL::uuid"),
    ("conflict_id", "NULL::uuid"),
    ("dead_letter_id", "NULL::uuid"),
    ("actor", "NULL::text"),
    ("before", "NULL::jsonb"),
    ("after", "NULL::jsonb"),
    ("detail", "'{}'::jsonb"),
    // Of a write: when the next one was, and by which sync.
    ("next_at", "NULL::timestamptz"),
    ("next_sync_id", "NULL::uuid"),
];

impl Branch {
    fn rows(&self) -> String {
        let columns = OPTIONAL_COLUMNS.map(|(name, absent)| {
            let given = self.columns.iter().find(|(column, _)| *column == name);
            format!("{} AS {name}", given.map_or(absent, |(_, expression)| expression))
        });
        format!(
            "(SELECT {} AS at, '{}' AS kind, {} FROM {} ORDER BY {} LIMIT $4)",
            self.at,
            self.kind,
            columns.join(", "),
            self.from,
            self.order
        )
    }

    fn count(&self) -> String {
        let from = match self.kind {
            // Without what came of each write.
            TimelineKind::Updated => "overwritten o WHERE o.row_id = (SELECT id FROM record)",
            _ => &self.from,
        };
        format!("(SELECT count(*) FROM {from})")
    }
}

/// Whether the row of a record was changed by others after a write `w` and before the next: by an edit, a decision or an undo.
/// Both arguments are SQL.
pub(super) fn is_changed_between(record_type: &str, source_id: &str) -> String {
    format!(
        "EXISTS (SELECT FROM conflicts c WHERE c.record_type = {record_type} AND c.source_id = {source_id}
             AND (c.resolution <> 'keep' AND c.resolved_at > w.at AND c.resolved_at <= coalesce(w.next_at, 'infinity')
                  OR c.local_writer = '{maintenance}' AND (c.sync_id = w.next_sync_id
                      OR c.local_at > w.at AND c.local_at <= coalesce(w.next_at, 'infinity'))))
         OR EXISTS (SELECT FROM undo_items i JOIN undos u ON u.sync_id = i.sync_id
             WHERE i.record_type = {record_type} AND i.source_id = {source_id} AND i.result <> 'skipped' AND u.undone_at > w.at
                 AND u.undone_at <= coalesce(w.next_at, 'infinity'))",
        maintenance = Writer::Maintenance
    )
}

/// Queries that the branches read from: the row of the record, and the syncs that wrote over it.
fn sources(record_type: RecordType) -> String {
    let (table, schema) = (table_name(record_type), table_schema(record_type));
    let image = row_image_sql(schema.columns.into_iter().chain(STATE_COLUMNS));
    // The newest images come first, so `lag` is the next one: what the row was when it was written over again.
    format!(
        "WITH record AS MATERIALIZED (
             SELECT t.id, t.created_at, t.version_at, t.last_writer, t.synced_by, {image} AS image
             FROM {table} t WHERE t.source_id = $2
         ), writes AS MATERIALIZED (
             SELECT o.id, o.sync_id, o.image, coalesce(o.written_at, s.completed_at, s.started_at) AS at,
                 lag(o.image) OVER newest AS next_image, lag(o.sync_id) OVER newest AS next_sync_id,
                 lag(coalesce(o.written_at, s.completed_at, s.started_at)) OVER newest AS next_at
             FROM (SELECT * FROM overwritten WHERE row_id = (SELECT id FROM record) ORDER BY id DESC LIMIT $4) AS o
                 JOIN sync_logs s ON s.id = o.sync_id
             WINDOW newest AS (ORDER BY o.id DESC)
         ), written AS (
             SELECT w.at, w.sync_id, w.next_at, w.next_sync_id, w.image AS before,
                 CASE WHEN w.next_at IS NOT NULL THEN w.next_image
                      WHEN r.last_writer = '{onboarding}' THEN r.image END AS after
             FROM writes w, record r
         )",
        onboarding = Writer::Onboarding,
    )
}

fn branches() -> Vec<Branch> {
    let of_record =
        |table: &str, more: &str| format!("{table} WHERE e.record_type = $1 AND e.source_id = $2{more}");
    let joined = |table: &str, join: &str, more: &str| of_record(&format!("{table} {join}"), more);
    vec![
        Branch {
            kind: TimelineKind::WebhookReceived,
            at: "e.received_at",
            columns: &[
                ("sync_id", "e.sync_id"),
                ("webhook_event_id", "e.id"),
                (
                    "detail",
                    "jsonb_build_object('eventType', e.event_type, 'webhookId', e.webhook_id, 'state', e.state,
                         'publishedAt', e.published_at, 'occurredAt', e.occurred_at, 'duplicates', e.duplicates,
                         'failure', e.last_failure)",
                ),
            ],
            from: of_record("webhook_events e", ""),
            order: "e.received_at DESC, e.id DESC",
        },
        Branch {
            kind: TimelineKind::WebhookProcessed,
            at: "e.processed_at",
            columns: &[
                ("sync_id", "e.sync_id"),
                ("webhook_event_id", "e.id"),
                ("detail", "jsonb_build_object('eventType', e.event_type, 'webhookId', e.webhook_id)"),
            ],
            from: of_record("webhook_events e", " AND e.processed_at IS NOT NULL"),
            order: "e.processed_at DESC, e.id DESC",
        },
        Branch {
            kind: TimelineKind::WebhookRefused,
            at: "f.received_at",
            columns: &[
                ("webhook_event_id", "e.id"),
                (
                    "detail",
                    "jsonb_build_object('webhookId', f.webhook_id, 'reason', f.reason, 'source', f.source)",
                ),
            ],
            // Of other refused requests nobody knows which record they were about: their bodies are not kept.
            from: joined(
                "refused_webhooks f",
                "JOIN webhook_events e ON e.webhook_id = f.webhook_id",
                " AND f.reason = 'id_reused'",
            ),
            order: "f.received_at DESC, f.id DESC",
        },
        Branch {
            kind: TimelineKind::DeadLetter,
            at: "d.died_at",
            columns: &[
                ("sync_id", "d.sync_id"),
                ("webhook_event_id", "e.id"),
                ("dead_letter_id", "d.id"),
                ("actor", "d.replayed_by"),
                (
                    "detail",
                    "jsonb_build_object('reason', d.reason, 'class', d.class, 'state', d.state,
                         'succeededAt', d.succeeded_at)",
                ),
            ],
            from: format!(
                "(SELECT id FROM webhook_events WHERE record_type = $1 AND source_id = $2
                  ORDER BY received_at DESC, id DESC LIMIT {DEAD_LETTERS_OF_LIMIT}) AS e
                 JOIN dead_letters d ON d.message_id = e.id::text"
            ),
            order: "d.died_at DESC, d.id DESC",
        },
        Branch {
            kind: TimelineKind::Created,
            at: "r.created_at",
            columns: &[("sync_id", "s.id")],
            // The writer of the oldest image that is kept, if the sync was at work when the row was created.
            from: "record r LEFT JOIN sync_logs s ON s.started_at <= r.created_at
                     AND coalesce(s.completed_at, 'infinity') >= r.created_at AND s.id = coalesce(
                         (SELECT o.synced_by FROM overwritten o WHERE o.row_id = r.id ORDER BY o.id LIMIT 1),
                         CASE WHEN NOT EXISTS (SELECT FROM overwritten o WHERE o.row_id = r.id) THEN r.synced_by END)"
                .to_owned(),
            order: "r.created_at DESC",
        },
        Branch {
            kind: TimelineKind::Updated,
            at: "w.at",
            columns: &[
                ("sync_id", "w.sync_id"),
                ("before", "w.before"),
                ("after", "w.after"),
                ("next_at", "w.next_at"),
                ("next_sync_id", "w.next_sync_id"),
            ],
            from: "written w".to_owned(),
            order: "w.at DESC",
        },
        Branch {
            kind: TimelineKind::Missing,
            at: "coalesce(s.completed_at, s.heartbeat_at)",
            columns: &[
                ("sync_id", "e.sync_id"),
                ("detail", "jsonb_build_object('missingRecords', s.missing_records, 'dryRun', s.dry_run)"),
            ],
            from: joined("sync_missing e", "JOIN sync_logs s ON s.id = e.sync_id", ""),
            order: "1 DESC, e.sync_id DESC",
        },
        Branch {
            kind: TimelineKind::DryRun,
            at: "coalesce(s.completed_at, s.heartbeat_at)",
            columns: &[
                ("sync_id", "e.sync_id"),
                ("detail", "jsonb_build_object('outcome', e.outcome, 'fields', e.fields)"),
            ],
            from: joined("sync_changes e", "JOIN sync_logs s ON s.id = e.sync_id", ""),
            order: "e.id DESC",
        },
        Branch {
            kind: TimelineKind::Finding,
            at: "e.found_at",
            columns: &[
                ("sync_id", "e.sync_id"),
                // A dry run rejects nothing.
                ("detail", "jsonb_build_object('severity', e.severity, 'code', e.code, 'pointer', e.pointer,
                     'message', e.message, 'value', e.value, 'dryRun', s.dry_run)"),
            ],
            from: joined("findings e", "JOIN sync_logs s ON s.id = e.sync_id", ""),
            order: "e.id DESC",
        },
        Branch {
            kind: TimelineKind::Finding,
            at: "e.found_at",
            columns: &[
                ("sync_id", "e.sync_id"),
                ("detail", "jsonb_build_object('severity', e.severity, 'code', e.code, 'pointer', e.pointer,
                     'message', e.message, 'value', e.value, 'dryRun', false)"),
            ],
            // What stands about the record, if its sync is forgotten or has left it out.
            from: of_record(
                "record_findings e",
                " AND NOT EXISTS (SELECT FROM findings f WHERE f.record_type = $1 AND f.source_id = $2
                     AND f.sync_id = e.sync_id AND f.code = e.code AND f.pointer = e.pointer)",
            ),
            order: "e.found_at DESC, e.id DESC",
        },
        Branch {
            kind: TimelineKind::ConflictOpened,
            at: "e.opened_at",
            columns: &[
                ("sync_id", "e.sync_id"),
                ("conflict_id", "e.id"),
                (
                    "detail",
                    "jsonb_build_object('kind', e.kind, 'policy', e.policy, 'winner', e.winner, 'state', e.state)",
                ),
            ],
            from: of_record("conflicts e", ""),
            order: "e.opened_at DESC, e.id DESC",
        },
        Branch {
            kind: TimelineKind::ConflictResolved,
            at: "e.resolved_at",
            columns: &[
                ("conflict_id", "e.id"),
                ("actor", "e.resolved_by"),
                (
                    "detail",
                    "jsonb_build_object('kind', e.kind, 'resolution', e.resolution, 'fields', e.resolved_fields)",
                ),
            ],
            from: of_record("conflicts e", " AND e.resolved_at IS NOT NULL"),
            order: "e.resolved_at DESC, e.id DESC",
        },
        Branch {
            kind: TimelineKind::Undone,
            at: "u.undone_at",
            columns: &[
                ("sync_id", "e.sync_id"),
                ("actor", "u.undone_by"),
                ("detail", "jsonb_build_object('result', e.result, 'reason', e.reason)"),
            ],
            from: joined("undo_items e", "JOIN undos u ON u.sync_id = e.sync_id", ""),
            order: "u.undone_at DESC, e.sync_id DESC",
        },
        Branch {
            kind: TimelineKind::Edited,
            at: "m.at",
            columns: &[],
            // The last edit is known by the row, earlier ones by the conflicts that they led to.
            from: format!(
                "(SELECT r.version_at AS at FROM record r WHERE r.last_writer = '{maintenance}'
                  UNION SELECT c.local_at FROM conflicts c
                      WHERE c.record_type = $1 AND c.source_id = $2 AND c.local_writer = '{maintenance}') AS m",
                maintenance = Writer::Maintenance
            ),
            order: "m.at DESC",
        },
        password_branch(TimelineKind::PasswordClaim, AuditAction::UserRevealPassword),
        password_branch(TimelineKind::PasswordReissue, AuditAction::UserReissuePassword),
    ]
}

/// What admins did about the temporary password. The audit log is for admins.
fn password_branch(kind: TimelineKind, action: AuditAction) -> Branch {
    Branch {
        kind,
        at: "a.at",
        columns: &[("actor", "a.actor"), ("detail", "jsonb_build_object('result', a.detail ->> 'result')")],
        from: format!(
            "audit a WHERE $3 AND $1 = '{}' AND a.subject = (SELECT id::text FROM record) AND a.action = '{action}'",
            RecordType::User
        ),
        order: "a.id DESC",
    }
}

/// The timeline of a record, newest first; what admins did about a user's password only with `for_admin`. In a transaction,
/// whose statements it limits. Empty if nothing is known of such a record.
pub async fn timeline(
    db: &mut Db,
    record_type: RecordType,
    source_id: &str,
    for_admin: bool,
    window: Window<()>,
) -> Result<Page<TimelineEntry>, StoreError> {
    limits_set(db, STATEMENT_TIMEOUT).await?;
    let branches = branches();
    let rows: Vec<String> = branches.iter().map(Branch::rows).collect();
    let order = "w.at DESC, w.kind, w.sync_id, w.conflict_id, w.dead_letter_id, w.webhook_event_id, w.detail";
    // What changed the row between two writes is asked for the writes of the page alone.
    let text = format!(
        "{sources} SELECT w.at, w.kind, w.sync_id, w.webhook_event_id, w.conflict_id, w.dead_letter_id, w.actor, w.before,
             CASE WHEN w.kind = '{updated}' AND ({is_changed}) THEN NULL ELSE w.after END AS after, w.detail
         FROM (SELECT * FROM ({rows}) AS w ORDER BY {order} LIMIT $5 OFFSET $6) AS w ORDER BY {order}",
        sources = sources(record_type),
        updated = TimelineKind::Updated,
        is_changed = is_changed_between("$1", "$2"),
        rows = rows.join(" UNION ALL "),
    );
    let wanted = i64::from(window.limit) + 1;
    // Of no branch more can be on the page, and one row more says what comes after the last write.
    let per_branch = wanted + i64::from(window.offset);
    let found: Vec<Row> = bind(&text, record_type, source_id, for_admin, per_branch)
        .bind::<Int8, _>(wanted)
        .bind::<Int8, _>(i64::from(window.offset))
        .load(db)
        .await?;
    let counts: Vec<String> = branches.iter().map(Branch::count).collect();
    let text = format!("{} SELECT {}", sources(record_type), counts.join(" + "));
    let total = bind(&text, record_type, source_id, for_admin, i64::MAX);
    let total: i64 = total.returning::<Int8>().get_result(db).await?;
    let entries = found.into_iter().map(TimelineEntry::try_from).collect::<Result<_, _>>()?;
    Ok(Page::of(entries, window.limit, total))
}

fn bind<'f>(
    text: &'f str,
    record_type: RecordType,
    source_id: &'f str,
    for_admin: bool,
    per_branch: i64,
) -> Statement<'f> {
    statement(text)
        .bind::<Text, _>(record_type.as_str())
        .bind::<Text, _>(source_id)
        .bind::<Bool, _>(for_admin)
        .bind::<Int8, _>(per_branch)
}

/// From when on history is kept.
pub async fn kept_since(db: &mut Db) -> Result<KeptSince, StoreError> {
    type Times = (Option<DateTime<Utc>>, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let (syncs, webhook_events, decisions): Times = statement(
        "SELECT (SELECT min(started_at) FROM sync_logs), (SELECT min(received_at) FROM webhook_events),
             (SELECT min(resolved_at) FROM conflicts WHERE state = 'resolved')",
    )
    .returning::<(Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Timestamptz>)>()
    .get_result(db)
    .await?;
    Ok(KeptSince { syncs, webhook_events, decisions })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        object(Some(value)).unwrap_or_default()
    }

    #[test]
    fn column_that_an_image_lacks_is_not_called_changed() {
        let (before, after) = differing(
            map(json!({"name": "A", "flag": "NO"})),
            map(json!({"name": "B", "flag": "NO", "mmsi": null})),
        );
        assert_eq!((before, after), (map(json!({"name": "A"})), map(json!({"name": "B"}))));
    }

    #[test]
    fn write_whose_result_is_not_known_is_an_update() {
        let active = map(json!({"status": "active"}));
        let withdrawn = map(json!({"status": "withdrawn"}));
        assert_eq!(kind_of_write(Some(&active), Some(&withdrawn)), TimelineKind::Withdrawn);
        assert_eq!(kind_of_write(Some(&withdrawn), Some(&active)), TimelineKind::Returned);
        assert_eq!(kind_of_write(Some(&withdrawn), None), TimelineKind::Updated);
    }
}
