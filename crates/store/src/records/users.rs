//! The table `users`, and their temporary passwords.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, RecordType, SourceId, SyncId,
    role_mapping::{Mapped, PortalRole},
    user::User,
};

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        statement::{Statement, statement},
    },
    ledger::audit::audit_append,
    records::{
        apply::{Applied, page_apply},
        references::ids_of,
        table::{Arrays, Column, NaturalKey, Table, column},
    },
    settings::role_mappings::{StoredMapping, mapping_share},
};

/// A user's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(uuid::Uuid);

impl UserId {
    /// From the path of a request.
    #[must_use]
    pub const fn from_uuid(id: uuid::Uuid) -> Self {
        Self(id)
    }

    /// The bare UUID.
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

/// The temporary password of a user that is new.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword {
    /// Whose, by the id in the onboarding portal.
    pub source_id: SourceId,
    /// Argon2id, PHC string.
    pub hash: String,
    /// Sealed for its one reveal.
    pub sealed: Vec<u8>,
    /// Until when it may be revealed and used.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPassword").field("source_id", &self.source_id).finish_non_exhaustive()
    }
}

/// What became of the one reveal of a temporary password.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub enum PasswordClaim {
    /// The sealed bytes, for the last time: they are gone from the database. `source_id` is what they are bound to.
    Claimed {
        /// As the worker sealed them.
        sealed: Vec<u8>,
        /// Whose, by the id in the onboarding portal.
        source_id: SourceId,
        /// Until when the password may be used.
        expires_at: DateTime<Utc>,
    },
    /// It was revealed before.
    AlreadyClaimed,
    /// It was not revealed in time, and cannot be any more.
    Expired,
    /// The account may not sign in: it is deactivated, withdrawn or signed off.
    LockedOut,
    /// The account has no temporary password.
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

pub(super) struct Users<'p> {
    companies: HashMap<String, uuid::Uuid>,
    vessels: HashMap<String, uuid::Uuid>,
    passwords: HashMap<&'p str, &'p NewPassword>,
    mapping: StoredMapping,
}

impl Users<'_> {
    fn mapped(&self, user: &User) -> Mapped {
        self.mapping.mapping.map(&user.rank, user.department.as_deref(), user.workplace)
    }

    fn password(&self, user: &User) -> Option<&NewPassword> {
        self.passwords.get(user.source_id.as_str()).copied()
    }
}

