//! Data quality: findings about the records of the fleet, of one vessel, or of one sync.

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, Severity, SyncId};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::{Page, Window, count_of, page_load},
        statement::{Statement, statement},
    },
    ledger::findings::{COLUMNS, FindingRow, StoredFinding},
};

/// Whose data quality is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Findings that stand about any record.
    Fleet,
    /// Findings that stand about a vessel and all that belongs to it; by its id in the onboarding portal.
    Vessel(String),
    /// Findings of a sync.
    Sync(SyncId),
}

/// Which findings; what is absent does not filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityFilter {
    pub subject: Subject,
    pub severity: Option<Severity>,
    /// The rule.
    pub code: Option<String>,
    pub record_type: Option<RecordType>,
}

/// The names by which a vessel is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VesselIdentity {
    pub id: uuid::Uuid,
    /// By the onboarding portal.
    pub source_id: String,
    /// Without the prefix `IMO`.
    pub imo_number: String,
    pub name: String,
}

/// How many findings a rule has made, and about how many records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeCount {
    pub severity: Severity,
    /// The rule.
    pub code: String,
    pub record_type: RecordType,
    pub findings: u64,
    pub records: u64,
}

/// How many records of a type there are, and how many have findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordQuality {
    pub record_type: RecordType,
    /// Of a sync: records read. Otherwise: active records.
    pub records: u64,
    /// Records whose last state from the onboarding portal was rejected.
    pub with_errors: u64,
    pub with_warnings: u64,
}

impl QualityFilter {
    /// All findings about the subject.
    #[must_use]
    pub const fn of(subject: Subject) -> Self {
        Self { subject, severity: None, code: None, record_type: None }
    }

    const fn table(&self) -> &'static str {
        match self.subject {
            Subject::Sync(_) => "findings",
            Subject::Fleet | Subject::Vessel(_) => "record_findings",
        }
    }

    /// The condition, over the first five parameters; parts that do not filter are left out.
    fn condition(&self) -> String {
        let subject = match self.subject {
            Subject::Sync(_) => "sync_id = $1",
            Subject::Vessel(_) => "vessel_ids @> ARRAY[$2]",
            Subject::Fleet => "true",
        };
        let mut all = vec![subject];
        all.extend(self.severity.map(|_| "severity = $3"));
        all.extend(self.code.as_ref().map(|_| "code = $4"));
        all.extend(self.record_type.map(|_| "record_type = $5"));
        all.join(" AND ")
    }

    /// A statement with the parameters of the condition, the first five.
    fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        let (sync, vessel) = match &self.subject {
            Subject::Sync(id) => (Some(id.as_uuid()), None),
            Subject::Vessel(id) => (None, Some(id.as_str())),
            Subject::Fleet => (None, None),
        };
        statement(text)
            .bind::<Nullable<Uuid>, _>(sync)
            .bind::<Nullable<Text>, _>(vessel)
            .bind::<Nullable<Text>, _>(self.severity.map(Severity::as_str))
            .bind::<Nullable<Text>, _>(self.code.as_deref())
            .bind::<Nullable<Text>, _>(self.record_type.map(RecordType::as_str))
    }
}

/// A vessel by its IMO number, or by its id here or in the onboarding portal. Of several that had the number, the active
/// one, or the last.
pub async fn vessel_identity(db: &mut Db, vessel: &str) -> Result<Option<VesselIdentity>, StoreError> {
    let rows: Vec<(uuid::Uuid, String, String, String)> = statement(
        "SELECT id, source_id, imo_number, name FROM vessels WHERE id = $1 OR imo_number = $2 OR source_id = $2
         ORDER BY id = $1 DESC NULLS LAST, imo_number = $2 DESC, status = 'active' DESC, version_at DESC LIMIT 1",
    )
    .bind::<Nullable<Uuid>, _>(vessel.parse::<uuid::Uuid>().ok())
    .bind::<Text, _>(vessel)
    .returning::<(Uuid, Text, Text, Text)>()
    .load(db)
    .await?;
    let row = rows.into_iter().next();
    Ok(row.map(|(id, source_id, imo_number, name)| VesselIdentity { id, source_id, imo_number, name }))
}

/// Findings, errors before warnings, in the order they were made.
pub async fn quality_findings(
    db: &mut Db,
    filter: &QualityFilter,
    window: Window<()>,
) -> Result<Page<StoredFinding>, StoreError> {
    let (table, condition) = (filter.table(), filter.condition());
    let rows =
        format!("SELECT {COLUMNS} FROM {table} WHERE {condition} ORDER BY severity, id LIMIT $6 OFFSET $7");
    let total = count_of(format_args!("{table} WHERE {condition}"));
    page_load::<FindingRow, _, _>(db, filter.bind(&rows), filter.bind(&total), &window).await
}

