//! Conflicts as the API shows them.

use std::collections::HashMap;

use contracts::operator as api;
use domain::{
    RecordType, SyncId,
    conflict::{ConflictKind, Side},
    row_status::RowStatus,
    values::Email,
};
use serde_json::Value;
use store::{Db, StoreError, ledger::conflicts::Conflict, views::record_names::record_names};

/// Columns of `users` that identify a person.
const PERSONAL_COLUMNS: [&str; 4] = ["email", "given_name", "family_name", "employee_number"];
/// Values that a conflict keeps beside its fields: nobody decides about them.
const BOOKKEEPING: [&str; 2] = ["role_mapping_version", "holder"];

/// How much of a person's data a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PersonalData {
    Masked,
    Plain,
}

/// Names of the records that conflicts are about, and of the equipment that has a disputed code.
#[derive(Debug, Default)]
pub(crate) struct ConflictNames(HashMap<(RecordType, String), String>);

impl ConflictNames {
    pub(crate) async fn load(db: &mut Db, conflicts: &[Conflict]) -> Result<Self, StoreError> {
        let mut all = HashMap::new();
        for record_type in RecordType::ALL {
            let holders =
                conflicts.iter().filter_map(holder).filter(|_| *record_type == RecordType::Equipment);
            let unnamed = conflicts.iter().filter(|it| it.label.is_none() && it.record_type == *record_type);
            let ids: Vec<&str> = unnamed.map(|it| it.source_id.as_str()).chain(holders).collect();
            let names = record_names(db, *record_type, &ids).await?;
            all.extend(names.into_iter().map(|(id, name)| ((*record_type, id), name)));
        }
        Ok(Self(all))
    }

    fn of(&self, record_type: RecordType, source_id: &str) -> Option<&str> {
        self.0.get(&(record_type, source_id.to_owned())).map(String::as_str)
    }

    /// `601.001/1 Main engine of Nordic Star`, or the id of a holder that is not here any more.
    fn holder<'n>(&'n self, source_id: &'n str) -> &'n str {
        self.of(RecordType::Equipment, source_id).unwrap_or(source_id)
    }
}

pub(crate) fn conflict(it: &Conflict, names: &ConflictNames, personal_data: PersonalData) -> api::Conflict {
    let is_masked = |column: &str| {
        personal_data == PersonalData::Masked
            && it.record_type == RecordType::User
            && PERSONAL_COLUMNS.contains(&column)
    };
    let shown = |column: &str, value: Option<&Value>| match value {
        Some(Value::String(text)) if is_masked(column) => Email::mask(text).into(),
        value => value.cloned().unwrap_or_default(),
    };
    let differs =
        |column: &str, value: &Value| !BOOKKEEPING.contains(&column) && it.local.get(column) != Some(value);
    let fields = it.source.iter().filter(|(column, value)| differs(column, value)).map(|(column, value)| {
        let local = shown(column, it.local.get(column));
        (column.clone(), api::ConflictField { local, source: shown(column, Some(value)) })
    });
    let withdrawal = withdrawal(it);
    api::Conflict {
        fields: fields.collect(),
        id: it.id.as_uuid(),
        sync_id: it.sync_id.map(SyncId::as_uuid),
        record_type: it.record_type.into(),
        source_id: it.source_id.to_string(),
        label: it
            .label
            .clone()
            .or_else(|| names.of(it.record_type, it.source_id.as_str()).map(str::to_owned)),
        summary: summary(it, withdrawal, names),
        kind: it.kind.into(),
        withdrawal,
        holder_source_id: holder(it).map(str::to_owned),
        source_effect: effect(it, Side::Source, withdrawal, names),
        local_effect: effect(it, Side::Local, withdrawal, names),
        policy: it.policy.into(),
        winner: it.winner.into(),
        local_writer: it.local_writer.into(),
        local_at: it.local_at,
        source_at: it.source_at,
        state: it.state.into(),
        opened_at: it.opened_at,
        resolved_at: it.resolved_at,
        resolved_by: it.resolved_by.clone(),
        resolution: it.resolution.map(Into::into),
        resolved_fields: it.resolved_fields.clone().and_then(|it| serde_json::from_value(it).ok()),
    }
}

