//! The turn to work on a page of records, for when all workers together are to work on one page at a time.

use std::{fmt, time::Duration};

use diesel::sql_types::{Int8, Text};
use diesel_async::RunQueryDsl;

use crate::db::{
    advisory_locks::AdvisoryLock,
    connection::{Store, Tx},
    error::StoreError,
    statement::statement,
};

/// A turn that lasts until [`PageTurn::end`], or until its process ends.
pub struct PageTurn(Tx);

impl fmt::Debug for PageTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageTurn")
    }
}

impl Store {
    /// Waits for the turn, in the order of asking. The turn takes a connection of the pool.
    ///
    /// # Errors
    ///
    /// If the turn did not come within `patience`, or the database fails.
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
    /// Ends the turn; the next one who waits has it.
    pub async fn end(self) {
        self.0.rollback().await;
    }
}
