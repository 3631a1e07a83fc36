//! The turn to work on a page of records, of all workers together: for when pages are to come one at a time.

use std::{fmt, time::Duration};

use diesel::sql_types::{Int8, Text};
use diesel_async::RunQueryDsl;

use crate::db::{
    advisory_locks::AdvisoryLock,
    connection::{Store, Tx},
    error::StoreError,
    statement::statement,
};

/// The turn is ours until it ends; it ends with the process, too.
pub struct PageTurn(Tx);

impl fmt::Debug for PageTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageTurn")
    }
}

impl Store {
    /// Waits for the turn, in the order of asking, for as long as `patience`. The turn takes a connection of the pool.
    ///
    /// # Errors
    ///
    /// If it did not come in time, or the database fails.
    pub async fn page_turn(&self, patience: Duration) -> Result<PageTurn, StoreError> {
        // No snapshot is held meanwhile: between two statements a transaction at this level of isolation has none.
        let mut tx = self.begin().await?;
        match wait(&mut tx, patience).await {
            Ok(()) => Ok(PageTurn(tx)),
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }
}

async fn wait(tx: &mut Tx, patience: Duration) -> Result<(), StoreError> {
    statement("SELECT set_config('lock_timeout', $1, true)")
        .bind::<Text, _>(format!("{}ms", patience.as_millis().max(1)))
        .execute(&mut **tx)
        .await?;
    statement("SELECT pg_advisory_xact_lock($1)")
        .bind::<Int8, _>(AdvisoryLock::PageTurn.key())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

impl PageTurn {
    /// It is somebody else's.
    pub async fn end(self) {
        self.0.rollback().await;
    }
}
