//! Records of the demo fleet that are wrong on purpose, as records of real fleets are.

use chrono::{DateTime, Utc};

use super::{DEMO_COMPANIES, Detail, Entry, crew, id_of, machinery, ships};
use crate::{
    records::{Kind, State},
    shapes::{Equipment, Record, User, Vessel},
};

/// A record that is wrong, and what a receiver should say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What kind of record it is.
    pub kind: Kind,
    /// Which.
    pub id: String,
    /// What is wrong with it, in words.
    pub what: &'static str,
    /// What SMS Sync calls it.
    pub code: &'static str,
    /// Whether it should be rejected; otherwise it goes in, with a warning.
    pub rejected: bool,
}

/// Every record of the demo fleet that is wrong on purpose.
#[must_use]
pub fn flaws() -> Vec<Flaw> {
    flawed().into_iter().filter_map(|(flaw, _)| flaw).collect()
}

/// Their records, and the one that is right but for its double.
pub(super) fn entries() -> impl Iterator<Item = Entry> + Send {
    flawed().into_iter().map(|(_, entry)| entry)
}

fn flawed() -> Vec<(Option<Flaw>, Entry)> {
    let mut vessel = ships::vessel(90, DEMO_COMPANIES);
    vessel.name = "Nordhavn Wanderer".to_owned();
    let wrong = (vessel.imo_number.as_bytes()[6] - b'0' + 1) % 10;
    vessel.imo_number = format!("{}{wrong}", &vessel.imo_number[..6]);
    let call_sign = Some("3EAJ6".to_owned());
    let reflagged = Vessel { flag: "PA".to_owned(), call_sign, ..ships::vessel(FOREIGN, DEMO_COMPANIES) };

    let label = |name| Equipment { qr_code: Some("NBA-LABEL-0001".to_owned()), ..spare(name) };
    let orphan = Equipment { vessel_id: id_of("vessel", "never entered"), ..spare("orphan") };
    let code = Equipment { code: "6O1.001".to_owned(), ..spare("code") };
    let rank = User { rank: "Sea Scout".to_owned(), ..person("nils.holm") };
    let address = User { email: "eva.lind(at)nordhavn-bulk.example".to_owned(), ..person("eva.lind") };
    let workplace = User { workplace: "submarine".to_owned(), ..person("jules.vern") };
    let future = DateTime::from_timestamp(4_070_908_800, 0).expect("1 January 2099");
    vec![
        wrong_one(
            &vessel,
            version(0),
            "the check digit of its IMO number is wrong",
            "imo_number_check_digit",
            true,
        ),
        wrong_one(&reflagged, version(1), "its MMSI is of another flag", "mmsi_flag_mismatch", false),
        wrong_one(&orphan, version(2), "its vessel does not exist", "orphan", true),
        (None, entry(&label("label"), version(3))),
        wrong_one(
            &label("double"),
            version(4),
            "its QR code is on another machine, too",
            "duplicate_qr_code",
            false,
        ),
        wrong_one(&code, version(5), "its code has the letter O for a zero", "sfi_code_malformed", true),
        wrong_one(&spare("future"), future, "its version is from the future", "version_from_future", true),
        wrong_one(&rank, version(6), "nobody knows its rank", "unknown_rank", false),
        wrong_one(&address, version(7), "its e-mail address is none", "email_malformed", true),
        wrong_one(&workplace, version(8), "it works in a place that is none", "workplace_unknown", true),
    ]
}

/// A vessel whose company flies no Panamanian flag.
const FOREIGN: u32 = 96;

fn wrong_one<T: Record>(
    record: &T,
    updated_at: DateTime<Utc>,
    what: &'static str,
    code: &'static str,
    rejected: bool,
) -> (Option<Flaw>, Entry) {
    let entry = entry(record, updated_at);
    let flaw = Flaw { kind: entry.kind, id: entry.document.id.clone(), what, code, rejected };
    (Some(flaw), entry)
}

fn entry<T: Record>(record: &T, updated_at: DateTime<Utc>) -> Entry {
    Entry { kind: T::KIND, state: State::Approved, updated_at, document: record.document() }
}

/// Versions after those of the rest.
fn version(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_751_000_000 + number * 3600, 0).expect("in June 2025")
}

/// One more fan on the first vessel.
fn spare(name: &str) -> Equipment {
    let mut fan = machinery::nth(0, ships::kind_of(0, DEMO_COMPANIES), 0, Detail::Full);
    let number = match name {
        "orphan" => 1,
        "label" => 2,
        "double" => 3,
        "code" => 4,
        _ => 5,
    };
    fan.id = id_of("equipment", format_args!("flawed/{name}"));
    fan.code = "769.001".to_owned();
    fan.unit_number = number;
    fan.name = format!("Portable fan No. {number}");
    fan.critical_parts.clear();
    fan.maintenance_schedules.clear();
    fan
}

/// One more person in the first company.
fn person(name: &str) -> User {
    let mut user = crew::on_board(0, 9, 0, DEMO_COMPANIES);
    let (given, family) = name.split_once('.').unwrap_or((name, name));
    user.id = id_of("user", format_args!("flawed/{name}"));
    user.email = format!("{name}@{}", ships::domain_of(0));
    user.employee_number = None;
    user.given_name = Some(capital(given));
    user.family_name = capital(family);
    user
}

fn capital(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_handful_is_wrong_each_in_its_own_way() {
        let mut codes: Vec<_> = flaws().iter().map(|flaw| flaw.code).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!((codes.len(), all), (9, 9));
    }
}
