//! Records as operators look them up: a list, and one record with where it stands. No passwords.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    RecordType, SyncId, last_write_wins::Writer, record_standing::RecordStanding, row_status::RowStatus,
    search::SearchText,
};
use serde_json::{Map, Value};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::{Page, Window, count_of},
        statement::{Statement, statement},
    },
    ledger::{
        acknowledgements::{Acknowledgement, acknowledgement_find},
        findings::{COLUMNS as FINDING_COLUMNS, FindingRow, StoredFinding},
    },
    records::{table_name, table_schema},
    views::{
        record_conditions::{STATEMENT_TIMEOUT, Search, limits_set},
        scope::{self, FleetPart},
    },
};

/// Standing findings that the answer about a record has.
pub const FINDINGS_LIMIT: u32 = 50;

/// A record: its row, or what is known of it without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub source_id: String,
    /// What a person calls it; of a user the e-mail address.
    pub name: Option<String>,
    pub standing: RecordStanding,
    pub row: Option<RecordRow>,
}

/// The row of a record in the maintenance portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    pub id: uuid::Uuid,
    pub status: RowStatus,
    /// The vessel of equipment, by its id in the onboarding portal.
    pub vessel_id: Option<String>,
    /// The company, by its id in the onboarding portal.
    pub company_id: Option<String>,
    /// `updatedAt` of the state that was synced last.
    pub source_updated_at: DateTime<Utc>,
    /// When the values were last written, by whichever portal.
    pub version_at: DateTime<Utc>,
    pub last_writer: Writer,
    /// The sync that wrote the row last. It may be forgotten.
    pub synced_by: Option<SyncId>,
    /// When a sync last wrote the row or found it unchanged in another version.
    pub synced_at: DateTime<Utc>,
    /// When the request began that brought the state; none of rows of earlier releases.
    pub fetched_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When a full sync withdrew the record because it was not listed.
    pub missing_since: Option<DateTime<Utc>>,
    /// Time of an announced withdrawal.
    pub withdrawal_due_at: Option<DateTime<Utc>>,
}

/// A record with all that stands about it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordDetail {
    pub record: Record,
    /// The columns of the row that both portals show to people; empty without a row.
    pub particulars: Map<String, Value>,
    /// Whether the sync that wrote the row last is kept.
    pub sync_is_kept: bool,
    pub open_conflicts: u64,
    pub acknowledgement: Option<Acknowledgement>,
    /// Findings that stand, errors first: at most [`FINDINGS_LIMIT`].
    pub findings: Vec<StoredFinding>,
    pub findings_total: u64,
    /// How many rows belong to the row, by what they are: `(name, active, withdrawn)`.
    pub dependents: Vec<(&'static str, u64, u64)>,
}

/// Which records; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub struct RecordFilter {
    pub status: Option<StatusFilter>,
    /// Only rejected records whose rejection is acknowledged, or only those for which that does not hold.
    pub acknowledged: Option<bool>,
    /// Of this vessel, or it itself, by its id in the onboarding portal.
    pub vessel_id: Option<String>,
    /// Of this company, or it itself, by its row.
    pub company: Option<uuid::Uuid>,
    pub text: Option<SearchText>,
    /// Whether the text is searched for in names and addresses of users.
    pub in_personal_data: bool,
    /// Only what belongs to this part of the fleet.
    pub part: Option<FleetPart>,
}

