//! Advisory locks of the database, in one enum, because no two members of an enum can have one key.

/// A lock that one transaction or connection at a time may hold.
#[derive(Debug, Clone, Copy)]
#[repr(i64)]
pub(crate) enum AdvisoryLock {
    /// Bringing the schema up or down.
    Migrations = 727_001,
    /// Being the scheduler that acts.
    Scheduler = 727_002,
    /// Publishing webhook events that were left behind, by one relay, so that they go out in the order in which they came.
    UnpublishedEvents = 727_003,
    /// Working on a page of records while approvals come: see [`crate::PageTurn`].
    PageTurn = 727_004,
    /// Planning an undo: each plan holds a connection and the rows of its sync.
    UndoPlan = 727_005,
}

impl AdvisoryLock {
    pub(crate) const fn key(self) -> i64 {
        self as i64
    }
}
