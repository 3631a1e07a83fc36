//! From rank, department and workplace to a role in the maintenance portal: a table with a version.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    portal_role::PortalRole,
    rank::{Rank, rank_name},
    user::Workplace,
};

/// Most rules of a mapping.
pub const RULES_LIMIT: usize = 500;

/// The mapping that a new installation begins with: rank, workplace it counts at, department it counts in (`None`: any),
/// role. The first row that fits counts.
const TABLE: &[(Rank, Workplace, Option<&str>, PortalRole)] = &[
    (Rank::Master, Workplace::Ship, None, PortalRole::Master),
    (Rank::ChiefOfficer, Workplace::Ship, None, PortalRole::Officer),
    (Rank::SecondOfficer, Workplace::Ship, None, PortalRole::Officer),
    (Rank::ThirdOfficer, Workplace::Ship, None, PortalRole::Officer),
    (Rank::ChiefEngineer, Workplace::Ship, None, PortalRole::ChiefEngineer),
    (Rank::SecondEngineer, Workplace::Ship, None, PortalRole::Officer),
    (Rank::ThirdEngineer, Workplace::Ship, None, PortalRole::Officer),
    (Rank::FourthEngineer, Workplace::Ship, None, PortalRole::Officer),
    (Rank::Eto, Workplace::Ship, None, PortalRole::Officer),
    (Rank::ShipSecurityOfficer, Workplace::Ship, None, PortalRole::Officer),
    (Rank::SafetyOfficer, Workplace::Ship, None, PortalRole::Officer),
    (Rank::Bosun, Workplace::Ship, None, PortalRole::Crew),
    (Rank::Ab, Workplace::Ship, None, PortalRole::Crew),
    (Rank::Fitter, Workplace::Ship, None, PortalRole::Crew),
    (Rank::Oiler, Workplace::Ship, None, PortalRole::Crew),
    // A cadet in the engine department reports work under supervision; on deck and elsewhere cadets read.
    (Rank::Cadet, Workplace::Ship, Some("engine"), PortalRole::Crew),
    (Rank::Cadet, Workplace::Ship, None, PortalRole::CrewReadonly),
    (Rank::Os, Workplace::Ship, None, PortalRole::CrewReadonly),
    (Rank::Wiper, Workplace::Ship, None, PortalRole::CrewReadonly),
    (Rank::Cook, Workplace::Ship, None, PortalRole::CrewReadonly),
    (Rank::DesignatedPersonAshore, Workplace::Shore, None, PortalRole::Hsqe),
    (Rank::CompanySecurityOfficer, Workplace::Shore, None, PortalRole::Hsqe),
    (Rank::Hsqe, Workplace::Shore, None, PortalRole::Hsqe),
    (Rank::FleetManager, Workplace::Shore, None, PortalRole::FleetManager),
    (Rank::TechnicalSuperintendent, Workplace::Shore, None, PortalRole::Superintendent),
    (Rank::MarineSuperintendent, Workplace::Shore, None, PortalRole::Superintendent),
    (Rank::Purchasing, Workplace::Shore, None, PortalRole::Purchasing),
    (Rank::Crewing, Workplace::Shore, None, PortalRole::Auditor),
    (Rank::ClassSurveyor, Workplace::Shore, None, PortalRole::Auditor),
    (Rank::Auditor, Workplace::Shore, None, PortalRole::Auditor),
];

/// A row of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleRule {
    /// A word of [`Rank`], or another rank as people write it.
    pub rank: String,
    /// Where it counts.
    pub workplace: Workplace,
    /// In which department it counts; none: in any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// What the account may do.
    pub role: PortalRole,
}

/// Why a rule cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// No rank.
    #[error("names no rank")]
    Blank,
    /// Too long.
    #[error("is longer than 100 characters")]
    TooLong,
    /// A rule before it fits whenever this one does.
    #[error("can never count: an earlier rule takes whatever it fits")]
    Unreachable,
}

/// From rank, department and workplace to a role; the first rule that fits counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMapping {
    rules: Vec<RoleRule>,
}

/// The role of somebody, and whether a rule said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappedRole {
    /// The role.
    pub role: PortalRole,
    /// Some rule of the mapping names the rank, at whatever workplace.
    pub rank_known: bool,
}

impl RoleMapping {
    /// What a new installation begins with.
    #[must_use]
    pub fn standard() -> Self {
        let rules = TABLE.iter().map(|(rank, workplace, department, role)| RoleRule {
            rank: rank.as_str().to_owned(),
            workplace: *workplace,
            department: department.map(str::to_owned),
            role: *role,
        });
        Self { rules: rules.collect() }
    }

    /// Of these rules, in this order.
    ///
    /// # Errors
    ///
    /// Every rule that cannot be, by its place.
    pub fn new(rules: Vec<RoleRule>) -> Result<Self, Vec<(usize, RuleFault)>> {
        let rules: Vec<RoleRule> = rules
            .into_iter()
            .map(|it| RoleRule {
                rank: rank_name(&it.rank),
                department: it.department.map(|it| it.trim().to_lowercase()).filter(|it| !it.is_empty()),
                ..it
            })
            .collect();
        let mut taken: BTreeSet<(&str, &str, Option<&str>)> = BTreeSet::new();
        let mut faults = Vec::new();
        for (place, rule) in rules.iter().enumerate() {
            let key = (rule.rank.as_str(), rule.workplace.as_str(), rule.department.as_deref());
            if rule.rank.is_empty() {
                faults.push((place, RuleFault::Blank));
            } else if rule.rank.chars().count() > 100 || key.2.is_some_and(|it| it.chars().count() > 100) {
                faults.push((place, RuleFault::TooLong));
            } else if taken.contains(&(key.0, key.1, None)) || !taken.insert(key) {
                faults.push((place, RuleFault::Unreachable));
            }
        }
        if faults.is_empty() { Ok(Self { rules }) } else { Err(faults) }
    }