/// What the status of listed records must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    /// The row is in this status, whether or not a newer state stands rejected.
    Row(RowStatus),
    /// The newest state stands rejected, whether or not there is a row.
    Rejected,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Bool)]
    is_rejected: bool,
    #[diesel(sql_type = Nullable<Uuid>)]
    id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    vessel_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    company_id: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    source_updated_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    version_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    last_writer: Option<String>,
    #[diesel(sql_type = Nullable<Uuid>)]
    synced_by: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    synced_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    fetched_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    created_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    missing_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    withdrawal_due_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Record {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = row.source_id.as_str();
        let status: Option<RowStatus> =
            row.status.as_deref().map(|it| word("a record", "status", id, it)).transpose()?;
        let last_writer: Option<Writer> =
            row.last_writer.as_deref().map(|it| word("a record", "last_writer", id, it)).transpose()?;
        let standing = match status {
            _ if row.is_rejected => RecordStanding::Rejected,
            None => RecordStanding::NeverCame,
            Some(RowStatus::Active) => RecordStanding::Active,
            Some(RowStatus::Withdrawn) => RecordStanding::Withdrawn,
        };
        // The columns of a row are not null.
        let stored = || {
            Some(RecordRow {
                id: row.id?,
                status: status?,
                vessel_id: row.vessel_id.clone(),
                company_id: row.company_id.clone(),
                source_updated_at: row.source_updated_at?,
                version_at: row.version_at?,
                last_writer: last_writer?,
                synced_by: row.synced_by.map(SyncId::from_uuid),
                synced_at: row.synced_at?,
                fetched_at: row.fetched_at,
                created_at: row.created_at?,
                missing_since: row.missing_since,
                withdrawal_due_at: row.withdrawal_due_at,
            })
        };
        Ok(Self { row: stored(), source_id: row.source_id, name: row.name, standing })
    }
}

/// SQL of the columns of [`Row`] for a row `t` that may be null, and a source id `k.source_id`.
fn columns(record_type: RecordType) -> String {
    let company = "(SELECT c.source_id FROM companies c WHERE c.id = t.company_id)";
    let (name, vessel, company, withdrawal_due_at) = match record_type {
        RecordType::Company => ("t.name", "NULL::text", "NULL::text", "NULL::timestamptz"),
        RecordType::Vessel => {
            ("t.name || ' (IMO ' || t.imo_number || ')'", "NULL::text", company, "t.withdrawal_due_at")
        }
        RecordType::Equipment => (
            "t.code || '/' || t.unit_number || ' ' || t.name",
            "(SELECT v.source_id FROM vessels v WHERE v.id = t.vessel_id)",
            "NULL::text",
            "t.withdrawal_due_at",
        ),
        RecordType::User => ("t.email", "NULL::text", "t.company_source_id", "t.withdrawal_due_at"),
    };
    // A rejected state may be the only one that ever came: its findings know what it is called.
    format!(
        "k.source_id,
         coalesce({name}, (SELECT min(f.label) FROM record_findings f
             WHERE f.record_type = '{record_type}' AND f.source_id = k.source_id)) AS name,
         EXISTS (SELECT FROM record_findings f WHERE f.record_type = '{record_type}'
             AND f.source_id = k.source_id AND f.severity = 'error') AS is_rejected,
         t.id, t.status, {vessel} AS vessel_id, {company} AS company_id, t.source_updated_at, t.version_at, t.last_writer,
         t.synced_by, t.synced_at, nullif(t.fetched_at, 'epoch') AS fetched_at, t.created_at, t.missing_since,
         {withdrawal_due_at} AS withdrawal_due_at"
    )
}

