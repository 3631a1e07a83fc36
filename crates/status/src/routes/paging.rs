//! Which part of a list is asked for.

use chassis::problem::{FieldError, Problem};
use contracts::operator::{DEFAULT_PAGE_SIZE, PAGE_SIZE_LIMIT, Pagination};
use serde::Deserialize;
use store::Window;
use utoipa::IntoParams;

use crate::views;

/// Part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// TallyChanges per page.
    #[serde(default = "default_page")]
    #[param(minimum = 1, maximum = 200, default = 20)]
    pub(crate) limit: i64,
    /// TallyChanges to pass over.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    pub(crate) offset: i64,
}

fn default_page() -> i64 {
    DEFAULT_PAGE_SIZE
}

impl Paging {
    /// The window onto a list; refuses what no list has.
    pub(crate) fn window<Key>(&self) -> Result<Window<Key>, Problem> {
        let mut errors = Vec::new();
        let limit = u32::try_from(self.limit).ok().filter(|_| (1..=PAGE_SIZE_LIMIT).contains(&self.limit));
        if limit.is_none() {
            let detail = format!("is from 1 to {PAGE_SIZE_LIMIT}");
            errors.push(FieldError::new("#/limit", "out_of_range", detail));
        }
        let offset = u32::try_from(self.offset).ok();
        if offset.is_none() {
            errors.push(FieldError::new("#/offset", "out_of_range", format!("is from 0 to {}", u32::MAX)));
        }
        match (limit, offset) {
            (Some(limit), Some(offset)) => Ok(Window { limit, offset, after: None }),
            _ => Err(Problem::invalid("There is no such page.", errors)),
        }
    }

    pub(crate) fn with_total(&self, total: u64) -> Pagination {
        Pagination { limit: self.limit, offset: self.offset, total: views::number(total) }
    }
}
