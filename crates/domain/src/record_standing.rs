//! Where a record stands, seen from the onboarding portal's newest state of it.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Where a record stands.
    RecordStanding {
        /// Its row is active, and no newer state stands rejected. Of a conflict it may hold the other side.
        Active = "active",
        /// Its row is withdrawn.
        Withdrawn = "withdrawn",
        /// Its newest state was rejected. An earlier one may stand in its row, active or withdrawn.
        Rejected = "rejected",
        /// It was announced, listed or looked at, and no state of it was ever written or stands rejected.
        NeverCame = "never_came",
    }
);
