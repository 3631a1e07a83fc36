//! Conflicts: both portals have changed a record, or both claim a code.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// What is done when both portals have changed a record.
    ConflictPolicy {
        /// The newer write stays.
        LastWriteWins = "last_write_wins",
        /// What is new in the onboarding portal stays, however new the other's edit is.
        SourceWins = "source_wins",
        /// Nothing is written before an operator has decided.
        Manual = "manual",
    }
);

vocabulary!(
    /// What the two sides disagree about.
    ConflictKind {
        /// The edit of the maintenance portal is the newer one.
        LocalNewer = "local_newer",
        /// The onboarding portal's change is the newer one.
        SourceNewer = "source_newer",
        /// Critical equipment came as not critical.
        CriticalityDowngrade = "criticality_downgrade",
        /// A QR code that another equipment has.
        NaturalKey = "natural_key",
    }
);

vocabulary!(
    /// One of the two sides.
    Side {
        /// The maintenance portal's.
        Local = "local",
        /// The onboarding portal's.
        Source = "source",
    }
);

vocabulary!(
    /// Where a conflict stands.
    ConflictState {
        /// Nobody has looked at it.
        Open = "open",
        /// An operator has decided.
        Resolved = "resolved",
    }
);

vocabulary!(
    /// How a conflict was resolved.
    Resolution {
        /// By the onboarding portal's values.
        Source = "source",
        /// By the maintenance portal's values.
        Local = "local",
        /// Field by field.
        Fields = "fields",
        /// By leaving the record as it stands.
        Keep = "keep",
    }
);

vocabulary!(
    /// Why a conflict was not resolved as asked; the `code` of the problem.
    ResolutionError {
        NotFound = "conflict_not_found",
        /// Another operator has resolved it.
        AlreadyResolved = "conflict_resolved",
        /// The record was written after both sides of the conflict.
        RecordChanged = "record_changed",
        /// A named field is none in which the sides differ.
        UnknownField = "unknown_field",
        /// The database refuses the value, for example because another record has it by now.
        ValueRefused = "value_refused",
    }
);
