//! Companies and their vessels.

use rand::{Rng, seq::IndexedRandom};

use super::{
    id_of,
    identity::{FLAGS, Flag, company_number, imo_number},
    rng_of,
};
use crate::{
    records::Kind,
    shapes::{Company, Vessel},
};

/// A company of the demo fleet, with the names, types and flags of its ships.
pub(super) struct House {
    name: &'static str,
    country: &'static str,
    /// The first word of its ships' names.
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

/// The dimensions of ships of some types. Pairs are the smallest and the largest value.
struct Measures {
    vessel_types: &'static [&'static str],
    gross: [i32; 2],
    length_m: [f64; 2],
    beam_m: [f64; 2],
    draught_m: [f64; 2],
    /// Net tonnage per gross tonnage.
    net_share: f64,
    /// Deadweight in tonnes per gross tonnage.
    deadweight_share: f64,
    engine: &'static str,
}

static MEASURES: [Measures; 11] = [
    Measures {
        vessel_types: &["bulk_carrier"],
        gross: [22_000, 94_000],
        length_m: [180.0, 295.0],
        beam_m: [30.0, 46.0],
        draught_m: [10.5, 18.3],
        net_share: 0.60,
        deadweight_share: 1.85,
        engine: "MAN B&W 6S50ME-C8.5",
    },
    Measures {
        vessel_types: &["oil_tanker"],
        gross: [62_000, 84_000],
        length_m: [244.0, 277.0],
        beam_m: [42.0, 48.0],
        draught_m: [14.5, 17.4],
        net_share: 0.55,
        deadweight_share: 1.82,
        engine: "MAN B&W 6G60ME-C9.5",
    },
    Measures {
        vessel_types: &["product_tanker"],
        gross: [28_000, 43_000],
        length_m: [180.0, 228.0],
        beam_m: [32.0, 32.3],
        draught_m: [11.0, 13.5],
        net_share: 0.46,
        deadweight_share: 1.72,
        engine: "MAN B&W 6S50ME-B9.3",
    },
    Measures {
        vessel_types: &["chemical_tanker"],
        gross: [11_000, 27_000],
        length_m: [144.0, 183.0],
        beam_m: [23.0, 32.2],
        draught_m: [8.7, 12.6],
        net_share: 0.50,
        deadweight_share: 1.65,
        engine: "MAN B&W 6S46MC-C8",
    },
    Measures {
        vessel_types: &["container"],
        gross: [16_000, 52_000],
        length_m: [170.0, 260.0],
        beam_m: [27.0, 37.4],
        draught_m: [9.5, 13.0],
        net_share: 0.48,
        deadweight_share: 1.22,
        engine: "WinGD X62-B",
    },
    Measures {
        vessel_types: &["lng_carrier"],
        gross: [98_000, 116_000],
        length_m: [284.0, 299.0],
        beam_m: [43.4, 49.0],
        draught_m: [11.4, 12.6],
        net_share: 0.30,
        deadweight_share: 0.80,
        engine: "WinGD 5X72DF",
    },
    Measures {
        vessel_types: &["lpg_carrier"],
        gross: [18_000, 48_000],
        length_m: [160.0, 230.0],
        beam_m: [25.6, 36.6],
        draught_m: [10.0, 12.0],
        net_share: 0.33,
        deadweight_share: 1.15,
        engine: "MAN B&W 6G60ME-C9-LGIP",
    },
    Measures {
        vessel_types: &["offshore_supply"],
        gross: [2_400, 5_200],
        length_m: [74.0, 97.0],
        beam_m: [17.0, 22.0],
        draught_m: [5.8, 7.2],
        net_share: 0.31,
        deadweight_share: 0.98,
        engine: "Wärtsilä 8L26",
    },
    Measures {
        vessel_types: &["general_cargo"],
        gross: [3_600, 9_600],
        length_m: [98.0, 143.0],
        beam_m: [14.5, 21.8],
        draught_m: [6.0, 8.1],
        net_share: 0.52,
        deadweight_share: 1.42,
        engine: "MaK 8M32C",
    },
    Measures {
        vessel_types: &["car_carrier", "ro_ro"],
        gross: [41_000, 73_000],
        length_m: [182.0, 200.0],
        beam_m: [31.0, 38.0],
        draught_m: [8.9, 11.0],
        net_share: 0.31,
        deadweight_share: 0.30,
        engine: "MAN B&W 7S60ME-C8",
    },
    Measures {
        vessel_types: &["ferry"],
        gross: [18_000, 57_000],
        length_m: [150.0, 218.0],
        beam_m: [24.0, 31.8],
        draught_m: [5.8, 7.1],
        net_share: 0.50,
        deadweight_share: 0.15,
        engine: "Wärtsilä 8L46F",
    },
];

/// For all other vessel types.
static OTHER_MEASURES: Measures = Measures {
    vessel_types: &[],
    gross: [10_000, 14_000],
    length_m: [140.0, 165.0],
    beam_m: [21.0, 26.0],
    draught_m: [8.2, 9.6],
    net_share: 0.52,
    deadweight_share: 1.05,
    engine: "Mitsubishi 7UEC52LS",
};

fn measures_of(vessel_type: &str) -> &'static Measures {
    MEASURES.iter().find(|it| it.vessel_types.contains(&vessel_type)).unwrap_or(&OTHER_MEASURES)
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

pub(super) fn vessel_type_of(vessel: u32, companies: u32) -> &'static str {
    let house = house_of(company_of(vessel, companies));
    house.types[(vessel / companies) as usize % house.types.len()]
}

pub(super) fn email_domain_of(company: u32) -> String {
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
        email: Some(format!("fleet@{}", email_domain_of(number))),
    }
}

/// The six digits of an IMO number before its check digit. They are assigned in the order of building, so
/// [`build_year_of`] follows from them.
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
    let mut rng = rng_of(Kind::Vessel, number.into());
    let company = company_of(number, companies);
    let House { prefix, flags, .. } = house_of(company);
    let vessel_type = vessel_type_of(number, companies);
    let measures = measures_of(vessel_type);
    let country = flags[rng.random_range(0..flags.len())];
    let flag: &Flag = FLAGS.iter().find(|flag| flag.country == country).expect("flags of houses have a row");

    // One random value for all dimensions, so that a long ship is also wide.
    let size: f64 = rng.random();
    let between = |[from, to]: [f64; 2]| ((from + (to - from) * size) * 10.0).round() / 10.0;
    let [smallest, largest] = measures.gross;
    let gross_tonnage = smallest + (f64::from(largest - smallest) * size) as i32;
    let share = |of: f64| (f64::from(gross_tonnage) * of) as i32;
    let name = NAMES[number as usize % NAMES.len()];
    let name = match number as usize / NAMES.len() {
        0 => format!("{prefix} {name}"),
        more => format!("{prefix} {name} {}", more + 1),
    };
    let service_status = match rng.random_range(0..20) {
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
        net_tonnage: Some(share(measures.net_share)),
        deadweight: Some(share(measures.deadweight_share)),
        length_overall_m: Some(between(measures.length_m)),
        beam_m: Some(between(measures.beam_m)),
        draught_m: Some(between(measures.draught_m)),
        build_year: Some(build_year_of(number)),
        shipyard: YARDS.choose(&mut rng).map(|yard| (*yard).to_owned()),
        hull_number: Some(format!("H{}", rng.random_range(1000..9000))),
        class_society: CLASSES.choose(&mut rng).map(|class| (*class).to_owned()),
        main_engine: Some(measures.engine.to_owned()),
        service_status: service_status.to_owned(),
    }
}
