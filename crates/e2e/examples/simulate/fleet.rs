//! The fleet: a record follows from the seed, its number and its version, so that nothing of it is kept anywhere.
//!
//! Records of a list are numbered from 0, and an id is its number with leading zeros: ids and numbers have one order, in every
//! collation. Texts that may change with a version end in the version's revision.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use contracts::provider::{
    CompanyDraft, CriticalPartDraft, EquipmentDraft, MaintenanceScheduleDraft, UserDraft, VesselDraft,
};
use serde_json::{Map, Value, json};

/// A list of the provider's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Vessels,
    Equipment,
    Users,
}

impl List {
    pub(crate) const ALL: [Self; 3] = [Self::Vessels, Self::Equipment, Self::Users];

    /// The record type's word in tallies and event types.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Vessels => "vessel",
            Self::Equipment => "equipment",
            Self::Users => "user",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Vessels => "v-",
            Self::Equipment => "e-",
            Self::Users => "u-",
        }
    }

    pub(crate) fn id(self, number: u64) -> String {
        format!("{}{number:09}", self.prefix())
    }

    /// The number of a record, if its id may be one of this list.
    pub(crate) fn number(self, id: &str) -> Option<u64> {
        let number = id.strip_prefix(self.prefix())?.parse().ok()?;
        (self.id(number) == id).then_some(number)
    }
}

/// A state of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    /// When the portal made the change: `updatedAt`.
    pub(crate) at: DateTime<Utc>,
    /// What the record says; 0: as it was first entered.
    pub(crate) revision: u32,
}

/// A record of a list: its number, and one of its states.
pub(crate) type Numbered = (u64, Version);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Fleet {
    pub(crate) seed: u64,
    pub(crate) ships: u64,
    pub(crate) equipment_per_ship: u64,
    /// Every so many ships there is one with a user; 0: no users.
    pub(crate) ships_per_user: u64,
}

const SHIPS_PER_COMPANY: u64 = 50;
/// IMO numbers of ships differ in six digits. 555555 and 123456 are left out: with their check digits they are placeholders.
const IMO_NUMBERS: u64 = 899_998;
/// Records of one `updatedAt`, so that the order by id matters.
const RECORDS_PER_MOMENT: u64 = 3;

const NAMES: [&str; 16] = [
    "Aurora",
    "Borealis",
    "Castor",
    "Delfin",
    "Embla",
    "Fjordland",
    "Gudrun",
    "Havørn",
    "Isbjørn",
    "Jotun",
    "Kvitholm",
    "Lofoten",
    "Midnattsol",
    "Nordlys",
    "Oseberg",
    "Polaris",
];
const VESSEL_TYPES: [&str; 6] =
    ["bulk_carrier", "container", "general_cargo", "ro_ro", "oil_tanker", "offshore_supply"];

impl Fleet {
    /// Records of a list if all ships are approved.
    pub(crate) fn count(&self, list: List) -> u64 {
        self.numbers_before_ship(list, self.ships)
    }

    /// Records of a list that belong to ships before this one: the first number of the ship's own.
    pub(crate) fn numbers_before_ship(&self, list: List, ship: u64) -> u64 {
        match list {
            List::Vessels => ship,
            List::Equipment => ship * self.equipment_per_ship,
            List::Users if self.ships_per_user == 0 => 0,
            List::Users => ship.div_ceil(self.ships_per_user),
        }
    }

    pub(crate) fn numbers_of_ship(&self, list: List, ship: u64) -> Range<u64> {
        self.numbers_before_ship(list, ship)..self.numbers_before_ship(list, ship + 1)
    }

    pub(crate) fn ship_of(&self, list: List, number: u64) -> u64 {
        match list {
            List::Vessels => number,
            List::Equipment => number / self.equipment_per_ship,
            List::Users => number * self.ships_per_user,
        }
    }

    pub(crate) fn company_of_ship(ship: u64) -> u64 {
        ship / SHIPS_PER_COMPANY
    }

