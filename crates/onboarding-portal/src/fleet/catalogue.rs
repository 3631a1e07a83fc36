//! What ships have on board: `catalogue.json`. Codes follow the pattern of the SFI Group System, which is licensed; its
//! own table is not in here.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// All of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    families: BTreeMap<String, Family>,
    pub(super) items: Vec<Item>,
}

/// What machines of one construction have in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    /// Whether its hours are counted.
    #[serde(default)]
    pub(super) running: bool,
    pub(super) specs: BTreeMap<String, Spec>,
    pub(super) parts: Vec<Part>,
    pub(super) jobs: Vec<Job>,
}

/// Where a value is drawn from: a range of numbers, or a list of words.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Spec {
    Whole([i64; 2]),
    Real([f64; 2]),
    Words(Vec<String>),
}

/// Name, unit, minimum stock, days from order to delivery.
#[derive(Debug, Deserialize)]
pub(super) struct Part(pub(super) String, pub(super) String, pub(super) i32, pub(super) i32);

/// Title, kind, days, hours, rank.
#[derive(Debug, Deserialize)]
pub(super) struct Job(
    pub(super) String,
    pub(super) String,
    pub(super) Option<i32>,
    pub(super) Option<i32>,
    pub(super) String,
);

/// A piece of equipment that ships have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) code: String,
    pub(super) name: String,
    family: String,
    pub(super) location: String,
    /// How many a ship has.
    pub(super) units: i32,
    /// Only ships of these kinds have it.
    #[serde(default)]
    on: Vec<String>,
    /// Why it is critical.
    #[serde(default)]
    pub(super) critical: Option<String>,
    /// The second unit, or a single one, stands by, and is tested after so many days.
    #[serde(default)]
    pub(super) standby: Option<i32>,
    /// Its units stand in for each other.
    #[serde(default)]
    pub(super) group: Option<String>,
    /// Maker and model, the model being the last word or two.
    pub(super) makers: Vec<String>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_json::from_str(include_str!("catalogue.json")).expect("the embedded catalogue reads, as tests show")
});

/// All of it.
pub(super) fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Item {
    pub(super) fn family(&self) -> &'static Family {
        catalogue().families.get(&self.family).expect("every family that is named is there, as tests show")
    }

    /// Whether ships of this type have it.
    pub(super) fn fits(&self, vessel_type: &str) -> bool {
        self.on.is_empty() || kinds_of(vessel_type).iter().any(|kind| self.on.iter().any(|on| on == kind))
    }
}

/// The kinds of ship that a vessel type counts as.
fn kinds_of(vessel_type: &str) -> &'static [&'static str] {
    match vessel_type {
        "bulk_carrier" | "general_cargo" => &["dry"],
        "reefer" => &["dry", "reefer"],
        "container" => &["container"],
        "oil_tanker" | "product_tanker" | "chemical_tanker" => &["tanker"],
        "lng_carrier" | "lpg_carrier" => &["gas"],
        "ro_ro" | "car_carrier" => &["ro_ro"],
        "ferry" => &["ro_ro", "ferry"],
        "offshore_supply" => &["offshore"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_item_has_a_family_a_maker_and_a_code_of_its_own() {
        let mut codes = BTreeSet::new();
        for item in &catalogue().items {
            assert!(catalogue().families.contains_key(&item.family), "{}", item.family);
            assert!(item.makers.iter().all(|maker| maker.contains(' ')), "{}", item.code);
            assert!(!item.makers.is_empty() && item.units >= 1, "{}", item.code);
            assert!(codes.insert(&item.code), "{} stands there twice", item.code);
        }
    }

    #[test]
    fn every_family_is_of_use() {
        for family in catalogue().families.keys() {
            assert!(catalogue().items.iter().any(|item| item.family == *family), "{family}");
        }
    }
}
