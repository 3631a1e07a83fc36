//! Conflicts: rows of `conflicts`, each with both sides.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    ConflictId, RecordType, SourceId, SyncId,
    conflict::{ConflictKind, ConflictPolicy, ConflictState, ResolutionKind, Side},
    last_write_wins::Writer,
};
use serde_json::{Map, Value};

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window},
    statement::{Statement, statement},
};

/// A conflict.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// The sync that met it, unless that is forgotten.
    pub sync_id: Option<SyncId>,
    /// What kind of record.
    pub record_type: RecordType,
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// What a person calls it.
    pub label: Option<String>,
    /// What the sides disagree about.
    pub kind: ConflictKind,
    /// What was done about it at once.
    pub policy: ConflictPolicy,
    /// Which side stood then.
    pub winner: Side,
    /// The maintenance portal's values, by column.
    pub local: Map<String, Value>,
    /// Who wrote them.
    pub local_writer: Writer,
    /// When.
    pub local_at: DateTime<Utc>,
    /// The onboarding portal's values, by column.
    pub source: Map<String, Value>,
    /// When they were written.
    pub source_at: DateTime<Utc>,
    /// Whether somebody has decided.
    pub state: ConflictState,
    /// When it was met.
    pub opened_at: DateTime<Utc>,
    /// When it was decided.
    pub resolved_at: Option<DateTime<Utc>>,
    /// By whom.
    pub resolved_by: Option<String>,
    /// How.
    pub resolution: Option<ResolutionKind>,
    /// Of a decision field by field: the side of each.
    pub resolved_fields: Option<Value>,
}

/// Which conflicts. Empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConflictFilter {
    /// These.
    pub ids: Vec<ConflictId>,
    /// In this state.
    pub state: Option<ConflictState>,
    /// About this kind of record.
    pub record_type: Option<RecordType>,
    /// Of this kind.
    pub kind: Option<ConflictKind>,
    /// Met by this sync.
    pub sync_id: Option<SyncId>,
    /// About this record, by its id in the onboarding portal.
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
        let of = |column, text: &str| (column, row.id, text.to_owned());
        fn read<T>((column, id, text): (&'static str, uuid::Uuid, String)) -> Result<T, StoreError>
        where
            T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
        {
            word("conflicts", column, id, &text)
        }
        Ok(Self {
            id: ConflictId::from_uuid(row.id),
            sync_id: row.sync_id.map(SyncId::from_uuid),
            record_type: read(of("record_type", &row.record_type))?,
            source_id: read(of("source_id", &row.source_id))?,
            kind: read(of("kind", &row.kind))?,
            policy: read(of("policy", &row.policy))?,
            winner: read(of("winner", &row.winner))?,
            local_writer: read(of("local_writer", &row.local_writer))?,
            state: read(of("state", &row.state))?,
            resolution: row.resolution.as_deref().map(|text| read(of("resolution", text))).transpose()?,
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

    fn bind<'f>(&'f self, statement: Statement<'f>) -> Statement<'f> {
        statement
            .bind::<Array<Uuid>, _>(self.ids.iter().map(|id| id.as_uuid()).collect::<Vec<_>>())
            .bind::<Nullable<Text>, _>(self.state.map(ConflictState::as_str))
            .bind::<Nullable<Text>, _>(self.record_type.map(RecordType::as_str))
            .bind::<Nullable<Text>, _>(self.kind.map(ConflictKind::as_str))
            .bind::<Nullable<Uuid>, _>(self.sync_id.map(SyncId::as_uuid))
            .bind::<Nullable<Text>, _>(self.source_id.as_deref())
    }
}

/// Conflicts, newest first.
///
/// # Errors
///
/// If the database fails.
pub async fn conflict_list(
    db: &mut Db,
    filter: &ConflictFilter,
    window: Window<()>,
) -> Result<Page<Conflict>, StoreError> {
    let text = format!("SELECT count(*) FROM conflicts WHERE {}", ConflictFilter::CONDITION);
    let total: i64 = filter.bind(statement(&text)).returning::<Int8>().get_result(db).await?;
    let text = format!(
        "SELECT {COLUMNS} FROM conflicts WHERE {} ORDER BY opened_at DESC, id DESC LIMIT $7 OFFSET $8",
        ConflictFilter::CONDITION
    );
    let rows: Vec<Row> = filter
        .bind(statement(&text))
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .load(db)
        .await?;
    Ok(Page::of(rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?, window.limit, total))
}

/// The ids of conflicts, oldest first, at most `limit`.
///
/// # Errors
///
/// If the database fails.
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
        filter.bind(statement(&text)).bind::<Int8, _>(i64::from(limit)).returning::<Uuid>().load(db).await?;
    Ok(ids.into_iter().map(ConflictId::from_uuid).collect())
}

/// One conflict.
///
/// # Errors
///
/// If the database fails.
pub async fn conflict_find(db: &mut Db, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM conflicts WHERE id = $1");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().next().map(TryInto::try_into).transpose()
}

/// How many conflicts are open: of one sync, or of all.
///
/// # Errors
///
/// If the database fails.
pub async fn conflicts_open(db: &mut Db, sync_id: Option<SyncId>) -> Result<u64, StoreError> {
    let n: i64 =
        statement("SELECT count(*) FROM conflicts WHERE state = 'open' AND ($1 IS NULL OR sync_id = $1)")
            .bind::<Nullable<Uuid>, _>(sync_id.map(SyncId::as_uuid))
            .returning::<Int8>()
            .get_result(db)
            .await?;
    Ok(count(n))
}
