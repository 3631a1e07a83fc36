//! Critical parts and maintenance schedules of equipment, as operators look them up.

use diesel::{QueryableByName, sql_types::*};
use domain::row_status::RowStatus;
use serde_json::{Map, Value};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        page::{Page, Window, count_of, page_load},
        statement::{Statement, statement},
    },
    records::{CRITICAL_PARTS, MAINTENANCE_SCHEDULES, PartTable},
};

/// What belongs to a piece of equipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    CriticalPart,
    MaintenanceSchedule,
}

impl PartKind {
    const ALL: [Self; 2] = [Self::CriticalPart, Self::MaintenanceSchedule];

    const fn table(self) -> PartTable {
        match self {
            Self::CriticalPart => CRITICAL_PARTS,
            Self::MaintenanceSchedule => MAINTENANCE_SCHEDULES,
        }
    }

    /// The column that people call it by, and those that the ship keeps itself.
    const fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::CriticalPart => ("name", "stock_on_board"),
            Self::MaintenanceSchedule => ("title", "last_done_on"),
        }
    }
}

/// Whose parts; one of both is given.
#[derive(Debug, Clone, Default)]
pub struct PartFilter {
    /// Of the equipment of this vessel, by its id in the onboarding portal.
    pub vessel_id: Option<String>,
    /// Of this equipment, by its id in the onboarding portal.
    pub equipment_id: Option<String>,
    pub kind: Option<PartKind>,
}

/// A critical part or a maintenance schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub kind: PartKind,
    pub source_id: String,
    pub name: String,
    /// By its id in the onboarding portal.
    pub equipment_id: String,
    pub equipment_name: String,
    pub status: RowStatus,
    /// Columns of the row.
    pub values: Map<String, Value>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    is_schedule: bool,
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    equipment_id: String,
    #[diesel(sql_type = Text)]
    equipment_name: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Jsonb)]
    values: Value,
}

impl TryFrom<Row> for Part {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            kind: if row.is_schedule { PartKind::MaintenanceSchedule } else { PartKind::CriticalPart },
            status: word("a part", "status", &row.source_id, &row.status)?,
            source_id: row.source_id,
            name: row.name,
            equipment_id: row.equipment_id,
            equipment_name: row.equipment_name,
            values: match row.values {
                Value::Object(values) => values,
                _ => Map::new(),
            },
        })
    }
}

impl PartFilter {
    fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        statement(text)
            .bind::<Nullable<Text>, _>(self.vessel_id.as_deref())
            .bind::<Nullable<Text>, _>(self.equipment_id.as_deref())
    }

    /// The parts, as SQL.
    fn parts(&self) -> String {
        let kinds = PartKind::ALL.into_iter().filter(|kind| self.kind.is_none_or(|wanted| wanted == *kind));
        let selects: Vec<String> = kinds
            .map(|kind| {
                let (PartTable { name: table, columns, .. }, (name, own)) = (kind.table(), kind.columns());
                let values: Vec<String> =
                    columns.iter().chain([&own]).map(|column| format!("'{column}', p.{column}")).collect();
                format!(
                    "SELECT {is_schedule} AS is_schedule, p.source_id, p.{name} AS name, e.source_id AS equipment_id,
                         e.code || '/' || e.unit_number || ' ' || e.name AS equipment_name, p.status,
                         jsonb_build_object({values}) AS values, e.code, e.unit_number
                     FROM {table} p JOIN equipment e ON e.id = p.equipment_id
                     WHERE ($1 IS NULL OR e.vessel_id = (SELECT id FROM vessels WHERE source_id = $1))
                         AND ($2 IS NULL OR e.source_id = $2)",
                    is_schedule = kind == PartKind::MaintenanceSchedule,
                    values = values.join(", ")
                )
            })
            .collect();
        selects.join(" UNION ALL ")
    }
}

/// Parts by the code of their equipment, critical parts before schedules.
pub async fn part_list(
    db: &mut Db,
    filter: &PartFilter,
    window: Window<()>,
) -> Result<Page<Part>, StoreError> {
    let parts = filter.parts();
    let rows = format!(
        "SELECT is_schedule, source_id, name, equipment_id, equipment_name, status, values FROM ({parts}) AS parts
         ORDER BY code, unit_number, equipment_id, is_schedule, name, source_id LIMIT $3 OFFSET $4"
    );
    let total = count_of(format_args!("({parts}) AS parts"));
    page_load::<Row, _, _>(db, filter.bind(&rows), filter.bind(&total), &window).await
}
