//! Keeps the list of revoked tokens in memory like the table, which the other processes write, too.

use std::time::Duration;

use chassis::auth::{RevocationList, Revocations};
use store::{
    Store, StoreError,
    ledger::token_revocations::{RevokedTokens, token_revocations_all},
};
use tokio_util::sync::CancellationToken;

/// A revocation takes effect in all processes within this time.
const REFRESH_INTERVAL: Duration = Duration::from_secs(2);

/// While the database does not answer, the list stays as it is.
pub(crate) async fn refresh_until_stopped(store: Store, revocations: Revocations, stop: CancellationToken) {
    let mut has_failed = false;
    loop {
        match refresh(&store, &revocations).await {
            Ok(()) => has_failed = false,
            Err(error) => {
                if !has_failed {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the list of revoked tokens could not be read; trying again"
                    );
                }
                has_failed = true;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(REFRESH_INTERVAL) => {}
        }
    }
}

/// Reads the table.
pub(crate) async fn refresh(store: &Store, revocations: &Revocations) -> Result<(), StoreError> {
    let mut list = RevocationList::default();
    for revocation in token_revocations_all(&mut *store.db().await?).await? {
        match revocation.tokens {
            RevokedTokens::Token(id) => {
                list.token_ids.insert(id);
            }
            RevokedTokens::Subject(subject) => {
                let until = u64::try_from(revocation.issued_until.timestamp()).unwrap_or_default();
                list.subjects.insert(subject, until);
            }
        }
    }
    revocations.replace(list);
    Ok(())
}
