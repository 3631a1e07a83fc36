//! Companies and their vessels.

use rand::{Rng, seq::IndexedRandom};

use super::{
    draws_of, id_of,
    identity::{FLAGS, Flag, company_number, imo_number},
};
use crate::{
    records::Kind,
    shapes::{Company, Vessel},
};

/// A company of the demo fleet: what its ships are called and are.
pub(super) struct House {
    name: &'static str,
    country: &'static str,
    /// What its ships' names begin with.
    prefix: &'static str,
    pub(super) domain: &'static str,
    types: &'static [&'static str],
    /// Flags of its ships, by country.
    flags: &'static [&'static str],
}

const fn house(
    name: &'static str,
    country: &'static str,
    prefix: &'static str,
    domain: &'static str,
    types: &'static [&'static str],
    flags: &'static [&'static str],
) -> House {
    House { name, country, prefix, domain, types, flags }
}

pub(super) static HOUSES: [House; 10] = [
    house(
        "Nordhavn Bulk AS",
        "NO",
        "Nordhavn",
        "nordhavn-bulk.example",
        &["bulk_carrier"],
        &["NO", "LR", "MH"],
    ),
    house(
        "Aegean Crown Tankers SA",
        "GR",
        "Aegean",
        "aegeancrown.example",
        &["oil_tanker", "product_tanker"],
        &["GR", "MT", "LR"],
    ),
    house(
        "Hanse Feeder Lines GmbH",
        "DE",
        "Hanse",
        "hansefeeder.example",
        &["container"],
        &["DE", "CY", "LR"],
    ),
    house(
        "Straits Chemical Carriers Pte Ltd",
        "SG",
        "Straits",
        "straitschem.example",
        &["chemical_tanker", "product_tanker"],
        &["SG", "HK", "PA"],
    ),
    house(
        "Fjordgass Shipping AS",
        "NO",
        "Fjord",
        "fjordgass.example",
        &["lng_carrier", "lpg_carrier"],
        &["NO", "BS"],
    ),
    house("Clydeway Offshore Ltd", "GB", "Clyde", "clydeway.example", &["offshore_supply"], &["GB", "BS"]),
    house("Laagland Zeevaart BV", "NL", "Laagland", "laagland.example", &["general_cargo"], &["NL"]),
    house(
        "Minato Auto Carriers KK",
        "JP",
        "Minato",
        "minato-auto.example",
        &["car_carrier", "ro_ro"],
        &["JP", "PA"],
    ),
    house("Skärgård Ferries AB", "SE", "Skärgård", "skargard.example", &["ferry"], &["SE", "DK"]),
    house(
        "Isthmus Reefer & Bulk SA",
        "PA",
        "Isthmus",
        "isthmus-reefer.example",
        &["reefer", "bulk_carrier"],
        &["PA", "LR"],
    ),
];

const NAMES: [&str; 48] = [
    "Aurora",
    "Boreas",
    "Calypso",
    "Daphne",
    "Electra",
    "Fortuna",
    "Galatea",
    "Halcyon",
    "Iris",
    "Juno",
    "Kallisto",
    "Leto",
    "Meridian",
    "Nereid",
    "Oceanus",
    "Polaris",
    "Quest",
    "Rigel",
    "Sirius",
    "Thetis",
    "Urania",
    "Vega",
    "Wayfarer",
    "Xanthe",
    "Ypsilon",
    "Zephyr",
    "Altair",
    "Bellatrix",
    "Capella",
    "Deneb",
    "Eos",
    "Fomalhaut",
    "Gemini",
    "Hesperia",
    "Icarus",
    "Jupiter",
    "Kestrel",
    "Lyra",
    "Mimosa",
    "Navigator",
    "Orion",
    "Pegasus",
    "Regulus",
    "Spica",
    "Triton",
    "Unity",
    "Venture",
    "Mira",
];

const CLASSES: [&str; 7] =
    ["DNV", "Lloyd's Register", "ABS", "Bureau Veritas", "ClassNK", "RINA", "Korean Register"];
