//! The equipment that ships have on board: `catalogue.json`. Codes follow the pattern of the SFI Group System. Its own
//! table is licensed, and is not in the catalogue.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    families: BTreeMap<String, Family>,
    pub(super) items: Vec<Item>,
}

/// What equipment of one construction has in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    /// Whether running hours are counted.
    #[serde(default)]
    pub(super) running: bool,
    pub(super) specs: BTreeMap<String, Spec>,
    pub(super) parts: Vec<Part>,
    pub(super) jobs: Vec<Job>,
}

/// The values to choose from: a range of numbers, or a list of words.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Spec {
    Whole([i64; 2]),
    Real([f64; 2]),
    Words(Vec<String>),
}

/// A critical part: name, unit, minimum stock, days from order to delivery.
#[derive(Debug, Deserialize)]
pub(super) struct Part(pub(super) String, pub(super) String, pub(super) i32, pub(super) i32);

/// A maintenance job: title, kind, days, hours, rank.
#[derive(Debug, Deserialize)]
pub(super) struct Job(
    pub(super) String,
    pub(super) String,
    pub(super) Option<i32>,
    pub(super) Option<i32>,
    pub(super) String,
);

/// A kind of equipment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) code: String,
    pub(super) name: String,
    family: String,
    pub(super) location: String,
    /// Units per ship.
    pub(super) units: i32,
    /// The ship kinds that have it; empty for all.
    #[serde(default)]
    on: Vec<String>,
    /// Basis of its criticality, if it is critical.
    #[serde(default)]
    pub(super) critical: Option<String>,
    /// Days between tests of the standby unit, which is the last unit or the only one.
    #[serde(default)]
    pub(super) standby: Option<i32>,
    /// Redundancy group of its units.
    #[serde(default)]
    pub(super) group: Option<String>,
    /// Makers, each with a model: "Alfa Laval S 966".
    pub(super) makers: Vec<String>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // By way of a value: an enum without a tag reads no fractions from text, since numbers keep their digits.
    serde_json::from_str(include_str!("catalogue.json"))
        .and_then(|catalogue: serde_json::Value| serde_json::from_value(catalogue))
        .expect("the embedded catalogue is valid, as tests show")
});

pub(super) fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Item {
    pub(super) fn family(&self) -> &'static Family {
        catalogue().families.get(&self.family).expect("every item has a family, as tests show")
    }

    pub(super) fn fits(&self, vessel_type: &str) -> bool {
        self.on.is_empty() || kinds_of(vessel_type).iter().any(|kind| self.on.iter().any(|on| on == kind))
    }
}

/// The ship kinds that a vessel type belongs to.
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
    fn every_item_has_a_family_a_maker_and_a_unique_code() {
        let mut codes = BTreeSet::new();
        for item in &catalogue().items {
            assert!(catalogue().families.contains_key(&item.family), "{}", item.family);
            assert!(item.makers.iter().all(|maker| maker.contains(' ')), "{}", item.code);
            assert!(!item.makers.is_empty() && item.units >= 1, "{}", item.code);
            assert!(codes.insert(&item.code), "{} is listed twice", item.code);
        }
    }

    #[test]
    fn every_family_has_an_item() {
        for family in catalogue().families.keys() {
            assert!(catalogue().items.iter().any(|item| item.family == *family), "{family}");
        }
    }
}
