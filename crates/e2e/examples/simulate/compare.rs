//! The comparison at the end: every row of the maintenance portal beside the record that the provider says must be there, in the
//! order of their ids, some thousand at a time.

use chrono::{DateTime, Utc};
use e2e::System;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    catalogue::Catalogue,
    fleet::{Fleet, List, Version},
    provider::Provider,
};

/// Records in hand at a time.
const CHUNK: usize = 5_000;
/// Differences that are told of one by one.
const SHOWN: usize = 20;

/// A record that must be there, as its row must be.
struct Expected {
    number: u64,
    id: String,
    fields: Map<String, Value>,
}

/// What the comparison has found.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Records that were compared.
    pub(crate) records: u64,
    pub(crate) differences: u64,
    /// The first differences, with the ids of their records.
    pub(crate) shown: Vec<String>,
}

impl Comparison {
    fn note(&mut self, difference: String) {
        self.differences += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(difference);
        }
    }

    /// Compares the rows of a range of ids with the records that must be in it, both in the order of their ids.
    fn compare(&mut self, list: List, expected: Vec<Expected>, rows: Vec<Value>) {
        let mut rows = rows.into_iter().peekable();
        for Expected { id, fields, .. } in expected {
            self.records += 1;
            while let Some(row) = rows.next_if(|row| row["id"].as_str() < Some(&id)) {
                self.note(format!("{}: a row that no record belongs to: {}", list.word(), row["id"]));
            }
            match rows.next_if(|row| row["id"].as_str() == Some(&id)) {
                None => self.note(format!("{} {id}: there is no row", list.word())),
                Some(row) => self.compare_fields(list.word(), &id, &fields, &row),
            }
        }
        for row in rows {
            self.note(format!("{}: a row that no record belongs to: {}", list.word(), row["id"]));
        }
    }

    fn compare_fields(&mut self, word: &str, id: &str, record: &Map<String, Value>, row: &Value) {
        let differences = row.as_object().into_iter().flatten().filter_map(|(field, found)| {
            let expected = record.get(field).unwrap_or(&Value::Null);
            (!are_same(field, expected, found)).then(|| format!("{field} is {found}, not {expected}"))
        });
        let differences: Vec<String> = differences.collect();
        if !differences.is_empty() {
            self.note(format!("{word} {id}: {}", differences.join("; ")));
        }
    }
}

/// Times are compared as such: the API and PostgreSQL write them differently.
fn are_same(field: &str, expected: &Value, found: &Value) -> bool {
    if field != "updatedAt" {
        return expected == found;
    }
    let time = |value: &Value| value.as_str()?.parse::<DateTime<Utc>>().ok();
    time(expected).is_some() && time(expected) == time(found)
}

/// Compares all lists, and the companies that came with the vessels.
pub(crate) async fn compare(system: &System, provider: &Provider) -> anyhow::Result<Comparison> {
    let mut comparison = Comparison::default();
    compare_companies(system, provider, &mut comparison).await?;
    for list in List::ALL {
        let mut from = 0;
        let mut behind = String::new();
        loop {
            let expected = expected(&provider.read(), list, from);
            // The last chunk takes all rows behind it.
            let last =
                expected.last().filter(|_| expected.len() == CHUNK).map(|it| (it.number, it.id.clone()));
            let until = last.as_ref().map(|(_, id)| id.as_str());
            let rows = system.rows(&rows_sql(list, &behind, until)).await?;
            comparison.compare(list, expected, rows);
            let Some((number, id)) = last else { break };
            (from, behind) = (number + 1, id);
        }
    }
    Ok(comparison)
}

/// The next records of a list that must be there.
fn expected(catalogue: &Catalogue, list: List, from: u64) -> Vec<Expected> {
    let some = catalogue.ever_listed(list, from).take(CHUNK);
    some.map(|(number, version)| {
        let fields = record(&catalogue.fleet, list, number, version);
        Expected { number, id: list.id(number), fields }
    })
    .collect()
}

/// A record with the names and values that the columns of its row have in [`rows_sql`].
fn record(fleet: &Fleet, list: List, number: u64, version: Version) -> Map<String, Value> {
    match list {
        List::Vessels => {
            let mut fields = fields(&fleet.vessel(number, version));
            let company = fields.remove("company").map(|mut company| company["id"].take());
            fields.insert("companyId".to_owned(), company.into());
            fields
        }
        List::Equipment => fields(&fleet.equipment(number, version)),
        List::Users => fields(&fleet.user(number, version)),
    }
}

fn fields(draft: &impl Serialize) -> Map<String, Value> {
    let mut fields = match json!(draft) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let status = if fields.contains_key("withdrawnAt") { "withdrawn" } else { "active" };
    fields.insert("status".to_owned(), status.into());
    for list in ["criticalParts", "maintenanceSchedules"] {
        if let Some(Value::Array(entries)) = fields.get_mut(list) {
            for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
                entry.retain(|_, value| !value.is_null());
            }
        }
    }
    fields
}

