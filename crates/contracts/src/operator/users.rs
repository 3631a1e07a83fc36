//! Accounts and the mapping of their roles.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

words! {
    /// Where a person works.
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
    /// What a role permits.
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
        /// The user is not active in the onboarding portal.
        Deactivated = "deactivated",
        /// The approval of the user was withdrawn.
        Withdrawn = "withdrawn",
        /// The last day on board has passed.
        SignedOff = "signed_off",
    }
}
words! {
    /// Where the temporary password of a user stands.
    PasswordState = domain::temporary_password::PasswordState {
        /// There is none.
        None = "none",
        /// An admin may look at it once.
        ToClaim = "to_claim",
        /// It was not used in time.
        Expired = "expired",
        /// An admin has looked at it.
        Claimed = "claimed",
    }
}

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
    /// Where the user works.
    pub workplace: Workplace,
    /// The present role.
    pub from: PortalRole,
    /// The role by the mapping.
    pub to: PortalRole,
    /// What the new role permits and the present one does not.
    pub gains: Vec<Permission>,
    /// What the present role permits and the new one does not.
    pub loses: Vec<Permission>,
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
    /// Where the user works.
    pub workplace: Workplace,
    /// What the user may do.
    pub role: PortalRole,
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
    /// Why not.
    pub locked_because: Option<LockReason>,
    /// State of the temporary password.
    pub password: PasswordState,
    /// Until when it may be claimed.
    pub password_expires_at: Option<DateTime<Utc>>,
}

/// `POST /api/sync/users/{userId}/temporary-password`: the one reveal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemporaryPassword {
    /// Shown now and never again; must be changed at the first sign-in.
    pub password: String,
    /// Not accepted after this time.
    pub expires_at: DateTime<Utc>,
}