/// Findings by rule, errors first, the most frequent first.
pub async fn quality_codes(db: &mut Db, filter: &QualityFilter) -> Result<Vec<CodeCount>, StoreError> {
    let text = format!(
        "SELECT severity, code, record_type, count(*), count(DISTINCT source_id) FROM {} WHERE {}
         GROUP BY severity, code, record_type ORDER BY severity, count(*) DESC, code, record_type",
        filter.table(),
        filter.condition()
    );
    let rows: Vec<(String, String, String, i64, i64)> =
        filter.bind(&text).returning::<(Text, Text, Text, Int8, Int8)>().load(db).await?;
    rows.into_iter()
        .map(|(severity, code, record_type, findings, records)| {
            Ok(CodeCount {
                severity: word(filter.table(), "severity", &code, &severity)?,
                record_type: word(filter.table(), "record_type", &code, &record_type)?,
                code,
                findings: count(findings),
                records: count(records),
            })
        })
        .collect()
}

/// How many records of each type there are, and how many have findings.
pub async fn quality_records(db: &mut Db, subject: &Subject) -> Result<Vec<RecordQuality>, StoreError> {
    let filter = QualityFilter::of(subject.clone());
    let text = format!(
        "SELECT r.record_type, r.n, coalesce(f.errors, 0), coalesce(f.warnings, 0)
         FROM ({}) AS r LEFT JOIN (
             SELECT record_type, count(DISTINCT source_id) FILTER (WHERE severity = '{}') AS errors,
                 count(DISTINCT source_id) FILTER (WHERE severity = '{}') AS warnings
             FROM {} WHERE {} GROUP BY record_type
         ) AS f ON f.record_type = r.record_type",
        subject.record_counts(),
        Severity::Error,
        Severity::Warning,
        filter.table(),
        filter.condition()
    );
    let rows: Vec<(String, i64, i64, i64)> =
        filter.bind(&text).returning::<(Text, Int8, Int8, Int8)>().load(db).await?;
    let quality = |(record_type, records, errors, warnings): (String, i64, i64, i64)| {
        Ok(RecordQuality {
            record_type: word("record_findings", "record_type", "a count", &record_type)?,
            records: count(records),
            with_errors: count(errors),
            with_warnings: count(warnings),
        })
    };
    let mut all: Vec<RecordQuality> = rows.into_iter().map(quality).collect::<Result<_, StoreError>>()?;
    all.sort_by_key(|it| it.record_type);
    Ok(all)
}

impl Subject {
    /// A query of record types and how many records of each there are, over the parameters of [`QualityFilter::bind`].
    const fn record_counts(&self) -> &'static str {
        match self {
            Self::Sync(_) => "SELECT record_type, read AS n FROM sync_counts WHERE sync_id = $1",
            Self::Fleet => {
                "SELECT 'company' AS record_type, count(*) AS n FROM companies WHERE status = 'active'
                 UNION ALL SELECT 'vessel', count(*) FROM vessels WHERE status = 'active'
                 UNION ALL SELECT 'equipment', count(*) FROM equipment WHERE status = 'active'
                 UNION ALL SELECT 'user', count(*) FROM users WHERE status = 'active'"
            }
            Self::Vessel(_) => {
                "SELECT 'vessel' AS record_type, count(*) AS n FROM vessels WHERE source_id = $2 AND status = 'active'
                 UNION ALL SELECT 'equipment', count(*) FROM equipment e JOIN vessels v ON v.id = e.vessel_id
                     WHERE v.source_id = $2 AND e.status = 'active'
                 UNION ALL SELECT 'user', count(*) FROM users WHERE vessel_scope @> ARRAY[$2] AND status = 'active'"
            }
        }
    }
}

/// Critical spares of which less is on board than the minimum stock, as the ships count them: of one vessel, or of the
/// fleet.
pub async fn spares_below_minimum(db: &mut Db, vessel: Option<uuid::Uuid>) -> Result<u64, StoreError> {
    let n: i64 = statement(
        "SELECT count(*) FROM critical_parts p JOIN equipment e ON e.id = p.equipment_id
         WHERE p.is_critical AND p.status = 'active' AND e.status = 'active' AND p.stock_on_board < p.minimum_stock
             AND ($1 IS NULL OR e.vessel_id = $1)",
    )
    .bind::<Nullable<Uuid>, _>(vessel)
    .returning::<Int8>()
    .get_result(db)
    .await?;
    Ok(count(n))
}
