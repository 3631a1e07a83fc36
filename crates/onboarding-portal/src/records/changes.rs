//! How records change: they are entered, approved, patched and withdrawn. The webhook about a change is queued in the
//! transaction of the change.
//!
//! Versions are committed in their order. Every change takes the next version from the one row of `versions`, and so
//! waits until the change before it has committed. A reader that pages by version can therefore not pass a change that
//! commits later.

use chrono::{DateTime, Utc};
use contracts::webhook::EventType;
use diesel::{
    OptionalExtension, QueryableByName, sql_query,
    sql_types::{Array, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use super::{DOCUMENT_TEXT, Kind, State, document::Document};
use crate::{
    database::DatabaseError,
    merge_patch::merge,
    outbox::{self, NewMessage},
};

/// A change of an existing record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    Approve,
    Withdraw,
    /// A JSON merge patch (RFC 7396).
    Patch(Value),
}

/// Result of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The record's new version.
    pub updated_at: DateTime<Utc>,
    /// The queued webhook; `None` for a draft, which nobody else sees.
    pub webhook_id: Option<String>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("there is no such record")]
    NotFound,
    #[error("a record with this id exists already")]
    Exists,
    /// The record's state, or that of a related record, does not allow the change.
    #[error("{0}")]
    WrongState(&'static str),
    #[error("the fields do not have the shape of this kind of record")]
    Shape(#[source] serde_json::Error),
    #[error("an id has 1 to 200 letters, digits or any of -._~:@+=, and cannot be changed")]
    Id,
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<diesel::result::Error> for ChangeError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// The next version: now, or a little later if changes come faster than the clock ticks. Other changes wait for theirs
/// until this transaction ends.
async fn next_version(
    db: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DatabaseError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Timestamptz)]
        latest: DateTime<Utc>,
    }
    let text =
        "UPDATE versions SET latest = greatest(latest + interval '1 microsecond', $1) RETURNING latest";
    Ok(sql_query(text).bind::<Timestamptz, _>(now).get_result::<Row>(db).await?.latest)
}

/// Makes all later versions later than `version`, for records that are inserted with versions of their own.
pub(crate) async fn advance_versions(
    db: &mut AsyncPgConnection,
    version: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let text = "UPDATE versions SET latest = greatest(latest, $1)";
    sql_query(text).bind::<Timestamptz, _>(version).execute(db).await?;
    Ok(())
}

pub(crate) async fn enter_draft(
    db: &mut AsyncPgConnection,
    kind: Kind,
    entered: &Value,
    now: DateTime<Utc>,
) -> Result<Changed, ChangeError> {
    let document = Document::parse(kind, entered).map_err(ChangeError::Shape)?;
    if !is_valid_id(&document.id) {
        return Err(ChangeError::Id);
    }
    db.transaction(async |db: &mut AsyncPgConnection| {
        let updated_at = next_version(db, now).await?;
        let text = "INSERT INTO records (kind, id, state, company_id, vessel_ids, updated_at, document)
                    VALUES ($1, $2, 'draft', $3, $4, $5, $6::json) ON CONFLICT DO NOTHING";
        let inserted = sql_query(text)
            .bind::<Text, _>(kind.word())
            .bind::<Text, _>(document.id)
            .bind::<Nullable<Text>, _>(document.company_id)
            .bind::<Array<Text>, _>(document.vessel_ids)
            .bind::<Timestamptz, _>(updated_at)
            .bind::<Text, _>(document.text)
            .execute(db)
            .await?;
        if inserted == 0 { Err(ChangeError::Exists) } else { Ok(Changed { updated_at, webhook_id: None }) }
    })
    .await
}

/// Ids appear unescaped in paths and in comma-separated lists of queries.
fn is_valid_id(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@+=".contains(&byte))
        && !matches!(text, "." | "..")
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    document: String,
}

async fn load(
    db: &mut AsyncPgConnection,
    kind: Kind,
    id: &str,
) -> Result<Option<(State, Value)>, DatabaseError> {
    let text = format!("SELECT state, {DOCUMENT_TEXT} AS document FROM records WHERE kind = $1 AND id = $2");
    let row: Option<Row> =
        sql_query(text).bind::<Text, _>(kind.word()).bind::<Text, _>(id).get_result(db).await.optional()?;
    let parsed = |row: Row| {
        let document = serde_json::from_str(&row.document).expect("the column holds JSON");
        (State::of_word(&row.state), document)
    };
    Ok(row.map(parsed))
}

