//! A worker's circuit breaker towards the onboarding portal, while it is not closed. A row of `circuits`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// State of a circuit that is not closed. A closed circuit has no row.
    OpenCircuitState {
        /// No request goes through.
        Open = "open",
        /// One request goes through, to see whether the portal has recovered.
        HalfOpen = "half_open",
    }
);
