//! Two vessels whose numbers differ by one digit: twins by accident, or one vessel whose number was mistyped.

use crate::{Finding, SourceId, values::ImoNumber, vessel::Vessel};

/// How alike two names must be, from 0 to 1.
const NAME_SIMILARITY: f64 = 0.9;
/// By how much tonnages may differ, as a part of the greater.
const TONNAGE_TOLERANCE: f64 = 0.01;
/// What stands before the name of a ship and is none of it.
const PREFIXES: [&str; 8] = ["mv", "mt", "ms", "ss", "my", "fv", "lng", "lpg"];

/// What is known of a vessel that another one is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVessel {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// Ship identification number.
    pub imo_number: ImoNumber,
    /// Its name.
    pub name: String,
    /// Gross tonnage, no unit.
    pub gross_tonnage: Option<i32>,
}

impl KnownVessel {
    /// What is known once this vessel is.
    #[must_use]
    pub fn of(vessel: &Vessel) -> Self {
        Self {
            source_id: vessel.source_id.clone(),
            imo_number: vessel.imo_number.clone(),
            name: vessel.name.clone(),
            gross_tonnage: vessel.gross_tonnage,
        }
    }
}

/// A warning with the other vessel's identity, if the number of `vessel` is one digit away from that of `known`, and the
/// two are alike by name or by tonnage.
#[must_use]
pub fn near_miss(vessel: &Vessel, known: &KnownVessel) -> Option<Finding> {
    let digits = vessel.imo_number.as_str().bytes().zip(known.imo_number.as_str().bytes());
    let away = digits.filter(|(one, other)| one != other).count();
    if away != 1 || vessel.source_id == known.source_id {
        return None;
    }
    let why = match (
        is_like_name(&vessel.name, &known.name),
        is_like_tonnage(vessel.gross_tonnage, known.gross_tonnage),
    ) {
        (true, true) => "of like name and tonnage",
        (true, false) => "of like name",
        (false, true) => "of like tonnage",
        (false, false) => return None,
    };
    let message = format!(
        "is one digit away from {} ({}, {}), {why}: one of the two may be mistyped",
        known.imo_number.with_prefix(),
        known.name,
        known.source_id
    );
    Some(Finding::warning("imo_number_near_miss", "/imoNumber", message).with_value(&vessel.imo_number))
}

fn is_like_name(one: &str, other: &str) -> bool {
    let (one, other) = (normalised_name(one), normalised_name(other));
    !one.is_empty() && !other.is_empty() && strsim::jaro_winkler(&one, &other) >= NAME_SIMILARITY
}

/// In small letters, without prefix and punctuation: `M/V Nordic-Star` is `nordicstar`.
fn normalised_name(name: &str) -> String {
    let name = name.to_lowercase().replace("m/v", "mv").replace("m/t", "mt").replace("m/s", "ms");
    let mut words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    if words.peek().is_some_and(|word| PREFIXES.contains(word)) {
        words.next();
    }
    words.collect()
}

fn is_like_tonnage(one: Option<i32>, other: Option<i32>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    f64::from(one.abs_diff(other)) <= TONNAGE_TOLERANCE * f64::from(one.max(other))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Rules, vessel::VesselDraft};

    fn vessel(imo: &str, name: &str, tonnage: i32) -> Vessel {
        let draft: VesselDraft = serde_json::from_value(json!({
            "id": format!("v-{imo}"), "imoNumber": imo, "name": name, "flag": "NO", "vesselType": "ferry",
            "grossTonnage": tonnage, "serviceStatus": "in_service", "updatedAt": "2026-05-01T00:00:00Z",
            "company": {"id": "c-1", "name": "A", "country": "NO", "updatedAt": "2026-05-01T00:00:00Z"}
        }))
        .unwrap();
        draft.accept(&Rules::at("2026-06-01T00:00:00Z".parse().unwrap())).unwrap().record
    }

    #[test]
    fn a_valid_number_one_digit_off_a_like_vessel_names_the_other() {
        let known = KnownVessel::of(&vessel("7625811", "Nordic Star", 40_000));
        let finding = near_miss(&vessel("7605811", "M/V NORDIC-STAR", 12_000), &known).unwrap();
        assert_eq!((finding.code, finding.pointer.as_str()), ("imo_number_near_miss", "/imoNumber"));
        for text in ["IMO 7625811", "Nordic Star", "v-7625811", "of like name:"] {
            assert!(finding.message.contains(text), "{}", finding.message);
        }
        assert!(near_miss(&vessel("7605811", "Baltic Trader", 40_100), &known).is_some(), "of like tonnage");
    }

    #[test]
    fn strangers_and_sisters_with_other_numbers_are_left_in_peace() {
        let known = KnownVessel::of(&vessel("7625811", "Nordic Star", 40_000));
        assert_eq!(near_miss(&vessel("7605811", "Baltic Trader", 12_000), &known), None);
        assert_eq!(near_miss(&vessel("9074729", "Nordic Star", 40_000), &known), None);
        assert_eq!(near_miss(&vessel("7625811", "Nordic Star", 40_000), &known), None, "itself");
    }
}
