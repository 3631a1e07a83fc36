//! The vessels of the fleet with all that is wrong on board of each, worst first.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    conflict::ConflictState, dead_letter::DeadLetterState, record_standing::RecordStanding,
    row_status::RowStatus,
};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::{Page, Window},
        statement::statement,
    },
    views::{
        record_conditions::{STATEMENT_TIMEOUT, limits_set},
        scope::FleetPart,
    },
};

/// Which vessels; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub struct VesselFilter {
    /// Of this company, by its row.
    pub company: Option<uuid::Uuid>,
    /// Only those of which something waits for somebody.
    pub troubled: bool,
    /// Only those of this part of the fleet.
    pub part: Option<FleetPart>,
}

/// A vessel, and what stands about it and all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VesselState {
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// Absent without a row.
    pub imo_number: Option<String>,
    pub name: Option<String>,
    /// By its id in the onboarding portal.
    pub company_id: Option<String>,
    pub standing: RecordStanding,
    /// Rejected records that nobody has acknowledged.
    pub rejected: u64,
    pub acknowledged: u64,
    /// Records with warnings.
    pub warnings: u64,
    pub open_conflicts: u64,
    pub dead_letters: u64,
    /// Rejected equipment of which no state was ever written.
    pub equipment_missing: u64,
    pub version_at: Option<DateTime<Utc>>,
    pub synced_at: Option<DateTime<Utc>>,
    pub fetched_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    imo_number: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    company_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Bool)]
    is_rejected: bool,
    #[diesel(sql_type = Int8)]
    rejected: i64,
    #[diesel(sql_type = Int8)]
    acknowledged: i64,
    #[diesel(sql_type = Int8)]
    warnings: i64,
    #[diesel(sql_type = Int8)]
    open_conflicts: i64,
    #[diesel(sql_type = Int8)]
    dead_letters: i64,
    #[diesel(sql_type = Int8)]
    equipment_missing: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    version_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    synced_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    fetched_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for VesselState {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let status: Option<RowStatus> =
            row.status.as_deref().map(|it| word("vessels", "status", &row.source_id, it)).transpose()?;
        let standing = match status {
            _ if row.is_rejected => RecordStanding::Rejected,
            None => RecordStanding::NeverCame,
            Some(RowStatus::Active) => RecordStanding::Active,
            Some(RowStatus::Withdrawn) => RecordStanding::Withdrawn,
        };
        Ok(Self {
            source_id: row.source_id,
            imo_number: row.imo_number,
            name: row.name,
            company_id: row.company_id,
            standing,
            rejected: count(row.rejected),
            acknowledged: count(row.acknowledged),
            warnings: count(row.warnings),
            open_conflicts: count(row.open_conflicts),
            dead_letters: count(row.dead_letters),
            equipment_missing: count(row.equipment_missing),
            version_at: row.version_at,
            synced_at: row.synced_at,
            fetched_at: row.fetched_at,
        })
    }
}

