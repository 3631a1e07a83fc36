//! The records: listed as the provider API serves them, and changed as the portal's people change them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SubsecRound, Utc};
use contracts::{
    provider::{DEFAULT_PAGE, LARGEST_PAGE, ListQuery, MOST_IDS},
    webhook::EventType,
};
use diesel::{
    OptionalExtension, QueryableByName, sql_query,
    sql_types::{Array, Int8, Jsonb, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use crate::{database::DatabaseError, outbox};

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
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Vessel => "vessel",
            Self::Equipment => "equipment",
            Self::User => "user",
        }
    }

    /// By its plural, as paths have it.
    pub(crate) fn of_path(plural: &str) -> Option<Self> {
        Some(match plural {
            "companies" => Self::Company,
            "vessels" => Self::Vessel,
            "equipment" => Self::Equipment,
            "users" => Self::User,
            _ => return None,
        })
    }
}

/// A document as it is served: what was entered, its version, and for a vessel its company.
const SERVED: &str = "(r.document || jsonb_build_object('updatedAt', r.updated_at)
    || CASE WHEN r.withdrawn_at IS NULL THEN '{}' ELSE jsonb_build_object('withdrawnAt', r.withdrawn_at) END
    || CASE WHEN c.id IS NULL THEN '{}'
       ELSE jsonb_build_object('company', c.document || jsonb_build_object('updatedAt', c.updated_at)) END)::text";
const WITH_COMPANY: &str =
    "records r LEFT JOIN records c ON r.kind = 'vessel' AND c.kind = 'company' AND c.id = r.company_id";
const FILTER: &str = "r.kind = $1 AND r.state <> 'draft' AND ($2 IS NULL OR r.updated_at >= $2)
    AND ($3 IS NULL OR r.id = ANY($3)) AND ($4 IS NULL OR r.vessel_ids @> ARRAY[$4]) AND ($5 IS NULL OR r.company_id = $5)";

/// What a list was asked for, checked.
#[derive(Debug)]
pub struct Listing {
    kind: Kind,
    limit: u32,
    after: Option<(DateTime<Utc>, String)>,
    updated_since: Option<DateTime<Utc>>,
    ids: Option<Vec<String>>,
    vessel_id: Option<String>,
    company_id: Option<String>,
    with_total: bool,
}

/// A page as text: each record is served as the database wrote it.
#[derive(Debug)]
pub struct ListedPage {
    pub(crate) records: Vec<String>,
    pub(crate) limit: u32,
    pub(crate) next_cursor: Option<String>,
    pub(crate) total: Option<i64>,
    pub(crate) total_companies: Option<i64>,
}

impl Listing {
    /// Checks a query; the error is a field and what is wrong with it.
    ///
    /// # Errors
    /// The first field that cannot be used.
    pub fn parse(kind: Kind, query: ListQuery) -> Result<Self, (&'static str, String)> {
        let limit = query.limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=LARGEST_PAGE).contains(&limit) {
            return Err(("limit", format!("must be from 1 to {LARGEST_PAGE}")));
        }
        let ids: Option<Vec<String>> = query.ids.map(|ids| ids.split(',').map(str::to_owned).collect());
        if ids.as_ref().is_some_and(|ids| ids.len() > MOST_IDS) {
            return Err(("ids", format!("may name at most {MOST_IDS} records")));
        }
        let after = match &query.cursor {
            None => None,
            Some(cursor) => {
                let unknown = || ("cursor", "is not one that this portal handed out".to_owned());
                Some(parse_cursor(cursor).ok_or_else(unknown)?)
            }
        };
        let with_total = after.is_none() || query.include.as_deref() == Some("total");
        Ok(Self {
            kind,
            limit,
            after,
            updated_since: query.updated_since,
            ids,
            vessel_id: query.vessel_id,
            company_id: query.company_id,
            with_total,
        })
    }
}

fn cursor(updated_at: DateTime<Utc>, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{id}", updated_at.timestamp_micros()))
}

fn parse_cursor(cursor: &str) -> Option<(DateTime<Utc>, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (micros, id) = text.split_once(':')?;
    Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.to_owned()))
}

