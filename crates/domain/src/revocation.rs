//! Revocations: what takes a record away from the maintenance portal, read apart from the rest of the record.
//!
//! A record that withdraws an approval or deactivates a user may have other faults, and then it is rejected. What it takes
//! away takes effect all the same: failing to withdraw is the fault that must not happen.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::{Finding, Rules, SourceId};

/// From this year on, a date of withdrawal means that there is none: ERP systems write 9999-12-31 for "never".
pub(crate) const NEVER_FROM_YEAR: i32 = 2900;

/// The code of the warning about a withdrawal to come.
pub const WITHDRAWAL_IN_FUTURE: &str = "withdrawal_in_future";

/// What a record says about its withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Withdrawal {
    /// The record is approved.
    #[default]
    None,
    /// The approval was withdrawn.
    Due(DateTime<Utc>),
    /// The approval will be withdrawn.
    Pending(DateTime<Utc>),
}

impl Withdrawal {
    /// Reads the field `withdrawnAt`.
    #[must_use]
    pub fn of(withdrawn_at: Option<DateTime<Utc>>, rules: &Rules) -> Self {
        match withdrawn_at {
            None => Self::None,
            Some(at) if at.year() >= NEVER_FROM_YEAR || is_empty_date(at) => Self::None,
            Some(at) if at > rules.now + rules.future_tolerance => Self::Pending(at),
            Some(at) => Self::Due(at),
        }
    }

    /// Whether the record is a tombstone.
    #[must_use]
    pub const fn is_due(self) -> bool {
        matches!(self, Self::Due(_))
    }

    /// When the record is to be withdrawn, if that lies in the future.
    #[must_use]
    pub const fn due_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Pending(at) => Some(at),
            Self::None | Self::Due(_) => None,
        }
    }

    /// The warning about a withdrawal that lies in the future.
    pub(crate) fn finding(self) -> Option<Finding> {
        self.due_at().map(|at| {
            let message = "the approval is withdrawn at this time, and stands until then";
            Finding::warning(WITHDRAWAL_IN_FUTURE, "/withdrawnAt", message).with_value(at.to_rfc3339())
        })
    }

    /// The same of a record that is rejected.
    pub(crate) fn finding_of_rejected(self) -> Option<Finding> {
        self.due_at().map(|at| {
            let message =
                "the approval is withdrawn by the first sync after this time, and stands until then";
            Finding::warning(WITHDRAWAL_IN_FUTURE, "/withdrawnAt", message).with_value(at.to_rfc3339())
        })
    }
}

/// Whether a time is what computers write where there is none: year 1 (.NET), 1900 (spreadsheets), 1970 (Unix). No record of
/// ours was withdrawn then.
pub(crate) fn is_empty_date(at: DateTime<Utc>) -> bool {
    at.year() <= 1900 || at == DateTime::UNIX_EPOCH
}

/// Whether the last day of a user's access is over. Days are those of UTC, as in the view `user_access`.
#[must_use]
pub fn has_signed_off(sign_off: Option<NaiveDate>, now: DateTime<Utc>) -> bool {
    sign_off.is_some_and(|day| day < now.date_naive())
}

/// What is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// The approval of the record.
    Approval,
    /// The access of the user, whose approval stands.
    Access,
}

/// A record that takes something away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    pub source_id: SourceId,
    /// When the record changed in the onboarding portal; none if that cannot be read, lies in the future or before our
    /// era: then the record counts as newer than any other.
    pub updated_at: Option<DateTime<Utc>>,
    pub revoked: Revoked,
}

impl Revoked {
    /// The code of [`Revoked::finding`].
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Approval => "withdrawn_despite_errors",
            Self::Access => "deactivated_despite_errors",
        }
    }

    /// The finding beside those that reject the record, where it takes effect.
    #[must_use]
    pub fn finding(self) -> Finding {
        match self {
            Self::Approval => {
                let message = "the withdrawal takes effect, though the record is rejected";
                Finding::warning(self.code(), "/withdrawnAt", message)
            }
            Self::Access => {
                let message = "the deactivation or the sign-off takes effect, though the record is rejected";
                Finding::warning(self.code(), "/active", message)
            }
        }
    }
}

