//! How good the data is: what stands about records, of the fleet, of one vessel, or of one sync.

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, Severity, SyncId};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::{Page, Window},
        statement::{Statement, statement},
    },
    ledger::findings::{COLUMNS, Columns, StoredFinding, Types, stored},
};

/// Whose data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// All that stands.
    Fleet,
    /// What stands about a vessel and all that belongs to it, by its id in the onboarding portal.
    Vessel(String),
    /// What a sync found.
    StoredSync(SyncId),
}

/// Which findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityFilter {
    /// Whose data.
    pub subject: Subject,
    /// Only these.
    pub severity: Option<Severity>,
    /// Only of this rule.
    pub code: Option<String>,
    /// Only about this kind of record.
    pub record_type: Option<RecordType>,
}

/// Who a vessel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VesselIdentity {
    /// Its row.
    pub id: uuid::Uuid,
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// Without prefix.
    pub imo_number: String,
    /// Its name.
    pub name: String,
}

/// How many records a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeCount {
    /// Whether it rejects.
    pub severity: Severity,
    /// The rule.
    pub code: String,
    /// What kind of record.
    pub record_type: RecordType,
    /// Findings.
    pub findings: u64,
    /// Records.
    pub records: u64,
}

/// How many records of a kind there are, and how many have something said about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordQuality {
    /// What kind of record.
    pub record_type: RecordType,
    /// Of a run: read. Else: there and not withdrawn.
    pub records: u64,
    /// With an error: the state that was sent last was rejected.
    pub with_errors: u64,
    /// With a warning.
    pub with_warnings: u64,
}

impl QualityFilter {
    /// Everything about the subject.
    #[must_use]
    pub const fn of(subject: Subject) -> Self {
        Self { subject, severity: None, code: None, record_type: None }
    }

    const fn table(&self) -> &'static str {
        match self.subject {
            Subject::StoredSync(_) => "findings",
            Subject::Fleet | Subject::Vessel(_) => "record_findings",
        }
    }

    /// The condition; parameters 1 to 5.
    fn condition(&self) -> String {
        let subject = match self.subject {
            Subject::StoredSync(_) => "sync_id = $1",
            Subject::Vessel(_) => "vessel_ids @> ARRAY[$2]",
            Subject::Fleet => "true",
        };
        let mut all = vec![subject];
        all.extend(self.severity.map(|_| "severity = $3"));
        all.extend(self.code.as_ref().map(|_| "code = $4"));
        all.extend(self.record_type.map(|_| "record_type = $5"));
        all.join(" AND ")
    }

    fn bind<'f>(&'f self, statement: Statement<'f>) -> Statement<'f> {
        let (sync, vessel) = match &self.subject {
            Subject::StoredSync(id) => (Some(id.as_uuid()), None),
            Subject::Vessel(id) => (None, Some(id.as_str())),
            Subject::Fleet => (None, None),
        };
        statement
            .bind::<Nullable<Uuid>, _>(sync)
            .bind::<Nullable<Text>, _>(vessel)
            .bind::<Nullable<Text>, _>(self.severity.map(Severity::as_str))
            .bind::<Nullable<Text>, _>(self.code.as_deref())
            .bind::<Nullable<Text>, _>(self.record_type.map(RecordType::as_str))
    }
}

/// A vessel by its IMO number, or by its id here or in the onboarding portal. Of several that had the number, the one that
/// is not withdrawn, or the last.
///
/// # Errors
///
/// If the database fails.
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
///
/// # Errors
///
/// If the database fails.
pub async fn quality_findings(
    db: &mut Db,
    filter: &QualityFilter,
    window: Window<()>,
) -> Result<Page<StoredFinding>, StoreError> {
    let (table, condition) = (filter.table(), filter.condition());
    let text = format!("SELECT count(*) FROM {table} WHERE {condition}");
    let total: i64 = filter.bind(statement(&text)).returning::<Int8>().get_result(db).await?;
    let text =
        format!("SELECT {COLUMNS} FROM {table} WHERE {condition} ORDER BY severity, id LIMIT $6 OFFSET $7");
    let rows: Vec<Columns> = filter
        .bind(statement(&text))
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .returning::<Types>()
        .load(db)
        .await?;
    Ok(Page::of(rows.into_iter().map(stored).collect::<Result<_, _>>()?, window.limit, total))
}

/// How often each rule spoke, errors first, the most frequent first.
///
/// # Errors
///
/// If the database fails.
pub async fn quality_codes(db: &mut Db, filter: &QualityFilter) -> Result<Vec<CodeCount>, StoreError> {
    let text = format!(
        "SELECT severity, code, record_type, count(*), count(DISTINCT source_id) FROM {} WHERE {}
         GROUP BY severity, code, record_type ORDER BY severity, count(*) DESC, code, record_type",
        filter.table(),
        filter.condition()
    );
    let rows: Vec<(String, String, String, i64, i64)> =
        filter.bind(statement(&text)).returning::<(Text, Text, Text, Int8, Int8)>().load(db).await?;
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

/// How many records of each kind there are, and how many have findings. The filter's other parts do not matter.
///
/// # Errors
///
/// If the database fails.
pub async fn quality_records(db: &mut Db, subject: &Subject) -> Result<Vec<RecordQuality>, StoreError> {
    let filter = QualityFilter::of(subject.clone());
    let records = match subject {
        Subject::StoredSync(_) => "SELECT record_type, read AS n FROM sync_counts WHERE sync_id = $1",
        Subject::Fleet => {
            "SELECT 'company' AS record_type, count(*) AS n FROM companies WHERE status = 'active'
             UNION ALL SELECT 'vessel', count(*) FROM vessels WHERE status = 'active'
             UNION ALL SELECT 'equipment', count(*) FROM equipment WHERE status = 'active'
             UNION ALL SELECT 'user', count(*) FROM users WHERE status = 'active'"
        }
        Subject::Vessel(_) => {
            "SELECT 'vessel' AS record_type, count(*) AS n FROM vessels WHERE source_id = $2 AND status = 'active'
             UNION ALL SELECT 'equipment', count(*) FROM equipment e JOIN vessels v ON v.id = e.vessel_id
                 WHERE v.source_id = $2 AND e.status = 'active'
             UNION ALL SELECT 'user', count(*) FROM users WHERE vessel_scope @> ARRAY[$2] AND status = 'active'"
        }
    };
    let text = format!(
        "SELECT r.record_type, r.n, coalesce(f.errors, 0), coalesce(f.warnings, 0)
         FROM ({records}) AS r LEFT JOIN (
             SELECT record_type, count(DISTINCT source_id) FILTER (WHERE severity = 'error') AS errors,
                 count(DISTINCT source_id) FILTER (WHERE severity = 'warning') AS warnings
             FROM {} WHERE {} GROUP BY record_type
         ) AS f ON f.record_type = r.record_type
         ORDER BY array_position(ARRAY['company', 'vessel', 'equipment', 'user'], r.record_type)",
        filter.table(),
        filter.condition()
    );
    let rows: Vec<(String, i64, i64, i64)> =
        filter.bind(statement(&text)).returning::<(Text, Int8, Int8, Int8)>().load(db).await?;
    rows.into_iter()
        .map(|(record_type, records, errors, warnings)| {
            Ok(RecordQuality {
                record_type: word("record_findings", "record_type", "a count", &record_type)?,
                records: count(records),
                with_errors: count(errors),
                with_warnings: count(warnings),
            })
        })
        .collect()
}

/// Critical spares of which less is on board than must be, by the ships' present counts: of one vessel, or of the fleet.
///
/// # Errors
///
/// If the database fails.
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
