//! What the provider API shows: approved records, and tombstones of those that were, by keyset over (`updatedAt`, `id`).
//!
//! A page of a thousand records is built as text out of texts: nothing is parsed on the way.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use contracts::provider::{DEFAULT_PAGE, LARGEST_PAGE, ListQuery, MOST_IDS, PageInfo};
use diesel::{
    AggregateExpressionMethods, BoolExpressionMethods, ExpressionMethods, PgArrayExpressionMethods, QueryDsl,
    dsl::{count, sql},
    pg::Pg,
    sql_types::{Bool, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{DOCUMENT, Kind, records, written};
use crate::database::DatabaseError;

/// What a list was asked for, checked.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    kind: Kind,
    limit: u32,
    after: Option<(DateTime<Utc>, String)>,
    updated_since: Option<DateTime<Utc>>,
    ids: Option<Vec<String>>,
    vessel_id: Option<String>,
    company_id: Option<String>,
    with_total: bool,
}

/// What is wrong with a query: a parameter, and why it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// The parameter.
    pub parameter: &'static str,
    /// Goes on from its name.
    pub why: String,
}

impl Listing {
    /// Checks a query.
    ///
    /// # Errors
    /// The first parameter that cannot be used.
    pub(crate) fn parse(kind: Kind, query: ListQuery) -> Result<Self, Unusable> {
        let unusable = |parameter, why: String| Unusable { parameter, why };
        let limit = query.limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=LARGEST_PAGE).contains(&limit) {
            return Err(unusable("limit", format!("must be from 1 to {LARGEST_PAGE}")));
        }
        let ids: Option<Vec<String>> = query.ids.map(|ids| ids.split(',').map(str::to_owned).collect());
        if ids.as_ref().is_some_and(|ids| ids.len() > MOST_IDS) {
            return Err(unusable("ids", format!("may name at most {MOST_IDS} records")));
        }
        let after = match &query.cursor {
            None => None,
            Some(cursor) => {
                let foreign = || unusable("cursor", "is not one that this portal handed out".to_owned());
                Some(parse_cursor(cursor).ok_or_else(foreign)?)
            }
        };
        let include = query.include.as_deref().unwrap_or_default();
        if let Some(unknown) = include.split(',').find(|word| !matches!(*word, "" | "total")) {
            return Err(unusable("include", format!("knows no {unknown:?}, only total")));
        }
        Ok(Self {
            kind,
            limit,
            with_total: after.is_none() || include.contains("total"),
            after,
            updated_since: query.updated_since,
            ids,
            vessel_id: query.vessel_id,
            company_id: query.company_id,
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

/// A page: the JSON text of each record, and where the page stands.
#[derive(Debug, Clone)]
pub(crate) struct ListedPage {
    /// As they are served.
    pub records: Vec<String>,
    /// Where the page stands.
    pub info: PageInfo,
}

impl ListedPage {
    /// The whole answer.
    pub(crate) fn json(&self) -> String {
        let length: usize = self.records.iter().map(|record| record.len() + 1).sum();
        let mut text = String::with_capacity(length + 300);
        text.push_str(r#"{"data":["#);
        push_all(&mut text, &self.records);
        text.push_str(r#"],"page":"#);
        text.push_str(&serde_json::to_string(&self.info).expect("a page's place is plain JSON"));
        text.push('}');
        text
    }
}

fn push_all(text: &mut String, records: &[String]) {
    for (i, record) in records.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(record);
    }
}

type Row = (String, DateTime<Utc>, Option<DateTime<Utc>>, String, Option<String>);

/// A record as it is served: its version in front of what was entered, and for a vessel its company.
fn served(
    (_, updated_at, withdrawn_at, document, company_id): Row,
    companies: &BTreeMap<String, String>,
) -> String {
    let company = company_id.and_then(|id| companies.get(&id));
    let mut text = String::with_capacity(document.len() + 120 + company.map_or(0, String::len));
    push_open(&mut text, updated_at, withdrawn_at);
    if let Some(company) = company {
        text.push_str(r#","company":"#);
        text.push_str(company);
    }
    push_fields(&mut text, &document);
    text.push('}');
    text
}

/// The beginning of an object: its version.
fn push_open(text: &mut String, updated_at: DateTime<Utc>, withdrawn_at: Option<DateTime<Utc>>) {
    text.push_str(r#"{"updatedAt":""#);
    text.push_str(&written(updated_at));
    text.push('"');
    if let Some(withdrawn_at) = withdrawn_at {
        text.push_str(r#","withdrawnAt":""#);
        text.push_str(&written(withdrawn_at));
        text.push('"');
    }
}

/// The fields of an object that is text, after others.
fn push_fields(text: &mut String, document: &str) {
    let fields = document.trim();
    let fields = fields.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or_default().trim();
    if !fields.is_empty() {
        text.push(',');
        text.push_str(fields);
    }
}

/// What may be shown of what was asked for, on this page and those after it.
fn filtered(asked: &Listing) -> records::BoxedQuery<'_, Pg> {
    // Not a parameter: the index is for exactly these rows.
    let shown = sql::<Bool>("state <> 'draft'");
    let mut query = records::table.filter(records::kind.eq(asked.kind.word())).filter(shown).into_boxed();
    if let Some(since) = asked.updated_since {
        query = query.filter(records::updated_at.ge(since));
    }
    if let Some(ids) = &asked.ids {
        query = query.filter(records::id.eq_any(ids));
    }
    if let Some(vessel) = &asked.vessel_id {
        query = query.filter(records::vessel_ids.contains(vec![vessel]));
    }
    if let Some(company) = &asked.company_id {
        query = query.filter(records::company_id.eq(company));
    }
    query
}

/// Loads records in the order of pages, and renders them.
async fn rendered(
    db: &mut AsyncPgConnection,
    kind: Kind,
    query: records::BoxedQuery<'_, Pg>,
    limit: i64,
) -> Result<(Vec<String>, Option<String>), DatabaseError> {
    // One more than asked for tells whether there is a next page.
    let mut rows: Vec<Row> = query
        .select((
            records::id,
            records::updated_at,
            records::withdrawn_at,
            sql::<Text>(DOCUMENT),
            records::company_id,
        ))
        .order((records::updated_at, records::id))
        .limit(limit.saturating_add(1))
        .load(db)
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(id, updated_at, ..)| cursor(*updated_at, id));
    let companies = if kind == Kind::Vessel { companies_of(db, &rows).await? } else { BTreeMap::new() };
    Ok((rows.into_iter().map(|row| served(row, &companies)).collect(), next))
}

/// The companies of these vessels by id, as they are served.
async fn companies_of(
    db: &mut AsyncPgConnection,
    vessels: &[Row],
) -> Result<BTreeMap<String, String>, DatabaseError> {
    let ids: BTreeSet<&String> = vessels.iter().filter_map(|row| row.4.as_ref()).collect();
    let rows: Vec<(String, DateTime<Utc>, String)> = records::table
        .filter(records::kind.eq(Kind::Company.word()).and(records::id.eq_any(ids)))
        .select((records::id, records::updated_at, sql::<Text>(DOCUMENT)))
        .load(db)
        .await?;
    let served = |(id, updated_at, document): (String, DateTime<Utc>, String)| {
        let mut text = String::with_capacity(document.len() + 60);
        push_open(&mut text, updated_at, None);
        push_fields(&mut text, &document);
        text.push('}');
        (id, text)
    };
    Ok(rows.into_iter().map(served).collect())
}

/// A page: approved records, and tombstones of those that were.
///
/// # Errors
/// If the database fails.
pub(crate) async fn list(
    db: &mut AsyncPgConnection,
    asked: &Listing,
    now: DateTime<Utc>,
) -> Result<ListedPage, DatabaseError> {
    let mut query = filtered(asked);
    if let Some((updated_at, id)) = &asked.after {
        let after = sql::<Bool>("(updated_at, id) > (").bind::<Timestamptz, _>(*updated_at);
        query = query.filter(after.sql(", ").bind::<Text, _>(id).sql(")"));
    }
    let (records, next_cursor) = rendered(db, asked.kind, query, i64::from(asked.limit)).await?;

    let (mut total, mut total_companies) = (None, None);
    if asked.with_total {
        let all: i64 = filtered(asked).count().get_result(db).await?;
        total = u64::try_from(all).ok();
        if asked.kind == Kind::Vessel {
            let different = count(records::company_id).aggregate_distinct();
            let companies: i64 = filtered(asked).select(different).get_result(db).await?;
            total_companies = u64::try_from(companies).ok();
        }
    }
    let info = PageInfo { limit: asked.limit, next_cursor, total, total_companies, as_of: Some(now) };
    Ok(ListedPage { records, info })
}

/// A vessel with all that belongs to it, as they are served.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    /// The vessel, with its company.
    pub vessel: String,
    /// Its equipment.
    pub equipment: Vec<String>,
    /// The users that are assigned to it.
    pub users: Vec<String>,
}

impl Export {
    /// The whole answer.
    pub(crate) fn json(&self, now: DateTime<Utc>) -> String {
        let mut text = format!(r#"{{"vessel":{},"equipment":["#, self.vessel);
        push_all(&mut text, &self.equipment);
        text.push_str(r#"],"users":["#);
        push_all(&mut text, &self.users);
        text.push_str(r#"],"asOf":""#);
        text.push_str(&written(now));
        text.push_str(r#""}"#);
        text
    }
}

/// A vessel with all that belongs to it, as of one moment. None if there is no such vessel to be seen.
///
/// # Errors
/// If the database fails.
pub(crate) async fn export(
    db: &mut AsyncPgConnection,
    vessel: &str,
) -> Result<Option<Export>, DatabaseError> {
    db.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |db: &mut AsyncPgConnection| {
            let everything = |kind| Listing {
                kind,
                limit: 0,
                after: None,
                updated_since: None,
                ids: None,
                vessel_id: None,
                company_id: None,
                with_total: false,
            };
            let only = Listing { ids: Some(vec![vessel.to_owned()]), ..everything(Kind::Vessel) };
            let (found, _) = rendered(db, Kind::Vessel, filtered(&only), 1).await?;
            let Some(found) = found.into_iter().next() else { return Ok(None) };
            let mut lists = [Vec::new(), Vec::new()];
            for (kind, list) in [Kind::Equipment, Kind::User].into_iter().zip(&mut lists) {
                let belonging = Listing { vessel_id: Some(vessel.to_owned()), ..everything(kind) };
                (*list, _) = rendered(db, kind, filtered(&belonging), i64::MAX - 1).await?;
            }
            let [equipment, users] = lists;
            Ok(Some(Export { vessel: found, equipment, users }))
        })
        .await
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

    #[test]
    fn a_record_is_served_with_its_version_in_front() {
        let time = DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap();
        let companies = BTreeMap::from([("c".to_owned(), r#"{"id":"c"}"#.to_owned())]);
        let row = |document: &str, company: Option<&str>| {
            ("id".to_owned(), time, Some(time), document.to_owned(), company.map(str::to_owned))
        };
        let version =
            r#""updatedAt":"2026-11-18T11:06:40.123456Z","withdrawnAt":"2026-11-18T11:06:40.123456Z""#;
        assert_eq!(served(row(r#" {"id": "v"} "#, None), &companies), format!(r#"{{{version},"id": "v"}}"#));
        assert_eq!(
            served(row(r#"{"id":"v"}"#, Some("c")), &companies),
            format!(r#"{{{version},"company":{{"id":"c"}},"id":"v"}}"#)
        );
        assert_eq!(served(row("{}", Some("other")), &companies), format!("{{{version}}}"));
    }

    #[test]
    fn a_query_that_cannot_be_used_says_which_parameter_and_why() {
        let refused = |query| Listing::parse(Kind::Vessel, query).unwrap_err().parameter;
        assert_eq!(refused(ListQuery { limit: Some(0), ..ListQuery::default() }), "limit");
        assert_eq!(refused(ListQuery { limit: Some(1001), ..ListQuery::default() }), "limit");
        assert_eq!(refused(ListQuery { ids: Some("a,".repeat(500)), ..ListQuery::default() }), "ids");
        assert_eq!(refused(ListQuery { cursor: Some("mine".into()), ..ListQuery::default() }), "cursor");
        assert_eq!(refused(ListQuery { include: Some("totals".into()), ..ListQuery::default() }), "include");
    }
}
