//! Leader election: a lock that only one process holds, and that goes with its connection.

use diesel::sql_types::{Bool, Int8};
use diesel_async::RunQueryDsl;

use crate::db::{
    advisory_locks::AdvisoryLock,
    connection::{Db, Store},
    error::StoreError,
    statement::statement,
};

/// What only one process at a time may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaderLock {
    /// The scheduler's periodic tasks: cron ticks, reaper, withdrawals, retention.
    Scheduler,
}

impl LeaderLock {
    const fn advisory_lock(self) -> AdvisoryLock {
        match self {
            Self::Scheduler => AdvisoryLock::Scheduler,
        }
    }
}

/// A lock that is held until this is dropped, its connection breaks or the server restarts.
pub struct Leadership {
    db: Db,
    lock: LeaderLock,
}

impl std::fmt::Debug for Leadership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leadership").field("lock", &self.lock).finish_non_exhaustive()
    }
}

impl Store {
    /// Takes a lock if no process holds it.
    pub async fn leadership_take(&self, lock: LeaderLock) -> Result<Option<Leadership>, StoreError> {
        let mut db = self.dedicated().await?;
        let taken: bool = statement("SELECT pg_try_advisory_lock($1)")
            .bind::<Int8, _>(lock.advisory_lock().key())
            .returning::<Bool>()
            .get_result(&mut db)
            .await?;
        Ok(taken.then_some(Leadership { db, lock }))
    }
}

impl Leadership {
    /// Whether the lock is still held, asked over the connection that holds it. To be asked before each act of a leader.
    pub async fn is_held(&mut self) -> bool {
        statement("SELECT 1").execute(&mut self.db).await.is_ok()
    }
}
