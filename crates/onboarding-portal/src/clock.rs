//! Time, handed in: tests turn it by hand.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, SubsecRound, Utc};

/// What time it is. Clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Hands);

#[derive(Debug, Clone)]
enum Hands {
    Machine,
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Hands::Machine)
    }

    /// A clock that stands at `now` until it is turned.
    #[must_use]
    pub fn manual(now: DateTime<Utc>) -> Self {
        Self(Hands::Manual(Arc::new(Mutex::new(now.trunc_subsecs(6)))))
    }

    /// Now, truncated to the microseconds that PostgreSQL keeps.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Hands::Machine => machine(),
            Hands::Manual(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Turns a manual clock forward. The machine's cannot be turned.
    pub fn advance(&self, by: Duration) {
        if let Hands::Manual(time) = &self.0 {
            *time.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of the portal that asks the machine")]
fn machine() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
