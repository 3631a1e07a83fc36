//! What validation makes of a record: accepted, with warnings, or rejected, with what is taken away all the same.

use chrono::{DateTime, Utc};

use crate::{
    Finding, PayloadHash, Rules, SentId, SourceId, Version,
    revocation::{RecordHead, Revocation, Withdrawal},
};

/// An accepted record with its version and its warnings. Only a draft's `accept` makes one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Accepted<T> {
    pub record: T,
    pub version: Version,
    pub warnings: Vec<Finding>,
    /// Name for people, without personal data: a name and an IMO number, a code and a name.
    pub label: String,
    /// Hash of the payload that the record was read from, if the payload is known.
    pub payload_hash: Option<PayloadHash>,
}

impl<T> Accepted<T> {
    /// Adds the hash of the payload: the record's bytes in the provider's answer.
    #[must_use]
    pub fn with_payload(mut self, bytes: &[u8]) -> Self {
        self.payload_hash = Some(PayloadHash::of(self.version, bytes));
        self
    }
}

/// A rejected record. Its findings hold at least one error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Id in the onboarding portal.
    pub source_id: SentId,
    /// Name for people, as far as it could be read, of visible characters.
    pub label: Option<String>,
    /// The vessels that the record belongs to, by their ids in the onboarding portal, as far as they could be read.
    pub vessel_ids: Vec<SourceId>,
    /// When the record changed in the onboarding portal; none if that cannot be read, lies in the future or before our era.
    pub updated_at: Option<DateTime<Utc>>,
    /// Errors, and warnings beside them.
    pub findings: Vec<Finding>,
    /// What the record takes away in spite of its faults.
    pub revocation: Option<Box<Revocation>>,
}

impl Rejection {
    /// A rejection for one reason.
    #[must_use]
    pub fn because(source_id: SentId, label: Option<String>, finding: Finding) -> Self {
        Self {
            source_id,
            label,
            vessel_ids: Vec::new(),
            updated_at: None,
            findings: vec![finding],
            revocation: None,
        }
    }

    /// Adds what the record's head says, as far as it can be read: when the record changed, and what it takes away.
    #[must_use]
    pub fn with_head(mut self, head: &RecordHead, rules: &Rules) -> Self {
        self.updated_at = head.updated_at(rules);
        self.revocation = head.revocation(rules).map(Box::new);
        // A withdrawal to come is carried out by the clock for the rows of accepted records alone.
        if let Some(pending) = Withdrawal::of(head.withdrawn_at, rules).finding_of_rejected() {
            self.findings.retain(|it| it.code != pending.code);
            self.findings.push(pending);
        }
        self
    }
}
