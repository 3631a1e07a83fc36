//! The mapping from rank, department and workplace to a role: its versions, one of which is in force.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::role_mapping::{RoleMapping, RoleRule};
use serde_json::Value;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// A version of the mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMapping {
    /// Stored with each user that it mapped; the ETag.
    pub version: i32,
    pub mapping: RoleMapping,
    pub created_at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub created_by: String,
}

async fn read(db: &mut Db, lock: &str) -> Result<StoredMapping, StoreError> {
    let text = format!(
        "SELECT m.version, m.rules, m.created_at, m.created_by
         FROM role_mapping_current c JOIN role_mappings m ON m.version = c.version {lock}"
    );
    let (version, rules, created_at, created_by): (i32, Value, DateTime<Utc>, String) =
        statement(&text).returning::<(Int4, Jsonb, Timestamptz, Text)>().get_result(db).await?;
    let mapping = mapping_of_rules(version, rules)?;
    Ok(StoredMapping { version, mapping, created_at, created_by })
}

fn mapping_of_rules(version: i32, rules: Value) -> Result<RoleMapping, StoreError> {
    let contradiction = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Contradiction {
        table: "role_mappings",
        column: "rules",
        id: version.to_string(),
        source,
    };
    let rules: Vec<RoleRule> = serde_json::from_value(rules).map_err(|error| contradiction(error.into()))?;
    Ok(RoleMapping::kept(rules))
}

/// A version of the mapping, which need not be in force any more.
pub(crate) async fn mapping_of_version_read(
    db: &mut Db,
    version: i32,
) -> Result<Option<RoleMapping>, StoreError> {
    let rules: Vec<Value> = statement("SELECT rules FROM role_mappings WHERE version = $1")
        .bind::<Int4, _>(version)
        .returning::<Jsonb>()
        .load(db)
        .await?;
    rules.into_iter().next().map(|rules| mapping_of_rules(version, rules)).transpose()
}

/// The mapping in force.
pub async fn mapping_read(db: &mut Db) -> Result<StoredMapping, StoreError> {
    read(db, "").await
}

/// The mapping in force, to be changed: whoever asks to map users waits for the new one.
pub(crate) async fn mapping_lock(db: &mut Db) -> Result<StoredMapping, StoreError> {
    read(db, "FOR UPDATE OF c").await
}

/// The mapping in force, locked against a change until the transaction ends.
pub(crate) async fn mapping_share(db: &mut Db) -> Result<StoredMapping, StoreError> {
    read(db, "FOR SHARE OF c").await
}
