//! Places for clients of the event stream: so many in the process, so many for each operator, so that one operator cannot take
//! all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Clones share the places.
#[derive(Debug, Clone)]
pub(crate) struct EventSlots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    limit_per_subject: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_subject: BTreeMap<String, usize>,
}

/// A place, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct EventSlot {
    slots: EventSlots,
    subject: String,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoSlot {
    /// All places of the process are taken.
    Process,
    /// This operator has as many as one may have.
    Subject,
}

impl EventSlots {
    pub(crate) fn new(limit: usize, limit_per_subject: usize) -> Self {
        let slots = Self(Arc::new(Inner { limit, limit_per_subject, taken: Mutex::default() }));
        count_clients(0);
        slots
    }

    pub(crate) fn take(&self, subject: &str) -> Result<EventSlot, NoSlot> {
        let mut taken = self.lock();
        let of_subject = taken.by_subject.get(subject).copied().unwrap_or_default();
        if of_subject >= self.0.limit_per_subject {
            return Err(NoSlot::Subject);
        }
        if taken.all >= self.0.limit {
            return Err(NoSlot::Process);
        }
        taken.all += 1;
        taken.by_subject.insert(subject.to_owned(), of_subject + 1);
        count_clients(taken.all);
        Ok(EventSlot { slots: self.clone(), subject: subject.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Counting cannot panic in between.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EventSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_subject) = taken.by_subject.get_mut(&self.subject) {
            *of_subject -= 1;
            if *of_subject == 0 {
                taken.by_subject.remove(&self.subject);
            }
        }
        count_clients(taken.all);
    }
}

fn count_clients(count: usize) {
    metrics::gauge!("sms_sse_clients").set(count as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subject_cannot_take_all_slots() {
        let slots = EventSlots::new(3, 2);
        let first = slots.take("anna").unwrap();
        let _second = slots.take("anna").unwrap();
        assert_eq!(slots.take("anna").unwrap_err(), NoSlot::Subject);
        let _third = slots.take("ben").unwrap();
        assert_eq!(slots.take("carl").unwrap_err(), NoSlot::Process);
        drop(first);
        let _fourth = slots.take("carl").unwrap();
        assert_eq!(
            slots.lock().by_subject,
            BTreeMap::from([("anna".to_owned(), 1), ("ben".to_owned(), 1), ("carl".to_owned(), 1)])
        );
    }
}
