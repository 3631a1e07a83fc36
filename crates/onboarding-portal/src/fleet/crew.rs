//! Users, on board and ashore.

use chrono::NaiveDate;
use rand::Rng;

use super::{
    id_of, rng_of,
    ships::{company_id, company_of, email_domain_of, vessel_id},
};
use crate::{records::Kind, shapes::User};

/// Rank and department of each place on board.
pub(super) const SHIP: [(&str, &str); 12] = [
    ("Master", "deck"),
    ("Chief Officer", "deck"),
    ("2nd Officer", "deck"),
    ("3rd Officer", "deck"),
    ("Chief Engineer", "engine"),
    ("2nd Engineer", "engine"),
    ("3rd Engineer", "engine"),
    ("ETO", "engine"),
    ("Bosun", "deck"),
    ("Able Seaman", "deck"),
    ("Fitter", "engine"),
    ("Cook", "catering"),
];

/// Position and department of each place in a company's office.
pub(super) const SHORE: [(&str, &str); 4] = [
    ("Fleet Manager", "fleet"),
    ("Technical Superintendent", "technical"),
    ("DPA", "safety"),
    ("Purchasing Officer", "purchasing"),
];

const GIVEN: [&str; 40] = [
    "Maria",
    "Jose",
    "Ramon",
    "Grace",
    "Arvind",
    "Priya",
    "Rajesh",
    "Anjali",
    "Olav",
    "Ingrid",
    "Kjell",
    "Astrid",
    "Piotr",
    "Agnieszka",
    "Marek",
    "Zofia",
    "Dimitrios",
    "Eleni",
    "Nikolaos",
    "Katerina",
    "Oleksandr",
    "Iryna",
    "Andriy",
    "Olena",
    "Kenji",
    "Yuki",
    "Haruto",
    "Aiko",
    "Willem",
    "Femke",
    "Pieter",
    "Sanne",
    "Callum",
    "Fiona",
    "Angus",
    "Morag",
    "Wei",
    "Mei",
    "Budi",
    "Siti",
];
const FAMILY: [&str; 40] = [
    "Santos",
    "Reyes",
    "Dela Cruz",
    "Bautista",
    "Sharma",
    "Nair",
    "Fernandes",
    "Iyer",
    "Hansen",
    "Solberg",
    "Bakke",
    "Nilsen",
    "Kowalski",
    "Nowak",
    "Zieliński",
    "Wójcik",
    "Papadopoulos",
    "Nikolaidis",
    "Georgiou",
    "Vasileiou",
    "Shevchenko",
    "Kovalenko",
    "Bondarenko",
    "Tkachenko",
    "Tanaka",
    "Suzuki",
    "Nakamura",
    "Kobayashi",
    "de Vries",
    "Jansen",
    "van den Berg",
    "Bakker",
    "MacLeod",
    "Campbell",
    "Fraser",
    "Sinclair",
    "Tan",
    "Lim",
    "Wibowo",
    "Putri",
];

/// The spelling of a name in an e-mail address.
fn address_spelling(name: &str) -> String {
    let letter = |c: char| match c {
        'ń' => 'n',
        'ó' => 'o',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(letter).filter(char::is_ascii_alphanumeric).collect()
}

fn person(number: u32, company: u32) -> (User, rand::rngs::StdRng) {
    let mut rng = rng_of(Kind::User, number.into());
    let given = GIVEN[rng.random_range(0..GIVEN.len())];
    let family = FAMILY[rng.random_range(0..FAMILY.len())];
    let user = User {
        id: id_of("user", number),
        email: format!(
            "{}.{}.{number}@{}",
            address_spelling(given),
            address_spelling(family),
            email_domain_of(company)
        ),
        given_name: Some(given.to_owned()),
        family_name: family.to_owned(),
        employee_number: Some(format!("{}", 100_000 + number)),
        rank: String::new(),
        department: None,
        workplace: String::new(),
        company_id: Some(company_id(company)),
        vessel_ids: Vec::new(),
        sign_on: None,
        sign_off: None,
        active: rng.random_bool(0.96),
    };
    (user, rng)
}

pub(super) fn on_board(number: u32, place: u32, vessel: u32, companies: u32) -> User {
    let (user, mut rng) = person(number, company_of(vessel, companies));
    let (rank, department) = SHIP[place as usize % SHIP.len()];
    let sign_on = NaiveDate::from_ymd_opt(2025, rng.random_range(1..=12), rng.random_range(1..=28));
    User {
        rank: rank.to_owned(),
        department: Some(department.to_owned()),
        workplace: "ship".to_owned(),
        vessel_ids: vec![vessel_id(vessel)],
        sign_on,
        // No sign-off date: the fleet is the same each day, and the date would pass.
        ..user
    }
}

/// A user in a company's office, who sees all of its vessels.
pub(super) fn ashore(number: u32, company: u32, vessels: u32, companies: u32) -> User {
    // A separate range of numbers, above those of users on board.
    let (user, _) = person(900_000 + number, company);
    let (position, department) = SHORE[number as usize % SHORE.len()];
    User {
        rank: position.to_owned(),
        department: Some(department.to_owned()),
        workplace: "shore".to_owned(),
        vessel_ids: (0..vessels).filter(|it| company_of(*it, companies) == company).map(vessel_id).collect(),
        ..user
    }
}
