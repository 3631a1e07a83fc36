//! A piece of equipment with its critical parts and maintenance schedules, which are accepted or rejected with it.

mod critical_part;
mod maintenance_schedule;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
pub use critical_part::{CriticalPart, CriticalPartDraft};
pub use maintenance_schedule::{MaintenanceKind, MaintenanceSchedule, MaintenanceScheduleDraft};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Accepted, ContentHash, Finding, Rejection, Rules, SourceId, Version,
    inspection::Inspection,
    lenient::{list, object, optional, required},
    revocation::{RecordHead, Withdrawal},
    values::{QrCode, QrCodeError, SfiCode},
    vessel::ServiceStatus,
    vocabulary::vocabulary,
};

vocabulary!(
    /// Why equipment is critical.
    CriticalityBasis {
        /// ISM Code 10.3: its sudden failure may result in hazardous situations.
        Ism103 = "ism_10_3",
        /// The classification society says so.
        Class = "class",
        /// The company says so.
        Company = "company",
    }
);

/// A piece of equipment as it arrives, unparsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EquipmentDraft {
    /// Its id in the onboarding portal.
    pub id: String,
    /// The vessel it is on, by its id in the onboarding portal.
    pub vessel_id: String,
    /// SFI code, like `601.001`.
    pub code: String,
    /// Which of several identical units, from 1.
    #[serde(deserialize_with = "required")]
    pub unit_number: i32,
    /// Its name.
    pub name: String,
    /// Who made it.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// The maker's type.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The maker's number.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Where on board.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Technical data, free.
    #[serde(default, deserialize_with = "object")]
    pub specs: Map<String, Value>,
    /// Whether its sudden failure may be hazardous.
    pub is_critical: bool,
    /// Word of [`CriticalityBasis`].
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub criticality_basis: Option<String>,
    /// Whether it stands by for another.
    pub is_standby: bool,
    /// How often a stand-by unit is tested, days.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub standby_test_interval_days: Option<i32>,
    /// Which units stand in for each other.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub redundancy_group: Option<String>,
    /// The code on its label, if it has one already.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub qr_code: Option<String>,
    /// When it was installed.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub installed_on: Option<NaiveDate>,
    /// Until when its maker answers for it.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub warranty_until: Option<NaiveDate>,
    /// Counter, hours. The ship's own after the first sync.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub running_hours: Option<i32>,
    /// Word of [`ServiceStatus`].
    pub service_status: String,
    /// Spare parts that must be on board.
    #[serde(default, deserialize_with = "list")]
    pub critical_parts: Vec<CriticalPartDraft>,
    /// What is to be done to it, and when.
    #[serde(default, deserialize_with = "list")]
    pub maintenance_schedules: Vec<MaintenanceScheduleDraft>,
    /// When it, or a part or schedule of it, last changed.
    #[serde(deserialize_with = "required")]
    pub updated_at: DateTime<Utc>,
    /// When it was retired.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// A piece of equipment that passed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Equipment {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// The vessel it is on, by its id in the onboarding portal.
    pub vessel_source_id: SourceId,
    /// SFI code.
    pub code: SfiCode,
    /// Which of several identical units, from 1.
    pub unit_number: i32,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub maker: Option<String>,
    /// The maker's type.
    pub model: Option<String>,
    /// The maker's number.
    pub serial_number: Option<String>,
    /// Where on board.
    pub location: Option<String>,
    /// Technical data, free.
    pub specs: Map<String, Value>,
    /// Whether its sudden failure may be hazardous.
    pub is_critical: bool,
    /// Why it is critical.
    pub criticality_basis: Option<CriticalityBasis>,
    /// Whether it stands by for another.
    pub is_standby: bool,
    /// How often a stand-by unit is tested, days.
    pub standby_test_interval_days: Option<i32>,
    /// Which units stand in for each other.
    pub redundancy_group: Option<String>,
    /// The code on its label: as it came, or derived from the id.
    pub qr_code: QrCode,
    /// Whether the code was derived here.
    pub qr_code_derived: bool,
    /// When it was installed.
    pub installed_on: Option<NaiveDate>,
    /// Until when its maker answers for it.
    pub warranty_until: Option<NaiveDate>,
    /// Counter, hours: what the ship starts with, never overwritten.
    pub running_hours: Option<i32>,
    /// What it is doing.
    pub service_status: ServiceStatus,
    /// Spare parts that must be on board.
    pub critical_parts: Vec<CriticalPart>,
    /// What is to be done to it, and when.
    pub maintenance_schedules: Vec<MaintenanceSchedule>,
    /// Whether the approval was withdrawn: then the record is a tombstone.
    pub withdrawal: Withdrawal,
}

