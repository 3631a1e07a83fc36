//! Users of the maintenance portal, their temporary passwords, and the role mapping.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

words! {
    /// Workplace of a user.
    Workplace = domain::user::Workplace {
        /// On board.
        Ship = "ship",
        /// Ashore.
        Shore = "shore",
    }
}
words! {
    /// Role of a user in the maintenance portal.
    PortalRole = domain::portal_role::PortalRole {
        /// Sees the jobs of the own vessel.
        CrewReadonly = "crew_readonly",
        /// Reports work on the own vessel.
        Crew = "crew",
        /// Reports and signs work of the own department.
        Officer = "officer",
        /// Runs the maintenance programme on board.
        ChiefEngineer = "chief_engineer",
        /// Sees and signs everything on board.
        Master = "master",
        /// Sees everything in the fleet, changes nothing.
        Auditor = "auditor",
        /// Orders parts.
        Purchasing = "purchasing",
        /// Sees everything in the fleet, runs safety work.
        Hsqe = "hsqe",
        /// Runs the maintenance programme of several vessels.
        Superintendent = "superintendent",
        /// Runs the fleet.
        FleetManager = "fleet_manager",
    }
}
words! {
    /// Permission of a role.
    Permission = domain::portal_role::Permission {
        /// See the jobs of the own vessels.
        ViewVessel = "view_vessel",
        /// See everything in the fleet.
        ViewFleet = "view_fleet",
        /// Report work.
        ReportWork = "report_work",
        /// Sign work of the own department.
        SignDepartment = "sign_department",
        /// Sign everything on board.
        SignVessel = "sign_vessel",
        /// Change the maintenance programme.
        RunProgramme = "run_programme",
        /// Order parts.
        OrderParts = "order_parts",
        /// Run safety work.
        RunSafety = "run_safety",
        /// Run the fleet.
        RunFleet = "run_fleet",
    }
}
words! {
    /// Why a user may not sign in to the maintenance portal.
    LockReason = domain::user::LockReason {
        /// The user is deactivated in the onboarding portal.
        Deactivated = "deactivated",
        /// The approval of the user was withdrawn.
        Withdrawn = "withdrawn",
        /// The last day on board has passed.
        SignedOff = "signed_off",
    }
}
words! {
    /// State of the temporary password of a user.
    PasswordState = domain::temporary_password::PasswordState {
        /// The user has no temporary password.
        None = "none",
        /// An admin may claim the password once.
        ToClaim = "to_claim",
        /// The password expired before an admin claimed it.
        Expired = "expired",
        /// An admin has claimed the password.
        Claimed = "claimed",
    }
}

/// A rule of the role mapping. The first rule that matches a user gives the role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleRule {
    /// Rank or position, as a code such as `chief_engineer` or as people write it.
    pub rank: String,
    /// `ship` or `shore`.
    pub workplace: String,
    /// Department in which the rule applies; absent: in any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Role that the rule gives.
    pub role: String,
}

/// The role mapping in force. The `ETag` of the answer is the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleMapping {
    /// Version of the mapping; grows with every change.
    pub version: i32,
    /// Rules in their order. A user whom no rule matches gets `crew_readonly`.
    pub rules: Vec<RoleRule>,
    /// When this version was created.
    pub created_at: DateTime<Utc>,
    /// Operator who created this version.
    pub created_by: String,
}

/// Body of `PUT /api/sync/role-mapping` and `POST /api/sync/role-mapping/preview`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleMappingChange {
    /// All rules, in their order.
    pub rules: Vec<RoleRule>,
}

/// Effect of a role mapping on the users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleMappingEffect {
    /// Version that is in force.
    pub version: i32,
    /// Number of users who get another role.
    pub changed: i64,
    /// Number of users whose role was set by hand in the maintenance portal, and stays.
    pub kept: i64,
    /// Users of both kinds, at most 1000.
    pub changes: Vec<RoleChange>,
}

/// Effect of a role mapping on one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleChange {
    /// Id of the user in the maintenance portal.
    pub user_id: Uuid,
    /// Id of the user in the onboarding portal.
    pub source_id: String,
    /// E-mail address, masked.
    pub email: String,
    /// Rank or position.
    pub rank: String,
    /// Department.
    pub department: Option<String>,
    /// Workplace of the user.
    pub workplace: Workplace,
    /// Current role.
    pub from: PortalRole,
    /// Role by the mapping.
    pub to: PortalRole,
    /// Permissions that the user gains.
    pub gains: Vec<Permission>,
    /// Permissions that the user loses.
    pub loses: Vec<Permission>,
    /// Whether the role was set by hand in the maintenance portal, and stays.
    pub kept: bool,
}

/// A user of the maintenance portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Id in the maintenance portal.
    pub id: Uuid,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// E-mail address; masked except for admins.
    pub email: String,
    /// Rank or position.
    pub rank: String,
    /// Department.
    pub department: Option<String>,
    /// Workplace of the user.
    pub workplace: Workplace,
    /// Role of the user.
    pub role: PortalRole,
    /// Version of the role mapping that gave the role.
    pub role_mapping_version: i32,
    /// Id of the employer in the onboarding portal.
    pub company_id: Option<String>,
    /// Ids, in the onboarding portal, of the vessels whose data the user may see.
    pub vessel_ids: Vec<String>,
    /// First day on board.
    pub sign_on: Option<NaiveDate>,
    /// Last day on board.
    pub sign_off: Option<NaiveDate>,
    /// Whether the user may sign in today.
    pub may_sign_in: bool,
    /// Why the user may not sign in.
    pub locked_because: Option<LockReason>,
    /// State of the temporary password.
    pub password: PasswordState,
    /// When the temporary password expires.
    pub password_expires_at: Option<DateTime<Utc>>,
}

/// A claimed temporary password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemporaryPassword {
    /// The password. It is shown only once, and must be changed at the first sign-in.
    pub password: String,
    /// When the password expires.
    pub expires_at: DateTime<Utc>,
}

/// A new temporary password that a worker is about to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemporaryPasswordReissue {
    pub user_id: Uuid,
    pub requested_at: DateTime<Utc>,
}
