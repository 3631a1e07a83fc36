//! One limit on the requests that all workers together have in flight at the onboarding portal, of which pages and events each
//! have a share that the other cannot take; one on those that they send a second, if it is set; and one pause for all, when the
//! portal asks for it or fails repeatedly.

use std::{num::NonZeroU32, ops::RangeInclusive, time::Duration};

use portal_client::{CircuitState, PortalClient, PortalError};
use store::{
    Store, StoreError,
    ledger::portal_slots::{SlotClaim, SlotRequest, Turn, portal_pause_note, slot_claim, slot_release},
};
use tokio::time::{Instant, sleep};

use crate::failure::WorkError;

/// Delays between two looks for a free slot.
const POLL_DELAY_MIN: Duration = Duration::from_millis(5);
const POLL_DELAY_LIMIT: Duration = Duration::from_millis(80);
/// Longest pause for all: a `Retry-After` of an hour is its own request's.
const PAUSE_LIMIT: Duration = Duration::from_secs(10);
/// Pause after a 429 that names none.
const PAUSE_DEFAULT: Duration = Duration::from_secs(1);
/// Added to the request's time-out, so that no slot becomes another's while its request is in flight.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// Events may take the requests of so much time in advance where there is a limit a second.
const EVENTS_AHEAD: Duration = Duration::from_secs(1);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    Pages,
    /// Somebody waits for the approval.
    Events,
}

#[derive(Debug, Clone)]
pub(crate) struct PortalLimiter {
    store: Store,
    portal: PortalClient,
    /// Requests of all workers together.
    limit: u16,
    /// Requests a second of all workers together.
    per_second: Option<NonZeroU32>,
    lease: Duration,
    /// For how long an open circuit lets nothing through.
    circuit_open_for: Duration,
}

/// The right to one request.
struct Slot {
    number: u16,
    holder: uuid::Uuid,
}

impl PortalLimiter {
    /// `timeout`: of a request.
    pub(crate) fn new(
        store: Store,
        portal: PortalClient,
        limit: u16,
        per_second: Option<NonZeroU32>,
        timeout: Duration,
        circuit_open_for: Duration,
    ) -> Self {
        Self { store, portal, limit, per_second, lease: timeout + LEASE_MARGIN, circuit_open_for }
    }

    /// Sends a request to the portal when it has a slot.
    ///
    /// # Errors
    /// Those of the request and of the database; [`PortalError::Paused`] while the portal is left alone.
    pub(crate) async fn run<T>(
        &self,
        traffic: Traffic,
        request: impl Future<Output = Result<T, PortalError>>,
    ) -> Result<T, WorkError> {
        let slot = self.claim(traffic).await?;
        let was_open = self.is_circuit_open();
        let result = request.await;
        let noted = match &result {
            Ok(_) => Ok(()),
            Err(error) => self.note_pause_after(error, was_open).await,
        };
        // Whatever keeps a slot from being released: its time ends.
        if let Err(error) = noted.and(self.release(&slot).await) {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a slot for the portal is not released"
            );
        }
        Ok(result?)
    }

    async fn claim(&self, traffic: Traffic) -> Result<Slot, WorkError> {
        let (began, holder) = (Instant::now(), uuid::Uuid::now_v7());
        let (slots, preferred) = self.slots(traffic);
        let turn = match traffic {
            Traffic::Pages => Turn::Page,
            Traffic::Events => Turn::Event { ahead: EVENTS_AHEAD },
        };
        let request =
            SlotRequest { slots, preferred, holder, lease: self.lease, per_second: self.per_second, turn };
        let mut delay = POLL_DELAY_MIN;
        loop {
            let mut db = self.store.db().await?;
            match slot_claim(&mut db, &request).await? {
                SlotClaim::Claimed(number) => {
                    let traffic = match traffic {
                        Traffic::Pages => "pages",
                        Traffic::Events => "events",
                    };
                    metrics::histogram!("sms_portal_slot_wait_seconds", "traffic" => traffic)
                        .record(began.elapsed().as_secs_f64());
                    return Ok(Slot { number, holder });
                }
                SlotClaim::Paused(retry_in) => return Err(PortalError::Paused { retry_in }.into()),
                SlotClaim::Busy => {}
            }
            drop(db);
            sleep(delay).await;
            delay = (delay * 2).min(POLL_DELAY_LIMIT);
        }
    }

    /// The slots that may be claimed, and from which on first. The last quarter is for events alone, which take it first, and
    /// the first slot for pages alone.
    fn slots(&self, traffic: Traffic) -> (RangeInclusive<u16>, u16) {
        let pages = (self.limit - self.limit.div_ceil(4)).max(1);
        match traffic {
            Traffic::Pages => (1..=pages, 1),
            Traffic::Events => (2..=self.limit, pages + 1),
        }
    }

    fn is_circuit_open(&self) -> bool {
        matches!(&*self.portal.circuit().borrow(), CircuitState::Open(_))
    }

    /// Tells all workers when the portal asks for fewer requests, and when this one has failed once too often. No answer at all
    /// may be this worker's own fault, and is told to nobody.
    async fn note_pause_after(&self, error: &PortalError, was_open: bool) -> Result<(), StoreError> {
        let pause = match error {
            PortalError::Status { status: 429, retry_after, .. } => retry_after.unwrap_or(PAUSE_DEFAULT),
            PortalError::Status { .. } if !was_open && self.is_circuit_open() => self.circuit_open_for,
            _ => return Ok(()),
        };
        let reason = error.to_string();
        portal_pause_note(&mut *self.store.db().await?, pause.min(PAUSE_LIMIT), &reason).await
    }

    async fn release(&self, slot: &Slot) -> Result<(), StoreError> {
        slot_release(&mut *self.store.db().await?, slot.number, slot.holder).await
    }
}
