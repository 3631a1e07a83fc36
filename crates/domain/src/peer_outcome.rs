//! The outcome of a request to another system. A row of `peer_outcomes` holds the last one.

use crate::{FailureClass, vocabulary::vocabulary};

vocabulary!(
    /// How a request to another system ended.
    OutcomeClass {
        /// With the answer that was asked for.
        Ok = "ok",
        /// With a failure that may pass by itself.
        Transient = "transient",
        /// With a failure that will not pass by itself, as when the key is refused.
        Permanent = "permanent",
    }
);

impl From<FailureClass> for OutcomeClass {
    fn from(class: FailureClass) -> Self {
        match class {
            FailureClass::Transient => Self::Transient,
            FailureClass::Permanent | FailureClass::Poison => Self::Permanent,
        }
    }
}
