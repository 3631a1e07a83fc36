//! Another role mapping: what it would mean to each user, and putting it in force.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    role_mapping::{PortalRole, RoleMapping},
    user::Workplace,
    values::Email,
};
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    ledger::audit::audit_append,
    records::UserId,
    settings::role_mappings::{StoredMapping, mapping_read, read},
};

/// What a changed mapping means to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChange {
    /// Whose account.
    pub user: UserId,
    /// By the id in the onboarding portal.
    pub source_id: String,
    /// The address, masked.
    pub email: String,
    /// Rank or position.
    pub rank: String,
    /// Department, in words.
    pub department: Option<String>,
    /// Where the person works.
    pub workplace: Workplace,
    /// The role as it is.
    pub from: PortalRole,
    /// The role as the mapping has it.
    pub to: PortalRole,
    /// Somebody gave the role by hand in the maintenance portal: it stays.
    pub kept: bool,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum MappingChanged {
    /// It is in force, and this is what it meant.
    Changed(StoredMapping, Vec<RoleChange>),
    /// Somebody else was faster; this one is in force.
    Stale(StoredMapping),
}

/// What another mapping would mean, to everybody whose role it would change, those whose role stays by hand included.
///
/// # Errors
///
/// If the database fails.
pub async fn mapping_preview(db: &mut Db, mapping: &RoleMapping) -> Result<Vec<RoleChange>, StoreError> {
    let current = mapping_read(db).await?;
    Ok(fates(db, &current.mapping, mapping).await?.into_iter().filter(|it| it.from != it.to).collect())
}

/// Everybody, under the mapping in force and another one.
async fn fates(db: &mut Db, old: &RoleMapping, new: &RoleMapping) -> Result<Vec<RoleChange>, StoreError> {
    type Columns = (uuid::Uuid, String, String, String, Option<String>, String, String);
    let rows: Vec<Columns> = statement(
        "SELECT id, source_id, email, rank, department, workplace, role FROM users
         WHERE status = 'active' ORDER BY source_id",
    )
    .returning::<(Uuid, Text, Text, Text, Nullable<Text>, Text, Text)>()
    .load(db)
    .await?;
    rows.into_iter()
        .map(|(id, source_id, email, rank, department, workplace, role)| {
            let workplace: Workplace = word("users", "workplace", id, &workplace)?;
            let from: PortalRole = word("users", "role", id, &role)?;
            let of = |mapping: &RoleMapping| mapping.map(&rank, department.as_deref(), workplace).role;
            let (before, to) = (of(old), of(new));
            Ok(RoleChange {
                user: UserId::from_uuid(id),
                source_id,
                email: Email::mask(&email),
                from,
                to,
                kept: from != before,
                rank,
                department,
                workplace,
            })
        })
        .collect()
}

/// Puts another mapping in force, if `expected_version` is, gives everybody their role under it, and writes the audit.
/// Roles that were given by hand stay. In a transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn mapping_change(
    db: &mut Db,
    mapping: &RoleMapping,
    expected_version: i32,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<MappingChanged, StoreError> {
    // Waits for those who are mapping users; whoever comes later waits for the new one.
    let current = read(db, "FOR UPDATE OF c").await?;
    if current.version != expected_version {
        return Ok(MappingChanged::Stale(current));
    }
    let version = current.version + 1;
    statement("INSERT INTO role_mappings (version, rules, created_at, created_by) VALUES ($1, $2, $3, $4)")
        .bind::<Int4, _>(version)
        .bind::<Jsonb, _>(json!(mapping.rules()))
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor)
        .execute(db)
        .await?;
    statement("UPDATE role_mapping_current SET version = $1").bind::<Int4, _>(version).execute(db).await?;
    let fates = fates(db, &current.mapping, mapping).await?;
    let mapped: Vec<&RoleChange> = fates.iter().filter(|it| !it.kept).collect();
    // synced_at moves: this is no edit of a user.
    statement(
        "UPDATE users AS t SET role = i.role, role_mapping_version = $1, updated_at = $2,
             synced_at = t.synced_at + interval '1 microsecond'
         FROM unnest($3, $4) AS i (id, role) WHERE t.id = i.id",
    )
    .bind::<Int4, _>(version)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Uuid>, _>(mapped.iter().map(|it| it.user.as_uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(mapped.iter().map(|it| it.to.as_str()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    let changes: Vec<RoleChange> = fates.into_iter().filter(|it| it.from != it.to).collect();
    let changed = changes.iter().filter(|it| !it.kept).count();
    let detail = json!({ "version": version, "rules": mapping.rules(), "changed": changed });
    audit_append(db, actor, "role_mapping.change", "role_mapping", &detail, now).await?;
    let stored =
        StoredMapping { version, mapping: mapping.clone(), created_at: now, created_by: actor.to_owned() };
    Ok(MappingChanged::Changed(stored, changes))
}