/// The vessels that have a row, and those that were rejected and have none: first those with rejected records, then those with
/// dead letters or open conflicts, then those with warnings, each with the last change first; withdrawn ones last. In a
/// transaction, whose statements it limits.
pub async fn vessel_states(
    db: &mut Db,
    filter: &VesselFilter,
    window: Window<()>,
) -> Result<Page<VesselState>, StoreError> {
    limits_set(db, STATEMENT_TIMEOUT).await?;
    let states = format!(
        "WITH of_findings AS (
             SELECT vessel,
                 count(DISTINCT (f.record_type, f.source_id)) FILTER (WHERE f.severity = 'error' AND a.source_id IS NULL)
                     AS rejected,
                 count(DISTINCT (f.record_type, f.source_id)) FILTER (WHERE f.severity = 'error' AND a.source_id IS NOT NULL)
                     AS acknowledged,
                 count(DISTINCT (f.record_type, f.source_id)) FILTER (WHERE f.severity = 'warning') AS warnings,
                 count(DISTINCT f.source_id) FILTER (
                     WHERE f.severity = 'error' AND f.record_type = 'equipment' AND e.id IS NULL) AS equipment_missing,
                 bool_or(f.severity = 'error' AND f.record_type = 'vessel' AND f.source_id = vessel) AS is_rejected,
                 min(f.label) FILTER (WHERE f.record_type = 'vessel' AND f.source_id = vessel) AS label
             FROM record_findings f CROSS JOIN unnest(f.vessel_ids) AS vessel
             LEFT JOIN acknowledged_rejections a ON a.record_type = f.record_type AND a.source_id = f.source_id
             LEFT JOIN equipment e ON f.record_type = 'equipment' AND e.source_id = f.source_id
             GROUP BY vessel
         ), waiting AS (
             SELECT record_type, source_id, 1 AS conflicts, 0 AS letters FROM conflicts WHERE state = '{open}'
             UNION ALL
             SELECT record_type, source_id, 0, 1 FROM dead_letters WHERE state = '{dead}' AND source_id IS NOT NULL
         ), of_waiting AS (
             SELECT vessel, sum(conflicts)::bigint AS open_conflicts, sum(letters)::bigint AS dead_letters FROM (
                 SELECT source_id AS vessel, conflicts, letters FROM waiting WHERE record_type = 'vessel'
                 UNION ALL
                 SELECT v.source_id, conflicts, letters FROM waiting w
                     JOIN equipment e ON e.source_id = w.source_id JOIN vessels v ON v.id = e.vessel_id
                     WHERE w.record_type = 'equipment'
                 UNION ALL
                 SELECT unnest(u.vessel_scope), conflicts, letters FROM waiting w JOIN users u ON u.source_id = w.source_id
                     WHERE w.record_type = 'user'
             ) AS each GROUP BY vessel
         ), known AS (
             SELECT v.source_id, v.imo_number, v.name, v.company_id, v.status, v.version_at, v.synced_at,
                 nullif(v.fetched_at, 'epoch') AS fetched_at FROM vessels v
             UNION ALL
             SELECT vessel, NULL, max(label), NULL, NULL, NULL, NULL, NULL FROM (
                 SELECT vessel, label FROM of_findings WHERE is_rejected
                 UNION ALL SELECT source_id, NULL FROM waiting WHERE record_type = 'vessel'
             ) AS rowless WHERE NOT EXISTS (SELECT FROM vessels v WHERE v.source_id = vessel) GROUP BY vessel
         ), states AS (
             SELECT k.source_id, k.imo_number, k.name, c.source_id AS company_id, k.status,
                 coalesce(f.is_rejected, false) AS is_rejected, coalesce(f.rejected, 0) AS rejected,
                 coalesce(f.acknowledged, 0) AS acknowledged, coalesce(f.warnings, 0) AS warnings,
                 coalesce(w.open_conflicts, 0) AS open_conflicts, coalesce(w.dead_letters, 0) AS dead_letters,
                 coalesce(f.equipment_missing, 0) AS equipment_missing, k.version_at, k.synced_at, k.fetched_at
             FROM known k LEFT JOIN companies c ON c.id = k.company_id
             LEFT JOIN of_findings f ON f.vessel = k.source_id LEFT JOIN of_waiting w ON w.vessel = k.source_id
             WHERE ($1 IS NULL OR k.company_id = $1) AND (NOT $3 OR k.source_id = ANY($4))
         ), wanted AS (
             SELECT * FROM states WHERE NOT $2 OR rejected + open_conflicts + dead_letters > 0
         )",
        open = ConflictState::Open,
        dead = DeadLetterState::Dead.as_str(),
    );
    let vessel_ids = || filter.part.as_ref().map(|part| part.vessel_ids.clone()).unwrap_or_default();
    let text = format!(
        "{states}
         SELECT * FROM wanted ORDER BY CASE
                 WHEN rejected > 0 THEN 0 WHEN open_conflicts + dead_letters > 0 THEN 1 WHEN status = 'withdrawn' THEN 4
                 WHEN warnings > 0 THEN 2 ELSE 3 END,
             version_at DESC NULLS LAST, source_id LIMIT $5 OFFSET $6"
    );
    let rows: Vec<Row> = statement(&text)
        .bind::<Nullable<Uuid>, _>(filter.company)
        .bind::<Bool, _>(filter.troubled)
        .bind::<Bool, _>(filter.part.is_some())
        .bind::<Array<Text>, _>(vessel_ids())
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .load(db)
        .await?;
    let text = format!("{states} SELECT count(*) FROM wanted");
    let total: i64 = statement(&text)
        .bind::<Nullable<Uuid>, _>(filter.company)
        .bind::<Bool, _>(filter.troubled)
        .bind::<Bool, _>(filter.part.is_some())
        .bind::<Array<Text>, _>(vessel_ids())
        .returning::<Int8>()
        .get_result(db)
        .await?;
    let states = rows.into_iter().map(VesselState::try_from).collect::<Result<_, _>>()?;
    Ok(Page::of(states, window.limit, total))
}
