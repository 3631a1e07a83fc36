//! Records that stand in the maintenance portal and that a full sync did not find listed any more.

use crate::{RecordType, Tally, vocabulary::vocabulary};

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
        /// Some of them were counted and stay, because the list that lacks them was not accounted for: see [`ListDoubt`].
        Unverified = "unverified",
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
    /// Records of the type that full syncs have withdrawn as missing within a day, without an operator's decision.
    pub withdrawn_lately: u64,
}

/// How a full sync has read a list, as far as it matters for what the list lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListReading {
    /// The tally of the list's record type.
    pub tally: Tally,
    /// Late records that were not read before and had no active row here when the sync began: such a record may stand in the
    /// books for an announced one that was not read.
    pub unexplained: u64,
    /// Records whose id could not be read: each of them may be a missing one.
    pub without_id: u64,
}

/// Why a list does not show which records are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListDoubt {
    NotWhole {
        expected: u64,
        read: u64,
    },
    NotAnnounced,
    WithoutId(u64),
    Unexplained(u64),
    /// A later full sync has newer knowledge of what is listed: this one was resumed after it.
    Overtaken,
}

impl ListReading {
    /// None if every record of the list is accounted for: only then a record that the list lacks is missing.
    #[must_use]
    pub fn doubt(&self) -> Option<ListDoubt> {
        if !self.tally.is_whole() {
            let (expected, read) = (self.tally.expected.unwrap_or_default(), self.tally.counts.read());
            return Some(ListDoubt::NotWhole { expected, read });
        }
        // Companies have no list, and come with that of the vessels.
        if self.tally.expected.is_none() && self.tally.record_type != RecordType::Company {
            return Some(ListDoubt::NotAnnounced);
        }
        match (self.without_id, self.unexplained) {
            (0, 0) => None,
            (0, unexplained) => Some(ListDoubt::Unexplained(unexplained)),
            (without_id, _) => Some(ListDoubt::WithoutId(without_id)),
        }
    }
}

/// Says which records stay though a full sync did not find them, and why; none if every list is accounted for.
#[must_use]
pub fn unverified(found: &[(MissingCount, ListDoubt)]) -> Option<String> {
    let reasons: Vec<String> = found
        .iter()
        .map(|(it, doubt)| {
            let what = match it.missing {
                1 => it.record_type.as_str(),
                _ => it.record_type.plural(),
            };
            let why = match doubt {
                ListDoubt::NotWhole { expected, read } => {
                    format!("{expected} records were announced and {read} read")
                }
                ListDoubt::NotAnnounced => "the number of records was not announced".to_owned(),
                ListDoubt::WithoutId(1) => "a record was listed without a readable id".to_owned(),
                ListDoubt::WithoutId(n) => format!("{n} records were listed without a readable id"),
                ListDoubt::Unexplained(1) => "a new record came while the list was read".to_owned(),
                ListDoubt::Unexplained(n) => format!("{n} new records came while the list was read"),
                ListDoubt::Overtaken => "a later full sync has read the list since".to_owned(),
            };
            format!("{} {what}, where {why}", it.missing)
        })
        .collect();
    (!reasons.is_empty()).then(|| {
        format!(
            "not found, and not deactivated because the list may lack them by mistake: {}",
            reasons.join("; ")
        )
    })
}

/// The question to an operator before these records are withdrawn; none if they may be withdrawn without a decision.
/// `limit_percent`: the share of the active records of a type that may be withdrawn within a day.
#[must_use]
pub fn question(found: &[MissingCount], limit_percent: u64) -> Option<String> {
    let reasons: Vec<String> = found
        .iter()
        .filter_map(|it| {
            let MissingCount { record_type, missing, active, critical, withdrawn_lately } = it;
            let (of_a_day, active_before) = (missing + withdrawn_lately, active + withdrawn_lately);
            if of_a_day * 100 > limit_percent * active_before {
                let what = record_type.plural();
                let text = format!("{missing} of {active} active {what}, more than {limit_percent} %");
                Some(match withdrawn_lately {
                    0 => text,
                    lately => format!("{text} with the {lately} of the last 24 hours"),
                })
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
    use crate::RecordCounts;

    fn missing(record_type: RecordType, missing: u64, active: u64, critical: u64) -> MissingCount {
        MissingCount { record_type, missing, active, critical, withdrawn_lately: 0 }
    }

    fn vessels(expected: u64, read: u64) -> ListReading {
        let counts = RecordCounts { unchanged: read, ..RecordCounts::default() };
        let tally = Tally { expected: Some(expected), counts, ..Tally::empty(RecordType::Vessel) };
        ListReading { tally, unexplained: 0, without_id: 0 }
    }

    #[test]
    fn list_is_accounted_for_if_it_is_whole_and_every_record_is_known() {
        assert_eq!(vessels(40, 40).doubt(), None);
        assert_eq!(vessels(40, 39).doubt(), Some(ListDoubt::NotWhole { expected: 40, read: 39 }));
        let reading = ListReading { unexplained: 1, ..vessels(40, 40) };
        assert_eq!(reading.doubt(), Some(ListDoubt::Unexplained(1)));
        let reading = ListReading { without_id: 2, ..reading };
        assert_eq!(reading.doubt(), Some(ListDoubt::WithoutId(2)));
    }

    #[test]
    fn records_that_stay_for_a_doubt_are_named_with_the_reason() {
        let one = missing(RecordType::User, 1, 40, 0);
        let text = unverified(&[(one, ListDoubt::NotWhole { expected: 40, read: 39 })]).unwrap();
        assert!(text.contains("1 user, where 40 records were announced and 39 read"), "{text}");
        let text = unverified(&[(one, ListDoubt::Unexplained(1))]).unwrap();
        assert!(text.contains("where a new record came while the list was read"), "{text}");
        let text = unverified(&[(one, ListDoubt::Overtaken)]).unwrap();
        assert!(text.contains("where a later full sync has read the list since"), "{text}");
        assert_eq!(unverified(&[]), None);
    }

    #[test]
    fn share_is_judged_over_a_day() {
        let hourly = MissingCount { withdrawn_lately: 4, ..missing(RecordType::Vessel, 4, 96, 0) };
        let text = question(&[hourly], 5).unwrap();
        assert!(
            text.contains("4 of 96 active vessels, more than 5 % with the 4 of the last 24 hours"),
            "{text}"
        );
        let within = MissingCount { missing: 3, withdrawn_lately: 1, ..hourly };
        assert_eq!(question(&[within], 5), None);
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
