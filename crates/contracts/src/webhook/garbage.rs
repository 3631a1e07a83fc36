//! Millions of webhooks that nobody in his senses would send: none makes verifying or reading panic, and none that was
//! not signed is taken for one that was.

use std::thread;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    WebhookBody,
    signature::{Keyring, NamedSecret, Secret, SignedHeaders},
};

const HEADER_CASES: usize = 1_000_000;
const BODY_CASES: usize = 1_000_000;
const SENT: i64 = 1_764_000_000;

/// What parsers stumble over, if over anything.
const PIECES: &[&str] = &[
    "",
    ".",
    " ",
    ",",
    "=",
    "v1,",
    "v1",
    "v1a,",
    "v2,",
    "sha256=",
    "-",
    "+",
    "0",
    "9223372036854775808",
    "1e309",
    "-0",
    "NaN",
    "\\u0000",
    "\\ud800",
    "\\udfff\\ud800",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    "null",
    "true",
    "{}",
    "[[[[[[[[",
    "\u{0}",
    "\u{7f}",
    "\u{feff}",
    "ä",
    "⚓",
    "\u{202e}",
    "\r\n",
    "\t",
    "type",
    "\"type\":",
    "data",
    "\"id\":",
    "timestamp",
    "vessel.approved",
    "test.ping",
    "2026-11-24T08:30:00Z",
    "+262143-12-31T23:59:59Z",
    "-0001-01-01T00:00:00Z",
    "2026-11-24T23:59:60Z",
    "0000-00-00T00:00:00Z",
    "24:00:00",
    "../..",
    "%2e%2e",
];

/// xorshift: the same cases on every run, so that what fails once fails again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }

    /// Spoils some bytes in one to four ways.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len() + 1);
            let end = (at + self.roll(8)).min(bytes.len());
            match self.roll(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.roll(8),
                1 if at < bytes.len() => bytes[at] = self.roll(256) as u8,
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..end)),
                4 => {
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
                _ => drop(bytes.splice(at..end, PIECES[self.roll(PIECES.len())].bytes())),
            }
        }
    }

    fn spoilt(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.spoil(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn on_two_threads(cases: usize, case: impl Fn(&mut Dice) + Sync) {
    thread::scope(|scope| {
        for seed in [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03] {
            let case = &case;
            scope.spawn(move || {
                let mut dice = Dice(seed);
                for _ in 0..cases / 2 {
                    case(&mut dice);
                }
            });
        }
    });
}

#[test]
fn no_headers_make_verifying_panic_and_only_what_was_signed_is_taken() {
    let secret = Secret::parse(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned().into()).unwrap();
    let (id, timestamp, body) = ("msg_1", SENT.to_string(), br#"{"type":"test.ping"}"#);
    let (signature, hub) = (secret.sign(id, SENT, body), secret.sign_hub(body));
    let now: DateTime<Utc> = DateTime::from_timestamp(SENT, 0).unwrap();
    let named = NamedSecret { name: "current".into(), secret, expires_at: None };
    let keyring = Keyring::new(vec![named], TimeDelta::minutes(5));
    let several = format!("v1a,AAAA {signature} v1,AAAA");

    on_two_threads(HEADER_CASES, |dice| {
        let mut headers = [id.to_owned(), timestamp.clone(), signature.clone(), hub.clone()];
        if dice.roll(2) == 0 {
            headers[2].clone_from(&several);
        }
        let which = dice.roll(4);
        headers[which] = dice.spoilt(&headers[which]);
        let [its_id, its_timestamp, its_signature, its_hub] = &headers;
        let signed = SignedHeaders { id: its_id, timestamp: its_timestamp, signature: its_signature };
        if keyring.verify(signed, body, now).is_ok() {
            assert_eq!((its_id.as_str(), its_timestamp), (id, &timestamp));
            // Blanks and commas part the entries alike: proxies join lines.
            let value = signature.strip_prefix("v1,").unwrap();
            assert!(its_signature.split([' ', ',', '\t']).any(|one| one == value), "{its_signature:?}");
        }
        if which != 1 && keyring.verify_hub(its_id, its_hub, body, now).is_ok() {
            assert!(its_hub.eq_ignore_ascii_case(&hub), "{its_hub:?}");
            assert!(!its_id.is_empty() && !its_id.contains('.'), "{its_id:?}");
        }
    });
}

#[test]
fn no_body_makes_reading_panic_and_what_is_read_is_fit_for_a_row() {
    let bodies = [
        r#"{"type":"vessel.approved","timestamp":"2026-11-24T08:30:00Z","data":{"id":"v-1"}}"#,
        r#"{"type":"user.updated","timestamp":"2026-11-24T08:30:00.5+01:00","schemaVersion":1,"data":{"id":"u-1","updatedAt":"2026-11-24T08:30:00Z","imo":null},"more":[1,{"a":"b"}]}"#,
        r#"{"type":"certificate.approved","data":[]}"#,
    ];
    on_two_threads(BODY_CASES, |dice| {
        let mut raw = bodies[dice.roll(bodies.len())].as_bytes().to_vec();
        dice.spoil(&mut raw);
        match WebhookBody::read(&raw) {
            Ok(read) => {
                let name = read.event_type.as_str();
                assert!(!name.is_empty() && name.len() <= super::LONGEST_TYPE && name.is_ascii(), "{name:?}");
                assert_eq!(read.entity.is_some(), read.event_type.record_type().is_some(), "{name:?}");
            }
            Err(error) => assert!(!error.without_values().is_empty()),
        }
    });
}
