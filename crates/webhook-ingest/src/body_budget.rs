//! The memory that the bodies of all requests may take together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A limit in bytes, shared by all requests.
#[derive(Clone)]
pub(crate) struct BodyBudget(Arc<Semaphore>);

/// The bytes that one request has taken. Dropping it returns them.
#[derive(Debug)]
pub(crate) struct BodyPermit(Option<OwnedSemaphorePermit>);

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Adds bytes to a permit; `false` if the budget has too few left.
    pub(crate) fn try_extend(&self, permit: &mut BodyPermit, bytes: usize) -> bool {
        let more = u32::try_from(bytes).ok().and_then(|n| self.0.clone().try_acquire_many_owned(n).ok());
        let Some(more) = more else { return false };
        match &mut permit.0 {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        true
    }
}

impl BodyPermit {
    pub(crate) const fn empty() -> Self {
        Self(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_budget_grants_no_bytes() {
        let budget = BodyBudget::new(10);
        let mut permit = BodyPermit::empty();
        assert!(budget.try_extend(&mut permit, 4) && budget.try_extend(&mut permit, 6));
        assert!(!budget.try_extend(&mut BodyPermit::empty(), 1));
    }

    #[test]
    fn a_dropped_permit_returns_its_bytes() {
        let budget = BodyBudget::new(10);
        let mut permit = BodyPermit::empty();
        assert!(budget.try_extend(&mut permit, 10));
        drop(permit);
        assert!(budget.try_extend(&mut BodyPermit::empty(), 10));
    }
}