impl Table for Users<'_> {
    type Record = User;
    const NAME: &'static str = "users";
    const RECORD_TYPE: RecordType = RecordType::User;
    const COLUMNS: &'static [Column] = &[
        column("email"),
        column("given_name"),
        column("family_name"),
        column("employee_number"),
        column("rank"),
        column("department"),
        column("workplace"),
        column("role"),
        column("role_mapping_version"),
        column("company_id"),
        column("sign_on"),
        column("sign_off"),
        column("active"),
        // An array of arrays would have to be rectangular; ids hold no comma.
        column("vessel_scope").made("string_to_array(i.vessel_source_ids, ',')"),
    ];
    const INPUTS: &'static [&'static str] = &["vessel_source_ids"];
    const ONCE: &'static [&'static str] = &["password_hash", "sealed_password", "password_expires_at"];
    /// Whoever comes back under another id may have the address of the account that was withdrawn.
    const NATURAL_KEY: Option<NaturalKey> = Some(NaturalKey {
        expression: "lower(email)",
        code: "duplicate_email",
        pointer: "/email",
        held_while: "status = 'active'",
    });

    fn source_id(record: &User) -> &SourceId {
        &record.source_id
    }

    fn is_withdrawn(record: &User) -> bool {
        record.withdrawn_at.is_some()
    }

    fn natural_key(record: &User) -> Option<&str> {
        record.withdrawn_at.is_none().then(|| record.email.as_str())
    }

    fn vessel_ids(record: &User) -> Vec<String> {
        record.vessel_source_ids.iter().map(ToString::to_string).collect()
    }

    fn warnings(&self, record: &User, _: Option<i32>) -> Vec<Finding> {
        let company = record.company_source_id.iter().filter(|id| !self.companies.contains_key(id.as_str()));
        let company = company.map(|id| {
            let message = "is not known: the account belongs to no company";
            Finding::warning("company_unknown", "/companyId", message).with_value(id)
        });
        let vessels = record.vessel_source_ids.iter().filter(|id| !self.vessels.contains_key(id.as_str()));
        let vessels = vessels.map(|id| {
            let message = "names a vessel that is not known; it counts once the vessel is there";
            Finding::warning("vessel_unknown", "/vesselIds", message).with_value(id)
        });
        let rank = (!self.mapped(record).rank_known).then(|| {
            let message = format!("is in no rule; the account gets the role {}", PortalRole::CrewReadonly);
            Finding::warning("unknown_rank", "/rank", message).with_value(&record.rank)
        });
        rank.into_iter().chain(company).chain(vessels).collect()
    }

    fn bind<'f>(&'f self, statement: Statement<'f>, rows: &[&'f Accepted<User>]) -> Statement<'f> {
        let company = |user: &User| self.companies.get(user.company_source_id.as_ref()?.as_str()).copied();
        let vessels =
            |user: &User| user.vessel_source_ids.iter().map(SourceId::as_str).collect::<Vec<_>>().join(",");
        Arrays::of(statement, rows)
            .text(|it| it.record.email.as_str())
            .text_if_any(|it| it.record.given_name.as_deref())
            .text(|it| &it.record.family_name)
            .text_if_any(|it| it.record.employee_number.as_deref())
            .text(|it| &it.record.rank)
            .text_if_any(|it| it.record.department.as_deref())
            .text(|it| it.record.workplace.as_str())
            .text(|it| self.mapped(&it.record).role.as_str())
            .add::<Int4, _>(|_| self.mapping.version)
            .add::<Nullable<Uuid>, _>(|it| company(&it.record))
            .add::<Nullable<Date>, _>(|it| it.record.sign_on)
            .add::<Nullable<Date>, _>(|it| it.record.sign_off)
            .add::<Bool, _>(|it| it.record.active)
            .add::<Text, _>(|it| vessels(&it.record))
            .text_if_any(|it| self.password(&it.record).map(|it| it.hash.as_str()))
            .add::<Nullable<Binary>, _>(|it| self.password(&it.record).map(|it| it.sealed.as_slice()))
            .add::<Nullable<Timestamptz>, _>(|it| self.password(&it.record).map(|it| it.expires_at))
            .done()
    }

    /// An account that is active again, and has no password since it was not, gets one.
    async fn after(
        &self,
        db: &mut Db,
        _: SyncId,
        written: &[(uuid::Uuid, &Accepted<User>, bool)],
        _: DateTime<Utc>,
    ) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
        let again: Vec<(uuid::Uuid, &NewPassword)> = written
            .iter()
            .filter(|(_, it, new)| !new && it.record.active && it.record.withdrawn_at.is_none())
            .filter_map(|(id, it, _)| Some((*id, self.password(&it.record)?)))
            .collect();
        if !again.is_empty() {
            statement(
                "UPDATE users AS t SET password_hash = i.hash, sealed_password = i.sealed,
                     password_expires_at = i.expires_at, password_claimed_at = NULL, must_change_password = true
                 FROM unnest($1, $2, $3, $4) AS i (id, hash, sealed, expires_at)
                 WHERE t.id = i.id AND t.password_hash IS NULL",
            )
            .bind::<Array<Uuid>, _>(again.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(again.iter().map(|(_, it)| it.hash.as_str()).collect::<Vec<_>>())
            .bind::<Array<Binary>, _>(again.iter().map(|(_, it)| it.sealed.as_slice()).collect::<Vec<_>>())
            .bind::<Array<Timestamptz>, _>(again.iter().map(|(_, it)| it.expires_at).collect::<Vec<_>>())
            .execute(db)
            .await?;
        }
        Ok(Vec::new())
    }
}

