//! How good the data is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Finding, Pagination, RecordType, Severity};

/// `GET /api/sync/validation/reports`: what validation has to say about a vessel, a sync, or the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidationReport {
    /// The vessel, if the report is about one.
    pub vessel: Option<VesselIdentity>,
    /// The sync, if the report is about one.
    pub sync_id: Option<Uuid>,
    /// How many records of each kind there are, and how many have findings.
    pub records: Vec<RecordQuality>,
    /// Critical spares of which less is on board than must be, by the ships' present counts; absent for a sync.
    pub critical_spares_below_minimum: Option<i64>,
    /// How often each rule spoke, errors first, the most frequent first.
    pub codes: Vec<CodeCount>,
    /// A page of the findings, errors first.
    pub findings: Vec<Finding>,
    /// Where the page stands.
    pub pagination: Pagination,
}

/// Who a vessel is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VesselIdentity {
    /// Its id in the maintenance portal.
    pub id: Uuid,
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// Seven digits.
    pub imo_number: String,
    /// Its name.
    pub name: String,
}

/// How many records of a kind there are, and how many have findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordQuality {
    /// Kind of record.
    pub record_type: RecordType,
    /// Of a run: records read. Else: records here that are not withdrawn.
    pub records: i64,
    /// The state that was sent last was rejected.
    pub with_errors: i64,
    /// Let in, and somebody should look.
    pub with_warnings: i64,
}

/// How often a rule spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeCount {
    /// Whether the rule rejects.
    pub severity: Severity,
    /// Stable word for the rule.
    pub code: String,
    /// Kind of record.
    pub record_type: RecordType,
    /// Findings.
    pub findings: i64,
    /// Records they are about.
    pub records: i64,
}