/// Largest `specs`, as JSON.
const SPECS_BYTES_LIMIT: usize = 64 * 1024;

impl EquipmentDraft {
    /// Parses the draft with its parts and schedules. Only the database knows whether its vessel exists.
    ///
    /// # Errors
    ///
    /// A rejection with every fault of the draft.
    pub fn accept(self, rules: &Rules) -> Result<Accepted<Equipment>, Rejection> {
        let (hash, length) = ContentHash::and_length(&self);
        let version = Version::new(self.updated_at, hash);
        let label = format!("{}/{} {}", self.code.trim(), self.unit_number, self.name.trim());
        let mut inspection = Inspection::default();
        inspection.check_version_time(self.updated_at, rules);
        // Serialized a second time only where they may be too long: they are part of the content.
        if length > SPECS_BYTES_LIMIT
            && serde_json::to_string(&self.specs).is_ok_and(|specs| specs.len() > SPECS_BYTES_LIMIT)
        {
            inspection.add(Finding::error("too_long", "/specs", "must be at most 64 KiB of JSON"));
        }
        let (head, vessel_id) = (self.head(), self.vessel_id.clone());
        let record = self.parse(&mut inspection, rules);
        inspection.finish(&head, rules, label, &[vessel_id], version, record)
    }

    fn head(&self) -> RecordHead {
        RecordHead {
            id: Some(self.id.clone()),
            updated_at: Some(self.updated_at),
            withdrawn_at: self.withdrawn_at,
            active: None,
            sign_off: None,
        }
    }

    /// Parses every field before it gives up, so that all faults are found at once.
    fn parse(self, inspection: &mut Inspection, rules: &Rules) -> Option<Equipment> {
        let today = rules.now.date_naive();
        let source_id = inspection.source_id("/id", &self.id);
        let vessel_source_id = inspection.source_id("/vesselId", &self.vessel_id);
        let code = inspection.parsed(
            self.code
                .parse()
                .map_err(|e| Finding::error("sfi_code_malformed", "/code", e).with_value(&self.code)),
        );
        let unit_number = inspection.in_range("/unitNumber", Some(self.unit_number), 1..=999).flatten();
        let name = inspection.text("/name", &self.name, 200);
        let maker = inspection.optional_text("/maker", self.maker.as_deref(), 200);
        let model = inspection.optional_text("/model", self.model.as_deref(), 200);
        let serial_number = inspection.optional_text("/serialNumber", self.serial_number.as_deref(), 100);
        let location = inspection.optional_text("/location", self.location.as_deref(), 200);
        let redundancy_group =
            inspection.optional_text("/redundancyGroup", self.redundancy_group.as_deref(), 100);
        let (criticality_basis, standby_test_interval_days) = self.parse_criticality(inspection);
        let qr_code: Option<Option<QrCode>> =
            inspection.parsed_optional(self.qr_code.as_deref().map(|text| {
                text.parse().map_err(|e: QrCodeError| Finding::error(e.code(), "/qrCode", e).with_value(text))
            }));
        let installed_on = inspection.date("/installedOn", self.installed_on);
        let warranty_until = inspection.end_date("/warrantyUntil", self.warranty_until);
        self.check_dates(inspection, today);
        inspection.specs("/specs", &self.specs);
        let running_hours = inspection.in_range("/runningHours", self.running_hours, 0..=2_000_000);
        let service_status = inspection.word(
            "service_status_unknown",
            "/serviceStatus",
            &self.service_status,
            ServiceStatus::ALL,
        );
        let critical_parts = parse_parts(self.critical_parts, inspection);
        let maintenance_schedules = parse_schedules(self.maintenance_schedules, inspection, today);
        let withdrawal = inspection.withdrawal(self.withdrawn_at, rules);
        let source_id = source_id?;
        let given_code = qr_code?;
        Some(Equipment {
            qr_code_derived: given_code.is_none(),
            qr_code: given_code.unwrap_or_else(|| QrCode::derived(&source_id)),
            source_id,
            vessel_source_id: vessel_source_id?,
            code: code?,
            unit_number: unit_number?,
            name: name?,
            maker: maker?,
            model: model?,
            serial_number: serial_number?,
            location: location?,
            specs: self.specs,
            is_critical: self.is_critical,
            criticality_basis: criticality_basis?,
            is_standby: self.is_standby,
            standby_test_interval_days: standby_test_interval_days?,
            redundancy_group: redundancy_group?,
            installed_on: installed_on?,
            warranty_until: warranty_until?,
            running_hours: running_hours?,
            service_status: service_status?,
            critical_parts: critical_parts?,
            maintenance_schedules: maintenance_schedules?,
            withdrawal,
        })
    }