#[derive(QueryableByName)]
struct Listed {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    served: String,
}

#[derive(QueryableByName)]
struct Totals {
    #[diesel(sql_type = Int8)]
    records: i64,
    #[diesel(sql_type = Int8)]
    companies: i64,
}

/// A page, by keyset over (`updatedAt`, `id`): approved records, and tombstones of those that were.
///
/// # Errors
/// If the database fails.
pub async fn list(db: &mut AsyncPgConnection, asked: &Listing) -> Result<ListedPage, DatabaseError> {
    macro_rules! filtered {
        ($text:expr) => {
            sql_query($text)
                .bind::<Text, _>(asked.kind.word())
                .bind::<Nullable<Timestamptz>, _>(asked.updated_since)
                .bind::<Nullable<Array<Text>>, _>(asked.ids.as_ref())
                .bind::<Nullable<Text>, _>(asked.vessel_id.as_ref())
                .bind::<Nullable<Text>, _>(asked.company_id.as_ref())
        };
    }
    let (after_time, after_id) = asked.after.clone().unzip();
    let keyset = if asked.after.is_some() { "(r.updated_at, r.id) > ($6, $7)" } else { "$6::timestamptz IS NULL AND $7::text IS NULL" };
    let text = format!(
        "SELECT r.id, r.updated_at, {SERVED} AS served FROM {WITH_COMPANY}
         WHERE {FILTER} AND {keyset} ORDER BY r.updated_at, r.id LIMIT $8"
    );
    // One more than asked for tells whether there is a next page.
    let mut rows: Vec<Listed> = filtered!(text)
        .bind::<Nullable<Timestamptz>, _>(after_time)
        .bind::<Nullable<Text>, _>(after_id)
        .bind::<Int8, _>(i64::from(asked.limit) + 1)
        .load(db)
        .await?;
    let more = rows.len() > asked.limit as usize;
    rows.truncate(asked.limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|last| cursor(last.updated_at, &last.id));

    let mut totals = None;
    if asked.with_total {
        let text = format!(
            "SELECT count(*) AS records, count(DISTINCT r.company_id) AS companies FROM records r WHERE {FILTER}"
        );
        totals = Some(filtered!(text).get_result::<Totals>(db).await?);
    }
    let total_companies = totals.as_ref().filter(|_| asked.kind == Kind::Vessel).map(|t| t.companies);
    Ok(ListedPage {
        records: rows.into_iter().map(|row| row.served).collect(),
        limit: asked.limit,
        next_cursor,
        total: totals.map(|t| t.records),
        total_companies,
    })
}

#[derive(QueryableByName)]
struct Served {
    #[diesel(sql_type = Text)]
    served: String,
}

/// A vessel with all that belongs to it: vessel, equipment, users. None if there is no such vessel to be seen.
///
/// # Errors
/// If the database fails.
pub async fn export(
    db: &mut AsyncPgConnection,
    vessel: &str,
) -> Result<Option<(String, Vec<String>, Vec<String>)>, DatabaseError> {
    let one = format!("SELECT {SERVED} AS served FROM {WITH_COMPANY} WHERE r.kind = 'vessel' AND r.id = $1 AND r.state <> 'draft'");
    let Some(found) = sql_query(one).bind::<Text, _>(vessel).get_result::<Served>(db).await.optional()? else {
        return Ok(None);
    };
    let belonging = format!(
        "SELECT {SERVED} AS served FROM {WITH_COMPANY}
         WHERE r.kind = $2 AND r.vessel_ids @> ARRAY[$1] AND r.state <> 'draft' ORDER BY r.updated_at, r.id"
    );
    let mut lists = Vec::new();
    for kind in [Kind::Equipment, Kind::User] {
        let rows = sql_query(&belonging).bind::<Text, _>(vessel).bind::<Text, _>(kind.word()).load::<Served>(db).await?;
        lists.push(rows.into_iter().map(|row| row.served).collect());
    }
    let users = lists.pop().unwrap_or_default();
    Ok(Some((found.served, lists.pop().unwrap_or_default(), users)))
}

