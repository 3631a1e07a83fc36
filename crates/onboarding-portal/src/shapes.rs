//! The records as the portal keeps them and as its API shows them: the provider's side of the contract.
//!
//! A record is kept without its version: `updatedAt` and `withdrawnAt` stand in columns, and are put in front of the
//! kept text when it is served ([`Served`] describes the result). What a value must be to be right is for whoever
//! receives it to judge; the portal holds its people to the shape alone.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::records::Kind;

/// A company: ship manager or owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Company {
    /// 1 to 200 letters, digits and any of `-._~:@+=`.
    pub id: String,
    /// Its name.
    #[schema(example = "Nordhavn Bulk AS")]
    pub name: String,
    /// IMO company number (MSC.160(78)).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2041999")]
    pub imo_company_number: Option<String>,
    /// Where it is seated, ISO 3166-1 alpha-2.
    #[schema(example = "NO")]
    pub country: String,
    /// Where to write to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A vessel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vessel {
    /// 1 to 200 letters, digits and any of `-._~:@+=`.
    pub id: String,
    /// Its company, by id.
    pub company_id: String,
    /// Ship identification number (IMO Res. A.1117(30)).
    #[schema(example = "9074729")]
    pub imo_number: String,
    /// Its name.
    pub name: String,
    /// Maritime mobile service identity, nine digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "257123450")]
    pub mmsi: Option<String>,
    /// Radio call sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_sign: Option<String>,
    /// Flag state, ISO 3166-1 alpha-2.
    #[schema(example = "NO")]
    pub flag: String,
    /// Where it is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_of_registry: Option<String>,
    /// `bulk_carrier`, `container`, `general_cargo`, `ro_ro`, `car_carrier`, `oil_tanker`, `product_tanker`,
    /// `chemical_tanker`, `lng_carrier`, `lpg_carrier`, `reefer`, `cruise`, `ferry`, `offshore_supply`, `tug`, `dredger`,
    /// `fishing`, `fpso`, `modu`, `yacht` or `other`.
    pub vessel_type: String,
    /// Gross tonnage, no unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_tonnage: Option<i32>,
    /// Net tonnage, no unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_tonnage: Option<i32>,
    /// Deadweight, tonnes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadweight: Option<i32>,
    /// Length over all, metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length_overall_m: Option<f64>,
    /// Beam, metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beam_m: Option<f64>,
    /// Draught, metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draught_m: Option<f64>,
    /// Year of building.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_year: Option<i32>,
    /// Who built it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipyard: Option<String>,
    /// The yard's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hull_number: Option<String>,
    /// Classification society.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_society: Option<String>,
    /// Maker and type of the main engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub main_engine: Option<String>,
    /// `in_service`, `laid_up`, `dry_dock`, `under_construction`, `out_of_service` or `scrapped`.
    pub service_status: String,
}

/// A piece of equipment on board, with its critical parts and maintenance schedules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Equipment {
    /// 1 to 200 letters, digits and any of `-._~:@+=`.
    pub id: String,
    /// The vessel it is on.
    pub vessel_id: String,
    /// SFI code.
    #[schema(example = "601.001")]
    pub code: String,
    /// Which of several identical units, from 1. Vessel, code and unit number name a piece of equipment.
    pub unit_number: i32,
    /// Its name.
    pub name: String,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// The maker's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The maker's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Where on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Technical data, free.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub specs: Map<String, Value>,
    /// Whether its sudden failure may be hazardous.
    pub is_critical: bool,
    /// `ism_10_3`, `class` or `company`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criticality_basis: Option<String>,
    /// Whether it stands by for another.
    pub is_standby: bool,
    /// How often a stand-by unit is tested, days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby_test_interval_days: Option<i32>,
    /// Which units stand in for each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redundancy_group: Option<String>,
    /// The code on its label, if it has one: 6 to 64 capital letters, digits and hyphens, unique in the fleet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr_code: Option<String>,
    /// When it was installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_on: Option<NaiveDate>,
    /// Until when its maker answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warranty_until: Option<NaiveDate>,
    /// Counter, hours, when it was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_hours: Option<i32>,
    /// `in_service`, `laid_up`, `dry_dock`, `under_construction`, `out_of_service` or `scrapped`.
    pub service_status: String,
    /// Spare parts that must be on board.
    #[serde(default)]
    pub critical_parts: Vec<CriticalPart>,
    /// What is to be done to it, and when.
    #[serde(default)]
    pub maintenance_schedules: Vec<MaintenanceSchedule>,
}

/// A spare part that must be on board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CriticalPart {
    /// Unique within its equipment.
    pub id: String,
    /// The maker's number.
    pub part_number: String,
    /// Its name.
    pub name: String,
    /// Who makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// The drawing it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawing_number: Option<String>,
    /// Its place in the drawing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_number: Option<String>,
    /// What it is counted in.
    #[schema(example = "pcs")]
    pub unit: String,
    /// Fewest that must be on board.
    pub minimum_stock: i32,
    /// How many were on board when it was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock_on_board: Option<i32>,
    /// How many to order at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder_quantity: Option<i32>,
    /// Where on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// From order to delivery, days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_time_days: Option<i32>,
    /// Whether safety depends on having one.
    pub is_critical: bool,
}