    /// Why the equipment is critical, and how often a stand-by unit is tested.
    fn parse_criticality(
        &self,
        inspection: &mut Inspection,
    ) -> (Option<Option<CriticalityBasis>>, Option<Option<i32>>) {
        let basis = match &self.criticality_basis {
            None => Some(None),
            Some(text) => {
                let pointer = "/criticalityBasis";
                inspection.word("criticality_basis_unknown", pointer, text, CriticalityBasis::ALL).map(Some)
            }
        };
        if self.is_critical && self.criticality_basis.is_none() {
            let message = "critical equipment should say why (ISM Code 10.3)";
            inspection.add(Finding::warning("criticality_basis_missing", "/criticalityBasis", message));
        }
        let interval =
            inspection.in_range("/standbyTestIntervalDays", self.standby_test_interval_days, 1..=3650);
        if self.is_critical && self.is_standby && self.standby_test_interval_days.is_none() {
            let message = "critical stand-by equipment should be tested regularly (ISM Code 10.3)";
            inspection.add(Finding::warning("standby_test_missing", "/standbyTestIntervalDays", message));
        }
        (basis, interval)
    }

    fn check_dates(&self, inspection: &mut Inspection, today: NaiveDate) {
        if let (Some(installed), Some(warranty)) = (self.installed_on, self.warranty_until)
            && warranty < installed
        {
            let message = "the warranty ends before the installation";
            let finding = Finding::warning("warranty_before_installation", "/warrantyUntil", message);
            inspection.add(finding.with_value(warranty));
        }
        if let Some(installed) = self.installed_on
            && installed > today
        {
            let finding = Finding::warning("installed_in_future", "/installedOn", "lies in the future");
            inspection.add(finding.with_value(installed));
        }
    }
}

fn parse_parts(parts: Vec<CriticalPartDraft>, inspection: &mut Inspection) -> Option<Vec<CriticalPart>> {
    check_unique_ids(inspection, "/criticalParts", parts.iter().map(|part| part.id.as_str()));
    let parsed: Vec<_> = parts
        .into_iter()
        .enumerate()
        .map(|(i, part)| part.parse(inspection, &format!("/criticalParts/{i}")))
        .collect();
    parsed.into_iter().collect()
}

fn parse_schedules(
    schedules: Vec<MaintenanceScheduleDraft>,
    inspection: &mut Inspection,
    today: NaiveDate,
) -> Option<Vec<MaintenanceSchedule>> {
    let ids = schedules.iter().map(|schedule| schedule.id.as_str());
    check_unique_ids(inspection, "/maintenanceSchedules", ids);
    let parsed: Vec<_> = schedules
        .into_iter()
        .enumerate()
        .map(|(i, schedule)| schedule.parse(inspection, &format!("/maintenanceSchedules/{i}"), today))
        .collect();
    parsed.into_iter().collect()
}

