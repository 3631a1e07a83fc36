//! Pages of lists: the parameters `limit`, `offset` and `cursor`, and the answer.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chassis::problem::{FieldError, Problem};
use contracts::operator::{DEFAULT_PAGE_SIZE, List, PAGE_SIZE_LIMIT, Pagination, Sort};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::{Order, Page, Total, Window};
use utoipa::IntoParams;

use crate::saturating::to_i64;

/// The page of a list that a request asks for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// Entries per page.
    #[serde(default = "default_page_size")]
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: i64,
    /// Entries to skip.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    offset: i64,
}

fn default_page_size() -> i64 {
    DEFAULT_PAGE_SIZE
}

impl Paging {
    /// The page as the store takes it; 422 for a value out of range.
    pub(crate) fn window<Key>(&self) -> Result<Window<Key>, Problem> {
        let mut errors = Vec::new();
        let limit = u32::try_from(self.limit).ok().filter(|_| (1..=PAGE_SIZE_LIMIT).contains(&self.limit));
        if limit.is_none() {
            let detail = format!("must be from 1 to {PAGE_SIZE_LIMIT}");
            errors.push(FieldError::new("#/limit", "out_of_range", detail));
        }
        let offset = u32::try_from(self.offset).ok();
        if offset.is_none() {
            let detail = format!("must be from 0 to {}", u32::MAX);
            errors.push(FieldError::new("#/offset", "out_of_range", detail));
        }
        match (limit, offset) {
            (Some(limit), Some(offset)) => Ok(Window { limit, offset, ..Window::default() }),
            _ => Err(Problem::invalid("The page of the list is out of range.", errors)),
        }
    }

    pub(crate) fn pagination(&self, total: Total) -> Pagination {
        let (total, total_is_exact) = match total {
            Total::Exactly(number) => (number, true),
            Total::MoreThan(number) => (number, false),
        };
        let total = to_i64(total);
        Pagination { limit: self.limit, offset: self.offset, total, total_is_exact, next_cursor: None }
    }

    /// The answer of a list route. `view` turns a row into an entry.
    pub(crate) fn list<Row, Entry>(
        &self,
        page: Page<Row>,
        view: impl FnMut(Row) -> Entry,
    ) -> web::Json<List<Entry>> {
        let pagination = self.pagination(page.total);
        web::Json(List { data: page.rows.into_iter().map(view).collect(), pagination })
    }
}

fn newest() -> Sort {
    Sort::Newest
}

/// The order that the store takes.
fn order(sort: Sort) -> Order {
    match sort {
        Sort::Newest => Order::NewestFirst,
        Sort::Oldest => Order::OldestFirst,
    }
}

/// The page of a list that grows while it is read. An offset shifts when entries come in; a cursor leads on from the last
/// entry of its page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CursorPaging {
    /// Entries per page.
    #[serde(default = "default_page_size")]
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: i64,
    /// Entries to skip; not with `cursor`.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    offset: i64,
    /// `nextCursor` of the page before, with the same filters and `sort`. `Link` has the whole URL.
    cursor: Option<String>,
    /// Which entries come first: the newest unless asked otherwise.
    #[serde(default = "newest")]
    #[param(required = false)]
    sort: Sort,
}

impl CursorPaging {
    /// The page as the store takes it; 422 for a value out of range, and for a cursor that no page of this list had.
    pub(crate) fn window<Key: DeserializeOwned>(&self, list: &str) -> Result<Window<Key>, Problem> {
        let window = Window { order: order(self.sort), ..self.paging().window()? };
        let Some(cursor) = &self.cursor else { return Ok(window) };
        let invalid = |pointer, code, detail: &str| {
            let errors = vec![FieldError::new(pointer, code, detail)];
            Problem::invalid("The page of the list cannot be found.", errors)
        };
        if self.offset != 0 {
            return Err(invalid("#/offset", "exclusive", "must be absent beside cursor"));
        }
        let json = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
        // A time of another era is none of ours, and none that the database knows.
        let json = json.filter(|json| !json.windows(2).any(|pair| pair == b"\"-" || pair == b"\"+"));
        let place: Option<(String, Key)> = json.and_then(|json| serde_json::from_slice(&json).ok());
        let key = place.filter(|(of, _)| *of == self.name(list)).map(|(_, key)| key);
        let detail = "must be the nextCursor of a page of this list, with the same `sort`";
        Ok(Window {
            after: Some(key.ok_or_else(|| invalid("#/cursor", "invalid_cursor", detail))?),
            ..window
        })
    }

    /// The answer of a list route, with `Link` to the next page (RFC 8288). `key` is the place of a row in the order of the
    /// list, `view` turns it into an entry.
    pub(crate) fn list<Row, Key: Serialize, Entry: Serialize>(
        &self,
        request: &HttpRequest,
        list: &str,
        page: Page<Row>,
        key: impl FnOnce(&Row) -> Key,
        view: impl FnMut(Row) -> Entry,
    ) -> HttpResponse {
        let next_cursor = page.rows.last().filter(|_| page.has_more).map(|row| self.encode(list, &key(row)));
        let data = page.rows.into_iter().map(view).collect();
        self.respond(request, data, page.total, next_cursor)
    }

    /// As [`Self::list`], of entries that were made of all rows together.
    pub(crate) fn respond<Entry: Serialize>(
        &self,
        request: &HttpRequest,
        data: Vec<Entry>,
        total: Total,
        next_cursor: Option<String>,
    ) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = &next_cursor {
            response.insert_header((header::LINK, format!("<{}>; rel=\"next\"", next_page(request, cursor))));
        }
        let pagination = Pagination { next_cursor, ..self.paging().pagination(total) };
        response.json(List { data, pagination })
    }

    /// A place in the order of a list, as clients carry it. The name keeps it from being taken for a place in another list.
    pub(crate) fn encode(&self, list: &str, key: &impl Serialize) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(self.name(list), key)).expect("a key is JSON"))
    }

    /// The name of a list in one of its orders.
    fn name(&self, list: &str) -> String {
        match self.sort {
            Sort::Newest => list.to_owned(),
            Sort::Oldest => format!("{list}, oldest first"),
        }
    }

    fn paging(&self) -> Paging {
        Paging { limit: self.limit, offset: self.offset }
    }
}

/// Path and query of the request for the next page.
fn next_page(request: &HttpRequest, cursor: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
        if name != "cursor" && name != "offset" {
            query.append_pair(&name, &value);
        }
    }
    format!("{}?{}", request.path(), query.append_pair("cursor", cursor).finish())
}
