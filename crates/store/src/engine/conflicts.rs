//! Conflicts: what is done when both portals have changed a record, and how operators decide afterwards.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    ConflictId, RecordType, SourceId, SyncId,
    conflict::{ConflictKind, ConflictPolicy, ConflictState, ResolutionKind, Side},
    last_write_wins::Writer,
    values::QrCode,
};
use serde_json::{Map, Value, json};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::{Page, Window},
        statement::{Statement, statement},
    },
    ledger::audit::audit_append,
    records::shape,
};

/// What is done per kind of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPolicies {
    /// Grows with every change; the ETag.
    pub version: u64,
    /// Of every kind.
    pub policies: BTreeMap<RecordType, ConflictPolicy>,
    /// When they were changed last.
    pub updated_at: DateTime<Utc>,
    /// Who did.
    pub updated_by: String,
}

/// What became of a change of the policies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum PoliciesUpdated {
    /// They stand like this now.
    Updated(ConflictPolicies),
    /// Somebody else was faster; they stand like this.
    Stale(ConflictPolicies),
}

/// A conflict.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// The run that met it, unless that is forgotten.
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
    /// Met by this run.
    pub sync_id: Option<SyncId>,
    /// About this record, by its id in the onboarding portal.
    pub source_id: Option<String>,
}

/// What an operator decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// All of one side.
    Side(Side),
    /// Field by field; a field that is not named stays as the record has it.
    Fields(BTreeMap<String, Side>),
    /// Leave the record as it stands.
    Keep,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Resolved {
    /// It is carried out.
    Resolved,
    /// Somebody has decided before.
    Already,
    /// Something newer than both sides was written to the record: look again, or keep it.
    Changed,
    /// A field is none that the sides disagree about.
    UnknownField,
    /// There is no such conflict.
    Unknown,
}

