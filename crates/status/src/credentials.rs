//! Keeps the revoked tokens and the API keys in memory like their tables, which the other processes write, too.

use std::{collections::BTreeMap, time::Duration};

use chassis::auth::{ApiKey, OperatorKeys, RevocationList};
use chrono::{DateTime, Utc};
use store::{
    Store, StoreError,
    ledger::{
        api_keys::{api_key_uses_note, api_keys_all},
        token_revocations::{RevokedTokens, token_revocations_all},
    },
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A revocation and a new key take effect in all processes within this time.
const REFRESH_INTERVAL: Duration = Duration::from_secs(2);

/// While the database does not answer, the lists stay as they are.
pub(crate) async fn refresh_until_stopped(store: Store, keys: OperatorKeys, stop: CancellationToken) {
    let mut has_failed = false;
    loop {
        match refresh(&store, &keys).await {
            Ok(()) => has_failed = false,
            Err(error) => {
                if !has_failed {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "revoked tokens and API keys could not be read; trying again"
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

/// Reads the tables at once, for what was just changed in this process. What has happened is not taken back for a reading that
/// fails: the next one follows in a moment.
pub(crate) async fn refresh_now(store: &Store, keys: &OperatorKeys) {
    if let Err(error) = refresh(store, keys).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "revoked tokens and API keys could not be read; trying again"
        );
    }
}

/// Reads the tables.
pub(crate) async fn refresh(store: &Store, keys: &OperatorKeys) -> Result<(), StoreError> {
    let mut list = RevocationList::default();
    let mut db = store.db().await?;
    for revocation in token_revocations_all(&mut db).await? {
        match revocation.tokens {
            RevokedTokens::Token(id) => {
                list.token_ids.insert(id);
            }
            RevokedTokens::Subject(subject) => {
                list.subjects.insert(subject, seconds(revocation.issued_until));
            }
        }
    }
    let mut active = BTreeMap::new();
    for key in api_keys_all(&mut db).await? {
        // Open event streams end as those of revoked tokens do.
        if key.revoked_at.is_some() {
            list.token_ids.insert(key.id.to_string());
            continue;
        }
        // The table's CHECKs leave no other role and no other length.
        let (Ok(role), Ok(secret_hash)) = (key.role.parse(), key.secret_hash.try_into()) else { continue };
        let (created_at, expires_at) = (seconds(key.created_at), seconds(key.expires_at));
        active.insert(key.id, ApiKey { name: key.name, role, secret_hash, created_at, expires_at });
    }
    keys.api_keys().replace(active);
    // A stream waits for the end that its key had when it was opened, which comes sooner for a key that was replaced since.
    list.token_ids.extend(keys.api_keys().ended().iter().map(Uuid::to_string));
    keys.revocations().replace(list);
    let uses = keys.api_keys().take_uses();
    if !uses.is_empty() {
        let uses = uses.into_iter().filter_map(|(id, at)| Some((id, time(at)?))).collect();
        api_key_uses_note(&mut db, &uses).await?;
    }
    Ok(())
}

fn seconds(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp()).unwrap_or_default()
}

fn time(seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}
