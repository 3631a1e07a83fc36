//! What became of the records of a batch.

use std::collections::HashMap;

use domain::{Accepted, Finding, Outcome};

/// What a batch came to.
pub(crate) struct Batch<'a, R> {
    pub(super) outcomes: HashMap<&'a str, Outcome>,
    /// Records whose later state says what is here already.
    pub(super) confirmed: Vec<&'a str>,
    /// Why records were rejected, or what is odd about some that went in.
    pub(super) findings: Vec<(&'a Accepted<R>, Finding)>,
}