impl RecordFilter {
    /// Queries of source ids: of rows, and of records without a row whose state was rejected. With a text each condition of the
    /// search is a query of its own, so that each has its index.
    fn sources(&self, record_type: RecordType, search: Option<Search<'_>>) -> Vec<String> {
        let table = table_name(record_type);
        let rejected = format!("f.record_type = '{record_type}' AND f.severity = 'error'");
        let mut of_rows = vec!["true".to_owned()];
        let mut of_rejected = vec![
            rejected.clone(),
            format!("NOT EXISTS (SELECT FROM {table} t WHERE t.source_id = f.source_id)"),
        ];
        match self.status {
            Some(StatusFilter::Row(status)) => of_rows.push(format!("t.status = '{}'", status.as_str())),
            Some(StatusFilter::Rejected) => {
                of_rows.push(format!(
                    "t.source_id IN (SELECT f.source_id FROM record_findings f WHERE {rejected})"
                ));
            }
            None => {}
        }
        if let Some(acknowledged) = self.acknowledged {
            let known = |source_id: &str| {
                format!(
                    "{}EXISTS (SELECT FROM acknowledged_rejections a
                         WHERE a.record_type = '{record_type}' AND a.source_id = {source_id})",
                    if acknowledged { "" } else { "NOT " }
                )
            };
            of_rows.push(known("t.source_id"));
            of_rejected.push(known("f.source_id"));
        }
        // A record is of the vessels of its row, and of those that its rejected state names.
        let or_named = |of_row: &str, vessels: &str| {
            let named = format!(
                "SELECT f.source_id FROM record_findings f WHERE {rejected} AND f.vessel_ids {vessels}"
            );
            format!("({of_row} OR t.source_id IN ({named}))")
        };
        if self.vessel_id.is_some() {
            of_rows.push(or_named(of_vessel(record_type), "@> ARRAY[$10]"));
            of_rejected.push("f.vessel_ids @> ARRAY[$10]".to_owned());
        }
        if self.part.is_some() {
            of_rows.push(or_named(&scope::of_rows(record_type, 12), "&& $13"));
            of_rejected.push("f.vessel_ids && $13".to_owned());
        }
        if self.company.is_some() {
            of_rows.push(of_company(record_type).to_owned());
        }
        let each = |select: &str, common: &[String], conditions: Option<Vec<&str>>| {
            let common = common.join(" AND ");
            let queries = conditions.unwrap_or_else(|| vec!["true"]);
            let queries =
                queries.into_iter().map(|condition| format!("{select} WHERE {common} AND {condition}"));
            queries.collect::<Vec<_>>().join(" UNION ")
        };
        let conditions =
            search.map(|it| it.conditions(record_type).into_iter().map(|(_, condition)| condition).collect());
        let mut sources = vec![each(&format!("SELECT t.source_id FROM {table} t"), &of_rows, conditions)];
        // Nothing says of which company a record without a row is.
        if self.company.is_none() && !matches!(self.status, Some(StatusFilter::Row(_))) {
            let conditions = search
                .map(|it| it.rejected_conditions().into_iter().map(|(_, condition)| condition).collect());
            sources.push(each(
                "SELECT DISTINCT f.source_id FROM record_findings f",
                &of_rejected,
                conditions,
            ));
        }
        sources
    }

    fn bind<'f>(&'f self, text: &'f str, search: Option<Search<'f>>) -> Statement<'f> {
        let statement = match search {
            Some(search) => search.bind(text),
            None => {
                let nothing = || None::<&str>;
                let mut statement = statement(text);
                for _ in 0..7 {
                    statement = statement.bind::<Nullable<Text>, _>(nothing());
                }
                statement
                    .bind::<Nullable<Uuid>, _>(None::<uuid::Uuid>)
                    .bind::<Nullable<Uuid>, _>(None::<uuid::Uuid>)
            }
        };
        let FleetPart { vessels, vessel_ids, companies } = self.part.clone().unwrap_or_default();
        statement
            .bind::<Nullable<Text>, _>(self.vessel_id.as_deref())
            .bind::<Nullable<Uuid>, _>(self.company)
            .bind::<Array<Uuid>, _>(vessels)
            .bind::<Array<Text>, _>(vessel_ids)
            .bind::<Array<Uuid>, _>(companies)
    }
}

/// The condition of rows that belong to the vessel `$10`.
const fn of_vessel(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Company => "t.id = (SELECT v.company_id FROM vessels v WHERE v.source_id = $10)",
        RecordType::Vessel => "t.source_id = $10",
        RecordType::Equipment => "t.vessel_id = (SELECT v.id FROM vessels v WHERE v.source_id = $10)",
        RecordType::User => "t.vessel_scope @> ARRAY[$10]",
    }
}

/// The condition of rows that belong to the company `$11`.
const fn of_company(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Company => "t.id = $11",
        RecordType::Vessel | RecordType::User => "t.company_id = $11",
        RecordType::Equipment => "t.vessel_id IN (SELECT v.id FROM vessels v WHERE v.company_id = $11)",
    }
}