/// The source id of the equipment that has the disputed code.
fn holder(it: &Conflict) -> Option<&str> {
    it.source.get("holder").and_then(Value::as_str).filter(|_| it.kind == ConflictKind::NaturalKey)
}

/// Which side has taken the record away, if the other has it active.
fn withdrawal(it: &Conflict) -> Option<api::ConflictWithdrawal> {
    let is_withdrawn =
        |side: &serde_json::Map<String, Value>| Some(side.get("status")? == RowStatus::Withdrawn.as_str());
    let is_locked_out = |side: &serde_json::Map<String, Value>| Some(side.get("active")? == false);
    let one_of = |local: Option<bool>, source: Option<bool>| match (local?, source?) {
        (true, false) => Some(Side::Local),
        (false, true) => Some(Side::Source),
        _ => None,
    };
    let approval = one_of(is_withdrawn(&it.local), is_withdrawn(&it.source));
    let access = one_of(is_locked_out(&it.local), is_locked_out(&it.source))
        .filter(|_| it.record_type == RecordType::User);
    let found = approval.map(|side| (side, api::Withdrawn::Approval));
    let (side, withdrawn) = found.or_else(|| access.map(|side| (side, api::Withdrawn::Access)))?;
    Some(api::ConflictWithdrawal { side: side.into(), withdrawn })
}

fn noun(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Company => "company",
        RecordType::Vessel => "vessel",
        RecordType::Equipment => "equipment",
        RecordType::User => "user",
    }
}

/// What the portals disagree about, in a sentence.
fn summary(it: &Conflict, withdrawal: Option<api::ConflictWithdrawal>, names: &ConflictNames) -> String {
    use api::Withdrawn::{Access, Approval};
    let noun = noun(it.record_type);
    if let Some(api::ConflictWithdrawal { side, withdrawn }) = withdrawal {
        return match (side, withdrawn) {
            (api::Side::Source, Approval) => format!(
                "The onboarding portal has withdrawn this {noun}, which was edited in the maintenance portal."
            ),
            (api::Side::Source, Access) => format!(
                "The onboarding portal has deactivated this {noun}, who was edited in the maintenance portal."
            ),
            (api::Side::Local, Approval) => format!(
                "The maintenance portal has withdrawn this {noun}, and the onboarding portal lists it as approved."
            ),
            (api::Side::Local, Access) => format!(
                "The maintenance portal has deactivated this {noun}, who is active in the onboarding portal."
            ),
        };
    }
    match it.kind {
        ConflictKind::NaturalKey => {
            let code = it.source.get("qr_code").and_then(Value::as_str).unwrap_or("?");
            let label = holder(it).map_or("other equipment", |id| names.holder(id));
            format!(
                "The code {code} is on the label of {label}. The onboarding portal gives it to this {noun}."
            )
        }
        ConflictKind::CriticalityDowngrade => {
            format!("This {noun} is critical here, and the onboarding portal lists it as not critical.")
        }
        ConflictKind::LocalNewer => {
            format!("Both portals changed this {noun}. The edit in the maintenance portal is newer.")
        }
        ConflictKind::SourceNewer => {
            format!("Both portals changed this {noun}. The change in the onboarding portal is newer.")
        }
    }
}

/// What resolving the conflict by this side does beside writing fields, in a sentence.
fn effect(
    it: &Conflict,
    side: Side,
    withdrawal: Option<api::ConflictWithdrawal>,
    names: &ConflictNames,
) -> Option<String> {
    use api::Withdrawn::{Access, Approval};
    let noun = noun(it.record_type);
    if let Some(withdrawal) = withdrawal {
        let takes_away = withdrawal.side == side.into();
        let is_user = it.record_type == RecordType::User;
        return Some(match (withdrawal.withdrawn, takes_away) {
            (Approval, true) if is_user => "Withdraws the user, who can no longer sign in.".to_owned(),
            (Approval, true) => format!("Withdraws the {noun} in the maintenance portal."),
            (Access, true) => "Locks the user out: the user can no longer sign in.".to_owned(),
            (_, false) if is_user => "The user is active, and can sign in.".to_owned(),
            (_, false) => format!("The {noun} is active."),
        });
    }
    let label = holder(it).map(|id| names.holder(id))?;
    (side == Side::Source)
        .then(|| format!("Gives the code to this {noun}. {label} gets another code, and needs a new label."))
}
