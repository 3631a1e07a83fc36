//! Ranks and positions of persons, and how they are recognised in what people write.

use crate::vocabulary::vocabulary;

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

/// What people write, in words of small letters: `2nd Engineer` is `second_engineer`.
fn words_of(text: &str) -> String {
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
    words.join("_")
}

/// The name under which a rank stands in a mapping: a word of [`Rank`], or what was written, in small letters.
pub(crate) fn rank_name(text: &str) -> String {
    Rank::recognise(text).map_or_else(|| words_of(text), |rank| rank.as_str().to_owned())
}

impl Rank {
    /// Finds the rank in what people write: `2nd Engineer`, `Second-Engineer`, `DPA`.
    #[must_use]
    pub fn recognise(text: &str) -> Option<Self> {
        let name = words_of(text);
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
