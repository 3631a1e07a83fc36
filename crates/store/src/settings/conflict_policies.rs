//! Conflict policies: what a sync does, per record type, when both portals have changed a record.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, audit::AuditAction, conflict::ConflictPolicy};
use serde_json::{Map, Value, json};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        statement::statement,
    },
    ledger::audit::audit_append,
};

/// The conflict policies of all record types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPolicies {
    /// Grows with every change; the ETag.
    pub version: u64,
    pub policies: BTreeMap<RecordType, ConflictPolicy>,
    pub updated_at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub updated_by: String,
}

/// Result of changing the policies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum PoliciesUpdated {
    /// With the policies as they are now.
    Updated(ConflictPolicies),
    /// Another operator has changed them since; with the policies as they are now.
    Stale(ConflictPolicies),
}

pub async fn policies_read(db: &mut Db) -> Result<ConflictPolicies, StoreError> {
    type Columns = (i64, String, String, String, String, DateTime<Utc>, String);
    let (version, company, vessel, equipment, user, updated_at, updated_by): Columns = statement(
        "SELECT version, company, vessel, equipment, \"user\", updated_at, updated_by FROM conflict_policies",
    )
    .returning::<(Int8, Text, Text, Text, Text, Timestamptz, Text)>()
    .get_result(db)
    .await?;
    let words = [
        (RecordType::Company, company),
        (RecordType::Vessel, vessel),
        (RecordType::Equipment, equipment),
        (RecordType::User, user),
    ];
    let policies =
        words.into_iter().map(|(kind, text)| Ok((kind, word("conflict_policies", "policy", kind, &text)?)));
    let policies = policies.collect::<Result<_, StoreError>>()?;
    Ok(ConflictPolicies { version: count(version), policies, updated_at, updated_by })
}

pub(crate) async fn policy_of(db: &mut Db, record_type: RecordType) -> Result<ConflictPolicy, StoreError> {
    let policies = policies_read(db).await?.policies;
    Ok(policies.get(&record_type).copied().unwrap_or(ConflictPolicy::LastWriteWins))
}

/// Changes the policies of some record types, if the version is still `expected_version`, and writes the audit.
pub async fn policies_update(
    db: &mut Db,
    change: &BTreeMap<RecordType, ConflictPolicy>,
    expected_version: u64,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<PoliciesUpdated, StoreError> {
    let before = policies_read(db).await?;
    let of = |kind| change.get(&kind).map(|policy| policy.as_str());
    let updated = statement(
        "UPDATE conflict_policies SET version = version + 1, company = coalesce($1, company),
             vessel = coalesce($2, vessel), equipment = coalesce($3, equipment), \"user\" = coalesce($4, \"user\"),
             updated_at = $5, updated_by = $6
         WHERE version = $7",
    )
    .bind::<Nullable<Text>, _>(of(RecordType::Company))
    .bind::<Nullable<Text>, _>(of(RecordType::Vessel))
    .bind::<Nullable<Text>, _>(of(RecordType::Equipment))
    .bind::<Nullable<Text>, _>(of(RecordType::User))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .bind::<Int8, _>(i64::try_from(expected_version).unwrap_or(i64::MAX))
    .execute(db)
    .await?;
    let policies = policies_read(db).await?;
    if updated == 0 {
        return Ok(PoliciesUpdated::Stale(policies));
    }
    let named = |policies: &ConflictPolicies| -> Map<String, Value> {
        policies.policies.iter().map(|(kind, policy)| (kind.to_string(), json!(policy))).collect()
    };
    let detail =
        json!({ "version": policies.version, "policies": named(&policies), "before": named(&before) });
    audit_append(db, actor, AuditAction::ConflictPoliciesUpdate, "conflict_policies", &detail, now).await?;
    Ok(PoliciesUpdated::Updated(policies))
}
