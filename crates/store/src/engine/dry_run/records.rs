//! The records of a dry-run page.

use std::collections::BTreeMap;

use domain::RecordType;

/// A record that a page would write or reject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRunRecord {
    pub source_id: String,
    /// IMO number, QR code or e-mail address; none of a rejected record.
    pub natural_key: Option<String>,
    /// The name that people know the record by.
    pub label: Option<String>,
}

pub type DryRunRecords = BTreeMap<RecordType, Vec<DryRunRecord>>;