/// Rows behind an id, up to another one: a column for each field of the record. At most twice as many as must be there.
fn rows_sql(list: List, behind: &str, until: Option<&str>) -> String {
    let columns = match list {
        List::Vessels => {
            r#"c.source_id AS "companyId", r.imo_number AS "imoNumber", r.name, r.mmsi, r.call_sign AS "callSign", r.flag,
            r.port_of_registry AS "portOfRegistry", r.vessel_type AS "vesselType", r.gross_tonnage AS "grossTonnage",
            r.net_tonnage AS "netTonnage", r.deadweight, r.length_overall_m AS "lengthOverallM", r.beam_m AS "beamM",
            r.draught_m AS "draughtM", r.build_year AS "buildYear", r.shipyard, r.hull_number AS "hullNumber",
            r.class_society AS "classSociety", r.main_engine AS "mainEngine", r.service_status AS "serviceStatus"
            FROM vessels r LEFT JOIN companies c ON c.id = r.company_id"#
        }
        // A code that the record does not bring is made of its id: null here, as there.
        List::Equipment => {
            r#"v.source_id AS "vesselId", r.code, r.unit_number AS "unitNumber", r.name, r.maker, r.model,
            r.serial_number AS "serialNumber", r.location, r.specs, r.is_critical AS "isCritical",
            r.criticality_basis AS "criticalityBasis", r.is_standby AS "isStandby",
            r.standby_test_interval_days AS "standbyTestIntervalDays", r.redundancy_group AS "redundancyGroup",
            CASE WHEN r.qr_code NOT LIKE 'SMS-%' THEN r.qr_code END AS "qrCode", r.installed_on AS "installedOn",
            r.warranty_until AS "warrantyUntil", r.running_hours AS "runningHours", r.service_status AS "serviceStatus",
            (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', p.source_id, 'partNumber', p.part_number,
                'name', p.name, 'maker', p.maker, 'drawingNumber', p.drawing_number, 'positionNumber', p.position_number,
                'unit', p.unit, 'minimumStock', p.minimum_stock, 'stockOnBoard', p.stock_on_board,
                'reorderQuantity', p.reorder_quantity, 'location', p.location, 'leadTimeDays', p.lead_time_days,
                'isCritical', p.is_critical)) ORDER BY p.source_id), '[]')
             FROM critical_parts p WHERE p.equipment_id = r.id AND p.status = 'active') AS "criticalParts",
            (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', s.source_id, 'jobCode', s.job_code,
                'title', s.title, 'procedure', s.procedure, 'kind', s.kind, 'everyDays', s.every_days,
                'everyHours', s.every_hours, 'toleranceDays', s.tolerance_days, 'responsibleRank', s.responsible_rank,
                'classItemCode', s.class_item_code, 'lastDoneOn', s.last_done_on)) ORDER BY s.source_id), '[]')
             FROM maintenance_schedules s WHERE s.equipment_id = r.id AND s.status = 'active') AS "maintenanceSchedules"
            FROM equipment r JOIN vessels v ON v.id = r.vessel_id"#
        }
        List::Users => {
            r#"r.email, r.given_name AS "givenName", r.family_name AS "familyName", r.employee_number AS "employeeNumber",
            r.rank, r.department, r.workplace, c.source_id AS "companyId", r.vessel_scope AS "vesselIds",
            r.sign_on AS "signOn", r.sign_off AS "signOff", r.active FROM users r LEFT JOIN companies c ON c.id = r.company_id"#
        }
    };
    let until = until.map_or_else(String::new, |until| format!("AND r.source_id <= '{until}'"));
    format!(
        r#"SELECT r.source_id AS id, r.source_updated_at AS "updatedAt", r.status, {columns}
           WHERE r.source_id > '{behind}' {until} ORDER BY r.source_id LIMIT {}"#,
        2 * CHUNK
    )
}

async fn compare_companies(
    system: &System,
    provider: &Provider,
    comparison: &mut Comparison,
) -> anyhow::Result<()> {
    let mut companies: Vec<u64> = {
        let catalogue = provider.read();
        catalogue.ever_listed(List::Vessels, 0).map(|(ship, _)| Fleet::company_of_ship(ship)).collect()
    };
    companies.dedup();
    let sql = r#"SELECT source_id AS id, name, country, email, source_updated_at AS "updatedAt", status FROM companies
                 ORDER BY source_id"#;
    let rows = system.rows(sql).await?;
    comparison.records += companies.len() as u64;
    if rows.len() != companies.len() {
        comparison.note(format!("company: {} rows, not {}", rows.len(), companies.len()));
    }
    for (company, row) in companies.into_iter().zip(rows) {
        let id = Fleet::company_id(company);
        comparison.compare_fields("company", &id, &fields(&Fleet::company(company)), &row);
    }
    Ok(())
}
