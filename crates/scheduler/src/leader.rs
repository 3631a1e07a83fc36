//! Who leads: of several schedulers one holds the office, and does what only one needs to do.
//!
//! The office is a lock of its database connection, so it passes on when the leader dies, hangs up or is cut off. In the
//! moment of such a change two may believe that they lead; nothing they do is harmful when it is done twice.

use std::time::Duration;

use store::{
    Store, StoreError,
    db::leader::{LeaderLock, Leadership},
};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{reaper::Reaper, retention::Housekeeping, schedule::Ticker};

/// Between two tries to get the office.
const APPLY_EVERY: Duration = Duration::from_secs(2);

/// What the leader does, each at an interval of its own.
pub(crate) struct Duties {
    pub(crate) ticker: Ticker,
    pub(crate) reaper: Reaper,
    pub(crate) housekeeping: Housekeeping,
}

/// Applies for the office, and leads while it is held, until `stop`.
pub(crate) async fn lead(store: Store, stop: CancellationToken, duties: Duties) {
    let leading = metrics::gauge!("sms_scheduler_leading");
    loop {
        leading.set(0.0);
        match store.leadership_take(LeaderLock::Scheduler).await {
            Ok(Some(leadership)) => {
                leading.set(1.0);
                tracing::info!("this scheduler leads");
                if serve(&store, &stop, &duties, leadership).await == Term::Stopped {
                    return;
                }
                tracing::warn!("this scheduler has lost the office: its connection to the database broke");
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "nobody can be asked who leads")
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(APPLY_EVERY) => {}
        }
    }
}

#[derive(PartialEq)]
enum Term {
    Stopped,
    Lost,
}

async fn serve(store: &Store, stop: &CancellationToken, duties: &Duties, mut leadership: Leadership) -> Term {
    let mut schedule = every(duties.ticker.every());
    let mut reaper = every(duties.reaper.every());
    let mut housekeeping = every(duties.housekeeping.every());
    loop {
        let duty = tokio::select! {
            () = stop.cancelled() => return Term::Stopped,
            _ = schedule.tick() => Duty::Schedule,
            _ = reaper.tick() => Duty::Reaper,
            _ = housekeeping.tick() => Duty::Housekeeping,
        };
        if !leadership.is_held().await {
            return Term::Lost;
        }
        let done = match duty {
            Duty::Schedule => duties.ticker.look(store).await,
            Duty::Reaper => duties.reaper.look(store).await,
            Duty::Housekeeping => duties.housekeeping.look(store).await,
        };
        if let Err(error) = done {
            tracing::warn!(error = &error as &dyn std::error::Error, duty = ?duty, "a duty was not done; next time");
        }
    }
}

#[derive(Debug)]
enum Duty {
    Schedule,
    Reaper,
    Housekeeping,
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// What a look of a duty comes to.
pub(crate) type Done = Result<(), StoreError>;
