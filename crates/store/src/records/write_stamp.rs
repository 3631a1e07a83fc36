//! The stamp of a write: the sync that writes, and when its records were fetched.

use chrono::{DateTime, Utc};
use domain::SyncId;

/// What every row that is written together has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteStamp {
    pub sync_id: SyncId,
    /// When the request began whose answer brought the records, or the sync of a page, by this system's clock. Of two
    /// states of a record with one `updatedAt`, the one that was fetched later stays.
    pub fetched_at: DateTime<Utc>,
    /// The present time.
    pub now: DateTime<Utc>,
}