/// Refuses an id that stands twice in a list: which of the two counts, nobody can know.
fn check_unique_ids<'a>(inspection: &mut Inspection, pointer: &str, ids: impl Iterator<Item = &'a str>) {
    let mut seen = BTreeSet::new();
    for (i, id) in ids.enumerate() {
        if !seen.insert(id) {
            let finding = Finding::error("duplicate_id", format!("{pointer}/{i}/id"), "stands there twice");
            inspection.add(finding.with_value(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft() -> EquipmentDraft {
        serde_json::from_value(json!({
            "id": "e-1", "vesselId": "v-1", "code": "601.001", "unitNumber": 1, "name": "Main engine",
            "specs": {"powerKw": 9480}, "isCritical": true, "criticalityBasis": "ism_10_3", "isStandby": false,
            "serviceStatus": "in_service",
            "criticalParts": [{"id": "p-1", "partNumber": "90401-12", "name": "Exhaust valve", "unit": "pcs",
                               "minimumStock": 2, "isCritical": true}],
            "maintenanceSchedules": [{"id": "s-1", "jobCode": "ME-001", "title": "Inspect", "kind": "preventive",
                                      "everyHours": 4000, "responsibleRank": "Chief Engineer"}],
            "updatedAt": "2026-05-01T00:00:00Z"
        }))
        .unwrap()
    }

    fn rules() -> Rules {
        Rules::at("2026-06-01T12:00:00Z".parse().unwrap())
    }

    fn found(findings: &[Finding]) -> Vec<(&str, &str)> {
        findings.iter().map(|f| (f.code, f.pointer.as_str())).collect()
    }

    #[test]
    fn equipment_without_a_label_gets_the_same_code_each_time() {
        let code = || draft().accept(&rules()).unwrap().record;
        assert!(code().qr_code_derived);
        assert_eq!(code().qr_code, code().qr_code);
    }

    #[test]
    fn a_label_that_was_given_is_kept() {
        let draft = EquipmentDraft { qr_code: Some("ACME-000123".into()), ..draft() };
        let record = draft.accept(&rules()).unwrap().record;
        assert_eq!((record.qr_code.as_str(), record.qr_code_derived), ("ACME-000123", false));
    }

    #[test]
    fn faults_in_parts_and_schedules_reject_their_equipment_and_say_where() {
        let mut draft = draft();
        draft.critical_parts.push(CriticalPartDraft { minimum_stock: -1, ..draft.critical_parts[0].clone() });
        draft.maintenance_schedules[0].every_hours = None;
        let rejection = draft.accept(&rules()).unwrap_err();
        assert_eq!(
            found(&rejection.findings),
            [
                ("duplicate_id", "/criticalParts/1/id"),
                ("out_of_range", "/criticalParts/1/minimumStock"),
                ("interval_malformed", "/maintenanceSchedules/0"),
            ]
        );
    }

    #[test]
    fn critical_standby_equipment_without_a_test_interval_is_let_in_with_a_warning() {
        let draft = EquipmentDraft { is_standby: true, criticality_basis: None, ..draft() };
        let accepted = draft.accept(&rules()).unwrap();
        assert_eq!(
            found(&accepted.warnings),
            [
                ("criticality_basis_missing", "/criticalityBasis"),
                ("standby_test_missing", "/standbyTestIntervalDays"),
            ]
        );
    }

    #[test]
    fn dates_that_cannot_be_are_let_in_with_a_warning() {
        let day = |text: &str| Some(text.parse().unwrap());
        let mut draft =
            EquipmentDraft { installed_on: day("2026-06-02"), warranty_until: day("2026-06-01"), ..draft() };
        draft.maintenance_schedules[0].last_done_on = day("2026-06-02");
        let accepted = draft.accept(&rules()).unwrap();
        assert_eq!(
            found(&accepted.warnings),
            [
                ("warranty_before_installation", "/warrantyUntil"),
                ("installed_in_future", "/installedOn"),
                ("last_done_in_future", "/maintenanceSchedules/0/lastDoneOn"),
            ]
        );
    }

    #[test]
    fn blank_values_leave_the_hash_that_is_stored_in_every_row() {
        let mut json = serde_json::to_value(draft()).unwrap();
        let hash = |json: &serde_json::Value| {
            let draft: EquipmentDraft = serde_json::from_str(&json.to_string()).unwrap();
            draft.accept(&rules()).unwrap().version.hash.to_string()
        };
        assert_eq!(hash(&json), "29921a38591167cd80f6d08802ffe902");
        for field in
            ["maker", "qrCode", "installedOn", "warrantyUntil", "runningHours", "standbyTestIntervalDays"]
        {
            json[field] = "".into();
        }
        json["criticalParts"][0]["stockOnBoard"] = json!(null);
        json["maintenanceSchedules"][0]["lastDoneOn"] = " ".into();
        json["unitNumber"] = json!(1.0);
        json["criticalParts"][0]["minimumStock"] = json!(2.0);
        assert_eq!(hash(&json), "29921a38591167cd80f6d08802ffe902");
    }

    #[test]
    fn a_change_of_a_part_is_a_change_of_its_equipment() {
        let mut other = draft();
        other.critical_parts[0].minimum_stock = 3;
        let hash = |draft: EquipmentDraft| draft.accept(&rules()).unwrap().version.hash;
        assert_ne!(hash(other), hash(draft()));
    }
}
