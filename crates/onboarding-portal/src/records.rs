//! Records as the portal's own people see them, in any state. [`listing`] holds what the provider API serves of them,
//! [`changes`] how they change, [`document`] how they are stored.

pub(crate) mod changes;
pub(crate) mod document;
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
    records (kind, id) {
        /// `company`, `vessel`, `equipment` or `user`.
        kind -> Text,
        id -> Text,
        /// `draft`, `approved` or `withdrawn`.
        state -> Text,
        company_id -> Nullable<Text>,
        vessel_ids -> Array<Text>,
        /// The record's version.
        updated_at -> Timestamptz,
        withdrawn_at -> Nullable<Timestamptz>,
        /// The record as it was entered.
        document -> Json,
        /// A hash of the id: see [`listing`].
        bucket -> SmallInt,
    }
}

/// The stored text of a document, for a SELECT.
pub(crate) const DOCUMENT_TEXT: &str = "document::text";

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Company,
    /// The API serves a vessel with its company.
    Vessel,
    /// Equipment holds its critical parts and maintenance schedules.
    Equipment,
    User,
}

impl Kind {
    /// The singular, as the database and sentences use it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Vessel => "vessel",
            Self::Equipment => "equipment",
            Self::User => "user",
        }
    }

    /// The plural, as paths use it.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Company => "companies",
            Self::Vessel => "vessels",
            Self::Equipment => "equipment",
            Self::User => "users",
        }
    }

    pub(crate) fn of_path(plural: &str) -> Option<Self> {
        let all = [Self::Company, Self::Vessel, Self::Equipment, Self::User];
        all.into_iter().find(|kind| kind.path() == plural)
    }
}

/// State of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The provider API does not serve it.
    Draft,
    /// The provider API serves it.
    Approved,
    /// The provider API serves it as a tombstone.
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

    /// The database's constraint allows no other words.
    fn of_word(word: &str) -> Self {
        match word {
            "approved" => Self::Approved,
            "withdrawn" => Self::Withdrawn,
            _ => Self::Draft,
        }
    }
}

/// RFC 3339 in UTC, with as many digits as needed: as serde writes a time.
pub(crate) fn json_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A record with its state, as the portal's own people see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredRecord {
    pub state: State,
    /// The record's version.
    pub updated_at: DateTime<Utc>,
    /// When the approval was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
    /// The record as it was entered.
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

impl From<Row> for StoredRecord {
    fn from(Row { id: _, state, updated_at, withdrawn_at, document }: Row) -> Self {
        let record = RawValue::from_string(document).expect("the column holds JSON");
        Self { state: State::of_word(&state), updated_at, withdrawn_at, record }
    }
}

/// A record in any state.
pub(crate) async fn find(
    db: &mut AsyncPgConnection,
    kind: Kind,
    id: &str,
) -> Result<Option<StoredRecord>, DatabaseError> {
    let row = records::table
        .find((kind.word(), id))
        .select((
            records::id,
            records::state,
            records::updated_at,
            records::withdrawn_at,
            sql::<Text>(DOCUMENT_TEXT),
        ))
        .first::<Row>(db)
        .await
        .optional()?;
    Ok(row.map(StoredRecord::from))
}

/// Which records to list. Absent fields do not filter.
#[derive(Debug, Default)]
pub(crate) struct RecordFilter {
    pub state: Option<State>,
    pub vessel_id: Option<String>,
    pub company_id: Option<String>,
    /// The page begins after this id.
    pub after: Option<String>,
    /// Most records of a page.
    pub limit: u32,
}

/// A page of records in the order of their ids, and the id after which the next page begins, if there is one.
pub(crate) async fn browse(
    db: &mut AsyncPgConnection,
    kind: Kind,
    filter: &RecordFilter,
) -> Result<(Vec<StoredRecord>, Option<String>), DatabaseError> {
    let mut query = records::table
        .filter(records::kind.eq(kind.word()))
        .select((
            records::id,
            records::state,
            records::updated_at,
            records::withdrawn_at,
            sql::<Text>(DOCUMENT_TEXT),
        ))
        .order(records::id)
        .limit(i64::from(filter.limit) + 1)
        .into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(records::state.eq(state.word()));
    }
    if let Some(vessel) = &filter.vessel_id {
        query = query.filter(records::vessel_ids.contains(vec![vessel]));
    }
    if let Some(company) = &filter.company_id {
        query = query.filter(records::company_id.eq(company));
    }
    if let Some(after) = &filter.after {
        query = query.filter(records::id.gt(after));
    }
    let mut rows: Vec<Row> = query.load(db).await?;
    let more = rows.len() > filter.limit as usize;
    rows.truncate(filter.limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.id.clone());
    Ok((rows.into_iter().map(StoredRecord::from).collect(), next))
}