/// Records by their ids in the onboarding portal, in the order of bytes, as the indexes have them: rows, and records without a row whose state was rejected. In a transaction,
/// whose statements it limits. None: the database has no index that finds the text in names.
pub async fn record_list(
    db: &mut Db,
    record_type: RecordType,
    filter: &RecordFilter,
    window: Window<()>,
) -> Result<Option<Page<Record>>, StoreError> {
    let letters = limits_set(db, STATEMENT_TIMEOUT).await?;
    let search = filter.text.as_ref();
    let search = search.map(|text| Search { text, letters, in_personal_data: filter.in_personal_data });
    let has_names = record_type != RecordType::User || filter.in_personal_data;
    if has_names && search.is_some_and(Search::skips_names) {
        return Ok(None);
    }
    let sources = filter.sources(record_type, search);
    let limited = sources.iter().map(|source| format!("({source} ORDER BY source_id USING ~<~ LIMIT $15)"));
    let text = format!(
        "WITH keys AS MATERIALIZED (
             SELECT source_id FROM ({}) AS k ORDER BY source_id USING ~<~ LIMIT $16 OFFSET $17
         )
         SELECT {} FROM keys k LEFT JOIN {} t ON t.source_id = k.source_id ORDER BY k.source_id USING ~<~",
        limited.collect::<Vec<_>>().join(" UNION ALL "),
        columns(record_type),
        table_name(record_type)
    );
    let wanted = i64::from(window.limit) + 1;
    let rows: Vec<Row> = filter
        .bind(&text, search)
        .bind::<Int8, _>(wanted + i64::from(window.offset))
        .bind::<Int8, _>(wanted)
        .bind::<Int8, _>(i64::from(window.offset))
        .load(db)
        .await?;
    let counts: Vec<String> =
        sources.iter().map(|source| format!("({})", count_of(format_args!("({source}) AS s")))).collect();
    let text = format!("SELECT {}", counts.join(" + "));
    let total: i64 = filter.bind(&text, search).returning::<Int8>().get_result(db).await?;
    let records = rows.into_iter().map(Record::try_from).collect::<Result<_, _>>()?;
    Ok(Some(Page::counted(records, &window, total)))
}

/// A record with all that stands about it. A record of which no row and no rejection is known is one that never came: whether
/// anything at all is known of it, its timeline says. In a transaction, whose statements it limits.
pub async fn record_find(
    db: &mut Db,
    record_type: RecordType,
    source_id: &str,
) -> Result<RecordDetail, StoreError> {
    limits_set(db, STATEMENT_TIMEOUT).await?;
    let text = format!(
        "SELECT {} FROM (SELECT $1 AS source_id) AS k LEFT JOIN {} t ON t.source_id = k.source_id",
        columns(record_type),
        table_name(record_type)
    );
    let row: Row = statement(&text).bind::<Text, _>(source_id).get_result(db).await?;
    let record = Record::try_from(row)?;
    let (particulars, dependents) = match &record.row {
        Some(row) => {
            (particulars_read(db, record_type, row.id).await?, dependents_count(db, record_type, row).await?)
        }
        None => (Map::new(), Vec::new()),
    };
    let (sync_is_kept, open_conflicts, findings_total): (bool, i64, i64) = statement(
        "SELECT EXISTS (SELECT FROM sync_logs WHERE id = $3),
             (SELECT count(*) FROM conflicts WHERE record_type = $1 AND source_id = $2 AND state = 'open'),
             (SELECT count(*) FROM record_findings WHERE record_type = $1 AND source_id = $2)",
    )
    .bind::<Text, _>(record_type.as_str())
    .bind::<Text, _>(source_id)
    .bind::<Nullable<Uuid>, _>(record.row.as_ref().and_then(|row| row.synced_by).map(SyncId::as_uuid))
    .returning::<(Bool, Int8, Int8)>()
    .get_result(db)
    .await?;
    let text = format!(
        "SELECT {FINDING_COLUMNS} FROM record_findings WHERE record_type = $1 AND source_id = $2
         ORDER BY severity, id LIMIT $3"
    );
    let findings: Vec<FindingRow> = statement(&text)
        .bind::<Text, _>(record_type.as_str())
        .bind::<Text, _>(source_id)
        .bind::<Int8, _>(i64::from(FINDINGS_LIMIT))
        .load(db)
        .await?;
    Ok(RecordDetail {
        acknowledgement: acknowledgement_find(db, record_type, source_id).await?,
        record,
        particulars,
        sync_is_kept,
        open_conflicts: count(open_conflicts),
        findings: findings.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        findings_total: count(findings_total),
        dependents,
    })
}

