//! What the provider API serves: approved records and tombstones of withdrawn ones, paged by keyset over (`updatedAt`,
//! `id`).
//!
//! A page is put together from the stored texts of its records. No JSON is parsed, so a page of a thousand is cheap.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use contracts::provider::{DEFAULT_PAGE_SIZE, HashSlice, IDS_LIMIT, ListQuery, PAGE_SIZE_LIMIT, PageInfo};
use diesel::{
    AggregateExpressionMethods, BoolExpressionMethods, ExpressionMethods, PgArrayExpressionMethods, QueryDsl,
    dsl::{count, sql},
    pg::Pg,
    sql_types::{Bool, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{DOCUMENT_TEXT, Kind, json_time, records};
use crate::database::DatabaseError;

/// A validated request for a page of a list.
#[derive(Debug, Clone)]
pub(crate) struct ListRequest {
    kind: Kind,
    limit: u32,
    after: Option<(DateTime<Utc>, String)>,
    updated_since: Option<DateTime<Utc>>,
    ids: Option<Vec<String>>,
    vessel_id: Option<String>,
    company_id: Option<String>,
    slice: Option<HashSlice>,
    with_total: bool,
}

/// Buckets into which the hash of its id divides records: the most slices of a list. With as many, a page of a slice costs what
/// any page costs; with fewer, what is left of the slice is sorted.
pub(crate) const BUCKETS: u8 = HashSlice::COUNT_LIMIT;

/// A query parameter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidParameter {
    pub name: &'static str,
    /// Follows the name in a sentence: "must be from 1 to 1000".
    pub reason: String,
}

impl ListRequest {
    /// Validates a query. The error is the first parameter that cannot be used.
    pub(crate) fn parse(kind: Kind, query: ListQuery) -> Result<Self, InvalidParameter> {
        let invalid = |name, reason: String| InvalidParameter { name, reason };
        let limit = query.limit.unwrap_or(DEFAULT_PAGE_SIZE);
        if !(1..=PAGE_SIZE_LIMIT).contains(&limit) {
            return Err(invalid("limit", format!("must be from 1 to {PAGE_SIZE_LIMIT}")));
        }
        let ids: Option<Vec<String>> = query.ids.map(|ids| ids.split(',').map(str::to_owned).collect());
        if ids.as_ref().is_some_and(|ids| ids.len() > IDS_LIMIT) {
            return Err(invalid("ids", format!("may name at most {IDS_LIMIT} records")));
        }
        let after = match &query.cursor {
            None => None,
            Some(cursor) => {
                let foreign = || invalid("cursor", "is not a cursor of this portal".to_owned());
                Some(parse_cursor(cursor).ok_or_else(foreign)?)
            }
        };
        let slice = query.slice.map(|slice| slice.parse::<HashSlice>()).transpose();
        let slice = slice.map_err(|_no_slice| {
            invalid(
                "slice",
                format!("must be k/n, with n a power of two up to {BUCKETS} and k from 0 to n - 1"),
            )
        })?;
        let include = query.include.as_deref().unwrap_or_default();
        if let Some(unknown) = include.split(',').find(|word| !matches!(*word, "" | "total")) {
            return Err(invalid("include", format!("allows only `total`, not {unknown:?}")));
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
            slice,
        })
    }
}

fn encode_cursor(updated_at: DateTime<Utc>, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{id}", updated_at.timestamp_micros()))
}

fn parse_cursor(cursor: &str) -> Option<(DateTime<Utc>, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (micros, id) = text.split_once(':')?;
    Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.to_owned()))
}

/// A page of a list, as the JSON text of each record.
#[derive(Debug, Clone)]
pub(crate) struct RenderedPage {
    pub records: Vec<String>,
    pub info: PageInfo,
}

