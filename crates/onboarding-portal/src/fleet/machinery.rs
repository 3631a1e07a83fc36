//! The equipment on board.

use chrono::{Datelike, NaiveDate};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value};

use super::{
    Detail,
    catalogue::{Family, Item, Job, Part, Spec, catalogue},
    id_of, rng_of,
    ships::{build_year_of, imo_of, vessel_id},
};
use crate::{
    records::Kind,
    shapes::{CriticalPart, Equipment, MaintenanceSchedule, Vessel},
};

/// The probability that a ship has a kind of equipment that is not critical.
const OPTIONAL_ITEM_PROBABILITY: f64 = 0.6;

/// The equipment of a vessel of the demo fleet.
pub(super) fn on_board_of(number: u32, vessel: &Vessel) -> Vec<Equipment> {
    let mut on_board = Vec::new();
    let mut rng = rng_of(Kind::Vessel, 1 << 40 | u64::from(number));
    for item in catalogue().items.iter().filter(|item| item.fits(&vessel.vessel_type)) {
        if item.critical.is_none() && !rng.random_bool(OPTIONAL_ITEM_PROBABILITY) {
            continue;
        }
        // All units of one kind have the same maker.
        let maker = rng.random_range(0..item.makers.len());
        for unit in 1..=item.units {
            let place = u32::try_from(on_board.len()).unwrap_or_default();
            on_board.push(equipment(number, item, unit, maker, place, Detail::Full));
        }
    }
    on_board
}

/// The piece of equipment at a place of a vessel of a sized fleet: the catalogue, repeated as often as needed.
pub(super) fn numbered(vessel: u32, vessel_type: &str, place: u32, detail: Detail) -> Equipment {
    let fitting = catalogue().items.iter().filter(|item| item.fits(vessel_type)).count();
    let (round, at) = (place as usize / fitting, place as usize % fitting);
    let item = catalogue().items.iter().filter(|item| item.fits(vessel_type)).nth(at);
    let item = item.expect("the index is below the count of the items that fit");
    let unit = i32::try_from(round + 1).unwrap_or(i32::MAX);
    equipment(vessel, item, unit, vessel as usize % item.makers.len(), place, detail)
}

fn equipment(vessel: u32, item: &Item, unit: i32, maker: usize, place: u32, detail: Detail) -> Equipment {
    let name = format!("{vessel}/{}/{unit}", item.code);
    let mut rng = rng_of(Kind::Equipment, u64::from(vessel) << 20 | u64::from(place));
    let family = item.family();
    let (maker, model) = split_maker_and_model(&item.makers[maker]);
    let built = build_year_of(vessel);
    let installed_on = NaiveDate::from_ymd_opt(built, rng.random_range(1..=12), rng.random_range(1..=28));
    let warranty_until = installed_on.and_then(|on| on.with_year(on.year() + rng.random_range(1..=3)));
    let years = f64::from(2025 - built);
    let hours = years * rng.random_range(900.0..5200.0);
    // The last of several units is the standby unit; so is a single one.
    let is_standby = item.standby.is_some() && (unit == item.units || item.units == 1);
    let in_service = rng.random_bool(0.97);
    // Every other ship had QR labels before.
    let labelled = vessel % 2 == 1;
    let mut equipment = Equipment {
        id: id_of("equipment", &name),
        vessel_id: vessel_id(vessel),
        code: item.code.clone(),
        unit_number: unit,
        name: if item.units > 1 || unit > 1 {
            format!("{} No. {unit}", item.name)
        } else {
            item.name.clone()
        },
        maker: Some(maker.to_owned()),
        model: Some(model.to_owned()),
        serial_number: Some(format!("{built}-{:06}", rng.random_range(0..1_000_000))),
        location: Some(item.location.clone()),
        specs: specs(family, &mut rng),
        is_critical: item.critical.is_some(),
        criticality_basis: item.critical.clone(),
        is_standby,
        standby_test_interval_days: item.standby.filter(|_| is_standby),
        redundancy_group: item.group.clone(),
        qr_code: labelled.then(|| format!("{}-{}-{place:04}", imo_of(vessel), item.code.replace('.', ""))),
        installed_on,
        warranty_until,
        running_hours: family.running.then_some(hours as i32),
        service_status: if in_service { "in_service" } else { "out_of_service" }.to_owned(),
        critical_parts: Vec::new(),
        maintenance_schedules: Vec::new(),
    };
    match detail {
        Detail::Full => {
            equipment.critical_parts = parts(item, family, &name, maker, &mut rng);
            equipment.maintenance_schedules = schedules(item, family, &name, installed_on, &mut rng);
        }
        Detail::Plain => pad_specs(&mut equipment, &mut rng),
    }
    equipment
}

