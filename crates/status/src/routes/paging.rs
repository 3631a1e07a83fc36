//! Pages of lists: the parameters `limit` and `offset`, and the answer.

use actix_web::web;
use chassis::problem::{FieldError, Problem};
use contracts::operator::{DEFAULT_PAGE_SIZE, List, PAGE_SIZE_LIMIT, Pagination};
use serde::Deserialize;
use store::{Page, Window};
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
            (Some(limit), Some(offset)) => Ok(Window { limit, offset, after: None }),
            _ => Err(Problem::invalid("The page of the list is out of range.", errors)),
        }
    }

    pub(crate) fn pagination(&self, total: u64) -> Pagination {
        Pagination { limit: self.limit, offset: self.offset, total: to_i64(total) }
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