/// The fields of a record that name it and take it away, as far as they could be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordHead {
    pub id: Option<String>,
    pub updated_at: Option<DateTime<Utc>>,
    pub withdrawn_at: Option<DateTime<Utc>>,
    pub active: Option<bool>,
    /// The last day of a user's access.
    pub sign_off: Option<NaiveDate>,
}

impl RecordHead {
    /// What the record takes away, if anything.
    #[must_use]
    pub fn revocation(&self, rules: &Rules) -> Option<Revocation> {
        let revoked = if Withdrawal::of(self.withdrawn_at, rules).is_due() {
            Revoked::Approval
        } else if self.active == Some(false) || has_signed_off(self.sign_off, rules.now) {
            Revoked::Access
        } else {
            return None;
        };
        Some(Revocation {
            source_id: self.id.as_deref()?.parse().ok()?,
            updated_at: self.updated_at(rules),
            revoked,
        })
    }

    /// When the record changed, if that can be: not in the future, nor before our era.
    pub(crate) fn updated_at(&self, rules: &Rules) -> Option<DateTime<Utc>> {
        self.updated_at.filter(|at| at.year() >= 1 && *at <= rules.now + rules.future_tolerance)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn rules() -> Rules {
        Rules::at("2026-06-01T12:00:00Z".parse().unwrap())
    }

    fn head() -> RecordHead {
        RecordHead { id: Some("u-1".to_owned()), updated_at: Some(rules().now), ..RecordHead::default() }
    }

    #[test]
    fn withdrawal_in_the_future_is_pending_and_one_at_the_end_of_time_is_none() {
        let in_days = |days| Withdrawal::of(Some(rules().now + TimeDelta::days(days)), &rules());
        assert!(in_days(-1).is_due() && in_days(0).is_due());
        assert_eq!(in_days(200).due_at(), Some(rules().now + TimeDelta::days(200)));
        assert_eq!(Withdrawal::of("9999-12-31T00:00:00Z".parse().ok(), &rules()), Withdrawal::None);
        assert_eq!(Withdrawal::of(None, &rules()), Withdrawal::None);
        for empty in ["0001-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
            assert_eq!(Withdrawal::of(empty.parse().ok(), &rules()), Withdrawal::None, "{empty}");
        }
    }

    #[test]
    fn head_revokes_by_a_withdrawal_or_by_a_deactivation() {
        assert_eq!(head().revocation(&rules()), None);
        let inactive = RecordHead { active: Some(false), ..head() };
        assert_eq!(inactive.revocation(&rules()).unwrap().revoked, Revoked::Access);
        let withdrawn = RecordHead { withdrawn_at: Some(rules().now), ..inactive };
        assert_eq!(withdrawn.revocation(&rules()).unwrap().revoked, Revoked::Approval);
        assert_eq!(RecordHead { id: None, ..withdrawn }.revocation(&rules()), None);
    }

    #[test]
    fn head_revokes_by_a_sign_off_that_is_over() {
        let today = rules().now.date_naive();
        let revoked = |day| RecordHead { sign_off: day, active: Some(true), ..head() }.revocation(&rules());
        assert_eq!(revoked(today.pred_opt()).unwrap().revoked, Revoked::Access);
        assert_eq!(revoked(Some(today)), None, "the last day is one of access");
    }

    #[test]
    fn head_of_a_time_in_the_future_has_no_time() {
        let updated_at = Some(rules().now + TimeDelta::days(1));
        let head = RecordHead { updated_at, active: Some(false), ..head() };
        assert_eq!(head.revocation(&rules()).unwrap().updated_at, None);
    }
}