const YARDS: [&str; 12] = [
    "Hyundai Heavy Industries, Ulsan",
    "Samsung Heavy Industries, Geoje",
    "Hanwha Ocean, Okpo",
    "Imabari Shipbuilding, Marugame",
    "Oshima Shipbuilding, Saikai",
    "Tsuneishi, Tadotsu",
    "Jiangnan Shipyard, Shanghai",
    "Hudong-Zhonghua, Shanghai",
    "New Times Shipbuilding, Jingjiang",
    "Meyer Turku, Turku",
    "Vard, Brattvåg",
    "Damen Shipyards, Galați",
];

/// What ships of a type measure, from and to: gross tonnage, length, beam, draught; net per gross; tonnes per gross.
struct Measures {
    gross: [i32; 2],
    length: [f64; 2],
    beam: [f64; 2],
    draught: [f64; 2],
    net: f64,
    deadweight: f64,
    engine: &'static str,
}

const fn measures(
    gross: [i32; 2],
    length: [f64; 2],
    beam: [f64; 2],
    draught: [f64; 2],
    net: f64,
    deadweight: f64,
    engine: &'static str,
) -> Measures {
    Measures { gross, length, beam, draught, net, deadweight, engine }
}

fn measures_of(vessel_type: &str) -> Measures {
    match vessel_type {
        "bulk_carrier" => measures(
            [22_000, 94_000],
            [180.0, 295.0],
            [30.0, 46.0],
            [10.5, 18.3],
            0.60,
            1.85,
            "MAN B&W 6S50ME-C8.5",
        ),
        "oil_tanker" => measures(
            [62_000, 84_000],
            [244.0, 277.0],
            [42.0, 48.0],
            [14.5, 17.4],
            0.55,
            1.82,
            "MAN B&W 6G60ME-C9.5",
        ),
        "product_tanker" => measures(
            [28_000, 43_000],
            [180.0, 228.0],
            [32.0, 32.3],
            [11.0, 13.5],
            0.46,
            1.72,
            "MAN B&W 6S50ME-B9.3",
        ),
        "chemical_tanker" => measures(
            [11_000, 27_000],
            [144.0, 183.0],
            [23.0, 32.2],
            [8.7, 12.6],
            0.50,
            1.65,
            "MAN B&W 6S46MC-C8",
        ),
        "container" => {
            measures([16_000, 52_000], [170.0, 260.0], [27.0, 37.4], [9.5, 13.0], 0.48, 1.22, "WinGD X62-B")
        }
        "lng_carrier" => measures(
            [98_000, 116_000],
            [284.0, 299.0],
            [43.4, 49.0],
            [11.4, 12.6],
            0.30,
            0.80,
            "WinGD 5X72DF",
        ),
        "lpg_carrier" => measures(
            [18_000, 48_000],
            [160.0, 230.0],
            [25.6, 36.6],
            [10.0, 12.0],
            0.33,
            1.15,
            "MAN B&W 6G60ME-C9-LGIP",
        ),
        "offshore_supply" => {
            measures([2_400, 5_200], [74.0, 97.0], [17.0, 22.0], [5.8, 7.2], 0.31, 0.98, "Wärtsilä 8L26")
        }
        "general_cargo" => {
            measures([3_600, 9_600], [98.0, 143.0], [14.5, 21.8], [6.0, 8.1], 0.52, 1.42, "MaK 8M32C")
        }
        "car_carrier" | "ro_ro" => measures(
            [41_000, 73_000],
            [182.0, 200.0],
            [31.0, 38.0],
            [8.9, 11.0],
            0.31,
            0.30,
            "MAN B&W 7S60ME-C8",
        ),
        "ferry" => {
            measures([18_000, 57_000], [150.0, 218.0], [24.0, 31.8], [5.8, 7.1], 0.50, 0.15, "Wärtsilä 8L46F")
        }
        _ => measures(
            [10_000, 14_000],
            [140.0, 165.0],
            [21.0, 26.0],
            [8.2, 9.6],
            0.52,
            1.05,
            "Mitsubishi 7UEC52LS",
        ),
    }
}

pub(super) fn company_id(company: u32) -> String {
    id_of("company", company)
}

pub(super) fn vessel_id(vessel: u32) -> String {
    id_of("vessel", vessel)
}