/// Changes a record, and queues the webhook about it, in one transaction.
///
/// The approval of a vessel approves the drafts of its equipment, users and company, too; the one webhook covers them.
/// A change of a company is a change of its vessels, because the API serves them with it.
pub(crate) async fn change(
    db: &mut AsyncPgConnection,
    kind: Kind,
    id: &str,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Changed, ChangeError> {
    db.transaction(async |db: &mut AsyncPgConnection| {
        // First, so that no other change can commit between the read and the write below.
        let updated_at = next_version(db, now).await?;
        let (state, mut document) = load(db, kind, id).await?.ok_or(ChangeError::NotFound)?;
        let new_state = state_after(change, state)?;
        if let Change::Patch(patch) = change {
            merge(&mut document, patch);
        }
        let document = Document::parse(kind, &document).map_err(ChangeError::Shape)?;
        if document.id != id {
            return Err(ChangeError::Id);
        }
        check_related_records(db, kind, change, &document).await?;
        update(db, kind, new_state, updated_at, &document).await?;
        update_dependents(db, kind, change, updated_at, &document).await?;

        let mut webhook_id = None;
        if new_state != State::Draft
            && let Some(event_type) = event_type_of(kind, change)
        {
            let imo = if kind == Kind::Vessel { imo_number(&document) } else { None };
            let message =
                NewMessage { event_type, about: Some((kind, id)), updated_at: Some(updated_at), imo };
            webhook_id = Some(outbox::enqueue(db, message, now).await?);
        }
        Ok(Changed { updated_at, webhook_id })
    })
    .await
}

fn state_after(change: &Change, state: State) -> Result<State, ChangeError> {
    match (change, state) {
        (Change::Approve, _) => Ok(State::Approved),
        (Change::Withdraw, State::Approved) => Ok(State::Withdrawn),
        (Change::Withdraw, State::Draft) => {
            Err(ChangeError::WrongState("A draft cannot be withdrawn: nobody else has seen it."))
        }
        (Change::Withdraw, State::Withdrawn) => {
            Err(ChangeError::WrongState("The record is withdrawn already."))
        }
        (Change::Patch(_), State::Withdrawn) => {
            Err(ChangeError::WrongState("The record is withdrawn: approve it again first."))
        }
        (Change::Patch(_), state) => Ok(state),
    }
}

/// Refuses a change after which the provider API would serve a record without a record that it refers to.
async fn check_related_records(
    db: &mut AsyncPgConnection,
    kind: Kind,
    change: &Change,
    document: &Document,
) -> Result<(), ChangeError> {
    match (kind, change) {
        (Kind::Equipment, Change::Approve) => {
            let vessel = document.vessel_ids.as_slice().first().map_or("", String::as_str);
            if matches!(load(db, Kind::Vessel, vessel).await?, Some((State::Draft, _))) {
                return Err(ChangeError::WrongState(
                    "The vessel is a draft: approve the vessel, which approves its equipment.",
                ));
            }
        }
        (Kind::Company, Change::Withdraw) => {
            let text =
                "SELECT 1 FROM records WHERE kind = 'vessel' AND company_id = $1 AND state = 'approved'";
            if sql_query(text).bind::<Text, _>(&document.id).execute(db).await? > 0 {
                return Err(ChangeError::WrongState(
                    "The company has approved vessels: withdraw them first.",
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

async fn update(
    db: &mut AsyncPgConnection,
    kind: Kind,
    state: State,
    updated_at: DateTime<Utc>,
    document: &Document,
) -> Result<(), DatabaseError> {
    let text = "UPDATE records SET state = $3, updated_at = $4, company_id = $5, vessel_ids = $6, document = $7::json,
                    withdrawn_at = CASE $3 WHEN 'withdrawn' THEN $4 END
                WHERE kind = $1 AND id = $2";
    sql_query(text)
        .bind::<Text, _>(kind.word())
        .bind::<Text, _>(&document.id)
        .bind::<Text, _>(state.word())
        .bind::<Timestamptz, _>(updated_at)
        .bind::<Nullable<Text>, _>(document.company_id.as_ref())
        .bind::<Array<Text>, _>(&document.vessel_ids)
        .bind::<Text, _>(&document.text)
        .execute(db)
        .await?;
    Ok(())
}

/// Updates the records that are served with the changed one, or that its approval covers.
async fn update_dependents(
    db: &mut AsyncPgConnection,
    kind: Kind,
    change: &Change,
    updated_at: DateTime<Utc>,
    document: &Document,
) -> Result<(), DatabaseError> {
    match (kind, change) {
        (Kind::Vessel, Change::Approve) => {
            let text = "UPDATE records SET state = 'approved', updated_at = $3
                        WHERE state = 'draft' AND (kind IN ('equipment', 'user') AND vessel_ids @> ARRAY[$1]
                            OR kind = 'company' AND id = $2)";
            sql_query(text)
                .bind::<Text, _>(&document.id)
                .bind::<Nullable<Text>, _>(document.company_id.as_ref())
                .bind::<Timestamptz, _>(updated_at)
                .execute(db)
                .await?;
        }
        (Kind::Company, _) => {
            let text = "UPDATE records SET updated_at = $2
                        WHERE kind = 'vessel' AND company_id = $1 AND state = 'approved'";
            sql_query(text)
                .bind::<Text, _>(&document.id)
                .bind::<Timestamptz, _>(updated_at)
                .execute(db)
                .await?;
        }
        _ => {}
    }
    Ok(())
}

fn imo_number(document: &Document) -> Option<String> {
    let vessel: Value = serde_json::from_str(&document.text).ok()?;
    Some(vessel.get("imoNumber")?.as_str()?.to_owned())
}

/// The event type of a change. Companies have one event type only, for approvals.
fn event_type_of(kind: Kind, change: &Change) -> Option<EventType> {
    Some(match (kind, change) {
        (Kind::Company, Change::Approve | Change::Patch(_)) => EventType::CompanyApproved,
        (Kind::Company, Change::Withdraw) => return None,
        (Kind::Vessel, Change::Approve) => EventType::VesselApproved,
        (Kind::Vessel, Change::Patch(_)) => EventType::VesselUpdated,
        (Kind::Vessel, Change::Withdraw) => EventType::VesselWithdrawn,
        (Kind::Equipment, Change::Approve) => EventType::EquipmentApproved,
        (Kind::Equipment, Change::Patch(_)) => EventType::EquipmentUpdated,
        (Kind::Equipment, Change::Withdraw) => EventType::EquipmentRetired,
        (Kind::User, Change::Approve) => EventType::UserApproved,
        (Kind::User, Change::Patch(_)) => EventType::UserUpdated,
        (Kind::User, Change::Withdraw) => EventType::UserDeactivated,
    })
}
