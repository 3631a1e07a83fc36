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
            "1st" => "first".to_owned(),
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
    /// Finds the rank in what people write: `2nd Engineer`, `Second-Engineer`, `2/E`, `DPA`.
    #[must_use]
    pub fn recognise(text: &str) -> Option<Self> {
        let name = words_of(text);
        Self::of_name(&name).or_else(|| Self::of_name(&without_abbreviations(&name)))
    }

    fn of_name(name: &str) -> Option<Self> {
        let of_synonym = || SYNONYMS.iter().find(|(_, names)| names.contains(&name)).map(|(rank, _)| *rank);
        name.parse().ok().or_else(of_synonym)
    }
}

/// The name with its abbreviated words written out: `2_eng` is `second_engineer`.
fn without_abbreviations(name: &str) -> String {
    let words: Vec<&str> = name
        .split('_')
        .map(|word| {
            ABBREVIATIONS.iter().find(|(_, short)| short.contains(&word)).map_or(word, |(long, _)| long)
        })
        .collect();
    words.join("_")
}

/// Words of ranks, and how they are abbreviated. Those of one letter stand in [`SYNONYMS`] with what is around them.
const ABBREVIATIONS: &[(&str, &[&str])] = &[
    ("chief", &["ch", "chf"]),
    ("first", &["1", "i"]),
    ("second", &["2", "ii", "sec"]),
    ("third", &["3", "iii"]),
    ("fourth", &["4", "iv"]),
    ("officer", &["off", "offr", "ofcr", "ofc"]),
    ("engineer", &["eng", "engr", "engg", "engnr"]),
    ("assistant", &["asst", "ass", "assist"]),
    ("superintendent", &["supt", "superintendant"]),
    ("technical", &["tech"]),
    ("manager", &["mgr", "mngr"]),
    ("seaman", &["smn"]),
    ("ordinary", &["ord"]),
];

