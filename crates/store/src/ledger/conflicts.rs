//! Conflicts: rows of `conflicts`, each with the values of both portals.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    ConflictId, RecordType, SourceId, SyncId,
    conflict::{ConflictKind, ConflictPolicy, ConflictState, Resolution, Side},
    last_write_wins::Writer,
};
use serde_json::{Map, Value};

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window, count_of, page_load},
    statement::{Statement, statement},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    pub id: ConflictId,
    /// The sync that found the conflict, unless that sync is forgotten.
    pub sync_id: Option<SyncId>,
    pub record_type: RecordType,
    pub source_id: SourceId,
    /// What a person calls the record.
    pub label: Option<String>,
    /// What the sides disagree about.
    pub kind: ConflictKind,
    /// The policy when the conflict was found.
    pub policy: ConflictPolicy,
    /// The side that the policy let win.
    pub winner: Side,
    /// The maintenance portal's values, by column.
    pub local: Map<String, Value>,
    /// Who wrote the values of the maintenance portal.
    pub local_writer: Writer,
    pub local_at: DateTime<Utc>,
    /// The onboarding portal's values, by column.
    pub source: Map<String, Value>,
    pub source_at: DateTime<Utc>,
    pub state: ConflictState,
    pub opened_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
    /// Subject of the operator's token.
    pub resolved_by: Option<String>,
    pub resolution: Option<Resolution>,
    /// Of a resolution field by field: the side of each.
    pub resolved_fields: Option<Value>,
}

/// Which conflicts; what is empty or absent does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConflictFilter {
    pub ids: Vec<ConflictId>,
    pub state: Option<ConflictState>,
    pub record_type: Option<RecordType>,
    pub kind: Option<ConflictKind>,
    /// The sync that found the conflict.
    pub sync_id: Option<SyncId>,
    /// The record's id in the onboarding portal.
    pub source_id: Option<String>,
}

#[derive(QueryableByName)]
pub(crate) struct Row {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Nullable<Uuid>)]
    sync_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Text)]
    record_type: String,
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    label: Option<String>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    policy: String,
    #[diesel(sql_type = Text)]
    winner: String,
    #[diesel(sql_type = Jsonb)]
    local_value: Value,
    #[diesel(sql_type = Text)]
    local_writer: String,
    #[diesel(sql_type = Timestamptz)]
    local_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    source_value: Value,
    #[diesel(sql_type = Timestamptz)]
    source_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Timestamptz)]
    opened_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    resolved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    resolved_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    resolution: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    resolved_fields: Option<Value>,
}

impl TryFrom<Row> for Conflict {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let fields = |value: Value| match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let resolution = row.resolution.as_deref();
        Ok(Self {
            id: ConflictId::from_uuid(row.id),
            sync_id: row.sync_id.map(SyncId::from_uuid),
            record_type: word("conflicts", "record_type", row.id, &row.record_type)?,
            source_id: word("conflicts", "source_id", row.id, &row.source_id)?,
            kind: word("conflicts", "kind", row.id, &row.kind)?,
            policy: word("conflicts", "policy", row.id, &row.policy)?,
            winner: word("conflicts", "winner", row.id, &row.winner)?,
            local_writer: word("conflicts", "local_writer", row.id, &row.local_writer)?,
            state: word("conflicts", "state", row.id, &row.state)?,
            resolution: resolution.map(|it| word("conflicts", "resolution", row.id, it)).transpose()?,
            label: row.label,
            local: fields(row.local_value),
            local_at: row.local_at,
            source: fields(row.source_value),
            source_at: row.source_at,
            opened_at: row.opened_at,
            resolved_at: row.resolved_at,
            resolved_by: row.resolved_by,
            resolved_fields: row.resolved_fields,
        })
    }
}

pub(crate) const COLUMNS: &str = "id, sync_id, record_type, source_id, label, kind, policy, winner, local_value, local_writer,
    local_at, source_value, source_at, state, opened_at, resolved_at, resolved_by, resolution, resolved_fields";

impl ConflictFilter {
    const CONDITION: &'static str = "(cardinality($1) = 0 OR id = ANY($1)) AND ($2 IS NULL OR state = $2)
        AND ($3 IS NULL OR record_type = $3) AND ($4 IS NULL OR kind = $4) AND ($5 IS NULL OR sync_id = $5)
        AND ($6 IS NULL OR source_id = $6)";

    /// A statement with the parameters of the condition, the first six.
    fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        statement(text)
            .bind::<Array<Uuid>, _>(self.ids.iter().map(|id| id.as_uuid()).collect::<Vec<_>>())
            .bind::<Nullable<Text>, _>(self.state.map(ConflictState::as_str))
            .bind::<Nullable<Text>, _>(self.record_type.map(RecordType::as_str))
            .bind::<Nullable<Text>, _>(self.kind.map(ConflictKind::as_str))
            .bind::<Nullable<Uuid>, _>(self.sync_id.map(SyncId::as_uuid))
            .bind::<Nullable<Text>, _>(self.source_id.as_deref())
    }
}

/// Conflicts, newest first.
pub async fn conflict_list(
    db: &mut Db,
    filter: &ConflictFilter,
    window: Window<()>,
) -> Result<Page<Conflict>, StoreError> {
    let rows = format!(
        "SELECT {COLUMNS} FROM conflicts WHERE {} ORDER BY opened_at {direction}, id {direction} LIMIT $7 OFFSET $8",
        ConflictFilter::CONDITION,
        direction = window.order.direction()
    );
    let total = count_of(format_args!("conflicts WHERE {}", ConflictFilter::CONDITION));
    page_load::<Row, _, _>(db, filter.bind(&rows), filter.bind(&total), &window).await
}

/// The ids of conflicts, oldest first, at most `limit`.
pub async fn conflict_ids(
    db: &mut Db,
    filter: &ConflictFilter,
    limit: u32,
) -> Result<Vec<ConflictId>, StoreError> {
    let text = format!(
        "SELECT id FROM conflicts WHERE {} ORDER BY opened_at, id LIMIT $7",
        ConflictFilter::CONDITION
    );
    let ids: Vec<uuid::Uuid> =
        filter.bind(&text).bind::<Int8, _>(i64::from(limit)).returning::<Uuid>().load(db).await?;
    Ok(ids.into_iter().map(ConflictId::from_uuid).collect())
}

pub async fn conflict_find(db: &mut Db, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM conflicts WHERE id = $1");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().next().map(TryInto::try_into).transpose()
}

/// How many conflicts are open: of one sync, or of all.
pub async fn conflicts_open(db: &mut Db, sync_id: Option<SyncId>) -> Result<u64, StoreError> {
    let text = format!(
        "SELECT count(*) FROM conflicts WHERE state = '{}' AND ($1 IS NULL OR sync_id = $1)",
        ConflictState::Open
    );
    let open: i64 = statement(&text)
        .bind::<Nullable<Uuid>, _>(sync_id.map(SyncId::as_uuid))
        .returning::<Int8>()
        .get_result(db)
        .await?;
    Ok(count(open))
}