    pub(crate) fn ships_of_company(&self, company: u64) -> Range<u64> {
        let first = company.saturating_mul(SHIPS_PER_COMPANY).min(self.ships);
        first..(first + SHIPS_PER_COMPANY).min(self.ships)
    }

    pub(crate) fn company_id(company: u64) -> String {
        format!("c-{company:06}")
    }

    /// `updatedAt` of a record that was approved before the simulation; grows with the number.
    pub(crate) fn first_time(number: u64) -> DateTime<Utc> {
        first_moment() + TimeDelta::milliseconds((number / RECORDS_PER_MOMENT) as i64)
    }

    /// A number that is the same for the same question, and like a random one otherwise.
    pub(crate) fn random(&self, question: &str, number: u64) -> u64 {
        let question = question.bytes().fold(0_u64, |hash, byte| mixed(hash ^ u64::from(byte)));
        mixed(mixed(self.seed ^ question).wrapping_add(number))
    }

    /// Whether a number is among so many per cent of all.
    pub(crate) fn is_among(&self, question: &str, number: u64, percent: u64) -> bool {
        self.random(question, number) % 100 < percent
    }

    pub(crate) fn company(company: u64) -> CompanyDraft {
        CompanyDraft {
            id: Self::company_id(company),
            name: format!("Simulated Shipping {company} AS"),
            imo_company_number: None,
            country: "NO".to_owned(),
            email: Some(format!("office{company}@fleet.example")),
            updated_at: first_moment() - TimeDelta::days(1),
        }
    }

    pub(crate) fn vessel(&self, ship: u64, version: Version) -> VesselDraft {
        let random = self.random("vessel", ship);
        let of = |part: u64, from: u64, values: u64| small(from + (random >> part) % values);
        let gross = of(0, 3_000, 90_000);
        VesselDraft {
            id: List::Vessels.id(ship),
            imo_number: self.imo_number(ship),
            name: format!("{} {ship} r{}", word(&NAMES, random >> 8), version.revision),
            mmsi: Some(format!("257{ship:06}")),
            call_sign: Some(call_sign(random >> 16)),
            flag: "NO".to_owned(),
            port_of_registry: Some("Bergen".to_owned()),
            vessel_type: word(&VESSEL_TYPES, random >> 24).to_owned(),
            gross_tonnage: Some(gross),
            net_tonnage: Some(gross / 2),
            deadweight: Some(gross * 2),
            // With a fraction: PostgreSQL writes a whole `double precision` without one, and the texts are compared.
            length_overall_m: Some(f64::from(of(12, 80, 300)) + 0.5),
            beam_m: Some(f64::from(of(20, 12, 40)) + 0.5),
            draught_m: Some(f64::from(of(28, 4, 14)) + 0.25),
            build_year: Some(of(32, 1_990, 35)),
            shipyard: Some("Fjord Yard".to_owned()),
            hull_number: Some(format!("H{ship:06}")),
            class_society: Some("DNV".to_owned()),
            main_engine: Some(format!("NPE 6S{}", of(36, 40, 40))),
            service_status: "in_service".to_owned(),
            company: Self::company(Self::company_of_ship(ship)),
            updated_at: version.at,
            withdrawn_at: None,
        }
    }

