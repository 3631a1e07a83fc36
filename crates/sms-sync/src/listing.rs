//! Lists of the operator API, in as many requests as the number of entries takes.

use contracts::operator::{Finding, List, PAGE_SIZE_LIMIT, Pagination, Timeline, TimelineEntry, Undo};
use contracts::operator::{UndoneRecord, ValidationReport};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    api::{Api, ApiError},
    arguments::{EntryLimit, OutputFormat, PageOptions, query_of},
    output::{self, json_line},
};

/// An answer of the API with a page of entries.
pub(crate) trait Paged: Serialize + DeserializeOwned {
    type Entry: Serialize;
    fn entries(&mut self) -> &mut Vec<Self::Entry>;
    fn pagination(&mut self) -> &mut Pagination;
}

macro_rules! paged {
    ($([$($generic:ident)?] $answer:ty, $entries:ident: $entry:ty;)+) => {$(
        impl $(<$generic: Serialize + DeserializeOwned>)? Paged for $answer {
            type Entry = $entry;
            fn entries(&mut self) -> &mut Vec<$entry> {
                &mut self.$entries
            }
            fn pagination(&mut self) -> &mut Pagination {
                &mut self.pagination
            }
        }
    )+};
}

paged! {
    [T] List<T>, data: T;
    [] Timeline, entries: TimelineEntry;
    [] Undo, records: UndoneRecord;
    [] ValidationReport, findings: Finding;
}

/// A list at a path, with filters.
pub(crate) struct Listing {
    path: String,
    filters: String,
}

impl Listing {
    pub(crate) fn at(path: impl Into<String>) -> Self {
        Self { path: path.into(), filters: String::new() }
    }

    /// The list with the filters that are given.
    pub(crate) fn with(
        path: impl Into<String>,
        filters: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) -> Self {
        Self { path: path.into(), filters: query_of(filters) }
    }

    /// Prints the entries that the options ask for: NDJSON as they come, JSON and text when all are there.
    pub(crate) async fn show<P: Paged>(
        &self,
        api: &Api,
        format: OutputFormat,
        page: &PageOptions,
        print_text: impl FnOnce(&P),
    ) -> Result<(), ApiError> {
        if format == OutputFormat::Ndjson {
            self.read::<P>(api, page, |mut answer| answer.entries().iter().for_each(json_line)).await
        } else {
            let answer = self.load(api, page).await?;
            output::print(format, &answer, print_text);
            Ok(())
        }
    }

    /// The entries that the options ask for, as one answer.
    pub(crate) async fn load<P: Paged>(&self, api: &Api, page: &PageOptions) -> Result<P, ApiError> {
        let mut whole: Option<P> = None;
        let append = |mut answer: P| match &mut whole {
            Some(whole) => {
                whole.entries().append(answer.entries());
                // The cursor of the last page leads on.
                *whole.pagination() = Pagination { offset: page.offset, ..answer.pagination().clone() };
            }
            None => whole = Some(answer),
        };
        self.read(api, page, append).await?;
        let mut whole = whole.expect("there is a first page");
        let count = whole.entries().len();
        let limit = &mut whole.pagination().limit;
        *limit = (*limit).max(i64::try_from(count).unwrap_or(i64::MAX));
        Ok(whole)
    }

    /// Requests page after page, by cursor where the API gives one: entries that come in meanwhile shift an offset.
    async fn read<P: Paged>(
        &self,
        api: &Api,
        page: &PageOptions,
        mut each: impl FnMut(P),
    ) -> Result<(), ApiError> {
        let (mut offset, mut left) = (page.offset, page.limit);
        let mut cursor: Option<String> = None;
        loop {
            let size = match left {
                EntryLimit::AtMost(number) => number.min(PAGE_SIZE_LIMIT),
                EntryLimit::All => PAGE_SIZE_LIMIT,
            };
            let place = match cursor.take() {
                Some(cursor) => query_of([("cursor", Some(cursor))]),
                None => format!("offset={offset}"),
            };
            let query = format!("limit={size}&{place}&{}", self.filters);
            let mut answer: P = api.get(&format!("{}?{}", self.path, query.trim_end_matches('&'))).await?;
            let count = i64::try_from(answer.entries().len()).unwrap_or(i64::MAX);
            let pagination = answer.pagination();
            cursor.clone_from(&pagination.next_cursor);
            offset += count;
            let is_last =
                count < size || (cursor.is_none() && pagination.total_is_exact && offset >= pagination.total);
            each(answer);
            if let EntryLimit::AtMost(number) = &mut left {
                *number -= count;
            }
            if is_last || matches!(left, EntryLimit::AtMost(..=0)) {
                return Ok(());
            }
        }
    }
}