    /// A mapping that was kept before: rules that cannot count are left out. A later release may know more spellings of a
    /// rank, so that two rules of then are one of now; as ever, the first counts.
    #[must_use]
    pub fn kept(rules: Vec<RoleRule>) -> Self {
        Self::new(rules.clone()).unwrap_or_else(|faults| {
            let counts = |place: usize| !faults.iter().any(|(at, _)| *at == place);
            let rest =
                rules.into_iter().enumerate().filter(|(place, _)| counts(*place)).map(|(_, rule)| rule);
            Self::new(rest.collect()).expect("rules that cannot count make no others impossible")
        })
    }

    /// The rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[RoleRule] {
        &self.rules
    }

    /// The role. What no rule fits (an unknown rank, a master ashore) gets the least privilege, never a guess.
    #[must_use]
    pub fn map(&self, rank: &str, department: Option<&str>, workplace: Workplace) -> MappedRole {
        let rank = rank_name(rank);
        let mut of_rank = self.rules.iter().filter(|rule| rule.rank == rank).peekable();
        let rank_known = of_rank.peek().is_some();
        let role = of_rank
            .find(|rule| {
                rule.workplace == workplace
                    && rule
                        .department
                        .as_deref()
                        .is_none_or(|within| department.is_some_and(|it| it.trim().to_lowercase() == within))
            })
            .map_or(PortalRole::CrewReadonly, |rule| rule.role);
        MappedRole { role, rank_known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_has_a_row() {
        for rank in Rank::ALL {
            assert!(TABLE.iter().any(|(of_rank, ..)| of_rank == rank), "{rank}");
        }
    }

    #[test]
    fn the_table_of_roles_is_as_agreed() {
        let lines: Vec<String> = TABLE
            .iter()
            .map(|(rank, at, within, role)| format!("{rank} at {at} in {}: {role}", within.unwrap_or("any")))
            .collect();
        insta::assert_snapshot!(format!("version 1\n{}", lines.join("\n")));
    }

    fn role_of(rank: &str, department: Option<&str>, workplace: Workplace) -> PortalRole {
        RoleMapping::standard().map(rank, department, workplace).role
    }

    #[test]
    fn a_rank_at_the_wrong_place_or_that_nobody_knows_gets_the_least_privilege() {
        assert_eq!(role_of("Chief Engineer", None, Workplace::Ship), PortalRole::ChiefEngineer);
        assert_eq!(role_of("Master", None, Workplace::Shore), PortalRole::CrewReadonly);
        let admiral = RoleMapping::standard().map("Grand Admiral", None, Workplace::Ship);
        assert_eq!(admiral, MappedRole { role: PortalRole::CrewReadonly, rank_known: false });
    }

    #[test]
    fn the_first_rule_that_fits_counts_and_a_department_is_one_whatever_its_case() {
        assert_eq!(role_of("Cadet", Some(" Engine "), Workplace::Ship), PortalRole::Crew);
        assert_eq!(role_of("Cadet", Some("deck"), Workplace::Ship), PortalRole::CrewReadonly);
        assert_eq!(role_of("Cadet", None, Workplace::Ship), PortalRole::CrewReadonly);
    }

    fn rule(rank: &str, department: Option<&str>, role: PortalRole) -> RoleRule {
        RoleRule {
            rank: rank.to_owned(),
            workplace: Workplace::Ship,
            department: department.map(str::to_owned),
            role,
        }
    }

    #[test]
    fn a_mapping_may_name_ranks_that_we_do_not_know() {
        let mapping = RoleMapping::new(vec![rule("Gas Engineer", None, PortalRole::Officer)]).unwrap();
        let mapped = mapping.map("gas-engineer", None, Workplace::Ship);
        assert_eq!(mapped, MappedRole { role: PortalRole::Officer, rank_known: true });
    }

    #[test]
    fn abbreviated_rank_has_the_role_of_its_long_form() {
        for (short, long) in [("C/O", "Chief Officer"), ("2/E", "Second Engineer"), ("A.B.", "Able Seaman")] {
            assert_eq!(
                role_of(short, None, Workplace::Ship),
                role_of(long, None, Workplace::Ship),
                "{short}"
            );
        }
        assert_eq!(role_of("1st Officer", None, Workplace::Ship), PortalRole::Officer);
        assert_eq!(role_of("4/O", None, Workplace::Ship), PortalRole::CrewReadonly);
    }

    #[test]
    fn kept_mapping_leaves_out_rules_that_are_one_with_an_earlier_rule_by_now() {
        let rules = vec![
            rule("chief_officer", None, PortalRole::Officer),
            rule("c_o", None, PortalRole::Crew),
            rule("cook", Some("galley"), PortalRole::Crew),
        ];
        let mapping = RoleMapping::kept(rules);
        assert_eq!(mapping.rules().len(), 2);
        assert_eq!(mapping.map("C/O", None, Workplace::Ship).role, PortalRole::Officer);
    }

    #[test]
    fn rules_that_cannot_count_are_all_named() {
        let rules = vec![
            rule("Captain", None, PortalRole::Master),
            rule("master", Some("deck"), PortalRole::Crew),
            rule("  ", None, PortalRole::Crew),
            rule("cook", Some("galley"), PortalRole::Crew),
            rule("cook", None, PortalRole::CrewReadonly),
        ];
        let faults = RoleMapping::new(rules).unwrap_err();
        assert_eq!(faults, [(1, RuleFault::Unreachable), (2, RuleFault::Blank)]);
    }
}
