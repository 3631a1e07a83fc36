//! From rank, department and workplace to a role in the maintenance portal: a table with a version.

use crate::{user::Workplace, vocabulary::vocabulary};

/// Version of the table, to be raised with every change of it; stored with each account.
pub const VERSION: i32 = 1;

vocabulary!(
    /// Ranks and positions that the table knows.
    Rank {
        /// In command.
        Master = "master",
        /// Second in command.
        ChiefOfficer = "chief_officer",
        /// Deck officer.
        SecondOfficer = "second_officer",
        /// Deck officer.
        ThirdOfficer = "third_officer",
        /// In charge of machinery and of its maintenance.
        ChiefEngineer = "chief_engineer",
        /// Engineer.
        SecondEngineer = "second_engineer",
        /// Engineer.
        ThirdEngineer = "third_engineer",
        /// Engineer.
        FourthEngineer = "fourth_engineer",
        /// Electro-technical officer.
        Eto = "eto",
        /// Boatswain.
        Bosun = "bosun",
        /// Able seaman.
        Ab = "ab",
        /// Ordinary seaman.
        Os = "os",
        /// Fitter.
        Fitter = "fitter",
        /// Oiler.
        Oiler = "oiler",
        /// Wiper.
        Wiper = "wiper",
        /// Cook.
        Cook = "cook",
        /// Cadet.
        Cadet = "cadet",
        /// Ship security officer.
        ShipSecurityOfficer = "ship_security_officer",
        /// Safety officer.
        SafetyOfficer = "safety_officer",
        /// Designated person ashore (ISM Code 4).
        DesignatedPersonAshore = "designated_person_ashore",
        /// Company security officer.
        CompanySecurityOfficer = "company_security_officer",
        /// Fleet manager.
        FleetManager = "fleet_manager",
        /// Technical superintendent.
        TechnicalSuperintendent = "technical_superintendent",
        /// Marine superintendent.
        MarineSuperintendent = "marine_superintendent",
        /// Health, safety, quality, environment.
        Hsqe = "hsqe",
        /// Purchasing.
        Purchasing = "purchasing",
        /// Crewing.
        Crewing = "crewing",
        /// Class surveyor.
        ClassSurveyor = "class_surveyor",
        /// Auditor.
        Auditor = "auditor",
    }
);

vocabulary!(
    /// What an account may do in the maintenance portal, from the least.
    PortalRole {
        /// Sees the jobs of the own vessel.
        CrewReadonly = "crew_readonly",
        /// Reports work on the own vessel.
        Crew = "crew",
        /// Reports and signs work of the own department.
        Officer = "officer",
        /// Runs the maintenance programme on board (IACS UR Z20).
        ChiefEngineer = "chief_engineer",
        /// Sees and signs everything on board.
        Master = "master",
        /// Sees everything in the fleet, changes nothing.
        Auditor = "auditor",
        /// Orders parts.
        Purchasing = "purchasing",
        /// Sees everything in the fleet, runs safety work.
        Hsqe = "hsqe",
        /// Runs the maintenance programme of several vessels.
        Superintendent = "superintendent",
        /// Runs the fleet.
        FleetManager = "fleet_manager",
    }
);

impl Rank {
    /// Finds the rank in what people write: `2nd Engineer`, `Second-Engineer`, `DPA`.
    #[must_use]
    pub fn recognise(text: &str) -> Option<Self> {
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .map(|word| match word.as_str() {
                "2nd" => "second".to_owned(),
                "3rd" => "third".to_owned(),
                "4th" => "fourth".to_owned(),
                _ => word,
            })
            .collect();
        let name = words.join("_");
        name.parse().ok().or_else(|| SYNONYMS.iter().find(|(text, _)| *text == name).map(|(_, rank)| *rank))
    }
}

/// Other names of ranks.
const SYNONYMS: &[(&str, Rank)] = &[
    ("captain", Rank::Master),
    ("chief_mate", Rank::ChiefOfficer),
    ("first_officer", Rank::ChiefOfficer),
    ("second_mate", Rank::SecondOfficer),
    ("third_mate", Rank::ThirdOfficer),
    ("first_engineer", Rank::SecondEngineer),
    ("electro_technical_officer", Rank::Eto),
    ("electrician", Rank::Eto),
    ("boatswain", Rank::Bosun),
    ("able_seaman", Rank::Ab),
    ("ordinary_seaman", Rank::Os),
    ("sso", Rank::ShipSecurityOfficer),
    ("dpa", Rank::DesignatedPersonAshore),
    ("cso", Rank::CompanySecurityOfficer),
    ("hsqe_manager", Rank::Hsqe),
    ("purchaser", Rank::Purchasing),
    ("purchasing_officer", Rank::Purchasing),
    ("crewing_manager", Rank::Crewing),
    ("crewing_officer", Rank::Crewing),
    ("surveyor", Rank::ClassSurveyor),
];

/// Rank, workplace it counts at, department it counts in (`None`: any), role. The first row that fits counts.
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

/// The role. What the table does not know (an unknown rank, a master ashore) gets the least privilege, never a guess.
#[must_use]
pub fn role_of(rank: Option<Rank>, department: Option<&str>, workplace: Workplace) -> PortalRole {
    let Some(rank) = rank else { return PortalRole::CrewReadonly };
    TABLE
        .iter()
        .find(|(of_rank, at, within, _)| {
            *of_rank == rank
                && *at == workplace
                && within
                    .is_none_or(|within| department.is_some_and(|it| it.trim().eq_ignore_ascii_case(within)))
        })
        .map_or(PortalRole::CrewReadonly, |(.., role)| *role)
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
    fn ranks_are_recognised_as_people_write_them() {
        for (text, rank) in [
            ("2nd Engineer", Rank::SecondEngineer),
            ("second-engineer", Rank::SecondEngineer),
            ("MASTER", Rank::Master),
            ("Captain", Rank::Master),
            ("DPA", Rank::DesignatedPersonAshore),
            ("able seaman", Rank::Ab),
        ] {
            assert_eq!(Rank::recognise(text), Some(rank), "{text}");
        }
        assert_eq!(Rank::recognise("Grand Admiral"), None);
        assert_eq!(Rank::recognise(""), None);
    }

    #[test]
    fn the_table_of_roles_is_as_agreed() {
        let lines: Vec<String> = TABLE
            .iter()
            .map(|(rank, at, within, role)| format!("{rank} at {at} in {}: {role}", within.unwrap_or("any")))
            .collect();
        insta::assert_snapshot!(format!("version {VERSION}\n{}", lines.join("\n")));
    }

    #[test]
    fn a_rank_at_the_wrong_place_gets_the_least_privilege() {
        assert_eq!(role_of(Some(Rank::Master), None, Workplace::Shore), PortalRole::CrewReadonly);
        assert_eq!(role_of(None, None, Workplace::Ship), PortalRole::CrewReadonly);
    }
}