/// References by row id: the ids in the onboarding portal stand beside the particulars.
const ROW_IDS: [&str; 3] = ["company_id", "vessel_id", "company_source_id"];

/// Columns that do not come from the onboarding portal, and that people look for.
const fn own_columns(record_type: RecordType) -> &'static [&'static str] {
    match record_type {
        RecordType::Company | RecordType::Vessel => &[],
        RecordType::Equipment => &["running_hours", "qr_label_state"],
        RecordType::User => &["role", "role_mapping_version"],
    }
}

async fn particulars_read(
    db: &mut Db,
    record_type: RecordType,
    id: uuid::Uuid,
) -> Result<Map<String, Value>, StoreError> {
    // Only columns that are named: no later column of secrets gets in by itself.
    let schema = table_schema(record_type);
    let named = schema.columns.iter().chain(own_columns(record_type)).filter(|name| !ROW_IDS.contains(name));
    let pairs: Vec<String> = named.map(|name| format!("'{name}', t.{name}")).collect();
    let text =
        format!("SELECT jsonb_build_object({}) FROM {} t WHERE t.id = $1", pairs.join(", "), schema.table);
    let value: Value = statement(&text).bind::<Uuid, _>(id).returning::<Jsonb>().get_result(db).await?;
    match value {
        Value::Object(particulars) => Ok(particulars),
        _ => Ok(Map::new()),
    }
}

async fn dependents_count(
    db: &mut Db,
    record_type: RecordType,
    row: &RecordRow,
) -> Result<Vec<(&'static str, u64, u64)>, StoreError> {
    let tables: &[(&'static str, &str)] = match record_type {
        RecordType::Company => {
            &[("vessels", "vessels WHERE company_id = $1"), ("users", "users WHERE company_id = $1")]
        }
        RecordType::Vessel => &[
            ("equipment", "equipment WHERE vessel_id = $1"),
            (
                "users",
                "users WHERE vessel_scope @> ARRAY[(SELECT v.source_id FROM vessels v WHERE v.id = $1)]",
            ),
        ],
        RecordType::Equipment => &[
            ("criticalParts", "critical_parts WHERE equipment_id = $1"),
            ("maintenanceSchedules", "maintenance_schedules WHERE equipment_id = $1"),
        ],
        RecordType::User => &[],
    };
    let mut dependents = Vec::new();
    for (name, from) in tables {
        let text = format!(
            "SELECT count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE status = 'withdrawn') FROM {from}"
        );
        let (active, withdrawn): (i64, i64) =
            statement(&text).bind::<Uuid, _>(row.id).returning::<(Int8, Int8)>().get_result(db).await?;
        dependents.push((*name, count(active), count(withdrawn)));
    }
    Ok(dependents)
}

/// What a company is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyIdentity {
    pub id: uuid::Uuid,
    /// Its id in the onboarding portal.
    pub source_id: String,
}

/// A company, by its id here or in the onboarding portal, or its IMO number.
pub async fn company_identity(db: &mut Db, company: &str) -> Result<Option<CompanyIdentity>, StoreError> {
    let rows: Vec<(uuid::Uuid, String)> = statement(
        "SELECT id, source_id FROM companies WHERE id = $1 OR source_id = $2 OR imo_company_number = $2
         ORDER BY id = $1 DESC NULLS LAST, source_id = $2 DESC, status = 'active' DESC, version_at DESC LIMIT 1",
    )
    .bind::<Nullable<Uuid>, _>(company.parse::<uuid::Uuid>().ok())
    .bind::<Text, _>(company)
    .returning::<(Uuid, Text)>()
    .load(db)
    .await?;
    Ok(rows.into_iter().next().map(|(id, source_id)| CompanyIdentity { id, source_id }))
}
