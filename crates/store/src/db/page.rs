//! A slice of a list.

/// Some rows of a list, newest first, and what else there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether more follow.
    pub has_more: bool,
    /// Rows of the whole list.
    pub total: u64,
}

impl<T> Page<T> {
    /// Of rows that were asked for with one more than `limit`.
    pub(crate) fn of(mut rows: Vec<T>, limit: u32, total: i64) -> Self {
        let limit = limit as usize;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, has_more, total: crate::db::error::count(total) }
    }
}

/// Where a page begins. Offsets shift when rows come in; a key does not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window<Key> {
    /// Most rows.
    pub limit: u32,
    /// Rows to leave out.
    pub offset: u32,
    /// Only rows after this one.
    pub after: Option<Key>,
}