/// `Alfa Laval S 966`: the maker is the first word, or the first two for the makers listed here.
fn split_maker_and_model(maker_and_model: &str) -> (&str, &str) {
    const TWO_WORDS: [&str; 22] = [
        "Alfa Laval",
        "MAN Energy",
        "Kongsberg",
        "Bosch Rexroth",
        "Heinen & Hopman",
        "Riken Keiki",
        "Karm Winch",
        "Tamrotor Marine",
        "Atlas Copco",
        "Cassens & Plath",
        "Tokyo Keiki",
        "Viking Norsafe",
        "Electrolux Marine",
        "Daikin Marine",
        "Kone Marine",
        "Parat Halvorsen",
        "Volvo Penta",
        "Boll & Kirch",
        "Kanagawa Kiki",
        "J.P. Sauer",
        "Air Products",
        "Danfoss Semco",
    ];
    if let Some(rest) = maker_and_model.strip_prefix("MAN Energy Solutions ") {
        return ("MAN Energy Solutions", rest);
    }
    for words in TWO_WORDS {
        if let Some(rest) = maker_and_model.strip_prefix(words).and_then(|rest| rest.strip_prefix(' ')) {
            return (words, rest);
        }
    }
    maker_and_model.split_once(' ').unwrap_or((maker_and_model, maker_and_model))
}

fn specs(family: &Family, rng: &mut StdRng) -> Map<String, Value> {
    let mut specs = Map::new();
    for (name, spec) in &family.specs {
        let value = match spec {
            Spec::Whole([from, to]) => Value::from(rng.random_range(*from..=*to)),
            Spec::Real([from, to]) => Value::from((rng.random_range(*from..=*to) * 10.0).round() / 10.0),
            Spec::Words(words) => Value::from(words.choose(rng).map_or("", String::as_str)),
        };
        specs.insert(name.clone(), value);
    }
    specs
}

/// Pads the technical data, so that plain equipment has about as many bytes as real equipment.
fn pad_specs(equipment: &mut Equipment, rng: &mut StdRng) {
    const WORDS: [&str; 12] = [
        "inspected",
        "overhauled",
        "spare",
        "coupling",
        "aligned",
        "class",
        "approved",
        "drawing",
        "painted",
        "foundation",
        "certified",
        "tested",
    ];
    const TARGET_BYTES: usize = 890;
    let drawing = format!("DWG-{}-{:05}", equipment.code, rng.random_range(0..100_000));
    equipment.specs.insert("drawing".to_owned(), drawing.into());
    equipment.specs.insert("massKg".to_owned(), rng.random_range(12..9000).into());
    let bytes = serde_json::to_string(equipment).map_or(0, |text| text.len()) + r#","remarks":"""#.len();
    let mut remarks = String::new();
    while bytes + remarks.len() < TARGET_BYTES {
        if !remarks.is_empty() {
            remarks.push(' ');
        }
        remarks.push_str(WORDS.choose(rng).copied().unwrap_or_default());
    }
    equipment.specs.insert("remarks".to_owned(), remarks.into());
}

fn parts(item: &Item, family: &Family, name: &str, maker: &str, rng: &mut StdRng) -> Vec<CriticalPart> {
    if item.critical.is_none() {
        return Vec::new();
    }
    let part = |(at, Part(part, unit, minimum, lead)): (usize, &Part)| CriticalPart {
        id: id_of("part", format_args!("{name}/{at}")),
        part_number: format!("{}-{:02}{:03}", item.code.replace('.', ""), at + 1, rng.random_range(0..1000)),
        name: part.clone(),
        maker: Some(maker.to_owned()),
        drawing_number: Some(format!("{}-{:02}", item.code, at + 1)),
        position_number: Some(rng.random_range(1..140).to_string()),
        unit: unit.clone(),
        minimum_stock: *minimum,
        stock_on_board: Some(minimum + rng.random_range(0..=2)),
        reorder_quantity: Some(*minimum),
        location: Some("Spare parts store".to_owned()),
        lead_time_days: Some(*lead),
        is_critical: true,
    };
    family.parts.iter().enumerate().map(part).collect()
}

fn schedules(
    item: &Item,
    family: &Family,
    name: &str,
    installed_on: Option<NaiveDate>,
    rng: &mut StdRng,
) -> Vec<MaintenanceSchedule> {
    let job = |(at, Job(title, kind, days, hours, rank)): (usize, &Job)| MaintenanceSchedule {
        id: id_of("schedule", format_args!("{name}/{at}")),
        job_code: format!("{}-{:02}", item.code, at + 1),
        title: title.clone(),
        procedure: Some(format!(
            "{title}: {}. Follow the maker's manual and the permit to work; report findings.",
            item.name.to_lowercase()
        )),
        kind: kind.clone(),
        every_days: *days,
        every_hours: hours.filter(|_| family.running),
        tolerance_days: days.filter(|days| *days >= 30).map(|days| days / 10),
        responsible_rank: Some(rank.clone()),
        class_item_code: (kind == "class_survey").then(|| format!("CMS-{}", item.code.replace('.', ""))),
        last_done_on: NaiveDate::from_ymd_opt(2024, rng.random_range(1..=12), rng.random_range(1..=28))
            .filter(|done| installed_on.is_none_or(|installed| *done > installed)),
    };
    family.jobs.iter().enumerate().map(job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maker_of_one_or_more_words_is_split_from_its_model() {
        for (text, maker) in [
            ("Alfa Laval S 966", "Alfa Laval"),
            ("MAN Energy Solutions 6G60ME-C9.5", "MAN Energy Solutions"),
            ("Furuno FAR-2228", "Furuno"),
            ("Shinko RVP 200", "Shinko"),
        ] {
            assert_eq!(split_maker_and_model(text).0, maker);
        }
    }
}
