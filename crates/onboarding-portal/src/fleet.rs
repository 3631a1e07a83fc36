//! Fictitious fleets, the same each time they are generated: the demo fleet, and larger ones for measurements.
//!
//! Every record has a random generator of its own, seeded by its kind and number. No record depends on the ones before
//! it, so a fleet of any size is generated one record at a time.

mod catalogue;
mod crew;
mod flaws;
mod identity;
mod machinery;
mod ships;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use rand::{SeedableRng, rngs::StdRng};
use uuid::Uuid;

pub use flaws::{Flaw, flaws};

use crate::records::{
    Kind, State,
    document::{Document, Record},
};

/// Approved vessels of the demo fleet.
const DEMO_VESSELS: u32 = 40;
/// Draft vessels of the demo fleet; their equipment and users are drafts, too.
const DEMO_DRAFTS: u32 = 3;
const DEMO_COMPANIES: u32 = ships::HOUSES.len() as u32;
/// Users on board of each vessel of the demo fleet.
const DEMO_CREW: u32 = crew::SHIP.len() as u32;
/// Users ashore of each company of the demo fleet.
const DEMO_OFFICE: u32 = crew::SHORE.len() as u32;

/// Detail of each piece of equipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Detail {
    /// Some 25 fields and 900 bytes, without critical parts and maintenance schedules
    Plain,
    /// With critical parts and maintenance schedules, as in the demo fleet
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub vessels: u32,
    /// Pieces of equipment, spread evenly over the vessels.
    pub equipment: u32,
    /// Users, spread evenly over the vessels.
    pub users: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet {
    /// `None` for the demo fleet.
    sized: Option<(Size, Detail)>,
}

/// A record of a fleet, to be inserted.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) document: Document,
}

impl Entry {
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    #[must_use]
    pub fn updated_at(&self) -> DateTime<Utc> {
        self.updated_at
    }

    /// The JSON text of the record.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.document.text
    }
}

impl Fleet {
    #[must_use]
    pub const fn demo() -> Self {
        Self { sized: None }
    }

    /// A fleet in which all records are approved and valid.
    #[must_use]
    pub const fn of_size(size: Size, detail: Detail) -> Self {
        Self { sized: Some((size, detail)) }
    }

    /// The fleet's name. Fleets of the same name are equal.
    #[must_use]
    pub fn name(&self) -> String {
        match self.sized {
            None => "the demo fleet".to_owned(),
            Some((Size { vessels, equipment, users }, detail)) => {
                let detail = if detail == Detail::Full { ", in full detail" } else { "" };
                format!(
                    "a fleet of {vessels} vessels, {equipment} pieces of equipment and {users} users{detail}"
                )
            }
        }
    }

    /// Number of records, for a progress bar; an estimate for the demo fleet.
    #[must_use]
    pub fn expected(&self) -> u64 {
        match self.sized {
            None => 7200,
            Some((Size { vessels, equipment, users }, _)) => {
                u64::from(companies_of(vessels))
                    + u64::from(vessels)
                    + u64::from(equipment)
                    + u64::from(users)
            }
        }
    }

    /// Every record, one at a time. A record comes after the records that it refers to.
    pub fn entries(self) -> Box<dyn Iterator<Item = Entry> + Send> {
        match self.sized {
            None => Box::new(versioned(demo(), TimeDelta::seconds(61)).chain(flaws::entries())),
            Some((size, detail)) => {
                let span = TimeDelta::days(300).num_microseconds().unwrap_or(i64::MAX);
                let step = span / i64::try_from(self.expected()).unwrap_or(i64::MAX);
                Box::new(versioned(sized(size, detail), TimeDelta::microseconds(step)))
            }
        }
    }
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// Companies of a fleet of a given size: one per twenty vessels, at least as many as in the demo fleet, at most one per
/// vessel.
fn companies_of(vessels: u32) -> u32 {
    vessels.div_ceil(20).max(DEMO_COMPANIES).min(vessels.max(1))
}

type Unversioned = (State, Kind, Document);

fn entry(state: State, record: &impl Record) -> Unversioned {
    fn of<T: Record>(record: &T) -> (Kind, Document) {
        (T::KIND, record.document())
    }
    let (kind, document) = of(record);
    (state, kind, document)
}

/// Gives each record the next version. All versions are in 2025, the past of every machine whose clock is right.
fn versioned(
    records: impl Iterator<Item = Unversioned> + Send,
    step: TimeDelta,
) -> impl Iterator<Item = Entry> + Send {
    let first = DateTime::from_timestamp(1_736_143_200, 0).expect("6 January 2025, 06:00");
    let mut updated_at = first;
    records.map(move |(state, kind, document)| {
        updated_at += step;
        Entry { kind, state, updated_at, document }
    })
}

fn demo() -> impl Iterator<Item = Unversioned> + Send {
    let state_of = |vessel| if vessel < DEMO_VESSELS { State::Approved } else { State::Draft };
    let vessels = move || (0..DEMO_VESSELS + DEMO_DRAFTS).map(move |vessel| (vessel, state_of(vessel)));
    let companies = (0..DEMO_COMPANIES).map(|company| entry(State::Approved, &ships::company(company)));
    let fleet = vessels().map(|(vessel, state)| entry(state, &ships::vessel(vessel, DEMO_COMPANIES)));
    let equipment = vessels().flat_map(|(number, state)| {
        let vessel = ships::vessel(number, DEMO_COMPANIES);
        let on_board = machinery::on_board_of(number, &vessel);
        on_board.into_iter().map(move |equipment| entry(state, &equipment))
    });
    let crews = vessels().flat_map(|(vessel, state)| {
        (0..DEMO_CREW).map(move |place| {
            entry(state, &crew::on_board(vessel * DEMO_CREW + place, place, vessel, DEMO_COMPANIES))
        })
    });
    let offices = (0..DEMO_COMPANIES * DEMO_OFFICE).map(|number| {
        let vessels = DEMO_VESSELS;
        entry(State::Approved, &crew::ashore(number, number / DEMO_OFFICE, vessels, DEMO_COMPANIES))
    });
    companies.chain(fleet).chain(equipment).chain(crews).chain(offices)
}

fn sized(
    Size { vessels, equipment, users }: Size,
    detail: Detail,
) -> impl Iterator<Item = Unversioned> + Send {
    let companies = companies_of(vessels);
    let approved = State::Approved;
    let owners = (0..companies).map(move |company| entry(approved, &ships::company(company)));
    let fleet = (0..vessels).map(move |vessel| entry(approved, &ships::vessel(vessel, companies)));
    // Vessel by vessel, so that records of one vessel are stored next to each other.
    let spread = move |all: u32| {
        (0..vessels).flat_map(move |vessel| {
            let on_each = all / vessels + u32::from(vessel < all % vessels);
            (0..on_each).map(move |place| (vessel, place))
        })
    };
    let machinery = spread(equipment).map(move |(vessel, place)| {
        entry(approved, &machinery::numbered(vessel, ships::vessel_type_of(vessel, companies), place, detail))
    });
    let crews = spread(users).enumerate().map(move |(number, (vessel, place))| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        entry(approved, &crew::on_board(number, place % DEMO_CREW, vessel, companies))
    });
    owners.chain(fleet).chain(machinery).chain(crews)
}

