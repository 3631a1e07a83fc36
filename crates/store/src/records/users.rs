//! The table `users`.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, RecordType, SourceId,
    portal_role::PortalRole,
    revocation::{Revoked, has_signed_off},
    role_mapping::MappedRole,
    user::User,
};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::{Statement, statement},
    },
    records::{
        apply::{AppliedRecord, page_apply},
        references::row_ids_read,
        table::{Column, ColumnArrays, KeyClaim, NaturalKey, Table, WrittenRow, column},
        write_stamp::WriteStamp,
    },
    settings::role_mappings::{StoredMapping, mapping_share},
};

/// The temporary password of a new user.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword {
    pub source_id: SourceId,
    /// Argon2id as a PHC string.
    pub hash: String,
    /// The password, sealed for its one reveal.
    pub sealed: Vec<u8>,
    /// End of the time in which it may be revealed and used.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPassword").field("source_id", &self.source_id).finish_non_exhaustive()
    }
}

pub(super) struct Users<'p> {
    /// Row ids by source id, as those of vessels.
    companies: HashMap<String, uuid::Uuid>,
    vessels: HashMap<String, uuid::Uuid>,
    passwords: HashMap<&'p str, &'p NewPassword>,
    mapping: StoredMapping,
}

impl Users<'_> {
    fn mapped(&self, user: &User) -> MappedRole {
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
        column("company_source_id"),
        column("sign_on"),
        column("sign_off"),
        column("active"),
        column("withdrawal_due_at"),
        // An array of arrays would have to be rectangular; ids hold no comma.
        column("vessel_scope").computed("string_to_array(i.vessel_source_ids, ',')"),
    ];
    const DERIVED: &'static [&'static str] = &["role", "role_mapping_version"];
    const EXTRA_INPUTS: &'static [&'static str] = &["vessel_source_ids"];
    const INSERT_ONLY: &'static [&'static str] = &["password_hash", "sealed_password", "password_expires_at"];
    /// A person who comes back under another id may have the address of their withdrawn login.
    const NATURAL_KEY: Option<NaturalKey> = Some(NaturalKey {
        expression: "lower(email)",
        code: "duplicate_email",
        pointer: "/email",
        index_predicate: "status = 'active'",
    });

    fn source_id(record: &User) -> &SourceId {
        &record.source_id
    }

    fn is_withdrawn(record: &User) -> bool {
        record.withdrawal.is_due()
    }

    fn revoked(record: &User, now: DateTime<Utc>) -> Option<Revoked> {
        match record {
            _ if record.withdrawal.is_due() => Some(Revoked::Approval),
            _ if !record.active || has_signed_off(record.sign_off, now) => Some(Revoked::Access),
            _ => None,
        }
    }

    fn natural_key(record: &User) -> KeyClaim<'_> {
        if record.withdrawal.is_due() { KeyClaim::GivesUp } else { KeyClaim::Wants(record.email.as_str()) }
    }

    fn vessel_ids(record: &User) -> Vec<SourceId> {
        record.vessel_source_ids.clone()
    }

    fn warnings(&self, record: &User, _: Option<i32>) -> Vec<Finding> {
        let company = record.company_source_id.iter().filter(|id| !self.companies.contains_key(id.as_str()));
        let company = company.map(|id| {
            let message = "is not known; it counts once the company is there";
            Finding::warning("company_unknown", "/companyId", message).with_value(id)
        });
        let vessels = record.vessel_source_ids.iter().filter(|id| !self.vessels.contains_key(id.as_str()));
        let vessels = vessels.map(|id| {
            let message = "names a vessel that is not known; it counts once the vessel is there";
            Finding::warning("vessel_unknown", "/vesselIds", message).with_value(id)
        });
        let rank = (!self.mapped(record).rank_known).then(|| {
            let message = format!("is in no rule; the user gets the role {}", PortalRole::CrewReadonly);
            Finding::warning("unknown_rank", "/rank", message).with_value(&record.rank)
        });
        rank.into_iter().chain(company).chain(vessels).collect()
    }

    fn bind_columns<'f>(&'f self, statement: Statement<'f>, rows: &[&'f Accepted<User>]) -> Statement<'f> {
        let company = |user: &User| self.companies.get(user.company_source_id.as_ref()?.as_str()).copied();
        let vessels =
            |user: &User| user.vessel_source_ids.iter().map(SourceId::as_str).collect::<Vec<_>>().join(",");
        ColumnArrays::new(statement, rows)
            .bind_text(|row| row.record.email.as_str())
            .bind_optional_text(|row| row.record.given_name.as_deref())
            .bind_text(|row| &row.record.family_name)
            .bind_optional_text(|row| row.record.employee_number.as_deref())
            .bind_text(|row| &row.record.rank)
            .bind_optional_text(|row| row.record.department.as_deref())
            .bind_text(|row| row.record.workplace.as_str())
            .bind_text(|row| self.mapped(&row.record).role.as_str())
            .bind::<Int4, _>(|_| self.mapping.version)
            .bind::<Nullable<Uuid>, _>(|row| company(&row.record))
            .bind_optional_text(|row| row.record.company_source_id.as_ref().map(SourceId::as_str))
            .bind::<Nullable<Date>, _>(|row| row.record.sign_on)
            .bind::<Nullable<Date>, _>(|row| row.record.sign_off)
            .bind::<Bool, _>(|row| row.record.active)
            .bind::<Nullable<Timestamptz>, _>(|row| row.record.withdrawal.due_at())
            .bind::<Text, _>(|row| vessels(&row.record))
            .bind_optional_text(|row| self.password(&row.record).map(|password| password.hash.as_str()))
            .bind::<Nullable<Binary>, _>(|row| {
                self.password(&row.record).map(|password| password.sealed.as_slice())
            })
            .bind::<Nullable<Timestamptz>, _>(|row| {
                self.password(&row.record).map(|password| password.expires_at)
            })
            .into_statement()
    }

    /// A user who is active again gets a password: deactivation took the earlier one away.
    async fn after_write(
        &self,
        db: &mut Db,
        _: WriteStamp,
        written: &[WrittenRow<'_, User>],
    ) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
        let reactivated = written
            .iter()
            .filter(|row| !row.is_new)
            .filter(|row| row.accepted.record.active && !row.accepted.record.withdrawal.is_due())
            .filter_map(|row| self.password(&row.accepted.record));
        passwords_supply(db, reactivated).await?;
        Ok(Vec::new())
    }
}

