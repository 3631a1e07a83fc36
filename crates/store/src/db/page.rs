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
    pub total: u64,
}

impl<T> Page<T> {
    /// Of rows that were asked for with one more than `limit`.
    pub(crate) fn of(mut rows: Vec<T>, limit: u32, total: i64) -> Self {
        let limit = limit as usize;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, has_more, total: count(total) }
    }
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
/// `total` counts the whole list.
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
    let is_last = read <= window.limit as usize && (read > 0 || window.offset == 0);
    let total: i64 = if is_last && window.after.is_none() {
        // The end of the list was read, so a row that comes between the two statements cannot make the total another one.
        i64::from(window.offset) + i64::try_from(read).unwrap_or(i64::MAX)
    } else {
        total.returning::<Int8>().get_result(db).await?
    };
    let rows = rows.into_iter().map(T::try_from).collect::<Result<_, _>>()?;
    Ok(Page::of(rows, window.limit, total))
}
