//! The shapes of records, as the portal stores them and as its API serves them: the provider's side of the contract.
//!
//! A record is stored without its version: `updatedAt` and `withdrawnAt` are columns, and are put in front of the
//! stored text when it is served ([`Served`] describes the result). The portal checks only the shape of what is
//! entered. Whether a value is right is for the receiver to judge.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A ship manager or owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Company {
    /// 1 to 200 letters, digits and any of `-._~:@+=`.
    pub id: String,
    #[schema(example = "Nordhavn Bulk AS")]
    pub name: String,
    /// IMO company number (MSC.160(78)).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2041999")]
    pub imo_company_number: Option<String>,
    /// Country of its seat, ISO 3166-1 alpha-2.
    #[schema(example = "NO")]
    pub country: String,
    /// Contact address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A vessel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vessel {
    /// 1 to 200 letters, digits and any of `-._~:@+=`.
    pub id: String,
    /// Id of the company that manages it.
    pub company_id: String,
    /// Ship identification number (IMO Res. A.1117(30)).
    #[schema(example = "9074729")]
    pub imo_number: String,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_year: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipyard: Option<String>,
    /// The shipyard's number of the hull.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hull_number: Option<String>,
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
    /// Id of the vessel that it is on.
    pub vessel_id: String,
    /// SFI code.
    #[schema(example = "601.001")]
    pub code: String,
    /// Number among several identical units, from 1. Vessel, code and unit number identify a piece of equipment.
    pub unit_number: i32,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// Type designation of the maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Place on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Technical data, free of any schema.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub specs: Map<String, Value>,
    /// Whether its sudden failure may be hazardous (ISM Code 10.3).
    pub is_critical: bool,
    /// `ism_10_3`, `class` or `company`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criticality_basis: Option<String>,
    /// Whether it is a standby unit of another.
    pub is_standby: bool,
    /// Interval of the tests of a standby unit, days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby_test_interval_days: Option<i32>,
    /// Name of the group of units that can replace each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redundancy_group: Option<String>,
    /// The code on its label, if it has one: 6 to 64 capital letters, digits and hyphens, unique in the fleet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_on: Option<NaiveDate>,
    /// Last day of the maker's warranty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warranty_until: Option<NaiveDate>,
    /// Running hours when the record was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_hours: Option<i32>,
    /// `in_service`, `laid_up`, `dry_dock`, `under_construction`, `out_of_service` or `scrapped`.
    pub service_status: String,
    /// Spare parts that must be on board.
    #[serde(default)]
    pub critical_parts: Vec<CriticalPart>,
    /// Its maintenance jobs.
    #[serde(default)]
    pub maintenance_schedules: Vec<MaintenanceSchedule>,
}

/// A spare part that must be on board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CriticalPart {
    /// Unique within its equipment.
    pub id: String,
    /// The maker's number of the part.
    pub part_number: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawing_number: Option<String>,
    /// Position in the drawing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_number: Option<String>,
    /// Unit of its quantities.
    #[schema(example = "pcs")]
    pub unit: String,
    /// Smallest quantity that must be on board.
    pub minimum_stock: i32,
    /// Quantity on board when the record was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock_on_board: Option<i32>,
    /// Quantity of one order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder_quantity: Option<i32>,
    /// Place on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Days from order to delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_time_days: Option<i32>,
    /// Whether safety depends on having the part on board.
    pub is_critical: bool,
}

/// A recurring maintenance job, due after `everyDays` or `everyHours`; with both, after whichever comes first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MaintenanceSchedule {
    /// Unique within its equipment.
    pub id: String,
    pub job_code: String,
    pub title: String,
    /// How the job is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// `preventive`, `condition`, `standby_test` or `class_survey`.
    pub kind: String,
    /// Interval by calendar, days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_days: Option<i32>,
    /// Interval by counter, running hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_hours: Option<i32>,
    /// How many days early or late the job may be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_days: Option<i32>,
    /// Rank of the person who does the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "chief_engineer")]
    pub responsible_rank: Option<String>,
    /// The classification society's code of the survey item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_item_code: Option<String>,
    /// When the job was last done, as it was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_done_on: Option<NaiveDate>,
}

/// A person who uses the maintenance portal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// 1 to 200 letters, digits and any of `-._~:@+=`.
    pub id: String,
    /// E-mail address, and the user's name at sign-in.
    pub email: String,
    /// First names; some people have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name, or the only one.
    pub family_name: String,
    /// The company's number of the person.
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
    /// Id of the employer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Ids of the vessels whose data the person may see.
    #[serde(default)]
    pub vessel_ids: Vec<String>,
    /// First day on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_on: Option<NaiveDate>,
    /// Last day on board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_off: Option<NaiveDate>,
    /// Whether the person may sign in.
    pub active: bool,
}

/// A record with its version, as the provider API serves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Served<T> {
    /// The record's version: when it last changed. Grows with every change.
    pub updated_at: DateTime<Utc>,
    /// When the approval was withdrawn. A record with this field is a tombstone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    pub record: T,
}

/// A vessel as the provider API serves it: with its company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServedVessel {
    /// The company that manages the vessel. A change of the company is a change of the vessel, too.
    pub company: Served<Company>,
    #[serde(flatten)]
    pub vessel: Served<Vessel>,
}