/// Writes users, last write wins, with their conflicts and findings; one outcome each, in their order. A user that is
/// created gets its password of `passwords`; a re-sync never touches one. In a transaction.
///
/// # Errors
///
/// If the database fails: then roll back. What it refuses of single records is an outcome, not an error.
pub async fn users_apply(
    db: &mut Db,
    sync_id: SyncId,
    users: &[Accepted<User>],
    passwords: &[NewPassword],
    now: DateTime<Utc>,
) -> Result<Vec<Applied>, StoreError> {
    let companies =
        ids_of(db, "companies", users.iter().filter_map(|it| it.record.company_source_id.as_ref())).await?;
    let vessels = ids_of(db, "vessels", users.iter().flat_map(|it| &it.record.vessel_source_ids)).await?;
    let passwords = passwords.iter().map(|it| (it.source_id.as_str(), it)).collect();
    let mapping = mapping_share(db).await?;
    page_apply(&Users { companies, vessels, passwords, mapping }, db, sync_id, users, now).await
}

/// Which of these users have no password here: they are new, or were locked out.
///
/// # Errors
///
/// If the database fails.
pub async fn users_without_password(
    db: &mut Db,
    source_ids: &[SourceId],
) -> Result<BTreeSet<SourceId>, StoreError> {
    let with: Vec<String> =
        statement("SELECT source_id FROM users WHERE source_id = ANY($1) AND password_hash IS NOT NULL")
            .bind::<Array<Text>, _>(source_ids.iter().map(SourceId::as_str).collect::<Vec<_>>())
            .returning::<Text>()
            .load(db)
            .await?;
    let with: BTreeSet<&str> = with.iter().map(String::as_str).collect();
    Ok(source_ids.iter().filter(|id| !with.contains(id.as_str())).cloned().collect())
}

/// Reveals a temporary password, once, and writes the audit. In a transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn user_password_claim(
    db: &mut Db,
    id: UserId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<PasswordClaim, StoreError> {
    type Columns = (String, Option<Vec<u8>>, Option<DateTime<Utc>>, Option<DateTime<Utc>>, bool);
    let rows: Vec<Columns> = statement(
        "SELECT source_id, sealed_password, password_expires_at, password_claimed_at,
             active AND status = 'active' AND coalesce(sign_off >= $2, true)
         FROM users WHERE id = $1 FOR NO KEY UPDATE",
    )
    .bind::<Uuid, _>(id.0)
    .bind::<Date, _>(now.date_naive())
    .returning::<(Text, Nullable<Binary>, Nullable<Timestamptz>, Nullable<Timestamptz>, Bool)>()
    .load(db)
    .await?;
    let Some((source_id, sealed, expires_at, claimed_at, may_sign_in)) = rows.into_iter().next() else {
        return Ok(PasswordClaim::Unknown);
    };
    let claim = match (sealed, expires_at, claimed_at) {
        _ if !may_sign_in => PasswordClaim::LockedOut,
        (_, _, Some(_)) => PasswordClaim::AlreadyClaimed,
        (_, Some(expires_at), None) if expires_at <= now => PasswordClaim::Expired,
        (Some(sealed), Some(expires_at), None) => PasswordClaim::Claimed {
            sealed,
            source_id: crate::db::error::word("users", "source_id", id, &source_id)?,
            expires_at,
        },
        (_, _, None) => PasswordClaim::None,
    };
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
                "UPDATE users SET sealed_password = NULL WHERE id = $1 AND sealed_password IS NOT NULL",
            )
            .bind::<Uuid, _>(id.0)
            .execute(db)
            .await?;
        }
        PasswordClaim::AlreadyClaimed
        | PasswordClaim::LockedOut
        | PasswordClaim::None
        | PasswordClaim::Unknown => {}
    }
    let detail = serde_json::json!({ "result": format!("{claim:?}") });
    audit_append(db, actor, "user.reveal_password", &id.to_string(), &detail, now).await?;
    Ok(claim)
}
