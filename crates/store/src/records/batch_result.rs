//! The result of a batch, gathered while it is written.

use std::collections::HashMap;

use domain::{Accepted, Finding, Outcome};

use crate::records::table::Table;

pub(super) struct BatchResult<'a, T: Table> {
    pub(super) outcomes: HashMap<&'a str, Outcome>,
    /// Records that changed nothing visible: the same content under a newer version, a tombstone of something unknown.
    pub(super) confirmed: Vec<&'a str>,
    /// Errors of rejected records and warnings about written ones.
    pub(super) findings: Vec<(&'a Accepted<T::Record>, Finding)>,
}

impl<'a, T: Table> BatchResult<'a, T> {
    pub(super) fn with_capacity(records: usize) -> Self {
        Self { outcomes: HashMap::with_capacity(records), confirmed: Vec::new(), findings: Vec::new() }
    }

    pub(super) fn reject(&mut self, accepted: &'a Accepted<T::Record>, finding: Finding) {
        self.outcomes.insert(T::source_id(&accepted.record).as_str(), Outcome::Rejected);
        self.findings.push((accepted, finding));
    }
}
