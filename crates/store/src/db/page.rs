//! Windows of lists: some rows, and how many the whole list has.

use diesel::{QueryableByName, pg::Pg, sql_types::Int8};
use diesel_async::RunQueryDsl;

use crate::db::{
    connection::Db,
    error::{StoreError, count},
    statement::Statement,
};

/// Some rows of a list, and what else the list has.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Whether more rows follow.
    pub has_more: bool,
    /// Rows of the whole list, those before this page included.
    pub total: Total,
}

/// How many rows a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    Exactly(u64),
    /// The list has more, and was not counted to its end: see [`COUNT_LIMIT`].
    MoreThan(u64),
}

impl<T> Page<T> {
    /// Of a list that has no rows.
    #[must_use]
    pub const fn none() -> Self {
        Self { rows: Vec::new(), has_more: false, total: Total::Exactly(0) }
    }

    /// Of rows that were asked for with one more than `limit`.
    pub(crate) fn of(mut rows: Vec<T>, limit: u32, total: i64) -> Self {
        let limit = limit as usize;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, has_more, total: Total::Exactly(count(total)) }
    }

    /// As [`Page::of`], of rows that were counted up to one more than [`COUNT_LIMIT`].
    pub(crate) fn counted<Key>(rows: Vec<T>, window: &Window<Key>, counted: i64) -> Self {
        let page = Self::of(rows, window.limit, counted);
        if counted <= i64::from(COUNT_LIMIT) {
            return page;
        }
        // What was read is there, too. After a key nobody knows how many rows came before.
        let is_placed = window.after.is_none() && !page.rows.is_empty();
        let read = if is_placed { u64::from(window.offset) + page.rows.len() as u64 } else { 0 };
        let is_end = is_placed && !page.has_more;
        let total = if is_end { Total::Exactly(read) } else { Total::MoreThan(read.max(COUNT_LIMIT.into())) };
        Self { total, ..page }
    }
}

/// Rows that a total counts: a history of years has millions, and counting them takes longer than everything else about a page.
pub const COUNT_LIMIT: u32 = 10_000;

/// A statement that counts rows of `from`, a table with its condition: one more than [`COUNT_LIMIT`] at most.
pub(crate) fn count_of(from: impl std::fmt::Display) -> String {
    format!("SELECT count(*) FROM (SELECT FROM {from} LIMIT {COUNT_LIMIT} + 1) AS counted")
}

/// The order of a list by time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    NewestFirst,
    OldestFirst,
}

impl Order {
    /// The direction, as SQL.
    pub(crate) const fn direction(self) -> &'static str {
        match self {
            Self::NewestFirst => "DESC",
            Self::OldestFirst => "ASC",
        }
    }

    /// How a key compares with one before it, as SQL.
    pub(crate) const fn beyond(self) -> &'static str {
        match self {
            Self::NewestFirst => "<",
            Self::OldestFirst => ">",
        }
    }
}

/// Where a page begins. Offsets shift when rows come in; a key does not.
#[derive(Debug, Clone, Copy)]
pub struct Window<Key> {
    /// Most rows.
    pub limit: u32,
    /// Rows to leave out.
    pub offset: u32,
    /// Only rows after this one, by the order of the list.
    pub after: Option<Key>,
    /// Of lists by time.
    pub order: Order,
}

impl<Key> Default for Window<Key> {
    fn default() -> Self {
        Self { limit: 0, offset: 0, after: None, order: Order::default() }
    }
}

/// Loads a page of a list. `rows` ends with `LIMIT $n OFFSET $m`, whose parameters are the only ones that are not bound;
/// `total` is a statement of [`count_of`].
pub(crate) async fn page_load<Row, T, Key>(
    db: &mut Db,
    rows: Statement<'_>,
    total: Statement<'_>,
    window: &Window<Key>,
) -> Result<Page<T>, StoreError>
where
    Row: QueryableByName<Pg> + Send + 'static,
    T: TryFrom<Row, Error = StoreError>,
{
    // One row more than wanted tells whether others follow.
    let rows: Vec<Row> = rows
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .load(db)
        .await?;
    let read = rows.len();
    let up_to_here = i64::from(window.offset) + i64::try_from(read).unwrap_or(i64::MAX);
    let is_last = read <= window.limit as usize && (read > 0 || window.offset == 0);
    let rows = rows.into_iter().map(T::try_from).collect::<Result<_, _>>()?;
    if is_last && window.after.is_none() {
        // The end of the list was read, so a row that comes between the two statements cannot make the total another one.
        return Ok(Page::of(rows, window.limit, up_to_here));
    }
    let counted: i64 = total.returning::<Int8>().get_result(db).await?;
    Ok(Page::counted(rows, window, counted))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = COUNT_LIMIT as u64;

    fn total(rows: usize, offset: u32, after: Option<()>) -> Total {
        let window = Window { limit: 20, offset, after, order: Order::default() };
        Page::counted(vec![(); rows], &window, i64::from(COUNT_LIMIT) + 1).total
    }

    #[test]
    fn list_that_was_not_counted_to_its_end_has_more_than_was_counted_and_read() {
        assert_eq!(total(21, 0, None), Total::MoreThan(LIMIT));
        assert_eq!(total(21, 50_000, None), Total::MoreThan(50_020));
        assert_eq!(total(3, 50_000, None), Total::Exactly(50_003), "the end was read");
        assert_eq!(total(0, 50_000, None), Total::MoreThan(LIMIT), "there is no such page");
        assert_eq!(total(3, 0, Some(())), Total::MoreThan(LIMIT));
    }
}