    pub(crate) fn equipment(&self, number: u64, version: Version) -> EquipmentDraft {
        let random = self.random("equipment", number);
        let of = |part: u64, from: u64, values: u64| small(from + (random >> part) % values);
        let place = number % self.equipment_per_ship;
        let is_critical = random.is_multiple_of(7);
        let revision = version.revision;
        EquipmentDraft {
            id: List::Equipment.id(number),
            vessel_id: List::Vessels.id(self.ship_of(List::Equipment, number)),
            code: format!("{}.{:03}", 600 + place / 1_000 % 100, place % 1_000),
            unit_number: 1,
            name: format!("Circulating pump {place} r{revision}"),
            maker: Some("Nordic Pumps and Engines AS".to_owned()),
            model: Some(format!("NPE-{}-S", of(0, 100, 900))),
            serial_number: Some(format!("SN-{:08}", random % 100_000_000)),
            location: Some(format!("Engine room, deck {}, frame {}", of(4, 1, 4), of(8, 1, 210))),
            specs: specs(random, revision),
            is_critical,
            criticality_basis: is_critical.then(|| "ism_10_3".to_owned()),
            is_standby: false,
            standby_test_interval_days: None,
            redundancy_group: (place % 10 < 2).then(|| format!("cooling-{}", place / 10)),
            // The others get a code that is made of their id.
            qr_code: number.is_multiple_of(2).then(|| format!("SIM-{number:09}")),
            installed_on: NaiveDate::from_ymd_opt(2015, 1 + random as u32 % 12, 1),
            warranty_until: NaiveDate::from_ymd_opt(2031, 12, 31),
            // The ship's own after the first sync, so no version may change it.
            running_hours: Some(of(12, 0, 90_000)),
            service_status: "in_service".to_owned(),
            critical_parts: is_critical.then(|| part(number, revision)).into_iter().collect(),
            maintenance_schedules: is_critical.then(|| schedule(number)).into_iter().collect(),
            updated_at: version.at,
            withdrawn_at: self.is_retired(number, revision).then_some(version.at),
        }
    }

    /// Whether a piece of equipment is withdrawn in a revision. A later one may bring it back.
    pub(crate) fn is_retired(&self, number: u64, revision: u32) -> bool {
        revision > 0 && self.is_among("retired", number.wrapping_add(u64::from(revision) << 40), 5)
    }

    pub(crate) fn user(&self, number: u64, version: Version) -> UserDraft {
        let ship = self.ship_of(List::Users, number);
        UserDraft {
            id: List::Users.id(number),
            email: format!("chief{number}@fleet.example"),
            given_name: Some("Ola".to_owned()),
            family_name: format!("Nordmann r{}", version.revision),
            employee_number: Some(format!("{number:06}")),
            rank: "chief_engineer".to_owned(),
            department: Some("engine".to_owned()),
            workplace: "ship".to_owned(),
            company_id: Some(Self::company_id(Self::company_of_ship(ship))),
            vessel_ids: vec![List::Vessels.id(ship)],
            sign_on: NaiveDate::from_ymd_opt(2026, 1, 1),
            sign_off: None,
            active: true,
            updated_at: version.at,
            withdrawn_at: None,
        }
    }

    /// Different for each of up to [`IMO_NUMBERS`] ships: a step that has no divisor in common with their number visits all.
    fn imo_number(&self, ship: u64) -> String {
        let place = (ship * 524_287 + self.random("imo", 0) % IMO_NUMBERS) % IMO_NUMBERS;
        let mut first_six = 100_000 + place;
        for left_out in [123_456, 555_555] {
            first_six += u64::from(first_six >= left_out);
        }
        let digits = first_six.to_string();
        let weighted = digits.bytes().zip([7, 6, 5, 4, 3, 2]);
        let sum: u32 = weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        format!("{digits}{}", sum % 10)
    }
}

/// `updatedAt` of the first record: the start of 2025, long before any change of a simulation.
fn first_moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_735_689_600, 0).unwrap_or_default()
}

/// The finalizer of SplitMix64: every bit of the result depends on every bit of the number.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn small(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn word<'w>(words: &[&'w str], random: u64) -> &'w str {
    words[random as usize % words.len()]
}

/// Of the Norwegian series, which fits the flag.
fn call_sign(random: u64) -> String {
    let letter = |part: u64| char::from(b'A' + (random >> part) as u8 % 26);
    format!("LA{}{}{}", letter(0), letter(8), random % 10)
}

