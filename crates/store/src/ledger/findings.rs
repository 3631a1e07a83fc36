//! Findings: why records were rejected, and warnings about records that were accepted. Rows of `findings`, which belong to
//! a sync, and of `record_findings`, which say what stands about a record now.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{Finding, RecordType, SentId, Severity, SourceId, SyncId};

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window, count_of, page_load},
    statement::{Statement, statement},
};

/// A finding about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFinding {
    pub record_type: RecordType,
    /// The record's id in the onboarding portal.
    pub source_id: SentId,
    /// What a person calls the record.
    pub label: Option<String>,
    /// The vessels that the record belongs to, by their ids in the onboarding portal.
    pub vessel_ids: Vec<SourceId>,
    /// `updatedAt` of the state that the finding is about; none if it cannot be read.
    pub stated_at: Option<DateTime<Utc>>,
    /// The row of the record is newer than that state: the finding belongs to the sync, and does not stand.
    pub is_overtaken: bool,
    pub finding: Finding,
}

/// A finding as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFinding {
    /// Grows.
    pub id: u64,
    pub record_type: RecordType,
    /// The record's id in the onboarding portal; empty if it came without one.
    pub source_id: String,
    /// What a person calls the record.
    pub label: Option<String>,
    /// `error`: the record was rejected for it.
    pub severity: Severity,
    /// The rule, for programs.
    pub code: String,
    /// RFC 6901.
    pub pointer: String,
    /// For people.
    pub message: String,
    /// The offending value.
    pub value: Option<String>,
    pub found_at: DateTime<Utc>,
}

/// Whether a standing finding `f` says that a newer state of its record was rejected than `i`: newer by `stated_at`, and by
/// `fetched_at` where that is the same or unknown. An hour after it was fetched, an older state is no laggard any more: the
/// onboarding portal has gone back in time, and the rejection of the newer state is over.
const STANDS_AGAINST: &str = "f.severity = 'error' AND CASE
    WHEN f.stated_at > i.stated_at THEN f.fetched_at > i.fetched_at - interval '1 hour'
    WHEN f.stated_at < i.stated_at THEN false
    ELSE f.fetched_at > i.fetched_at
END";

/// Most findings that a sync keeps, but for one that tells how many more there were, for each page that had more. What stands
/// about the records is kept all the same.
pub const FINDINGS_LIMIT: i64 = 50_000;
/// The code of that one.
const LEFT_OUT: &str = "findings_left_out";

