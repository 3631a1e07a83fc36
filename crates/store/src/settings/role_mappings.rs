//! The mapping from rank, department and workplace to a role: its versions, what a change would mean, and the change.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::role_mapping::{RoleMapping, RoleRule};
use serde_json::Value;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// A version of the mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMapping {
    /// Stored with each account that it mapped; the ETag.
    pub version: i32,
    /// The rules.
    pub mapping: RoleMapping,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
}

pub(crate) async fn read(db: &mut Db, lock: &str) -> Result<StoredMapping, StoreError> {
    let text = format!(
        "SELECT m.version, m.rules, m.created_at, m.created_by
         FROM role_mapping_current c JOIN role_mappings m ON m.version = c.version {lock}"
    );
    let (version, rules, created_at, created_by): (i32, Value, DateTime<Utc>, String) =
        statement(&text).returning::<(Int4, Jsonb, Timestamptz, Text)>().get_result(db).await?;
    let contradiction = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Contradiction {
        table: "role_mappings",
        column: "rules",
        id: version.to_string(),
        source,
    };
    let rules: Vec<RoleRule> = serde_json::from_value(rules).map_err(|error| contradiction(error.into()))?;
    let mapping = RoleMapping::new(rules).map_err(|faults| contradiction(format!("{faults:?}").into()))?;
    Ok(StoredMapping { version, mapping, created_at, created_by })
}

/// The mapping in force.
///
/// # Errors
///
/// If the database fails.
pub async fn mapping_read(db: &mut Db) -> Result<StoredMapping, StoreError> {
    read(db, "").await
}

/// The mapping in force, which stays so until the transaction ends.
pub(crate) async fn mapping_share(db: &mut Db) -> Result<StoredMapping, StoreError> {
    read(db, "FOR SHARE OF c").await
}
