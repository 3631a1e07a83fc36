//! Signing and verifying webhooks, in one file so that the two cannot disagree.
//!
//! Standard Webhooks: `v1,` and the base64 of HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{raw body}`.
//! The `standardwebhooks` crate signs the same, but reads the system's clock, fixes the tolerance and refuses bodies that
//! are not UTF-8; so it serves the tests here as the second opinion, and `hmac` does the work.
//!
//! The way of GitHub is understood too, where it is asked for: `sha256=` and the hexadecimal HMAC-SHA-256 of the body
//! alone. It proves who wrote the body, but neither when nor under which id.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use domain::WebhookRefusal;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// Names the message; the same on every attempt.
pub const ID_HEADER: &str = "webhook-id";
/// Unix seconds of the attempt.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// One signature per active secret, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// The signature of the compatibility mode.
pub const HUB_SIGNATURE_HEADER: &str = "x-hub-signature-256";
/// Names the message in the compatibility mode, where there is no [`ID_HEADER`].
pub const HUB_ID_HEADER: &str = "x-github-delivery";

/// A longer id names nothing that a sender would have to remember.
pub const LONGEST_ID: usize = 255;

/// How far the sender's clock may be from ours, either way.
pub const DEFAULT_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Secrets shorter than this are legal and unwise (Standard Webhooks asks for 24 to 64 bytes).
pub const SHORTEST_WISE_SECRET: usize = 24;

/// What signer and verifier share.
#[derive(Clone)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// `whsec_` and base64: the decoded bytes. Anything else: its bytes as they are, since a secret that an operator
    /// typed must not be guessed at.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidSecret> {
        let text = text.expose_secret();
        check_secret_text(text)?;
        let bytes = match text.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded)?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.is_empty() {
            return Err(InvalidSecret::Empty);
        }
        Ok(Self(bytes.into()))
    }

    /// Legal, but shorter than [`SHORTEST_WISE_SECRET`] bytes.
    pub fn is_short(&self) -> bool {
        self.0.expose_secret().len() < SHORTEST_WISE_SECRET
    }

    /// One entry of the `webhook-signature` header. `timestamp` is in Unix seconds.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, &timestamp.to_string(), body).finalize().into_bytes()))
    }

    /// The `X-Hub-Signature-256` header of a body.
    pub fn sign_hub(&self, body: &[u8]) -> String {
        format!("sha256={}", hex::encode(self.keyed().chain_update(body).finalize().into_bytes()))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.keyed();
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }

    fn keyed(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes a key of any length")
    }
}

/// A text that is nearly a secret would be another secret, with which nothing verifies.
fn check_secret_text(text: &str) -> Result<(), InvalidSecret> {
    let is_quoted = |quote: char| text.starts_with(quote) || text.ends_with(quote);
    if text.contains('\u{feff}') {
        Err(InvalidSecret::ByteOrderMark)
    } else if text != text.trim() || text.chars().any(char::is_control) {
        Err(InvalidSecret::Whitespace)
    } else if ['"', '\'', '`'].into_iter().any(is_quoted) {
        Err(InvalidSecret::Quoted)
    } else if text.to_ascii_lowercase().contains("whsec_") && !text.starts_with("whsec_") {
        Err(InvalidSecret::MisplacedPrefix)
    } else {
        Ok(())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret([REDACTED])")
    }
}

/// Why a text cannot be a secret. Says nothing of the text itself.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSecret {
    /// Signing with nothing proves nothing.
    #[error("the secret is empty")]
    Empty,
    /// Editors on Windows write one at the start of a file.
    #[error("the secret holds a byte order mark: save its file as UTF-8 without one")]
    ByteOrderMark,
    /// Copied with a line end, or with blanks.
    #[error("the secret begins or ends with a blank, or holds a line end or another control character")]
    Whitespace,
    /// Copied with the quotes around it.
    #[error("the secret begins or ends with a quotation mark: leave the quotes out")]
    Quoted,
    /// Copied with `v1,` before it, or in capitals.
    #[error("whsec_ must stand at the very start of the secret, in small letters")]
    MisplacedPrefix,
    /// `whsec_` promises base64.
    #[error("what follows whsec_ is not base64")]
    NotBase64(#[from] base64::DecodeError),
}

