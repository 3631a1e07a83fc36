//! Records of the demo fleet that are invalid on purpose, as some records of real fleets are.

use chrono::{DateTime, Utc};

use super::{DEMO_COMPANIES, Detail, Entry, crew, id_of, machinery, ships};
use crate::{
    records::{Kind, State, document::Record},
    shapes::{Equipment, User, Vessel},
};

/// An invalid record, and the finding that a receiver should report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub kind: Kind,
    pub id: String,
    /// What is wrong, for people.
    pub description: &'static str,
    /// Code of the finding in SMS Sync.
    pub code: &'static str,
    /// Whether the record should be rejected; otherwise it is accepted with a warning.
    pub rejected: bool,
}

/// Every invalid record of the demo fleet.
#[must_use]
pub fn flaws() -> Vec<Flaw> {
    flawed().into_iter().filter_map(|(flaw, _)| flaw).collect()
}

/// The invalid records, and the valid one whose QR code another one repeats.
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
        flaw_of(
            &vessel,
            version(0),
            "the check digit of its IMO number is wrong",
            "imo_number_check_digit",
            true,
        ),
        flaw_of(&reflagged, version(1), "its MMSI is of another flag", "mmsi_flag_mismatch", false),
        flaw_of(&orphan, version(2), "its vessel does not exist", "orphan", true),
        (None, entry(&label("label"), version(3))),
        flaw_of(
            &label("double"),
            version(4),
            "its QR code is that of another machine",
            "duplicate_qr_code",
            false,
        ),
        flaw_of(
            &code,
            version(5),
            "its code has the letter O in place of a zero",
            "sfi_code_malformed",
            true,
        ),
        flaw_of(&spare("future"), future, "its version is in the future", "version_from_future", true),
        flaw_of(&rank, version(6), "its rank is unknown", "unknown_rank", false),
        flaw_of(&address, version(7), "its e-mail address is malformed", "email_malformed", true),
        flaw_of(&workplace, version(8), "its workplace is unknown", "workplace_unknown", true),
    ]
}

/// A vessel whose company flies no Panamanian flag.
const FOREIGN: u32 = 96;

fn flaw_of<T: Record>(
    record: &T,
    updated_at: DateTime<Utc>,
    description: &'static str,
    code: &'static str,
    rejected: bool,
) -> (Option<Flaw>, Entry) {
    let entry = entry(record, updated_at);
    let flaw = Flaw { kind: entry.kind, id: entry.document.id.clone(), description, code, rejected };
    (Some(flaw), entry)
}

fn entry<T: Record>(record: &T, updated_at: DateTime<Utc>) -> Entry {
    Entry { kind: T::KIND, state: State::Approved, updated_at, document: record.document() }
}

/// Versions after those of the valid records.
fn version(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_751_000_000 + number * 3600, 0).expect("in June 2025")
}

/// An additional fan on the first vessel.
fn spare(name: &str) -> Equipment {
    let mut fan = machinery::numbered(0, ships::vessel_type_of(0, DEMO_COMPANIES), 0, Detail::Full);
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

/// An additional user of the first company.
fn person(name: &str) -> User {
    let mut user = crew::on_board(0, 9, 0, DEMO_COMPANIES);
    let (given, family) = name.split_once('.').unwrap_or((name, name));
    user.id = id_of("user", format_args!("flawed/{name}"));
    user.email = format!("{name}@{}", ships::email_domain_of(0));
    user.employee_number = None;
    user.given_name = Some(capitalized(given));
    user.family_name = capitalized(family);
    user
}

fn capitalized(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_nine_flaws_has_a_different_code() {
        let mut codes: Vec<_> = flaws().iter().map(|flaw| flaw.code).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!((codes.len(), all), (9, 9));
    }
}
