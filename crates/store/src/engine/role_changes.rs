//! Changes of the role mapping: previewing the role changes of users, and putting a mapping in force.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    audit::AuditAction, portal_role::PortalRole, role_mapping::RoleMapping, user::Workplace, values::Email,
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
    settings::role_mappings::{StoredMapping, mapping_lock, mapping_read},
};

/// The role of one user under the mapping in force and under another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChange {
    pub user: UserId,
    pub source_id: String,
    /// E-mail address, masked.
    pub email: String,
    /// Rank or position.
    pub rank: String,
    pub department: Option<String>,
    pub workplace: Workplace,
    /// The present role.
    pub from: PortalRole,
    /// The role by the other mapping.
    pub to: PortalRole,
    /// The present role was given by hand in the maintenance portal: it stays.
    pub kept: bool,
}

/// Result of changing the role mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum MappingChanged {
    /// The mapping is in force and has made these changes.
    Changed(StoredMapping, Vec<RoleChange>),
    /// The mapping in force has another version than expected: this one.
    Stale(StoredMapping),
}

/// The changes that another mapping would make. Users whose role was given by hand are included, as kept.
pub async fn mapping_preview(db: &mut Db, mapping: &RoleMapping) -> Result<Vec<RoleChange>, StoreError> {
    let current = mapping_read(db).await?;
    let changes = role_changes_read(db, &current.mapping, mapping).await?;
    Ok(changes.into_iter().filter(|change| change.from != change.to).collect())
}

/// All active users, also those whose role would not change.
async fn role_changes_read(
    db: &mut Db,
    old: &RoleMapping,
    new: &RoleMapping,
) -> Result<Vec<RoleChange>, StoreError> {
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
            let role_by = |mapping: &RoleMapping| mapping.map(&rank, department.as_deref(), workplace).role;
            let (mapped, to) = (role_by(old), role_by(new));
            Ok(RoleChange {
                user: UserId::from_uuid(id),
                source_id,
                email: Email::mask(&email),
                from,
                to,
                kept: from != mapped,
                rank,
                department,
                workplace,
            })
        })
        .collect()
}

/// Puts a mapping in force if the present one has `expected_version`, and gives all users their role under it. Roles
/// that were given by hand stay. Appends to the audit log. In a transaction.
pub async fn mapping_change(
    db: &mut Db,
    mapping: &RoleMapping,
    expected_version: i32,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<MappingChanged, StoreError> {
    // The lock waits for transactions that map users, and lets later ones wait for the new mapping.
    let current = mapping_lock(db).await?;
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
    let users = role_changes_read(db, &current.mapping, mapping).await?;
    let mapped: Vec<&RoleChange> = users.iter().filter(|user| !user.kept).collect();
    // synced_at moves, so that the trigger does not take this for an edit of the user.
    statement(
        "UPDATE users AS t SET role = i.role, role_mapping_version = $1, updated_at = $2,
             synced_at = t.synced_at + interval '1 microsecond'
         FROM unnest($3, $4) AS i (id, role) WHERE t.id = i.id",
    )
    .bind::<Int4, _>(version)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Uuid>, _>(mapped.iter().map(|change| change.user.as_uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(mapped.iter().map(|change| change.to.as_str()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    let changes: Vec<RoleChange> = users.into_iter().filter(|user| user.from != user.to).collect();
    let changed = changes.iter().filter(|change| !change.kept).count();
    let detail = json!({ "version": version, "rules": mapping.rules(), "changed": changed,
        "before": { "version": current.version, "rules": current.mapping.rules() } });
    audit_append(db, actor, AuditAction::RoleMappingChange, "role_mapping", &detail, now).await?;
    let stored =
        StoredMapping { version, mapping: mapping.clone(), created_at: now, created_by: actor.to_owned() };
    Ok(MappingChanged::Changed(stored, changes))
}