#[derive(QueryableByName)]
struct Row {
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

const COLUMNS: &str = "id, sync_id, record_type, source_id, label, kind, policy, winner, local_value, local_writer,
    local_at, source_value, source_at, state, opened_at, resolved_at, resolved_by, resolution, resolved_fields";

/// The policies as they stand.
///
/// # Errors
///
/// If the database fails.
pub async fn policies_read(db: &mut Db) -> Result<ConflictPolicies, StoreError> {
    type Columns = (i64, String, String, String, String, DateTime<Utc>, String);
    let (version, company, vessel, equipment, user, updated_at, updated_by): Columns = statement(
        "SELECT version, company, vessel, equipment, \"user\", updated_at, updated_by FROM conflict_policies",
    )
    .returning::<(Int8, Text, Text, Text, Text, Timestamptz, Text)>()
    .get_result(db)
    .await?;
    let words = [
        (RecordType::Company, company),
        (RecordType::Vessel, vessel),
        (RecordType::Equipment, equipment),
        (RecordType::User, user),
    ];
    let policies =
        words.into_iter().map(|(kind, text)| Ok((kind, word("conflict_policies", "policy", kind, &text)?)));
    let policies = policies.collect::<Result<_, StoreError>>()?;
    Ok(ConflictPolicies { version: count(version), policies, updated_at, updated_by })
}

/// The policy of one kind of record.
pub(crate) async fn policy_of(db: &mut Db, record_type: RecordType) -> Result<ConflictPolicy, StoreError> {
    let policies = policies_read(db).await?.policies;
    Ok(policies.get(&record_type).copied().unwrap_or(ConflictPolicy::LastWriteWins))
}

/// Changes policies, if they still have `expected_version`, and writes the audit. What is absent stays. In a
/// transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn policies_update(
    db: &mut Db,
    change: &BTreeMap<RecordType, ConflictPolicy>,
    expected_version: u64,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<PoliciesUpdated, StoreError> {
    let of = |kind| change.get(&kind).map(|policy| policy.as_str());
    let updated = statement(
        "UPDATE conflict_policies SET version = version + 1, company = coalesce($1, company),
             vessel = coalesce($2, vessel), equipment = coalesce($3, equipment), \"user\" = coalesce($4, \"user\"),
             updated_at = $5, updated_by = $6
         WHERE version = $7",
    )
    .bind::<Nullable<Text>, _>(of(RecordType::Company))
    .bind::<Nullable<Text>, _>(of(RecordType::Vessel))
    .bind::<Nullable<Text>, _>(of(RecordType::Equipment))
    .bind::<Nullable<Text>, _>(of(RecordType::User))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .bind::<Int8, _>(i64::try_from(expected_version).unwrap_or(i64::MAX))
    .execute(db)
    .await?;
    let policies = policies_read(db).await?;
    if updated == 0 {
        return Ok(PoliciesUpdated::Stale(policies));
    }
    let named: Map<String, Value> =
        policies.policies.iter().map(|(kind, policy)| (kind.to_string(), json!(policy))).collect();
    let detail = json!({ "version": policies.version, "policies": named });
    audit_append(db, actor, "conflict_policies.update", "conflict_policies", &detail, now).await?;
    Ok(PoliciesUpdated::Updated(policies))
}

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
pub async fn conflict_page(
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

/// How many conflicts are open: of one run, or of all.
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

/// Carries out an operator's decision and writes the audit. In a transaction.
///
/// The onboarding portal's side counts as seen from then on: the same two versions are no conflict any more. Its values
/// go in as a sync would bring them; values that an operator mixed, or took back from the maintenance portal, are an
/// edit of the maintenance portal.
///
/// # Errors
///
/// If the database fails, or refuses a value.
pub async fn conflict_resolve(
    db: &mut Db,
    id: ConflictId,
    choice: &Choice,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Resolved, StoreError> {
    // The record first, as a sync locks it; then the conflict.
    let Some(seen) = conflict_find(db, id).await? else { return Ok(Resolved::Unknown) };
    let shape = shape(seen.record_type);
    let text = format!("SELECT version_at FROM {} WHERE source_id = $1 FOR NO KEY UPDATE", shape.table);
    let versions: Vec<DateTime<Utc>> =
        statement(&text).bind::<Text, _>(seen.source_id.as_str()).returning::<Timestamptz>().load(db).await?;
    let text = format!("SELECT {COLUMNS} FROM conflicts WHERE id = $1 FOR UPDATE");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    let Some(conflict) = rows.into_iter().next().map(Conflict::try_from).transpose()? else {
        return Ok(Resolved::Unknown);
    };
    if conflict.state == ConflictState::Resolved {
        return Ok(Resolved::Already);
    }
    let chosen: BTreeMap<&str, Side> = match choice {
        Choice::Keep => BTreeMap::new(),
        Choice::Side(side) => conflict.source.keys().map(|name| (name.as_str(), *side)).collect(),
        Choice::Fields(fields) => fields.iter().map(|(name, side)| (name.as_str(), *side)).collect(),
    };
    if chosen.keys().any(|name| !conflict.source.contains_key(*name)) {
        return Ok(Resolved::UnknownField);
    }
    let stands = versions.into_iter().next();
    if *choice != Choice::Keep && stands.is_none_or(|at| at > conflict.local_at.max(conflict.source_at)) {
        return Ok(Resolved::Changed);
    }
    match conflict.kind {
        ConflictKind::NaturalKey => {
            if chosen.get("qr_code") == Some(&Side::Source) {
                qr_code_hand_over(db, &conflict).await?;
            }
        }
        ConflictKind::LocalNewer | ConflictKind::SourceNewer | ConflictKind::CriticalityDowngrade => {
            values_write(db, &conflict, choice, &chosen).await?;
        }
    }
    let text = format!(
        "UPDATE {} AS t SET content_hash = c.source_hash, source_updated_at = c.source_at
         FROM conflicts c WHERE c.id = $1 AND t.source_id = c.source_id AND c.source_hash IS NOT NULL
             AND t.source_updated_at <= c.source_at AND t.last_writer = 'maintenance'",
        shape.table
    );
    statement(&text).bind::<Uuid, _>(id.as_uuid()).execute(db).await?;
    let resolution = match choice {
        Choice::Side(Side::Source) => ResolutionKind::Source,
        Choice::Side(Side::Local) => ResolutionKind::Local,
        Choice::Fields(_) => ResolutionKind::Fields,
        Choice::Keep => ResolutionKind::Keep,
    };
    let fields = (resolution == ResolutionKind::Fields).then(|| json!(chosen));
    statement(
        "UPDATE conflicts SET state = 'resolved', resolved_at = $2, resolved_by = $3, resolution = $4,
             resolved_fields = $5 WHERE id = $1",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .bind::<Text, _>(resolution.as_str())
    .bind::<Nullable<Jsonb>, _>(fields.clone())
    .execute(db)
    .await?;
    let detail = json!({
        "recordType": conflict.record_type, "sourceId": conflict.source_id, "kind": conflict.kind,
        "resolution": resolution, "fields": fields,
    });
    audit_append(db, actor, "conflict.resolve", &id.to_string(), &detail, now).await?;
    Ok(Resolved::Resolved)
}

/// Writes the chosen values.
async fn values_write(
    db: &mut Db,
    conflict: &Conflict,
    choice: &Choice,
    chosen: &BTreeMap<&str, Side>,
) -> Result<(), StoreError> {
    let shape = shape(conflict.record_type);
    let columns: Vec<&str> = shape.columns.iter().copied().filter(|name| chosen.contains_key(name)).collect();
    if columns.is_empty() {
        return Ok(());
    }
    let value = |name: &str| match chosen.get(name) {
        Some(Side::Source) => conflict.source.get(name).cloned(),
        _ => conflict.local.get(name).cloned(),
    };
    let image: Map<String, Value> =
        columns.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect();
    let mut sets: Vec<String> = columns.iter().map(|name| format!("{name} = r.{name}")).collect();
    if *choice == Choice::Side(Side::Source) {
        // As a sync would have written them. Of equipment, parts and schedules come with the next one: its content is
        // not yet the onboarding portal's.
        sets.push("synced_at = t.synced_at + interval '1 microsecond'".to_owned());
        if conflict.kind != ConflictKind::CriticalityDowngrade {
            sets.push("last_writer = 'onboarding'".to_owned());
            if conflict.record_type == RecordType::Equipment {
                sets.push("version_at = least(t.source_updated_at, c.source_at)".to_owned());
            } else {
                sets.push("version_at = c.source_at".to_owned());
                sets.push("source_updated_at = c.source_at".to_owned());
                sets.push("content_hash = coalesce(c.source_hash, t.content_hash)".to_owned());
            }
        }
    }
    let text = format!(
        "UPDATE {table} AS t SET {} FROM conflicts c, jsonb_populate_record(NULL::{table}, $2) AS r
         WHERE c.id = $1 AND t.source_id = c.source_id",
        sets.join(", "),
        table = shape.table
    );
    statement(&text)
        .bind::<Uuid, _>(conflict.id.as_uuid())
        .bind::<Jsonb, _>(Value::Object(image))
        .execute(db)
        .await?;
    Ok(())
}

/// The code goes to the equipment that came with it; the one that had it gets the code derived from its id, and needs a
/// new label.
async fn qr_code_hand_over(db: &mut Db, conflict: &Conflict) -> Result<(), StoreError> {
    let Some(code) = conflict.source.get("qr_code").and_then(Value::as_str) else { return Ok(()) };
    let holders: Vec<String> =
        statement("SELECT source_id FROM equipment WHERE qr_code = $1 AND source_id <> $2 FOR NO KEY UPDATE")
            .bind::<Text, _>(code)
            .bind::<Text, _>(conflict.source_id.as_str())
            .returning::<Text>()
            .load(db)
            .await?;
    let give = "UPDATE equipment SET qr_code = $2, qr_label_state = 'to_print',
                    synced_at = synced_at + interval '1 microsecond' WHERE source_id = $1 AND qr_code <> $2";
    // Out of the way first: both may never have one code.
    let taker = conflict.source_id.clone();
    let interim = format!("SWAP-{}", conflict.id);
    for holder in &holders {
        let own: SourceId = word("equipment", "source_id", holder, holder)?;
        let own = QrCode::derived(&own);
        statement(give).bind::<Text, _>(taker.as_str()).bind::<Text, _>(&interim).execute(db).await?;
        statement(give).bind::<Text, _>(holder).bind::<Text, _>(own.as_str()).execute(db).await?;
    }
    statement(give).bind::<Text, _>(taker.as_str()).bind::<Text, _>(code).execute(db).await?;
    Ok(())
}