/// Technical data of some 250 bytes.
fn specs(random: u64, revision: u32) -> Map<String, Value> {
    let entries = [
        ("powerKw", json!(10 + random % 400)),
        ("speedRpm", json!(1_780)),
        ("flowM3PerHour", json!(random % 900)),
        ("voltage", json!(440)),
        ("medium", json!("sea water, low temperature cooling")),
        ("material", json!("bronze casing, duplex impeller")),
        ("enclosure", json!("IP55")),
        ("remarks", json!(format!("overhaul {revision}: seal fitted, vibration within limits"))),
    ];
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn part(number: u64, revision: u32) -> CriticalPartDraft {
    CriticalPartDraft {
        id: format!("p-{number:09}"),
        part_number: format!("90401-{}", number % 1_000),
        name: format!("Mechanical seal r{revision}"),
        maker: Some("Nordic Pumps and Engines AS".to_owned()),
        drawing_number: None,
        position_number: None,
        unit: "pcs".to_owned(),
        minimum_stock: 2,
        stock_on_board: Some(4),
        reorder_quantity: Some(2),
        location: Some("Store 3".to_owned()),
        lead_time_days: Some(30),
        is_critical: true,
    }
}

fn schedule(number: u64) -> MaintenanceScheduleDraft {
    MaintenanceScheduleDraft {
        id: format!("s-{number:09}"),
        job_code: "ME-001".to_owned(),
        title: "Inspect the mechanical seal".to_owned(),
        procedure: None,
        kind: "preventive".to_owned(),
        every_days: None,
        every_hours: Some(4_000),
        tolerance_days: None,
        responsible_rank: Some("chief_engineer".to_owned()),
        class_item_code: None,
        last_done_on: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const FLEET: Fleet = Fleet { seed: 7, ships: 2_000, equipment_per_ship: 30, ships_per_user: 10 };

    fn version(revision: u32) -> Version {
        Version { at: first_moment(), revision }
    }

    #[test]
    fn record_is_the_same_every_time_and_another_for_another_seed() {
        let other = Fleet { seed: 8, ..FLEET };
        for number in [0, 1, 999, 59_999] {
            let record = FLEET.equipment(number, version(3));
            assert_eq!(record, FLEET.equipment(number, version(3)));
            assert_ne!(record, FLEET.equipment(number, version(4)));
            assert_ne!(record, other.equipment(number, version(3)));
        }
        assert_eq!(FLEET.vessel(12, version(1)), FLEET.vessel(12, version(1)));
        assert_eq!(FLEET.user(12, version(1)), FLEET.user(12, version(1)));
    }

    #[test]
    fn imo_numbers_are_valid_and_no_two_ships_have_one() {
        let mut seen = HashSet::new();
        for ship in 0..200_000 {
            let number = FLEET.imo_number(ship);
            let digits: Vec<u32> = number.chars().filter_map(|digit| digit.to_digit(10)).collect();
            assert_eq!(digits.len(), 7, "{number}");
            let sum: u32 = (0..6).map(|place| digits[place] * (7 - place as u32)).sum();
            assert_eq!(sum % 10, digits[6], "{number}");
            assert!(number != "1234567" && digits.iter().any(|digit| *digit != digits[0]), "{number}");
            assert!(seen.insert(number.clone()), "{number} twice");
        }
    }

    #[test]
    fn ids_have_the_order_of_their_numbers_and_lead_back_to_them() {
        for list in List::ALL {
            for number in [0, 9, 10, 99_999, 15_999_999] {
                assert_eq!(list.number(&list.id(number)), Some(number));
                assert!(list.id(number) < list.id(number + 1));
            }
            for foreign in ["", "x-000000001", "e-1", "e-0000000001", "v-12345678a"] {
                assert_eq!(list.number(foreign), None, "{foreign}");
            }
        }
    }

    #[test]
    fn records_of_ships_are_all_records_of_the_list() {
        for list in List::ALL {
            let mut next = 0;
            for ship in 0..FLEET.ships {
                for number in FLEET.numbers_of_ship(list, ship) {
                    assert_eq!((number, FLEET.ship_of(list, number)), (next, ship), "{list:?}");
                    next += 1;
                }
            }
            assert_eq!(next, FLEET.count(list));
        }
    }

    #[test]
    fn revisions_never_take_criticality_or_running_hours_away() {
        for number in 0..500 {
            let (first, later) = (FLEET.equipment(number, version(0)), FLEET.equipment(number, version(5)));
            assert_eq!(
                (first.is_critical, first.running_hours, first.qr_code),
                (later.is_critical, later.running_hours, later.qr_code)
            );
            assert_eq!(first.withdrawn_at, None);
        }
    }
}