/// A secret in use, under the name that logs and rows may show.
#[derive(Debug, Clone)]
pub struct NamedSecret {
    /// `current`, `previous`, …
    pub name: String,
    /// The secret.
    pub secret: Secret,
    /// Not accepted from this time on.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The three headers, as they arrived.
#[derive(Debug, Clone, Copy)]
pub struct SignedHeaders<'a> {
    /// `webhook-id`
    pub id: &'a str,
    /// `webhook-timestamp`
    pub timestamp: &'a str,
    /// `webhook-signature`; of several lines, all, separated by blanks.
    pub signature: &'a str,
}

/// Every secret that a webhook may be signed with.
#[derive(Debug, Clone)]
pub struct Keyring {
    secrets: Vec<NamedSecret>,
    tolerance: TimeDelta,
}

impl Keyring {
    /// Accepts what any of `secrets` signed within `tolerance` of now.
    pub fn new(secrets: Vec<NamedSecret>, tolerance: TimeDelta) -> Self {
        Self { secrets, tolerance }
    }

    /// Checks a webhook, and says which secret matched.
    ///
    /// Any one `v1` signature that any active secret agrees with is enough; other versions are passed over. Comparing
    /// takes the same time wherever two signatures differ.
    pub fn verify(
        &self,
        headers: SignedHeaders<'_>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<&str, Refusal> {
        check_id(headers.id)?;
        let digits = !headers.timestamp.is_empty() && headers.timestamp.bytes().all(|b| b.is_ascii_digit());
        let seconds: i64 =
            headers.timestamp.parse().ok().filter(|_| digits).ok_or(Refusal::MalformedTimestamp)?;
        let sent = DateTime::from_timestamp(seconds, 0).ok_or(Refusal::MalformedTimestamp)?;
        let offered = offered_signatures(headers.signature);
        if offered.is_empty() {
            return Err(Refusal::NoUsableSignature);
        }
        let signed_by = self.active(now).find(|named| {
            let mac = named.secret.mac(headers.id, headers.timestamp, body);
            offered.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
        });
        let named = signed_by.ok_or(Refusal::SignatureMismatch)?;
        // After the signature: that the clocks differ is said only of who knows the secret, or anybody could raise the alarm.
        if (now - sent).abs() > self.tolerance {
            return Err(Refusal::OutOfTolerance);
        }
        Ok(&named.name)
    }

    /// Checks a webhook in the compatibility mode, and says which secret matched: `signature` is what stands in
    /// `X-Hub-Signature-256`. The id is not signed, and nothing says how old the webhook is.
    pub fn verify_hub(
        &self,
        id: &str,
        signature: &str,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<&str, Refusal> {
        check_id(id)?;
        let offered = signature.strip_prefix("sha256=").and_then(|digits| hex::decode(digits).ok());
        let offered = offered.ok_or(Refusal::NoUsableSignature)?;
        self.active(now)
            .find(|named| named.secret.keyed().chain_update(body).verify_slice(&offered).is_ok())
            .map(|named| named.name.as_str())
            .ok_or(Refusal::SignatureMismatch)
    }

    /// The secrets that are accepted at a time.
    pub fn active(&self, now: DateTime<Utc>) -> impl Iterator<Item = &NamedSecret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|expiry| now < expiry))
    }
}

/// The `v1` signatures of a header: entries of a version, a comma and base64, separated by blanks. A proxy may have joined
/// lines by commas (RFC 9110, section 5.3) and left blanks around them, so blanks and commas count alike: neither is a letter
/// of base64.
fn offered_signatures(header: &str) -> Vec<Vec<u8>> {
    let tokens: Vec<&str> = header.split([' ', ',', '\t']).filter(|token| !token.is_empty()).collect();
    let of_known_version = tokens.windows(2).filter(|pair| pair[0] == "v1");
    of_known_version.filter_map(|pair| STANDARD.decode(pair[1]).ok()).collect()
}

