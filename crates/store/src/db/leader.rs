//! Who of several does what only one may: a lock that goes with its connection.

use diesel::sql_types::{Bool, Int8};
use diesel_async::RunQueryDsl;

use crate::db::{
    advisory_locks::AdvisoryLock,
    connection::{Db, Store},
    error::StoreError,
    statement::statement,
};

/// The offices that only one process at a time may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaderLock {
    /// The scheduler's clock: cron ticks, relay, reaper, retention.
    Scheduler,
}

impl LeaderLock {
    const fn lock(self) -> AdvisoryLock {
        match self {
            Self::Scheduler => AdvisoryLock::Scheduler,
        }
    }
}

/// The office is ours until this is dropped, its connection breaks or the server restarts.
pub struct Leadership {
    db: Db,
    office: LeaderLock,
}

impl std::fmt::Debug for Leadership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leadership").field("office", &self.office).finish_non_exhaustive()
    }
}

impl Store {
    /// Takes an office if nobody holds it.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn leadership_take(&self, office: LeaderLock) -> Result<Option<Leadership>, StoreError> {
        let mut db = self.dedicated().await?;
        let taken: bool = statement("SELECT pg_try_advisory_lock($1)")
            .bind::<Int8, _>(office.lock().key())
            .returning::<Bool>()
            .get_result(&mut db)
            .await?;
        Ok(taken.then_some(Leadership { db, office }))
    }
}

impl Leadership {
    /// Whether it is still ours: asked of the very connection that holds the lock. To be asked before each act.
    pub async fn is_held(&mut self) -> bool {
        statement("SELECT 1").execute(&mut self.db).await.is_ok()
    }
}
