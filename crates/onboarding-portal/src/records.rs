//! The records: as the portal's own people see them. [`listing`] is what the provider API shows of them, [`changes`] how
//! they change.

pub(crate) mod changes;
pub(crate) mod listing;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::{
    ExpressionMethods, OptionalExtension, PgArrayExpressionMethods, QueryDsl, Queryable, dsl::sql,
    sql_types::Text,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::database::DatabaseError;

diesel::table! {
    /// As the migration says.
    records (kind, id) {
        /// `company`, `vessel`, `equipment` or `user`.
        kind -> Text,
        /// Its id.
        id -> Text,
        /// `draft`, `approved` or `withdrawn`.
        state -> Text,
        /// Its company.
        company_id -> Nullable<Text>,
        /// Its vessels.
        vessel_ids -> Array<Text>,
        /// Its version.
        updated_at -> Timestamptz,
        /// When it was withdrawn.
        withdrawn_at -> Nullable<Timestamptz>,
        /// What was entered.
        document -> Json,
    }
}

/// The text of a document, as it was stored.
pub(crate) const DOCUMENT: &str = "document::text";

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A ship manager.
    Company,
    /// A vessel, with its company inside.
    Vessel,
    /// A piece of equipment, with parts and schedules inside.
    Equipment,
    /// A person.
    User,
}

impl Kind {
    /// As it stands in the database, and in sentences.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Vessel => "vessel",
            Self::Equipment => "equipment",
            Self::User => "user",
        }
    }

    /// Its plural, as paths have it.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Company => "companies",
            Self::Vessel => "vessels",
            Self::Equipment => "equipment",
            Self::User => "users",
        }
    }

    /// By its plural, as paths have it.
    pub(crate) fn of_path(plural: &str) -> Option<Self> {
        let all = [Self::Company, Self::Vessel, Self::Equipment, Self::User];
        all.into_iter().find(|kind| kind.path() == plural)
    }
}

/// How far a record has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Entered; nobody else sees it.
    Draft,
    /// Others see it.
    Approved,
    /// No longer valid; others see a tombstone.
    Withdrawn,
}

impl State {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The database's constraint knows no other words.
    fn of_word(word: &str) -> Self {
        match word {
            "approved" => Self::Approved,
            "withdrawn" => Self::Withdrawn,
            _ => Self::Draft,
        }
    }
}

/// A time as it stands in JSON everywhere.
pub(crate) fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A record as the portal's own people see it: with its state.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    /// How far it has come.
    pub state: State,
    /// Its version.
    pub updated_at: DateTime<Utc>,
    /// When its approval was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
    /// What was entered.
    #[schema(value_type = Object)]
    pub record: Box<RawValue>,
}

#[derive(Queryable)]
struct Row {
    id: String,
    state: String,
    updated_at: DateTime<Utc>,
    withdrawn_at: Option<DateTime<Utc>>,
    document: String,
}

impl From<Row> for Kept {
    fn from(Row { id: _, state, updated_at, withdrawn_at, document }: Row) -> Self {
        let record = RawValue::from_string(document).expect("the column holds JSON");
        Self { state: State::of_word(&state), updated_at, withdrawn_at, record }
    }
}

/// One record, in whatever state.
///
/// # Errors
/// If the database fails.
pub(crate) async fn find(
    db: &mut AsyncPgConnection,
    kind: Kind,
    id: &str,
) -> Result<Option<Kept>, DatabaseError> {
    let row = records::table
        .find((kind.word(), id))
        .select((
            records::id,
            records::state,
            records::updated_at,
            records::withdrawn_at,
            sql::<Text>(DOCUMENT),
        ))
        .first::<Row>(db)
        .await
        .optional()?;
    Ok(row.map(Kept::from))
}

/// Which records the portal's people want to see. What is absent does not filter.
#[derive(Debug, Default)]
pub(crate) struct Which {
    /// In this state.
    pub state: Option<State>,
    /// Of this vessel.
    pub vessel_id: Option<String>,
    /// Of this company.
    pub company_id: Option<String>,
    /// After this id.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// Records in the order of their ids, and the id to go on after if there are more.
///
/// # Errors
/// If the database fails.
pub(crate) async fn browse(
    db: &mut AsyncPgConnection,
    kind: Kind,
    which: &Which,
) -> Result<(Vec<Kept>, Option<String>), DatabaseError> {
    let mut query = records::table
        .filter(records::kind.eq(kind.word()))
        .select((
            records::id,
            records::state,
            records::updated_at,
            records::withdrawn_at,
            sql::<Text>(DOCUMENT),
        ))
        .order(records::id)
        .limit(i64::from(which.limit) + 1)
        .into_boxed();
    if let Some(state) = which.state {
        query = query.filter(records::state.eq(state.word()));
    }
    if let Some(vessel) = &which.vessel_id {
        query = query.filter(records::vessel_ids.contains(vec![vessel]));
    }
    if let Some(company) = &which.company_id {
        query = query.filter(records::company_id.eq(company));
    }
    if let Some(after) = &which.after {
        query = query.filter(records::id.gt(after));
    }
    let mut rows: Vec<Row> = query.load(db).await?;
    let more = rows.len() > which.limit as usize;
    rows.truncate(which.limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.id.clone());
    Ok((rows.into_iter().map(Kept::from).collect(), next))
}