/// A dot would let id, timestamp and body be cut at another place under the same signature.
fn check_id(id: &str) -> Result<(), Refusal> {
    let fits = (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if fits { Ok(()) } else { Err(Refusal::MalformedId) }
}

/// Why a webhook was refused. The caller learns none of this but 401; operators do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header is absent or not text.
    #[error("the header {0} is missing or not text")]
    MissingHeader(&'static str),
    /// Empty, too long, or with a dot.
    #[error("webhook-id is empty, too long, or holds a dot or a blank")]
    MalformedId,
    /// Not a whole number of Unix seconds.
    #[error("webhook-timestamp is not a number of Unix seconds")]
    MalformedTimestamp,
    /// Too old, or from the future: a replay, or a clock that is wrong.
    #[error("webhook-timestamp is outside the tolerance")]
    OutOfTolerance,
    /// Nothing that this version can check.
    #[error("the header holds no signature of a known version")]
    NoUsableSignature,
    /// Changed on the way, or signed with another secret.
    #[error("no active secret agrees with the signature")]
    SignatureMismatch,
}

impl Refusal {
    /// The word for metrics, logs and the list of refused requests.
    pub fn reason(self) -> WebhookRefusal {
        match self {
            Self::MissingHeader(_) => WebhookRefusal::MissingSignature,
            Self::MalformedId => WebhookRefusal::MalformedId,
            Self::MalformedTimestamp => WebhookRefusal::MalformedTimestamp,
            Self::OutOfTolerance => WebhookRefusal::TimestampOutOfTolerance,
            Self::NoUsableSignature => WebhookRefusal::NoUsableSignature,
            Self::SignatureMismatch => WebhookRefusal::VerificationFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // The vector that the Standard Webhooks libraries publish.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret(text: &str) -> Secret {
        Secret::parse(&text.to_owned().into()).unwrap()
    }

    fn keyring() -> Keyring {
        let named = NamedSecret { name: "current".into(), secret: secret(SECRET), expires_at: None };
        Keyring::new(vec![named], DEFAULT_TOLERANCE)
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn verify(id: &str, timestamp: &str, signature: &str, body: &[u8]) -> Result<String, Refusal> {
        let headers = SignedHeaders { id, timestamp, signature };
        keyring().verify(headers, body, at(SENT)).map(str::to_owned)
    }

    #[test]
    fn the_published_vector_signs_and_verifies() {
        assert_eq!(secret(SECRET).sign(ID, SENT, BODY), SIGNATURE);
        assert_eq!(verify(ID, "1614265330", SIGNATURE, BODY).as_deref(), Ok("current"));
    }

    #[test]
    fn a_body_changed_by_one_byte_is_refused() {
        let mut changed = BODY.to_vec();
        changed[3] ^= 1;
        assert_eq!(verify(ID, "1614265330", SIGNATURE, &changed), Err(Refusal::SignatureMismatch));
    }

    #[test]
    fn one_good_signature_among_several_is_enough_and_other_versions_are_passed_over() {
        let several = format!("v1a,AAAA v1,AAAA {SIGNATURE} v9,zz");
        assert!(verify(ID, "1614265330", &several, BODY).is_ok());
        assert_eq!(verify(ID, "1614265330", "v1a,AAAA v2,AAAA", BODY), Err(Refusal::NoUsableSignature));
    }

    #[test]
    fn signatures_that_proxies_have_joined_or_parted_are_found_in_any_order() {
        let bare = SIGNATURE.strip_prefix("v1,").unwrap();
        for header in [
            format!("v1,AAAA,v1,{bare}"),
            format!("v1,AAAA, v1,{bare}"),
            format!("v1, {bare}"),
            format!("v1 ,{bare} v1,AAAA"),
            format!("v1a,AAAA,v1,{bare},v1,AAAA"),
        ] {
            assert!(verify(ID, "1614265330", &header, BODY).is_ok(), "{header}");
        }
        assert_eq!(verify(ID, "1614265330", &format!("v2,{bare}"), BODY), Err(Refusal::NoUsableSignature));
    }

    #[test]
    fn text_that_is_nearly_a_secret_is_refused() {
        for text in [
            "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"",
            "'secret'",
            "\u{feff}secret",
            " secret",
            "secret\n",
            "sec\tret",
            "whsec_not base64",
            "",
        ] {
            let error = Secret::parse(&text.to_owned().into()).expect_err(text).to_string();
            assert!(!error.contains("MfKQ") && !error.contains("sec\tret"), "{error}");
        }
        assert!(Secret::parse(&"your webhook secret, as typed".to_owned().into()).is_ok());
    }

    #[test]
    fn what_is_malformed_is_told_apart() {
        assert_eq!(verify("msg.1", "1614265330", SIGNATURE, BODY), Err(Refusal::MalformedId));
        let long = "x".repeat(LONGEST_ID + 1);
        for id in ["", "msg 1", "msg\t1", "mäg", long.as_str()] {
            assert_eq!(verify(id, "1614265330", SIGNATURE, BODY), Err(Refusal::MalformedId), "{id:?}");
        }
        for timestamp in ["", "+1614265330", "-1", "1614265330.5", "99999999999999999999", "now"] {
            assert_eq!(
                verify(ID, timestamp, SIGNATURE, BODY),
                Err(Refusal::MalformedTimestamp),
                "{timestamp:?}"
            );
        }
    }

    #[test]
    fn five_minutes_either_way_are_tolerated_and_no_second_more() {
        let headers = SignedHeaders { id: ID, timestamp: "1614265330", signature: SIGNATURE };
        for (seconds, accepted) in [(-300, true), (300, true), (-301, false), (301, false)] {
            let ring = keyring();
            let verdict = ring.verify(headers, BODY, at(SENT + seconds));
            assert_eq!(verdict.is_ok(), accepted, "{seconds} s");
        }
    }

    #[test]
    fn an_expired_secret_is_not_accepted_and_the_key_that_matched_is_named() {
        let mut ring = keyring();
        ring.secrets[0].expires_at = Some(at(SENT));
        let headers = SignedHeaders { id: ID, timestamp: "1614265330", signature: SIGNATURE };
        assert_eq!(ring.verify(headers, BODY, at(SENT)), Err(Refusal::SignatureMismatch));

        ring.secrets.push(NamedSecret { name: "next".into(), secret: secret(SECRET), expires_at: None });
        assert_eq!(ring.verify(headers, BODY, at(SENT)), Ok("next"));
    }

    #[test]
    fn a_secret_without_prefix_is_its_own_bytes() {
        let raw = secret("your-webhook-secret");
        assert!(raw.is_short());
        assert_ne!(raw.sign(ID, SENT, BODY), SIGNATURE);
        assert!(Secret::parse(&String::new().into()).is_err());
        assert!(Secret::parse(&"whsec_not base64".to_owned().into()).is_err());
        assert_eq!(format!("{raw:?}"), "Secret([REDACTED])");
    }

    #[test]
    fn githubs_vector_signs_and_verifies_in_either_case() {
        // From GitHub's manual.
        let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let named = NamedSecret {
            name: "current".into(),
            secret: secret("It's a Secret to Everybody"),
            expires_at: None,
        };
        assert_eq!(named.secret.sign_hub(b"Hello, World!"), expected);

        let ring = Keyring::new(vec![named], DEFAULT_TOLERANCE);
        let verify =
            |id, signature: &str, body| ring.verify_hub(id, signature, body, at(SENT)).map(str::to_owned);
        assert_eq!(verify("1", expected, b"Hello, World!").as_deref(), Ok("current"));
        let upper = format!("sha256={}", expected["sha256=".len()..].to_uppercase());
        assert!(verify("1", &upper, b"Hello, World!").is_ok());
        assert_eq!(verify("1", expected, b"Hello, World?"), Err(Refusal::SignatureMismatch));
        assert_eq!(verify("a.b", expected, b"Hello, World!"), Err(Refusal::MalformedId));
        for unusable in ["", "sha256=", "sha256=zz", "sha1=757107ea", &expected["sha256=".len()..]] {
            assert!(verify("1", unusable, b"Hello, World!").is_err(), "{unusable:?}");
        }
    }

    proptest! {
        #[test]
        fn the_standardwebhooks_library_signs_the_same(
            key in proptest::collection::vec(any::<u8>(), 24..64), id in "[a-z0-9_]{1,40}", time in 0i64..4_000_000_000, body in ".{0,200}",
        ) {
            let theirs = standardwebhooks::Webhook::from_bytes(key.clone()).unwrap();
            let ours = Secret(key.into());
            prop_assert_eq!(ours.sign(&id, time, body.as_bytes()), theirs.sign(&id, time, body.as_bytes()).unwrap());
        }

        #[test]
        fn no_header_or_body_makes_verifying_panic(id in any::<String>(), timestamp in any::<String>(), signature in any::<String>(),
            body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let headers = SignedHeaders { id: &id, timestamp: &timestamp, signature: &signature };
            prop_assert!(keyring().verify(headers, &body, at(SENT)).is_err());
            prop_assert!(keyring().verify_hub(&id, &signature, &body, at(SENT)).is_err());
        }
    }
}
