//! Data-quality reports.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Finding, Pagination, RecordType, Severity};

/// Data-quality report of a vessel, of a sync, or of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidationReport {
    /// Vessel of the report, if it is about one.
    pub vessel: Option<VesselIdentity>,
    /// Sync of the report, if it is about one.
    pub sync_id: Option<Uuid>,
    /// Number of records by type, and how many of them have findings.
    pub records: Vec<RecordQuality>,
    /// Number of critical parts with less stock on board than the minimum; absent for a sync.
    pub critical_spares_below_minimum: Option<i64>,
    /// Number of findings by code, errors first, then by frequency.
    pub codes: Vec<CodeCount>,
    /// A page of the findings, errors first.
    pub findings: Vec<Finding>,
    /// Position of the page in the list of findings.
    pub pagination: Pagination,
}

/// Names and ids of a vessel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VesselIdentity {
    /// Id in the maintenance portal.
    pub id: Uuid,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// IMO number, seven digits.
    pub imo_number: String,
    /// Name of the vessel.
    pub name: String,
}

/// Number of records of a type, and how many of them have findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordQuality {
    /// Record type.
    pub record_type: RecordType,
    /// For a sync: number of records read. Otherwise: number of active records.
    pub records: i64,
    /// Number of records whose last version was rejected.
    pub with_errors: i64,
    /// Number of records that were written with a warning.
    pub with_warnings: i64,
}

/// Number of findings with one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeCount {
    /// Severity of the findings.
    pub severity: Severity,
    /// Code of the rule.
    pub code: String,
    /// Record type.
    pub record_type: RecordType,
    /// Number of findings.
    pub findings: i64,
    /// Number of records with such a finding.
    pub records: i64,
}
