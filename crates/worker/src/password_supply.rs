//! Passwords for users who became active without a sync: by an undo, a decision about a conflict, or an edit of the
//! maintenance portal.

use std::time::Duration;

use store::{
    StoreError,
    records::{user_passwords_supply, users_active_without_password},
};
use tokio_util::sync::CancellationToken;

use crate::context::Context;

/// Users that one search gives a password at most: the next search finds the others.
const SUPPLY_LIMIT: u32 = 50;

/// Gives passwords to users who have become active without a sync, until `stop`.
pub(crate) async fn supply_passwords(context: Context, interval: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
        if let Err(error) = supply(&context).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "active users without a password could not be given one; next time"
            );
        }
    }
}

async fn supply(context: &Context) -> Result<(), StoreError> {
    let users = users_active_without_password(&mut *context.store.db().await?, SUPPLY_LIMIT).await?;
    if users.is_empty() {
        return Ok(());
    }
    let passwords = context.password_maker.make(&users, context.clock.now()).await;
    user_passwords_supply(&mut *context.store.db().await?, &passwords).await?;
    tracing::info!(users = users.len(), "gave passwords to users who are active again");
    Ok(())
}