/// Namespace of the ids: `onboarding-portal/fleet`.
const NAMESPACE: Uuid = Uuid::from_u128(0x5d0b_86a1_77c3_5e0e_9f0b_2a67_5bd1_c3e4);

/// The id of a record; equal for equal names.
fn id_of(kind: &str, name: impl fmt::Display) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{kind}/{name}").as_bytes()).to_string()
}

/// The random generator of one record.
fn rng_of(kind: Kind, number: u64) -> StdRng {
    let kind = match kind {
        Kind::Company => 1,
        Kind::Vessel => 2,
        Kind::Equipment => 3,
        Kind::User => 4,
    };
    StdRng::seed_from_u64(kind << 56 | number)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;
    use sha2::{Digest, Sha256};

    use super::*;

    fn counts(entries: impl Iterator<Item = Entry>) -> BTreeMap<(&'static str, &'static str), u32> {
        let mut counts = BTreeMap::new();
        for entry in entries {
            *counts.entry((entry.kind.word(), entry.state.word())).or_default() += 1;
        }
        counts
    }

    #[test]
    fn demo_fleet_has_its_documented_size() {
        let counts = counts(Fleet::demo().entries());
        let of = |kind, state| counts.get(&(kind, state)).copied().unwrap_or_default();
        assert_eq!(of("company", "approved"), 10);
        // Two of the approved vessels are invalid on purpose.
        assert_eq!((of("vessel", "approved"), of("vessel", "draft")), (42, 3));
        assert!((5800..6300).contains(&of("equipment", "approved")), "{counts:?}");
        assert!((300..600).contains(&of("equipment", "draft")), "{counts:?}");
        assert_eq!((of("user", "approved"), of("user", "draft")), (523, 36));
    }

    #[test]
    fn demo_fleet_is_equal_each_time() {
        let mut digest = Sha256::new();
        for entry in Fleet::demo().entries() {
            let version = entry.updated_at.timestamp_micros();
            digest.update(format!("{} {version} {}\n", entry.state.word(), entry.document.text));
        }
        // Databases seeded with an earlier version hold the earlier fleet, so a change must be on purpose.
        assert_eq!(hex::encode(digest.finalize()), include_str!("fleet/digest.txt").trim());
    }

    #[test]
    fn sized_fleet_has_its_size_and_unique_natural_keys() {
        let size = Size { vessels: 30, equipment: 6_001, users: 400 };
        let fleet = Fleet::of_size(size, Detail::Plain);
        let (mut keys, mut total) = (BTreeSet::new(), 0u64);
        for entry in fleet.entries() {
            total += 1;
            let record: Value = serde_json::from_str(&entry.document.text).unwrap();
            let key = match entry.kind {
                Kind::Company => format!("c{}", record["imoCompanyNumber"]),
                Kind::Vessel => format!("v{}", record["imoNumber"]),
                Kind::Equipment => {
                    format!("e{}{}{}", record["vesselId"], record["code"], record["unitNumber"])
                }
                Kind::User => format!("u{}", record["email"]),
            };
            assert!(keys.insert(key.clone()), "{key}");
            assert!(keys.insert(entry.document.id), "duplicate id");
            for other in ["qrCode", "mmsi", "callSign"] {
                if let Some(text) = record[other].as_str() {
                    assert!(keys.insert(format!("{other}{text}")), "{text}");
                }
            }
        }
        assert_eq!(total, fleet.expected());
    }

    #[test]
    fn equipment_of_a_sized_fleet_has_about_900_bytes() {
        let fleet = Fleet::of_size(Size { vessels: 20, equipment: 3000, users: 0 }, Detail::Plain);
        let equipment: Vec<Entry> = fleet.entries().filter(|entry| entry.kind == Kind::Equipment).collect();
        let bytes: usize = equipment.iter().map(|entry| entry.document.text.len()).sum();
        let mean = bytes / equipment.len();
        assert!((850..950).contains(&mean), "{mean}");
    }
}
