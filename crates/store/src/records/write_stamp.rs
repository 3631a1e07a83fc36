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
    /// Whether rows that stand as they were fetched are to note it. So it is for an event, which a page that was fetched before
    /// must not overrule; a full sync would write every row for it.
    pub notes_fetches: bool,
    /// The present time.
    pub now: DateTime<Utc>,
}
