//! How records change: entered, approved, mended, withdrawn. The webhook that is owed for a change is noted in the
//! change's own transaction.
//!
//! Versions become visible in their order. Every change takes the next one from the row of `versions`, and so waits until
//! the change before it has committed: no reader can page past a change that is yet to appear.

use chrono::{DateTime, Utc};
use contracts::webhook::EventType;
use diesel::{
    OptionalExtension, QueryableByName, sql_query,
    sql_types::{Array, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use super::{DOCUMENT, Kind, State};
use crate::{
    database::DatabaseError,
    outbox::{self, Owed},
    shapes::{self, Document},
};

/// What one may do to a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// Others may see it from now on.
    Approve,
    /// It is no longer valid; others see a tombstone.
    Withdraw,
    /// A JSON merge patch of what was entered.
    Patch(Value),
}

/// What a change led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The new version.
    pub updated_at: DateTime<Utc>,
    /// The webhook that is owed for it; none if nobody else sees the record.
    pub webhook_id: Option<String>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// There is no such record.
    #[error("there is no such record")]
    NotFound,
    /// There is one with this id.
    #[error("there is a record with this id already")]
    Exists,
    /// It does not go with the state it is in.
    #[error("{0}")]
    NotNow(&'static str),
    /// It would no longer be a record of its kind.
    #[error("this is no record of its kind")]
    Shape(#[source] serde_json::Error),
    /// It cannot be a record's id.
    #[error("an id is 1 to 200 letters, digits and any of -._~:@+=, and stays what it is")]
    Id,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<diesel::result::Error> for ChangeError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// The next version: now, or a little later where changes come faster than the clock ticks. Until the transaction ends,
/// nobody else gets one.
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

/// Makes sure that later versions are later than `version`: for records that are written with one of their own.
pub(crate) async fn versions_reach(
    db: &mut AsyncPgConnection,
    version: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let text = "UPDATE versions SET latest = greatest(latest, $1)";
    sql_query(text).bind::<Timestamptz, _>(version).execute(db).await?;
    Ok(())
}

/// Enters a draft.
///
/// # Errors
/// If it is no record of this kind, there is one with its id, or the database fails.
pub(crate) async fn enter(
    db: &mut AsyncPgConnection,
    kind: Kind,
    entered: &Value,
    now: DateTime<Utc>,
) -> Result<Changed, ChangeError> {
    let document = shapes::read(kind, entered).map_err(ChangeError::Shape)?;
    if !is_an_id(&document.id) {
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

/// An id stands in a path or in a list of a query as it is.
fn is_an_id(text: &str) -> bool {
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

async fn row(
    db: &mut AsyncPgConnection,
    kind: Kind,
    id: &str,
) -> Result<Option<(State, Value)>, DatabaseError> {
    let text = format!("SELECT state, {DOCUMENT} AS document FROM records WHERE kind = $1 AND id = $2");
    let row: Option<Row> =
        sql_query(text).bind::<Text, _>(kind.word()).bind::<Text, _>(id).get_result(db).await.optional()?;
    let parsed = |row: Row| {
        let document = serde_json::from_str(&row.document).expect("the column holds JSON");
        (State::of_word(&row.state), document)
    };
    Ok(row.map(parsed))
}

/// Changes a record, and notes the webhook that is owed for it, in one transaction.
///
/// Approving a vessel approves the drafts of what belongs to it, too, and of its company: the vessel's webhook covers
/// them. A change of a company is a change of its vessels, as they are shown with it.
///
/// # Errors
/// If there is no such record, the change does not go with it, or the database fails.
pub(crate) async fn change(
    db: &mut AsyncPgConnection,
    kind: Kind,
    id: &str,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Changed, ChangeError> {
    db.transaction(async |db: &mut AsyncPgConnection| {
        // First, so that what is read next cannot change any more.
        let updated_at = next_version(db, now).await?;
        let (state, mut document) = row(db, kind, id).await?.ok_or(ChangeError::NotFound)?;
        let new_state = match (change, state) {
            (Change::Approve, _) => State::Approved,
            (Change::Withdraw, State::Approved) => State::Withdrawn,
            (Change::Withdraw, State::Draft) => {
                return Err(ChangeError::NotNow("It is a draft: nobody else has seen it."));
            }
            (Change::Withdraw, State::Withdrawn) => {
                return Err(ChangeError::NotNow("It is withdrawn already."));
            }
            (Change::Patch(_), State::Withdrawn) => {
                return Err(ChangeError::NotNow("It is withdrawn: approve it again first."));
            }
            (Change::Patch(_), state) => state,
        };
        if let Change::Patch(patch) = change {
            shapes::merge(&mut document, patch);
        }
        let document = shapes::read(kind, &document).map_err(ChangeError::Shape)?;
        if document.id != id {
            return Err(ChangeError::Id);
        }
        check_surroundings(db, kind, change, &document).await?;
        write(db, kind, new_state, updated_at, &document).await?;
        carry_along(db, kind, change, updated_at, &document).await?;

        let mut webhook_id = None;
        if new_state != State::Draft
            && let Some(event_type) = event(kind, change)
        {
            let imo = if kind == Kind::Vessel { imo_number(&document) } else { None };
            let owed = Owed { event_type, about: Some((kind, id)), updated_at: Some(updated_at), imo };
            webhook_id = Some(outbox::owe(db, owed, now).await?);
        }
        Ok(Changed { updated_at, webhook_id })
    })
    .await
}

/// What others see must hang together.
async fn check_surroundings(
    db: &mut AsyncPgConnection,
    kind: Kind,
    change: &Change,
    document: &Document,
) -> Result<(), ChangeError> {
    match (kind, change) {
        (Kind::Equipment, Change::Approve) => {
            let vessel = document.vessel_ids.as_slice().first().map_or("", String::as_str);
            if matches!(row(db, Kind::Vessel, vessel).await?, Some((State::Draft, _))) {
                return Err(ChangeError::NotNow(
                    "Its vessel is a draft: approve the vessel, and it with it.",
                ));
            }
        }
        (Kind::Company, Change::Withdraw) => {
            let text =
                "SELECT 1 FROM records WHERE kind = 'vessel' AND company_id = $1 AND state = 'approved'";
            if sql_query(text).bind::<Text, _>(&document.id).execute(db).await? > 0 {
                return Err(ChangeError::NotNow("It has vessels: withdraw them first."));
            }
        }
        _ => {}
    }
    Ok(())
}

async fn write(
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

/// Changes what shows the record, or cannot be seen without it.
async fn carry_along(
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

/// The webhook that tells of a change; companies have one for approvals alone.
fn event(kind: Kind, change: &Change) -> Option<EventType> {
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