/// Other names of ranks, in words of small letters. Only names that are one rank wherever they are used: whom the table
/// does not know gets the least privilege, and a warning.
const SYNONYMS: &[(Rank, &[&str])] = &[
    (
        Rank::Master,
        &[
            "captain",
            "capt",
            "cpt",
            "master_mariner",
            "ship_master",
            "shipmaster",
            "ship_s_master",
            "vessel_master",
            "skipper",
            "mstr",
            "captain_master",
            "master_captain",
        ],
    ),
    (
        Rank::ChiefOfficer,
        &[
            "chief_mate",
            "first_officer",
            "first_mate",
            "c_o",
            "co",
            "c_off",
            "c_m",
            "c_mate",
            "first_o",
            "1o",
            "first_m",
            "1m",
            "chief_deck_officer",
            "chief_o",
            "chiefmate",
        ],
    ),
    (
        Rank::SecondOfficer,
        &["second_mate", "second_o", "2o", "second_m", "2m", "second_deck_officer", "2off"],
    ),
    (Rank::ThirdOfficer, &["third_mate", "third_o", "3o", "third_m", "3m", "third_deck_officer", "3off"]),
    (
        Rank::ChiefEngineer,
        &[
            "c_e",
            "ce",
            "c_eng",
            "c_engineer",
            "cheng",
            "chief_e",
            "chief_engineer_officer",
            "chief_engineering_officer",
        ],
    ),
    (
        Rank::SecondEngineer,
        &[
            "first_engineer",
            "first_assistant_engineer",
            "second_engineer_officer",
            "second_e",
            "2e",
            "2eng",
            "first_e",
            "1e",
            "first_a_e",
            "first_ae",
            "1ae",
            "1a_e",
        ],
    ),
    (
        Rank::ThirdEngineer,
        &[
            "second_assistant_engineer",
            "third_engineer_officer",
            "third_e",
            "3e",
            "3eng",
            "second_a_e",
            "second_ae",
            "2ae",
            "2a_e",
        ],
    ),
    (
        Rank::FourthEngineer,
        &[
            "third_assistant_engineer",
            "fourth_engineer_officer",
            "fourth_e",
            "4e",
            "4eng",
            "third_a_e",
            "third_ae",
            "3ae",
            "3a_e",
        ],
    ),
    (
        Rank::Eto,
        &[
            "e_t_o",
            "electro_technical_officer",
            "electrotechnical_officer",
            "electrical_technical_officer",
            "electro_technician_officer",
            "electrical_officer",
            "electrician",
            "elect_officer",
        ],
    ),
    (Rank::Bosun, &["boatswain", "bo_sun", "bos_n", "bo_s_n", "bosn", "bsn", "bo_swain", "boson"]),
    (
        Rank::Ab,
        &[
            "a_b",
            "able_seaman",
            "able_bodied_seaman",
            "able_body_seaman",
            "able_seafarer_deck",
            "able_bodied",
            "a_b_s",
            "abs",
            "ab_seaman",
            "ab_deck",
            "able_seawoman",
        ],
    ),
    (Rank::Os, &["o_s", "ordinary_seaman", "ordinary_seafarer", "os_deck", "ordinary_seaman_deck"]),
    (Rank::Fitter, &["engine_fitter", "deck_fitter", "fitter_welder", "welder_fitter", "ftr"]),
    (Rank::Oiler, &["olr", "motorman_oiler", "oiler_motorman"]),
    (Rank::Wiper, &["wpr"]),
    (Rank::Cook, &["chief_cook", "ship_s_cook", "ships_cook", "ship_cook", "c_cook"]),
    (
        Rank::Cadet,
        &[
            "deck_cadet",
            "engine_cadet",
            "d_c",
            "e_c",
            "d_cadet",
            "e_cadet",
            "eto_cadet",
            "electrical_cadet",
            "deck_officer_cadet",
            "engineer_cadet",
            "engineering_cadet",
            "officer_cadet",
            "cdt",
        ],
    ),
    (Rank::ShipSecurityOfficer, &["sso", "s_s_o", "ship_s_security_officer", "vessel_security_officer"]),
    (Rank::SafetyOfficer, &["ship_safety_officer", "ship_s_safety_officer"]),
    (Rank::DesignatedPersonAshore, &["dpa", "d_p_a", "designated_person", "designated_person_ashore_dpa"]),
    (Rank::CompanySecurityOfficer, &["cso", "c_s_o"]),
    (
        Rank::TechnicalSuperintendent,
        &[
            "technical_vessel_superintendent",
            "superintendent_engineer",
            "engineer_superintendent",
            "superintendent_technical",
        ],
    ),
    (
        Rank::MarineSuperintendent,
        &["marine_operations_superintendent", "nautical_superintendent", "superintendent_marine"],
    ),
    (
        Rank::Hsqe,
        &[
            "hseq",
            "qhse",
            "sheq",
            "hsqe_manager",
            "hseq_manager",
            "qhse_manager",
            "sheq_manager",
            "hsqe_superintendent",
            "hseq_superintendent",
            "qhse_superintendent",
            "hsqe_officer",
        ],
    ),
    (
        Rank::Purchasing,
        &[
            "purchaser",
            "purchasing_officer",
            "purchasing_manager",
            "purchase_officer",
            "purchase_manager",
            "procurement",
            "procurement_officer",
            "procurement_manager",
            "buyer",
        ],
    ),
    (
        Rank::Crewing,
        &[
            "crewing_manager",
            "crewing_officer",
            "crew_manager",
            "manning_officer",
            "manning_manager",
            "crewing_superintendent",
            "crewing_coordinator",
        ],
    ),
    (Rank::ClassSurveyor, &["surveyor", "classification_surveyor", "class_society_surveyor"]),
    (Rank::Auditor, &["internal_auditor", "lead_auditor", "external_auditor", "ism_auditor"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Spellings from crew lists, crewing agencies' forms and STCW documents, each with its rank; `-` for none of ours.
    const FACTS: &str = include_str!("../tests/fixtures/ranks.tsv");

    #[test]
    fn usual_spellings_are_their_ranks_and_others_are_none() {
        let mut wrong = Vec::new();
        for line in FACTS.lines().filter(|line| !line.starts_with('#')) {
            let (text, rank) = line.split_once('\t').unwrap();
            let found = Rank::recognise(text).map_or("-", Rank::as_str);
            if found != rank {
                wrong.push(format!("{text}: {found}, not {rank}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn no_name_is_of_two_ranks_and_each_can_be_found() {
        let names: Vec<&str> = SYNONYMS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name) && name.parse::<Rank>().is_err(), "{name}");
            assert_eq!(*name, words_of(name), "a name is found in this form only");
        }
        for rank in Rank::ALL {
            assert_eq!(Rank::recognise(rank.as_str()), Some(*rank));
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
}