/// The company that runs a vessel.
pub(super) const fn company_of(vessel: u32, companies: u32) -> u32 {
    vessel % companies
}

pub(super) fn house_of(company: u32) -> &'static House {
    &HOUSES[company as usize % HOUSES.len()]
}

/// Words of the shapes' vocabulary.
pub(super) fn kind_of(vessel: u32, companies: u32) -> &'static str {
    let house = house_of(company_of(vessel, companies));
    house.types[(vessel / companies) as usize % house.types.len()]
}

/// Where people of a company have their mail.
pub(super) fn domain_of(company: u32) -> String {
    let House { domain, .. } = house_of(company);
    match company / HOUSES.len() as u32 {
        0 => (*domain).to_owned(),
        more => format!("fleet{more}.{domain}"),
    }
}

pub(super) fn company(number: u32) -> Company {
    let House { name, country, .. } = house_of(number);
    let name = match number / HOUSES.len() as u32 {
        0 => (*name).to_owned(),
        more => format!("{name} (Fleet {more})"),
    };
    Company {
        id: company_id(number),
        name,
        imo_company_number: Some(company_number(500_000 + number * 137 % 100_000)),
        country: (*country).to_owned(),
        email: Some(format!("fleet@{}", domain_of(number))),
    }
}

/// Six digits of an IMO number. They were given in the order of building, so they tell the year.
fn six_digits(vessel: u32) -> u32 {
    910_000 + vessel * 7919 % 80_000
}

pub(super) fn imo_of(vessel: u32) -> String {
    imo_number(six_digits(vessel))
}

pub(super) fn build_year_of(vessel: u32) -> i32 {
    1996 + i32::try_from((six_digits(vessel) - 910_000) * 28 / 80_000).unwrap_or_default()
}

pub(super) fn vessel(number: u32, companies: u32) -> Vessel {
    let mut draws = draws_of(Kind::Vessel, number.into());
    let company = company_of(number, companies);
    let House { prefix, flags, .. } = house_of(company);
    let vessel_type = kind_of(number, companies);
    let Measures { gross, length, beam, draught, net, deadweight, engine } = measures_of(vessel_type);
    let country = flags[draws.random_range(0..flags.len())];
    let flag: &Flag = FLAGS.iter().find(|flag| flag.country == country).expect("flags of houses have a row");

    // One draw for the size: a long ship is a wide one.
    let size: f64 = draws.random();
    let between = |[from, to]: [f64; 2]| ((from + (to - from) * size) * 10.0).round() / 10.0;
    let gross_tonnage = gross[0] + (f64::from(gross[1] - gross[0]) * size) as i32;
    let share = |of: f64| (f64::from(gross_tonnage) * of) as i32;
    let name = NAMES[number as usize % NAMES.len()];
    let name = match number as usize / NAMES.len() {
        0 => format!("{prefix} {name}"),
        more => format!("{prefix} {name} {}", more + 1),
    };
    let service_status = match draws.random_range(0..20) {
        0 => "dry_dock",
        1 => "laid_up",
        _ => "in_service",
    };
    Vessel {
        id: vessel_id(number),
        company_id: company_id(company),
        imo_number: imo_of(number),
        name,
        mmsi: Some(flag.mmsi(number)),
        call_sign: Some(flag.call_sign(number)),
        flag: flag.country.to_owned(),
        port_of_registry: Some(flag.port.to_owned()),
        vessel_type: vessel_type.to_owned(),
        gross_tonnage: Some(gross_tonnage),
        net_tonnage: Some(share(net)),
        deadweight: Some(share(deadweight)),
        length_overall_m: Some(between(length)),
        beam_m: Some(between(beam)),
        draught_m: Some(between(draught)),
        build_year: Some(build_year_of(number)),
        shipyard: YARDS.choose(&mut draws).map(|yard| (*yard).to_owned()),
        hull_number: Some(format!("H{}", draws.random_range(1000..9000))),
        class_society: CLASSES.choose(&mut draws).map(|class| (*class).to_owned()),
        main_engine: Some(engine.to_owned()),
        service_status: service_status.to_owned(),
    }
}