/// Stores findings, in one statement: with their sync, and as what stands about their records from now on, unless a newer
/// state stands rejected. `fetched_at`: when the request began that brought the records.
pub(crate) async fn findings_insert(
    db: &mut Db,
    sync_id: SyncId,
    fetched_at: DateTime<Utc>,
    findings: &[RecordFinding],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if findings.is_empty() {
        return Ok(());
    }
    let kept: i64 =
        statement("SELECT count(*) FROM (SELECT FROM findings WHERE sync_id = $1 LIMIT $2) AS kept")
            .bind::<Uuid, _>(sync_id.as_uuid())
            .bind::<Int8, _>(FINDINGS_LIMIT)
            .returning::<Int8>()
            .get_result(db)
            .await?;
    let room = (FINDINGS_LIMIT - kept).max(0);
    let notice = match (findings.len() as u64).saturating_sub(room.unsigned_abs()) {
        0 => String::new(),
        left_out => format!("{left_out} more findings are not kept: a sync keeps {FINDINGS_LIMIT}"),
    };
    let vessel_ids =
        |it: &RecordFinding| it.vessel_ids.iter().map(SourceId::as_str).collect::<Vec<_>>().join(",");
    // What stands about a record without an id could never be cleared. A record is of the vessels that its newest state names and of
    // those of its row: what is wrong is seen on each.
    let text = format!(
        "WITH i AS (
             SELECT *, $14 AS fetched_at FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                 AS i (record_type, source_id, label, severity, code, pointer, message, value, vessel_ids, stated_at,
                       is_overtaken)
         ), newer AS (
             SELECT i.record_type, i.source_id FROM i JOIN record_findings f USING (record_type, source_id)
             WHERE {STANDS_AGAINST}
             UNION SELECT record_type, source_id FROM i WHERE is_overtaken OR source_id = ''
         ), standing AS (
             SELECT i.* FROM i WHERE (record_type, source_id) NOT IN (SELECT record_type, source_id FROM newer)
         ), replaced AS (
             DELETE FROM record_findings f USING (SELECT DISTINCT record_type, source_id FROM standing) AS s
             WHERE f.record_type = s.record_type AND f.source_id = s.source_id
         ), inserted AS (
             INSERT INTO record_findings (sync_id, record_type, source_id, label, vessel_ids, severity, code, pointer,
                 message, value, found_at, stated_at, fetched_at)
             SELECT $1, record_type, source_id, label,
                 own.ids || ARRAY(SELECT id FROM unnest(of_row.ids) AS id WHERE NOT id = ANY (own.ids)), severity, code,
                 pointer, message, value, $2, stated_at, fetched_at
             FROM standing AS s CROSS JOIN LATERAL (SELECT coalesce(string_to_array(s.vessel_ids, ','), '{{}}')) AS own (ids)
                 CROSS JOIN LATERAL (SELECT CASE s.record_type
                     WHEN '{equipment}' THEN (SELECT ARRAY[v.source_id] FROM equipment e JOIN vessels v ON v.id = e.vessel_id
                         WHERE e.source_id = s.source_id)
                     WHEN '{user}' THEN (SELECT u.vessel_scope FROM users u WHERE u.source_id = s.source_id) END
                 ) AS of_row (ids)
         )
         INSERT INTO findings (sync_id, record_type, source_id, label, severity, code, pointer, message, value, found_at)
         (SELECT $1, record_type, source_id, label, severity, code, pointer, message, value, $2 FROM i
          ORDER BY severity LIMIT $15)
         UNION ALL
         (SELECT $1, record_type, '', NULL, 'warning', '{LEFT_OUT}', '', $16, NULL, $2 FROM i WHERE $16 <> '' LIMIT 1)",
        equipment = RecordType::Equipment,
        user = RecordType::User,
    );
    statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(findings.iter().map(|it| it.record_type.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(findings.iter().map(|it| it.source_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(findings.iter().map(|it| it.label.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(findings.iter().map(|it| it.finding.severity.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(findings.iter().map(|it| it.finding.code).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(findings.iter().map(|it| it.finding.pointer.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(findings.iter().map(|it| it.finding.message.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            findings.iter().map(|it| it.finding.value.as_deref()).collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(findings.iter().map(vessel_ids).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(findings.iter().map(|it| it.stated_at).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(findings.iter().map(|it| it.is_overtaken).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(fetched_at)
        .bind::<Int8, _>(room)
        .bind::<Text, _>(notice)
        .execute(db)
        .await?;
    Ok(())
}

/// A finding about a rejected state that is newer than one that came.
#[derive(Debug, QueryableByName)]
pub(crate) struct StandingFinding {
    #[diesel(sql_type = Text)]
    pub(crate) source_id: String,
    #[diesel(sql_type = Text)]
    pub(crate) code: String,
    /// `updatedAt` of the state that it is about.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) stated_at: Option<DateTime<Utc>>,
}

/// Forgets what stood about records of which a sound state came, with its `updatedAt`, unless a newer state stands rejected;
/// returns the findings about such.
pub(crate) async fn findings_clear(
    db: &mut Db,
    record_type: RecordType,
    fetched_at: DateTime<Utc>,
    states: &[(&str, DateTime<Utc>)],
) -> Result<Vec<StandingFinding>, StoreError> {
    if states.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "WITH i AS (
             SELECT *, $2 AS fetched_at FROM unnest($3, $4) AS i (source_id, stated_at)
         ), found AS (
             SELECT f.id, f.source_id, f.code, f.stated_at,
                 bool_or({STANDS_AGAINST}) OVER (PARTITION BY f.source_id) AS stands
             FROM record_findings f JOIN i USING (source_id) WHERE f.record_type = $1
         ), cleared AS (
             DELETE FROM record_findings f USING found WHERE f.id = found.id AND NOT found.stands
         )
         SELECT source_id, code, stated_at FROM found WHERE stands"
    );
    let standing = statement(&text)
        .bind::<Text, _>(record_type.as_str())
        .bind::<Timestamptz, _>(fetched_at)
        .bind::<Array<Text>, _>(states.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(states.iter().map(|(_, at)| *at).collect::<Vec<_>>())
        .load(db)
        .await?;
    Ok(standing)
}

/// Forgets what one code says of records, whose other findings stand.
pub(crate) async fn findings_clear_code(
    db: &mut Db,
    record_type: RecordType,
    source_ids: &[String],
    code: &str,
) -> Result<(), StoreError> {
    if source_ids.is_empty() {
        return Ok(());
    }
    statement("DELETE FROM record_findings WHERE record_type = $1 AND source_id = ANY($2) AND code = $3")
        .bind::<Text, _>(record_type.as_str())
        .bind::<Array<Text>, _>(source_ids)
        .bind::<Text, _>(code)
        .execute(db)
        .await?;
    Ok(())
}

/// Those of the records that stand rejected.
pub(crate) async fn rejected_among(
    db: &mut Db,
    record_type: RecordType,
    source_ids: &[&str],
) -> Result<HashSet<String>, StoreError> {
    if source_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let rejected: Vec<String> = statement(
        "SELECT DISTINCT source_id FROM record_findings
         WHERE record_type = $1 AND source_id = ANY($2) AND severity = $3",
    )
    .bind::<Text, _>(record_type.as_str())
    .bind::<Array<Text>, _>(source_ids)
    .bind::<Text, _>(Severity::Error.as_str())
    .returning::<Text>()
    .load(db)
    .await?;
    Ok(rejected.into_iter().collect())
}

/// The columns of [`FindingRow`], in `findings` and in `record_findings`.
pub(crate) const COLUMNS: &str =
    "id, record_type, source_id, label, severity, code, pointer, message, value, found_at";

#[derive(QueryableByName)]
pub(crate) struct FindingRow {
    #[diesel(sql_type = Int8)]
    id: i64,
    #[diesel(sql_type = Text)]
    record_type: String,
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    label: Option<String>,
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    pointer: String,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    found_at: DateTime<Utc>,
}

impl TryFrom<FindingRow> for StoredFinding {
    type Error = StoreError;

    fn try_from(row: FindingRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: count(row.id),
            record_type: word("findings", "record_type", row.id, &row.record_type)?,
            source_id: row.source_id,
            label: row.label,
            severity: word("findings", "severity", row.id, &row.severity)?,
            code: row.code,
            pointer: row.pointer,
            message: row.message,
            value: row.value,
            found_at: row.found_at,
        })
    }
}

/// How many findings a sync has.
pub async fn finding_count(db: &mut Db, id: SyncId) -> Result<u64, StoreError> {
    Ok(count(count_of_sync(id).returning::<Int8>().get_result(db).await?))
}

/// Which findings to list; empty lists and what is absent do not filter.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    pub severity: Option<Severity>,
    pub record_types: Vec<RecordType>,
    pub codes: Vec<String>,
    /// The record's id in the onboarding portal.
    pub source_id: Option<String>,
}

impl FindingFilter {
    const CONDITION: &'static str = "sync_id = $1 AND ($2 IS NULL OR severity = $2)
        AND (cardinality($3) = 0 OR record_type = ANY($3)) AND (cardinality($4) = 0 OR code = ANY($4))
        AND ($5 IS NULL OR source_id = $5)";

    /// A statement with the parameters of the condition, the first five.
    fn bind<'f>(&'f self, text: &'f str, id: SyncId) -> Statement<'f> {
        statement(text)
            .bind::<Uuid, _>(id.as_uuid())
            .bind::<Nullable<Text>, _>(self.severity.map(|it| it.as_str()))
            .bind::<Array<Text>, _>(self.record_types.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(self.codes.iter().map(String::as_str).collect::<Vec<_>>())
            .bind::<Nullable<Text>, _>(self.source_id.as_deref())
    }
}

fn count_of_sync(id: SyncId) -> Statement<'static> {
    statement("SELECT count(*) FROM findings WHERE sync_id = $1").bind::<Uuid, _>(id.as_uuid())
}

/// Findings of a sync, rejections before warnings, in the order they were made.
pub async fn finding_list(
    db: &mut Db,
    id: SyncId,
    filter: &FindingFilter,
    window: Window<()>,
) -> Result<Page<StoredFinding>, StoreError> {
    let condition = FindingFilter::CONDITION;
    let rows =
        format!("SELECT {COLUMNS} FROM findings WHERE {condition} ORDER BY severity, id LIMIT $6 OFFSET $7");
    let total = count_of(format_args!("findings WHERE {condition}"));
    page_load::<FindingRow, _, _>(db, filter.bind(&rows, id), filter.bind(&total, id), &window).await
}
