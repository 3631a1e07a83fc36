//! Accounts and the mapping of their roles.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A row of the mapping: the first one that fits counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleRule {
    /// A rank, like `chief_engineer`, or as people write it.
    pub rank: String,
    /// `ship` or `shore`.
    pub workplace: String,
    /// In which department it counts; absent: in any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// What the account may do.
    pub role: String,
}

/// `GET|PUT /api/sync/role-mapping`. The `ETag` is the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleMapping {
    /// Grows with every change; stored with each account that it mapped.
    pub version: i32,
    /// In their order. Whom none fits gets `crew_readonly`.
    pub rules: Vec<RoleRule>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
}

/// Body of `PUT /api/sync/role-mapping` and `POST /api/sync/role-mapping/preview`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleMappingChange {
    /// All rules, in their order.
    pub rules: Vec<RoleRule>,
}

/// What a mapping means, or meant, to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleMappingEffect {
    /// The version that is in force.
    pub version: i32,
    /// Accounts that get another role.
    pub changed: i64,
    /// Accounts whose role was given by hand in the maintenance portal, and stays.
    pub kept: i64,
    /// Those accounts, at most 1000.
    pub changes: Vec<RoleChange>,
}

/// What a changed mapping means to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleChange {
    /// The account.
    pub user_id: Uuid,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// The address, masked.
    pub email: String,
    /// Rank or position.
    pub rank: String,
    /// Department.
    pub department: Option<String>,
    /// `ship` or `shore`.
    pub workplace: String,
    /// The role as it is.
    pub from: String,
    /// The role as the mapping has it.
    pub to: String,
    /// What the account may do then that it may not now.
    pub gains: Vec<String>,
    /// What it may do now and not then.
    pub loses: Vec<String>,
    /// The role was given by hand, and stays.
    pub kept: bool,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Its id in the maintenance portal.
    pub id: Uuid,
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// The address; masked unless an admin asks.
    pub email: String,
    /// Rank or position.
    pub rank: String,
    /// Department.
    pub department: Option<String>,
    /// `ship` or `shore`.
    pub workplace: String,
    /// What it may do.
    pub role: String,
    /// Version of the mapping that said so.
    pub role_mapping_version: i32,
    /// Employer, by the id in the onboarding portal.
    pub company_id: Option<String>,
    /// Vessels whose data it may see, by their ids in the onboarding portal.
    pub vessel_ids: Vec<String>,
    /// First day on board.
    pub sign_on: Option<NaiveDate>,
    /// Last day on board.
    pub sign_off: Option<NaiveDate>,
    /// Whether it may sign in today.
    pub may_sign_in: bool,
    /// Why not: `deactivated`, `withdrawn` or `signed_off`.
    pub locked_because: Option<String>,
    /// Its temporary password: `none`, `to_claim`, `expired` or `claimed`.
    pub password: String,
    /// Until when it may be claimed.
    pub password_expires_at: Option<DateTime<Utc>>,
}
