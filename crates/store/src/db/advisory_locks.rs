//! The advisory locks of the database. An enum, because no two of its members can have one key.

/// What one transaction or connection at a time may hold.
#[derive(Debug, Clone, Copy)]
#[repr(i64)]
pub(crate) enum AdvisoryLock {
    /// To bring the schema up or down.
    Migrations = 727_001,
    /// To be the scheduler that acts.
    Scheduler = 727_002,
    /// To publish webhook events that were left behind, so that they go out in the order in which they came.
    UnpublishedEvents = 727_003,
    /// To work on a page while approvals come.
    PageTurn = 727_004,
}

impl AdvisoryLock {
    pub(crate) const fn key(self) -> i64 {
        self as i64
    }
}