impl RenderedPage {
    /// The JSON text of the answer.
    pub(crate) fn json(&self) -> String {
        let length: usize = self.records.iter().map(|record| record.len() + 1).sum();
        let mut text = String::with_capacity(length + 300);
        text.push_str(r#"{"data":["#);
        push_all(&mut text, &self.records);
        text.push_str(r#"],"page":"#);
        text.push_str(&serde_json::to_string(&self.info).expect("page info has text keys"));
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

/// The JSON text of a record: its version, for a vessel its company, then the stored fields.
fn render(
    (_, updated_at, withdrawn_at, document, company_id): Row,
    companies: &BTreeMap<String, String>,
) -> String {
    let company = company_id.and_then(|id| companies.get(&id));
    let mut text = String::with_capacity(document.len() + 120 + company.map_or(0, String::len));
    push_version(&mut text, updated_at, withdrawn_at);
    if let Some(company) = company {
        text.push_str(r#","company":"#);
        text.push_str(company);
    }
    push_fields(&mut text, &document);
    text.push('}');
    text
}

/// Opens an object with the version's fields.
fn push_version(text: &mut String, updated_at: DateTime<Utc>, withdrawn_at: Option<DateTime<Utc>>) {
    text.push_str(r#"{"updatedAt":""#);
    text.push_str(&json_time(updated_at));
    text.push('"');
    if let Some(withdrawn_at) = withdrawn_at {
        text.push_str(r#","withdrawnAt":""#);
        text.push_str(&json_time(withdrawn_at));
        text.push('"');
    }
}

/// Appends the fields of a JSON object's text to an object that has fields already.
fn push_fields(text: &mut String, document: &str) {
    let fields = document.trim();
    let fields = fields.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or_default().trim();
    if !fields.is_empty() {
        text.push(',');
        text.push_str(fields);
    }
}

/// The records of the whole list, without its pages.
fn filtered(request: &ListRequest) -> records::BoxedQuery<'_, Pg> {
    // A literal, not a parameter: only so does the planner use the partial index on these rows.
    let served = sql::<Bool>("state <> 'draft'");
    let mut query = records::table.filter(records::kind.eq(request.kind.word())).filter(served).into_boxed();
    if let Some(since) = request.updated_since {
        query = query.filter(records::updated_at.ge(since));
    }
    if let Some(ids) = &request.ids {
        query = query.filter(records::id.eq_any(ids));
    }
    if let Some(vessel) = &request.vessel_id {
        query = query.filter(records::vessel_ids.contains(vec![vessel]));
    }
    if let Some(company) = &request.company_id {
        query = query.filter(records::company_id.eq(company));
    }
    if let Some(slice) = request.slice {
        let buckets = (slice.index()..BUCKETS).step_by(slice.count().into()).map(i16::from);
        query = match slice.count() {
            // One bucket is in the order of pages.
            BUCKETS => query.filter(records::bucket.eq(i16::from(slice.index()))),
            _ => query.filter(records::bucket.eq_any(buckets.collect::<Vec<_>>())),
        };
    }
    query
}

/// Loads and renders at most `limit` records in the order of pages; also the cursor of the next page, if there is one.
async fn load_rendered(
    db: &mut AsyncPgConnection,
    kind: Kind,
    query: records::BoxedQuery<'_, Pg>,
    limit: i64,
) -> Result<(Vec<String>, Option<String>), DatabaseError> {
    // One record more than the limit shows whether there is a next page.
    let mut rows: Vec<Row> = query
        .select((
            records::id,
            records::updated_at,
            records::withdrawn_at,
            sql::<Text>(DOCUMENT_TEXT),
            records::company_id,
        ))
        .order((records::updated_at, records::id))
        .limit(limit.saturating_add(1))
        .load(db)
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(id, updated_at, ..)| encode_cursor(*updated_at, id));
    let companies = if kind == Kind::Vessel { companies_of(db, &rows).await? } else { BTreeMap::new() };
    Ok((rows.into_iter().map(|row| render(row, &companies)).collect(), next))
}

/// The rendered companies of vessels, by id.
async fn companies_of(
    db: &mut AsyncPgConnection,
    vessels: &[Row],
) -> Result<BTreeMap<String, String>, DatabaseError> {
    let ids: BTreeSet<&String> = vessels.iter().filter_map(|row| row.4.as_ref()).collect();
    let rows: Vec<(String, DateTime<Utc>, String)> = records::table
        .filter(records::kind.eq(Kind::Company.word()).and(records::id.eq_any(ids)))
        .select((records::id, records::updated_at, sql::<Text>(DOCUMENT_TEXT)))
        .load(db)
        .await?;
    let render_company = |(id, updated_at, document): (String, DateTime<Utc>, String)| {
        let mut text = String::with_capacity(document.len() + 60);
        push_version(&mut text, updated_at, None);
        push_fields(&mut text, &document);
        text.push('}');
        (id, text)
    };
    Ok(rows.into_iter().map(render_company).collect())
}

/// Loads a page of approved records and tombstones.
pub(crate) async fn load_page(
    db: &mut AsyncPgConnection,
    request: &ListRequest,
    now: DateTime<Utc>,
) -> Result<RenderedPage, DatabaseError> {
    let mut query = filtered(request);
    if let Some((updated_at, id)) = &request.after {
        let after = sql::<Bool>("(updated_at, id) > (").bind::<Timestamptz, _>(*updated_at);
        query = query.filter(after.sql(", ").bind::<Text, _>(id).sql(")"));
    }
    let (records, next_cursor) = load_rendered(db, request.kind, query, i64::from(request.limit)).await?;

    let (mut total, mut total_companies) = (None, None);
    if request.with_total {
        let all: i64 = filtered(request).count().get_result(db).await?;
        total = u64::try_from(all).ok();
        if request.kind == Kind::Vessel {
            let different = count(records::company_id).aggregate_distinct();
            let companies: i64 = filtered(request).select(different).get_result(db).await?;
            total_companies = u64::try_from(companies).ok();
        }
    }
    let slice = request.slice.map(String::from);
    let info =
        PageInfo { limit: request.limit, next_cursor, total, total_companies, as_of: Some(now), slice };
    Ok(RenderedPage { records, info })
}

/// A vessel with its equipment and users, as the JSON text of each record.
#[derive(Debug, Clone)]
pub(crate) struct RenderedExport {
    pub vessel: String,
    pub equipment: Vec<String>,
    pub users: Vec<String>,
}

impl RenderedExport {
    /// The JSON text of the answer.
    pub(crate) fn json(&self, now: DateTime<Utc>) -> String {
        let mut text = format!(r#"{{"vessel":{},"equipment":["#, self.vessel);
        push_all(&mut text, &self.equipment);
        text.push_str(r#"],"users":["#);
        push_all(&mut text, &self.users);
        text.push_str(r#"],"asOf":""#);
        text.push_str(&json_time(now));
        text.push_str(r#""}"#);
        text
    }
}

/// Loads a vessel with its equipment and users from one snapshot; `None` if the API serves no such vessel.
pub(crate) async fn load_export(
    db: &mut AsyncPgConnection,
    vessel: &str,
) -> Result<Option<RenderedExport>, DatabaseError> {
    db.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |db: &mut AsyncPgConnection| {
            let whole_list = |kind| ListRequest {
                kind,
                limit: 0,
                after: None,
                updated_since: None,
                ids: None,
                vessel_id: None,
                company_id: None,
                slice: None,
                with_total: false,
            };
            let by_id = ListRequest { ids: Some(vec![vessel.to_owned()]), ..whole_list(Kind::Vessel) };
            let (found, _) = load_rendered(db, Kind::Vessel, filtered(&by_id), 1).await?;
            let Some(found) = found.into_iter().next() else { return Ok(None) };
            let mut lists = [Vec::new(), Vec::new()];
            for (kind, list) in [Kind::Equipment, Kind::User].into_iter().zip(&mut lists) {
                let of_vessel = ListRequest { vessel_id: Some(vessel.to_owned()), ..whole_list(kind) };
                (*list, _) = load_rendered(db, kind, filtered(&of_vessel), i64::MAX - 1).await?;
            }
            let [equipment, users] = lists;
            Ok(Some(RenderedExport { vessel: found, equipment, users }))
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_parses_back_to_its_version_and_id_and_garbage_does_not() {
        let now = DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap();
        assert_eq!(parse_cursor(&encode_cursor(now, "a:b")), Some((now, "a:b".to_owned())));
        for garbage in ["", "%%", "bm90IGEgY3Vyc29y", "OTk5OTk5OTk5OTk5OTk5OTk5OTk6eA"] {
            assert_eq!(parse_cursor(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn rendered_record_has_its_version_and_company_before_its_fields() {
        let time = DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap();
        let companies = BTreeMap::from([("c".to_owned(), r#"{"id":"c"}"#.to_owned())]);
        let row = |document: &str, company: Option<&str>| {
            ("id".to_owned(), time, Some(time), document.to_owned(), company.map(str::to_owned))
        };
        let version =
            r#""updatedAt":"2026-11-18T11:06:40.123456Z","withdrawnAt":"2026-11-18T11:06:40.123456Z""#;
        assert_eq!(render(row(r#" {"id": "v"} "#, None), &companies), format!(r#"{{{version},"id": "v"}}"#));
        assert_eq!(
            render(row(r#"{"id":"v"}"#, Some("c")), &companies),
            format!(r#"{{{version},"company":{{"id":"c"}},"id":"v"}}"#)
        );
        assert_eq!(render(row("{}", Some("other")), &companies), format!("{{{version}}}"));
    }

    #[test]
    fn invalid_query_names_the_first_invalid_parameter() {
        let invalid_parameter = |query| ListRequest::parse(Kind::Vessel, query).unwrap_err().name;
        assert_eq!(invalid_parameter(ListQuery { limit: Some(0), ..ListQuery::default() }), "limit");
        assert_eq!(invalid_parameter(ListQuery { limit: Some(1001), ..ListQuery::default() }), "limit");
        assert_eq!(
            invalid_parameter(ListQuery { ids: Some("a,".repeat(500)), ..ListQuery::default() }),
            "ids"
        );
        assert_eq!(
            invalid_parameter(ListQuery { cursor: Some("mine".into()), ..ListQuery::default() }),
            "cursor"
        );
        assert_eq!(
            invalid_parameter(ListQuery { slice: Some("2/3".into()), ..ListQuery::default() }),
            "slice"
        );
        assert_eq!(
            invalid_parameter(ListQuery { include: Some("totals".into()), ..ListQuery::default() }),
            "include"
        );
    }
}