/// Writes users, last write wins, with their conflicts and findings; one outcome each, in their order. A created user
/// gets the password in `passwords`; a re-sync never resets one. In a transaction.
///
/// # Errors
///
/// If the database fails: then roll back. A record that the database refuses is an outcome, not an error.
pub async fn users_apply(
    db: &mut Db,
    stamp: WriteStamp,
    users: &[Accepted<User>],
    passwords: &[NewPassword],
) -> Result<Vec<AppliedRecord>, StoreError> {
    let companies =
        row_ids_read(db, "companies", users.iter().filter_map(|row| row.record.company_source_id.as_ref()))
            .await?;
    let vessels =
        row_ids_read(db, "vessels", users.iter().flat_map(|row| &row.record.vessel_source_ids)).await?;
    let passwords = passwords.iter().map(|password| (password.source_id.as_str(), password)).collect();
    let mapping = mapping_share(db).await?;
    page_apply(&Users { companies, vessels, passwords, mapping }, db, stamp, users).await
}

/// Gives passwords to users that have none. Changes nothing about users that are locked out.
async fn passwords_supply<'p>(
    db: &mut Db,
    passwords: impl Iterator<Item = &'p NewPassword>,
) -> Result<(), StoreError> {
    let passwords: Vec<&NewPassword> = passwords.collect();
    if passwords.is_empty() {
        return Ok(());
    }
    statement(
        "UPDATE users AS t SET password_hash = i.hash, sealed_password = i.sealed,
             password_expires_at = i.expires_at, password_claimed_at = NULL, must_change_password = true
         FROM unnest($1, $2, $3, $4) AS i (source_id, hash, sealed, expires_at)
         WHERE t.source_id = i.source_id AND t.password_hash IS NULL AND t.password_expires_at IS NULL
             AND t.status = 'active' AND t.active",
    )
    .bind::<Array<Text>, _>(passwords.iter().map(|it| it.source_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(passwords.iter().map(|it| it.hash.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(passwords.iter().map(|it| it.sealed.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(passwords.iter().map(|it| it.expires_at).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Users who are active and have had no password: by an undo, a decision about a conflict, or an edit of the maintenance
/// portal they have become active again. At most `limit`.
pub async fn users_active_without_password(db: &mut Db, limit: u32) -> Result<Vec<SourceId>, StoreError> {
    let ids: Vec<String> = statement(
        "SELECT source_id FROM users WHERE status = 'active' AND active AND password_hash IS NULL AND password_expires_at IS NULL
         ORDER BY id LIMIT $1",
    )
    .bind::<Int8, _>(i64::from(limit))
    .returning::<Text>()
    .load(db)
    .await?;
    ids.iter().map(|id| word("users", "source_id", id, id)).collect()
}

/// Gives passwords to users that have had none.
pub async fn user_passwords_supply(db: &mut Db, passwords: &[NewPassword]) -> Result<(), StoreError> {
    passwords_supply(db, passwords.iter()).await
}

/// Those of the users that have had no password: they are new, or were locked out. Whoever has not used theirs in time gets
/// another by an admin's word alone.
pub async fn users_without_password(
    db: &mut Db,
    source_ids: &[SourceId],
) -> Result<BTreeSet<SourceId>, StoreError> {
    let with_password: Vec<String> =
        statement("SELECT source_id FROM users WHERE source_id = ANY($1) AND (password_hash IS NOT NULL OR password_expires_at IS NOT NULL)")
            .bind::<Array<Text>, _>(source_ids.iter().map(SourceId::as_str).collect::<Vec<_>>())
            .returning::<Text>()
            .load(db)
            .await?;
    let with_password: BTreeSet<&str> = with_password.iter().map(String::as_str).collect();
    Ok(source_ids.iter().filter(|id| !with_password.contains(id.as_str())).cloned().collect())
}
