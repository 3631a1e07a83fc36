//! Schedules: rows of `schedules`, each of which starts syncs at the times of a cron expression.

use std::{collections::BTreeSet, fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{Mode, RecordType, Scope, cron::CronSchedule, vocabulary::vocabulary};

vocabulary!(
    /// What a schedule does while an earlier sync has not ended. No policy starts a second full sync.
    OverlapPolicy {
        /// The tick is skipped while a sync that the schedule has started is active; one of a full or incremental sync also
        /// while any other full or incremental sync is.
        Skip = "skip",
        /// The tick starts its sync all the same.
        Allow = "allow",
    }
);

/// Longest name of a schedule.
const NAME_LENGTH_LIMIT: usize = 63;

/// Name of a schedule: lower-case letters, digits and hyphens, so that it can stand in a path and a metric's label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScheduleName(String);

/// The text is no name of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to {NAME_LENGTH_LIMIT} lower-case letters, digits and hyphens, and begin with a letter or a digit"
)]
pub struct InvalidScheduleName;

impl ScheduleName {
    /// The schedule that the settings show, too. It is always there.
    #[must_use]
    pub fn full_sync() -> Self {
        Self("full-sync".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ScheduleName {
    type Err = InvalidScheduleName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_valid = (1..=NAME_LENGTH_LIMIT).contains(&text.len())
            && !text.starts_with('-')
            && text.chars().all(is_plain);
        if is_valid { Ok(Self(text.to_owned())) } else { Err(InvalidScheduleName) }
    }
}

impl TryFrom<String> for ScheduleName {
    type Error = InvalidScheduleName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ScheduleName> for String {
    fn from(name: ScheduleName) -> Self {
        name.0
    }
}

impl fmt::Display for ScheduleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which records the syncs of a schedule look at, as far as their mode allows; the column `schedules.selection`. Vessels are named
/// by IMO number and looked up at each tick: a number may pass to another record of the onboarding portal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ScheduleSelection {
    /// Only these record types; empty: all.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub record_types: BTreeSet<RecordType>,
    /// Only these vessels, with their equipment and users.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vessel_imos: Vec<String>,
    /// Only this company, its vessels, and what is on board of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Only these pieces of equipment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equipment_ids: Vec<String>,
}

impl ScheduleSelection {
    /// What of the selection counts in a mode: nothing for a full sync, the record types for an incremental one.
    #[must_use]
    pub fn for_mode(self, mode: Mode) -> Self {
        match mode {
            Mode::Full => Self::default(),
            Mode::Incremental => Self { record_types: self.record_types, ..Self::default() },
            Mode::Selective => self,
        }
    }

    /// The scope of a sync, once the vessels have been looked up.
    #[must_use]
    pub fn into_scope(self, vessel_ids: BTreeSet<String>) -> Scope {
        let equipment =
            (!self.equipment_ids.is_empty()).then_some((RecordType::Equipment, self.equipment_ids));
        Scope {
            record_types: self.record_types,
            vessel_ids: vessel_ids.into_iter().collect(),
            company_id: self.company_id,
            source_ids: equipment.into_iter().collect(),
            ..Scope::default()
        }
    }
}

/// A time in which a schedule starts no syncs. A pause that has ended stays, so that ticks of its time are told from those
/// that nobody fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulePause {
    pub reason: String,
    /// Subject of the operator's token.
    pub by: String,
    pub since: DateTime<Utc>,
    /// None: until the schedule is resumed.
    pub until: Option<DateTime<Utc>>,
}

impl SchedulePause {
    /// Whether the schedule is paused at this time.
    #[must_use]
    pub fn holds_at(&self, time: DateTime<Utc>) -> bool {
        self.since <= time && self.until.is_none_or(|until| time < until)
    }
}

/// The next time after `now` at which a schedule that is on starts a sync; none while it is paused without an end.
#[must_use]
pub fn next_time(
    cron: &CronSchedule,
    zone: Tz,
    pause: Option<&SchedulePause>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let after = match pause {
        // A tick at the very end of the pause starts a sync.
        Some(pause) if pause.holds_at(now) => pause.until? - TimeDelta::milliseconds(1),
        _ => now,
    };
    cron.next_times(after, zone, 1).first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_letters_digits_and_hyphens() {
        for name in ["full-sync", "a", "9-lives", &"x".repeat(63)] {
            assert_eq!(name.parse::<ScheduleName>().unwrap().as_str(), name);
        }
        for text in ["", "-a", "Full", "a b", "a/b", "é", "a\0", &"x".repeat(64)] {
            assert!(text.parse::<ScheduleName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_pause_holds_from_its_beginning_until_just_before_its_end() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let pause =
            |until| SchedulePause { reason: "docking".into(), by: "anna".into(), since: at(10), until };
        assert!(!pause(None).holds_at(at(9)) && pause(None).holds_at(at(10)) && pause(None).holds_at(at(99)));
        assert!(pause(Some(at(20))).holds_at(at(19)) && !pause(Some(at(20))).holds_at(at(20)));
    }

    #[test]
    fn the_next_time_of_a_paused_schedule_is_after_the_pause() {
        let cron: CronSchedule = "0 2 * * *".parse().unwrap();
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        let now = at("2026-06-01T12:00:00Z");
        let pause = |until| SchedulePause { reason: "docking".into(), by: "anna".into(), since: now, until };
        let next = |pause: Option<SchedulePause>| next_time(&cron, Tz::UTC, pause.as_ref(), now);
        assert_eq!(next(None), Some(at("2026-06-02T02:00:00Z")));
        assert_eq!(next(Some(pause(None))), None);
        let until = at("2026-06-05T02:00:00Z");
        assert_eq!(next(Some(pause(Some(until)))), Some(until), "its end is no part of the pause");
    }
}
