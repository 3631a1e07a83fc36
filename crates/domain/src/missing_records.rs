//! Records that stand in the maintenance portal and that a full sync did not find listed any more.

use crate::{RecordType, vocabulary::vocabulary};

vocabulary!(
    /// What a full sync does with missing records; the column `settings.missing_records`. A record is never deleted.
    MissingPolicy {
        /// Count them.
        Keep = "keep",
        /// Withdraw them, within the limit.
        Deactivate = "deactivate",
    }
);

vocabulary!(
    /// What a full sync did with missing records; the column `sync_logs.missing_records`.
    MissingState {
        /// They were counted.
        Kept = "kept",
        /// The sync is a dry run: they would be withdrawn.
        Planned = "planned",
        /// They were withdrawn.
        Deactivated = "deactivated",
        /// They exceed the limit or are critical: an operator has to decide.
        Asks = "asks",
        /// An operator decided to withdraw them.
        Confirmed = "confirmed",
        /// An operator decided to keep them.
        Declined = "declined",
    }
);

/// Missing records of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingCount {
    pub record_type: RecordType,
    pub missing: u64,
    /// Active records of the type, the missing ones included.
    pub active: u64,
    /// Of the missing ones, critical equipment.
    pub critical: u64,
}

/// The question to an operator before these records are withdrawn; none if they may be withdrawn without a decision.
/// `limit_percent`: the share of the active records of a type that may be withdrawn at once.
#[must_use]
pub fn question(found: &[MissingCount], limit_percent: u64) -> Option<String> {
    let reasons: Vec<String> = found
        .iter()
        .filter_map(|it| {
            let MissingCount { record_type, missing, active, critical } = it;
            if missing * 100 > limit_percent * active {
                let what = record_type.plural();
                Some(format!("{missing} of {active} active {what}, more than {limit_percent} %"))
            } else {
                match critical {
                    0 => None,
                    1 => Some("a piece of critical equipment".to_owned()),
                    critical => Some(format!("{critical} pieces of critical equipment")),
                }
            }
        })
        .collect();
    (!reasons.is_empty()).then(|| {
        format!("not listed any more: {}; nothing was deactivated, confirm or keep them", reasons.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(record_type: RecordType, missing: u64, active: u64, critical: u64) -> MissingCount {
        MissingCount { record_type, missing, active, critical }
    }

    #[test]
    fn records_within_the_limit_are_withdrawn_without_a_question() {
        assert_eq!(question(&[missing(RecordType::Vessel, 5, 100, 0)], 5), None);
    }

    #[test]
    fn records_beyond_the_limit_ask_and_say_how_many() {
        let text = question(&[missing(RecordType::Vessel, 6, 100, 0)], 5).unwrap();
        assert!(text.contains("6 of 100 active vessels, more than 5 %"), "{text}");
        assert!(question(&[missing(RecordType::User, 1, 1, 0)], 0).is_some());
    }

    #[test]
    fn critical_equipment_asks_however_few_pieces_are_missing() {
        let text = question(&[missing(RecordType::Equipment, 1, 1000, 1)], 5).unwrap();
        assert!(text.contains("a piece of critical equipment"), "{text}");
    }
}
