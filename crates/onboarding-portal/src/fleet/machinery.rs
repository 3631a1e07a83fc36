//! What is on board.

use chrono::{Datelike, NaiveDate};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value};

use super::{
    Detail,
    catalogue::{Family, Item, Job, Part, Spec, catalogue},
    draws_of, id_of,
    ships::{build_year_of, imo_of, vessel_id},
};
use crate::{
    records::Kind,
    shapes::{CriticalPart, Equipment, MaintenanceSchedule, Vessel},
};

/// Of what is not critical a ship has this share.
const SHARE_OF_THE_REST: f64 = 0.6;

/// Everything on board of a vessel of the demo fleet.
pub(super) fn of_vessel(number: u32, vessel: &Vessel) -> Vec<Equipment> {
    let mut on_board = Vec::new();
    let mut draws = draws_of(Kind::Vessel, 1 << 40 | u64::from(number));
    for item in catalogue().items.iter().filter(|item| item.fits(&vessel.vessel_type)) {
        if item.critical.is_none() && !draws.random_bool(SHARE_OF_THE_REST) {
            continue;
        }
        // Units of one kind were bought together.
        let maker = draws.random_range(0..item.makers.len());
        for unit in 1..=item.units {
            let place = u32::try_from(on_board.len()).unwrap_or_default();
            on_board.push(made(number, item, unit, maker, place, Detail::Full));
        }
    }
    on_board
}

/// The `place`th piece on board of a vessel of a sized fleet: the catalogue again and again.
pub(super) fn nth(vessel: u32, vessel_type: &str, place: u32, detail: Detail) -> Equipment {
    let fitting = catalogue().items.iter().filter(|item| item.fits(vessel_type)).count();
    let (round, at) = (place as usize / fitting, place as usize % fitting);
    let item = catalogue().items.iter().filter(|item| item.fits(vessel_type)).nth(at);
    let item = item.expect("it is counted from those that fit");
    let unit = i32::try_from(round + 1).unwrap_or(i32::MAX);
    made(vessel, item, unit, vessel as usize % item.makers.len(), place, detail)
}

fn made(vessel: u32, item: &Item, unit: i32, maker: usize, place: u32, detail: Detail) -> Equipment {
    let name = format!("{vessel}/{}/{unit}", item.code);
    let mut draws = draws_of(Kind::Equipment, u64::from(vessel) << 20 | u64::from(place));
    let family = item.family();
    let (maker, model) = split(&item.makers[maker]);
    let built = build_year_of(vessel);
    let installed_on = NaiveDate::from_ymd_opt(built, draws.random_range(1..=12), draws.random_range(1..=28));
    let warranty_until = installed_on.and_then(|on| on.with_year(on.year() + draws.random_range(1..=3)));
    let years = f64::from(2025 - built);
    let hours = years * draws.random_range(900.0..5200.0);
    // Of several units each stands by in its turn; a single one stands by always.
    let is_standby = item.standby.is_some() && (unit == item.units || item.units == 1);
    let in_service = draws.random_bool(0.97);
    // Ships of every other company had labels before.
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
        serial_number: Some(format!("{built}-{:06}", draws.random_range(0..1_000_000))),
        location: Some(item.location.clone()),
        specs: specs(family, &mut draws),
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
            equipment.critical_parts = parts(item, family, &name, maker, &mut draws);
            equipment.maintenance_schedules = schedules(item, family, &name, installed_on, &mut draws);
        }
        Detail::Plain => fill(&mut equipment, &mut draws),
    }
    equipment
}

/// `Alfa Laval S 966`: the model begins where the last part with a digit or a capital of its own does.
fn split(maker_and_model: &str) -> (&str, &str) {
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

fn specs(family: &Family, draws: &mut StdRng) -> Map<String, Value> {
    let mut specs = Map::new();
    for (name, spec) in &family.specs {
        let value = match spec {
            Spec::Whole([from, to]) => Value::from(draws.random_range(*from..=*to)),
            Spec::Real([from, to]) => Value::from((draws.random_range(*from..=*to) * 10.0).round() / 10.0),
            Spec::Words(words) => Value::from(words.choose(draws).map_or("", String::as_str)),
        };
        specs.insert(name.clone(), value);
    }
    specs
}

/// Plain equipment has the weight of the real one in its technical data.
fn fill(equipment: &mut Equipment, draws: &mut StdRng) {
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
    const WEIGHT: usize = 890;
    let drawing = format!("DWG-{}-{:05}", equipment.code, draws.random_range(0..100_000));
    equipment.specs.insert("drawing".to_owned(), drawing.into());
    equipment.specs.insert("massKg".to_owned(), draws.random_range(12..9000).into());
    let weighs = serde_json::to_string(equipment).map_or(0, |text| text.len()) + r#","remarks":"""#.len();
    let mut remarks = String::new();
    while weighs + remarks.len() < WEIGHT {
        if !remarks.is_empty() {
            remarks.push(' ');
        }
        remarks.push_str(WORDS.choose(draws).copied().unwrap_or_default());
    }
    equipment.specs.insert("remarks".to_owned(), remarks.into());
}

fn parts(item: &Item, family: &Family, name: &str, maker: &str, draws: &mut StdRng) -> Vec<CriticalPart> {
    if item.critical.is_none() {
        return Vec::new();
    }
    let part = |(at, Part(part, unit, minimum, lead)): (usize, &Part)| CriticalPart {
        id: id_of("part", format_args!("{name}/{at}")),
        part_number: format!(
            "{}-{:02}{:03}",
            item.code.replace('.', ""),
            at + 1,
            draws.random_range(0..1000)
        ),
        name: part.clone(),
        maker: Some(maker.to_owned()),
        drawing_number: Some(format!("{}-{:02}", item.code, at + 1)),
        position_number: Some(draws.random_range(1..140).to_string()),
        unit: unit.clone(),
        minimum_stock: *minimum,
        stock_on_board: Some(minimum + draws.random_range(0..=2)),
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
    draws: &mut StdRng,
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
        last_done_on: NaiveDate::from_ymd_opt(2024, draws.random_range(1..=12), draws.random_range(1..=28))
            .filter(|done| installed_on.is_none_or(|installed| *done > installed)),
    };
    family.jobs.iter().enumerate().map(job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_and_models_are_told_apart() {
        for (text, maker) in [
            ("Alfa Laval S 966", "Alfa Laval"),
            ("MAN Energy Solutions 6G60ME-C9.5", "MAN Energy Solutions"),
            ("Furuno FAR-2228", "Furuno"),
            ("Shinko RVP 200", "Shinko"),
        ] {
            assert_eq!(split(text).0, maker);
        }
    }
}
