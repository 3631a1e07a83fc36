//! The result of a batch, gathered while it is written.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{Accepted, Finding, Outcome, Revocation};

use crate::records::table::Table;

pub(super) struct BatchResult<'a, T: Table> {
    pub(super) outcomes: HashMap<&'a str, Outcome>,
    /// Records that were sound and changed nothing visible: they do not stand rejected any more.
    pub(super) confirmed: Vec<&'a str>,
    /// Errors of rejected records and warnings about written ones.
    pub(super) findings: Vec<(&'a Accepted<T::Record>, Finding)>,
    /// What rejected records take away all the same.
    pub(super) revocations: Vec<Revocation>,
    now: DateTime<Utc>,
}

impl<'a, T: Table> BatchResult<'a, T> {
    /// Of a batch of so many records that is written now.
    pub(super) fn new(records: usize, now: DateTime<Utc>) -> Self {
        Self {
            outcomes: HashMap::with_capacity(records),
            confirmed: Vec::new(),
            findings: Vec::new(),
            revocations: Vec::new(),
            now,
        }
    }

    pub(super) fn reject(&mut self, accepted: &'a Accepted<T::Record>, finding: Finding) {
        self.outcomes.insert(T::source_id(&accepted.record).as_str(), Outcome::Rejected);
        self.findings.push((accepted, finding));
        self.revocations.extend(revocation_of::<T>(accepted, self.now));
    }
}

/// What a record takes away, whatever else becomes of it.
pub(super) fn revocation_of<T: Table>(
    accepted: &Accepted<T::Record>,
    now: DateTime<Utc>,
) -> Option<Revocation> {
    Some(Revocation {
        source_id: T::source_id(&accepted.record).clone(),
        updated_at: Some(accepted.version.updated_at),
        revoked: T::revoked(&accepted.record, now)?,
    })
}