/// A job that comes again. `everyDays`, `everyHours`, or both: then whichever comes first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MaintenanceSchedule {
    /// Unique within its equipment.
    pub id: String,
    /// The job's code.
    pub job_code: String,
    /// The job's title.
    pub title: String,
    /// How it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// `preventive`, `condition`, `standby_test` or `class_survey`.
    pub kind: String,
    /// By calendar, days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_days: Option<i32>,
    /// By counter, running hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_hours: Option<i32>,
    /// How early or late it may be done, days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_days: Option<i32>,
    /// Whose job it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "chief_engineer")]
    pub responsible_rank: Option<String>,
    /// The classification society's item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_item_code: Option<String>,
    /// When it was last done, as it was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_done_on: Option<NaiveDate>,
}

/// A person who is to have an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// 1 to 200 letters, digits and any of `-._~:@+=`.
    pub id: String,
    /// Where to write to, and the name of the account.
    pub email: String,
    /// First names; some people have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name, or the only one.
    pub family_name: String,
    /// The company's number for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    /// Rank or position, in words.
    #[schema(example = "Chief Engineer")]
    pub rank: String,
    /// Department, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// `ship` or `shore`.
    pub workplace: String,
    /// Employer, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// The vessels whose data the person may see, by id.
    #[serde(default)]
    pub vessel_ids: Vec<String>,
    /// First day on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_on: Option<NaiveDate>,
    /// Last day on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_off: Option<NaiveDate>,
    /// Whether the account may be used.
    pub active: bool,
}

/// A record with its version, as the provider API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Served<T> {
    /// Its version: when it last changed. Grows with every change.
    pub updated_at: DateTime<Utc>,
    /// When its approval was withdrawn: what remains is a tombstone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
    /// What was entered.
    #[serde(flatten)]
    pub record: T,
}

/// A vessel as the provider API shows it: with its company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServedVessel {
    /// Who runs it. Its change is a change of the vessel, too.
    pub company: Served<Company>,
    /// The vessel.
    #[serde(flatten)]
    pub vessel: Served<Vessel>,
}

/// A record that is to be kept: its text, and the columns that lists are filtered by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) company_id: Option<String>,
    pub(crate) vessel_ids: Vec<String>,
    pub(crate) text: String,
}

/// A kind of record, as a type.
pub(crate) trait Record: Serialize + DeserializeOwned {
    const KIND: Kind;
    fn document(&self) -> Document;
}

fn text(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("records are structs with text keys")
}

impl Record for Company {
    const KIND: Kind = Kind::Company;
    fn document(&self) -> Document {
        Document { id: self.id.clone(), company_id: None, vessel_ids: Vec::new(), text: text(self) }
    }
}

impl Record for Vessel {
    const KIND: Kind = Kind::Vessel;
    fn document(&self) -> Document {
        let company_id = Some(self.company_id.clone());
        Document { id: self.id.clone(), company_id, vessel_ids: Vec::new(), text: text(self) }
    }
}

impl Record for Equipment {
    const KIND: Kind = Kind::Equipment;
    fn document(&self) -> Document {
        let vessel_ids = vec![self.vessel_id.clone()];
        Document { id: self.id.clone(), company_id: None, vessel_ids, text: text(self) }
    }
}

impl Record for User {
    const KIND: Kind = Kind::User;
    fn document(&self) -> Document {
        let vessel_ids = self.vessel_ids.clone();
        Document { id: self.id.clone(), company_id: self.company_id.clone(), vessel_ids, text: text(self) }
    }
}

/// Reads what someone entered; the error says which field is missing, unknown or of a wrong type.
///
/// # Errors
/// If it has not the shape of this kind.
pub(crate) fn read(kind: Kind, entered: &Value) -> Result<Document, serde_json::Error> {
    fn as_record<T: Record>(entered: &Value) -> Result<Document, serde_json::Error> {
        Ok(T::deserialize(entered)?.document())
    }
    match kind {
        Kind::Company => as_record::<Company>(entered),
        Kind::Vessel => as_record::<Vessel>(entered),
        Kind::Equipment => as_record::<Equipment>(entered),
        Kind::User => as_record::<User>(entered),
    }
}

/// Applies a JSON merge patch (RFC 7396): null takes a field away.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in fields {
            if value.is_null() {
                target.remove(name);
            } else {
                merge(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_does_what_rfc_7396_says() {
        // Cases of its appendix A.
        for (original, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut target = original.clone();
            merge(&mut target, &patch);
            assert_eq!(target, result, "{original} {patch}");
        }
    }

    #[test]
    fn what_is_entered_must_have_the_shape_and_may_be_wrong() {
        let company = json!({"id": "c-1", "name": "Nordhavn Bulk AS", "country": "Atlantis"});
        assert_eq!(read(Kind::Company, &company).unwrap().id, "c-1");
        let error = read(Kind::Company, &json!({"id": "c-1", "name": 7, "country": "NO"})).unwrap_err();
        assert!(error.to_string().contains("expected a string"), "{error}");
        let error = read(Kind::Company, &json!({"id": "c-1", "nmae": "x", "country": "NO"})).unwrap_err();
        assert!(error.to_string().contains("unknown field `nmae`"), "{error}");
    }

    #[test]
    fn users_and_equipment_are_found_by_their_vessels() {
        let user = json!({"id": "u-1", "email": "a@b.example", "familyName": "A", "rank": "AB", "workplace": "ship",
            "companyId": "c-1", "vesselIds": ["v-1", "v-2"], "active": true});
        let document = read(Kind::User, &user).unwrap();
        assert_eq!((document.vessel_ids.len(), document.company_id.as_deref()), (2, Some("c-1")));
    }
}