/// A record as the portal's own people see it: with its state.
///
/// # Errors
/// If the database fails.
pub async fn find(db: &mut AsyncPgConnection, kind: Kind, id: &str) -> Result<Option<Value>, DatabaseError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Jsonb)]
        record: Value,
    }
    let text = "SELECT jsonb_build_object('state', state, 'updatedAt', updated_at, 'record', document) AS record
                FROM records WHERE kind = $1 AND id = $2";
    let row = sql_query(text).bind::<Text, _>(kind.word()).bind::<Text, _>(id).get_result::<Row>(db).await.optional()?;
    Ok(row.map(|row| row.record))
}

/// What one may do to a record.
#[derive(Debug, Clone)]
pub enum Change {
    /// Others may see it from now on.
    Approve,
    /// It is no longer valid; others see a tombstone.
    Withdraw,
    /// These fields get these values; null takes one away.
    Patch(serde_json::Map<String, Value>),
}

/// What a change led to.
#[derive(Debug)]
pub struct Changed {
    /// The new version.
    pub updated_at: DateTime<Utc>,
    /// The webhook that is owed for it.
    pub webhook_id: Option<String>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such record.
    #[error("there is no such record")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<diesel::result::Error> for ChangeError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Changes a record, and notes the webhook that is owed for it, in one transaction. Approving a vessel approves the
/// drafts of what belongs to it, too, as the vessel's webhook covers them.
///
/// # Errors
/// If there is no such record, or the database fails.
pub async fn change(
    db: &mut AsyncPgConnection,
    kind: Kind,
    id: &str,
    change: Change,
    now: DateTime<Utc>,
) -> Result<Changed, ChangeError> {
    let now = now.trunc_subsecs(6);
    db.transaction(async |db: &mut AsyncPgConnection| {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            state: String,
            #[diesel(sql_type = Jsonb)]
            document: Value,
        }
        let text = match &change {
            Change::Approve => "state = 'approved', withdrawn_at = NULL",
            Change::Withdraw => "state = 'withdrawn', withdrawn_at = $3",
            Change::Patch(_) => "document = jsonb_strip_nulls(document || $4)",
        };
        // A version must grow, even if two changes fall into one microsecond.
        let text = format!(
            "UPDATE records SET {text}, updated_at = greatest($3, updated_at + interval '1 microsecond')
             WHERE kind = $1 AND id = $2 AND $4::jsonb IS NOT NULL RETURNING state, document"
        );
        let patch = if let Change::Patch(fields) = &change { json!(fields) } else { json!({}) };
        let row: Option<Row> = sql_query(text)
            .bind::<Text, _>(kind.word())
            .bind::<Text, _>(id)
            .bind::<Timestamptz, _>(now)
            .bind::<Jsonb, _>(patch)
            .get_result(db)
            .await
            .optional()?;
        let Row { state, document } = row.ok_or(ChangeError::NotFound)?;
        if matches!((kind, &change), (Kind::Vessel, Change::Approve)) {
            let text = "UPDATE records SET state = 'approved', updated_at = $2
                        WHERE kind IN ('equipment', 'user') AND vessel_ids @> ARRAY[$1] AND state = 'draft'";
            sql_query(text).bind::<Text, _>(id).bind::<Timestamptz, _>(now).execute(db).await?;
        }
        let mut webhook_id = None;
        if state != "draft"
            && let Some(event) = event(kind, &change)
        {
            let imo = document.get("imoNumber").and_then(Value::as_str);
            webhook_id = Some(outbox::owe(db, event, Some(id), imo, now).await?);
        }
        Ok(Changed { updated_at: now, webhook_id })
    })
    .await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_garbage_does_not() {
        let now = DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap();
        assert_eq!(parse_cursor(&cursor(now, "a:b")), Some((now, "a:b".to_owned())));
        for garbage in ["", "%%", "bm90IGEgY3Vyc29y", "OTk5OTk5OTk5OTk5OTk5OTk5OTk6eA"] {
            assert_eq!(parse_cursor(garbage), None, "{garbage}");
        }
    }
}
