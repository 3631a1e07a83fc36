//! Temporary passwords: an admin reveals each at most once, one that was not used in time is removed, and an admin may have
//! another made.

use std::fmt;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::SourceId;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    ledger::audit::audit_append,
};

/// Row id of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(uuid::Uuid);

impl UserId {
    #[must_use]
    pub const fn from_uuid(id: uuid::Uuid) -> Self {
        Self(id)
    }

    #[must_use]
    pub const fn as_uuid(self) -> uuid::Uuid {
        self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Result of revealing a temporary password.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub enum PasswordClaim {
    /// The sealed bytes, which are no longer in the database.
    Claimed {
        sealed: Vec<u8>,
        /// The user that the sealed bytes are bound to.
        source_id: SourceId,
        expires_at: DateTime<Utc>,
    },
    /// The password was revealed before.
    AlreadyClaimed,
    /// The password was not revealed in time, and cannot be any more.
    Expired,
    /// The user may not sign in: deactivated, withdrawn or signed off.
    LockedOut,
    /// The user has no temporary password.
    None,
    /// There is no such user.
    Unknown,
}

impl fmt::Debug for PasswordClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claimed { .. } => "Claimed",
            Self::AlreadyClaimed => "AlreadyClaimed",
            Self::Expired => "Expired",
            Self::LockedOut => "LockedOut",
            Self::None => "None",
            Self::Unknown => "Unknown",
        })
    }
}

/// Reveals the temporary password of a user, and appends to the audit log. In a transaction.
pub async fn user_password_claim(
    db: &mut Db,
    id: UserId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<PasswordClaim, StoreError> {
    let claim = password_lock(db, id, now).await?;
    match claim {
        PasswordClaim::Claimed { .. } => {
            statement("UPDATE users SET sealed_password = NULL, password_claimed_at = $2 WHERE id = $1")
                .bind::<Uuid, _>(id.0)
                .bind::<Timestamptz, _>(now)
                .execute(db)
                .await?;
        }
        PasswordClaim::Expired => {
            statement(
                "UPDATE users SET sealed_password = NULL,
                     password_hash = CASE WHEN must_change_password THEN NULL ELSE password_hash END
                 WHERE id = $1 AND (sealed_password IS NOT NULL OR password_hash IS NOT NULL)",
            )
            .bind::<Uuid, _>(id.0)
            .execute(db)
            .await?;
        }
        // An unknown id is no user's: there is nothing to audit.
        PasswordClaim::Unknown => return Ok(claim),
        PasswordClaim::AlreadyClaimed | PasswordClaim::LockedOut | PasswordClaim::None => {}
    }
    let detail = serde_json::json!({ "result": format!("{claim:?}") });
    audit_append(db, actor, domain::audit::AuditAction::UserRevealPassword, &id.to_string(), &detail, now)
        .await?;
    Ok(claim)
}

/// Result of having another temporary password made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum PasswordReissue {
    /// The old password is gone; a worker makes a new one.
    Requested,
    /// The user may not sign in: deactivated, withdrawn or signed off.
    LockedOut,
    /// There is no such user.
    Unknown,
}

/// Removes a user's password, temporary or not, so that a worker makes a new temporary one, and appends to the audit log. In a
/// transaction.
pub async fn user_password_reissue(
    db: &mut Db,
    id: UserId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<PasswordReissue, StoreError> {
    let reissue = match password_lock(db, id, now).await? {
        PasswordClaim::Unknown => return Ok(PasswordReissue::Unknown),
        PasswordClaim::LockedOut => PasswordReissue::LockedOut,
        _ => PasswordReissue::Requested,
    };
    if reissue == PasswordReissue::Requested {
        statement(
            "UPDATE users SET password_hash = NULL, sealed_password = NULL, password_expires_at = NULL,
                 password_claimed_at = NULL, must_change_password = true
             WHERE id = $1",
        )
        .bind::<Uuid, _>(id.0)
        .execute(db)
        .await?;
    }
    let detail = serde_json::json!({ "result": format!("{reissue:?}") });
    audit_append(db, actor, domain::audit::AuditAction::UserReissuePassword, &id.to_string(), &detail, now)
        .await?;
    Ok(reissue)
}

/// Removes temporary passwords that were not used in time, with their hashes, and seals that nobody needs any more: the user has
/// a password of their own. At most `limit` users; returns their number.
pub async fn expired_passwords_purge(
    db: &mut Db,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<usize, StoreError> {
    let removed: i64 = statement("SELECT expired_passwords_remove($1, $2)")
        .bind::<Timestamptz, _>(now)
        .bind::<Int8, _>(i64::from(limit))
        .returning::<Int8>()
        .get_result(db)
        .await?;
    Ok(removed.unsigned_abs() as usize)
}

/// Locks the user's row and finds what can be revealed.
async fn password_lock(db: &mut Db, id: UserId, now: DateTime<Utc>) -> Result<PasswordClaim, StoreError> {
    type Columns = (String, Option<Vec<u8>>, Option<DateTime<Utc>>, Option<DateTime<Utc>>, bool);
    let rows: Vec<Columns> = statement(
        "SELECT source_id, sealed_password, password_expires_at, password_claimed_at,
             active AND status = 'active' AND coalesce(sign_off >= $2, true)
                 AND coalesce(withdrawal_due_at > $3, true)
         FROM users WHERE id = $1 FOR NO KEY UPDATE",
    )
    .bind::<Uuid, _>(id.0)
    .bind::<Date, _>(now.date_naive())
    .bind::<Timestamptz, _>(now)
    .returning::<(Text, Nullable<Binary>, Nullable<Timestamptz>, Nullable<Timestamptz>, Bool)>()
    .load(db)
    .await?;
    let Some((source_id, sealed, expires_at, claimed_at, may_sign_in)) = rows.into_iter().next() else {
        return Ok(PasswordClaim::Unknown);
    };
    Ok(match (sealed, expires_at, claimed_at) {
        _ if !may_sign_in => PasswordClaim::LockedOut,
        (_, _, Some(_)) => PasswordClaim::AlreadyClaimed,
        (_, Some(expires_at), None) if expires_at <= now => PasswordClaim::Expired,
        (Some(sealed), Some(expires_at), None) => {
            let source_id = word("users", "source_id", id, &source_id)?;
            PasswordClaim::Claimed { sealed, source_id, expires_at }
        }
        (_, _, None) => PasswordClaim::None,
    })
}
