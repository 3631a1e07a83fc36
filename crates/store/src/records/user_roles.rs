//! Roles of users whose rows are written otherwise than by a page: by an undo, or by the decision about a conflict.
//!
//! A role follows from the mapping in force. The role of an earlier row is never restored: its mapping may have been
//! replaced since, and a role that the present mapping does not give counts as given by hand.

use std::collections::HashMap;

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{portal_role::PortalRole, user::Workplace};
use serde_json::Value;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    settings::role_mappings::{mapping_of_version_read, mapping_share},
};

/// The role of an earlier row, if it was given by hand: the mapping of its time gave another one.
pub(crate) async fn role_given_by_hand(db: &mut Db, row: &Value) -> Result<Option<PortalRole>, StoreError> {
    let text = |column: &str| row[column].as_str();
    let role: Option<PortalRole> = text("role").and_then(|role| role.parse().ok());
    let workplace: Option<Workplace> = text("workplace").and_then(|workplace| workplace.parse().ok());
    let version = row["role_mapping_version"].as_i64().and_then(|version| i32::try_from(version).ok());
    let (Some(role), Some(workplace), Some(version), Some(rank)) = (role, workplace, version, text("rank"))
    else {
        return Ok(None);
    };
    let Some(mapping) = mapping_of_version_read(db, version).await? else { return Ok(None) };
    let mapped = mapping.map(rank, text("department"), workplace).role;
    Ok((mapped != role).then_some(role))
}

/// Gives users the role of the mapping in force, or the one of `by_hand`. No edit of the maintenance portal.
pub(crate) async fn roles_derive(
    db: &mut Db,
    users: &[uuid::Uuid],
    by_hand: &HashMap<uuid::Uuid, PortalRole>,
) -> Result<(), StoreError> {
    if users.is_empty() {
        return Ok(());
    }
    let mapping = mapping_share(db).await?;
    let rows: Vec<(uuid::Uuid, String, Option<String>, String)> =
        statement("SELECT id, rank, department, workplace FROM users WHERE id = ANY($1)")
            .bind::<Array<Uuid>, _>(users)
            .returning::<(Uuid, Text, Nullable<Text>, Text)>()
            .load(db)
            .await?;
    let mut roles = Vec::with_capacity(rows.len());
    for (id, rank, department, workplace) in rows {
        let workplace: Workplace = word("users", "workplace", id, &workplace)?;
        let mapped = mapping.mapping.map(&rank, department.as_deref(), workplace).role;
        roles.push((id, by_hand.get(&id).copied().unwrap_or(mapped)));
    }
    statement(
        "UPDATE users AS t SET role = i.role, role_mapping_version = $1,
             synced_at = t.synced_at + interval '1 microsecond'
         FROM unnest($2, $3) AS i (id, role) WHERE t.id = i.id",
    )
    .bind::<Int4, _>(mapping.version)
    .bind::<Array<Uuid>, _>(roles.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(roles.iter().map(|(_, role)| role.as_str()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
