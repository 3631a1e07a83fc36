//! What makes a secret worthless in production: that others know it, or can guess it.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{endpoint::Endpoint, named_secrets::entries, variable::Variable};

/// Least bytes of a secret: 128 bits.
const SECRET_MIN_BYTES: usize = 16;
/// Least bytes of a password in a URL, which a server may slow down guessing of.
const PASSWORD_MIN_BYTES: usize = 12;
/// Least number of distinct bytes. Of 16 random bytes, or of 16 random letters and digits, fewer than 8 are distinct less
/// than once in a million times.
const SECRET_MIN_DISTINCT_BYTES: usize = 8;
/// The same of a password: of 12 random decimal digits, fewer than 5 are distinct once in some 50,000 times.
const PASSWORD_MIN_DISTINCT_BYTES: usize = 5;

/// How values begin that documentation and default configs use.
const PLACEHOLDER_STARTS: &[&str] = &[
    "change",
    "your-",
    "your_",
    "example",
    "placeholder",
    "insecure",
    "development",
    "default",
    "password",
    "e2e-",
    "0123456789",
    "123456789",
];

/// Secrets that are printed elsewhere: the example of the Standard Webhooks specification.
const PUBLISHED: &[&str] = &["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];

/// What is wrong with the value of a secret variable, if anything. Says nothing of the value itself.
#[must_use]
pub fn weakness(variable: &Variable, text: &str) -> Option<String> {
    if variable.list {
        // Entries that cannot be read are the section's to judge.
        return entries(text).filter_map(Result::ok).find_map(|entry| {
            secret_weakness(entry.secret).map(|what| format!("holds {:?}, which {what}", entry.name))
        });
    }
    match Endpoint::parse(text) {
        Some(endpoint) => endpoint_weakness(&endpoint),
        None if text.contains("://") => None,
        None => secret_weakness(text),
    }
}

fn endpoint_weakness(endpoint: &Endpoint) -> Option<String> {
    let Endpoint { scheme, user, password, .. } = endpoint;
    if password.is_empty() {
        // PostgreSQL may know its clients by certificate or socket. Clients of RabbitMQ send guest and guest.
        let is_guest = scheme.starts_with("amqp");
        return is_guest.then(|| "names no user, so that guest with the password guest signs in".to_owned());
    }
    if user.eq_ignore_ascii_case(password) {
        return Some("has the user's name as its password".to_owned());
    }
    let weakness = text_weakness(password, PASSWORD_MIN_BYTES, PASSWORD_MIN_DISTINCT_BYTES);
    weakness.map(|what| format!("holds a password that {what}"))
}

fn secret_weakness(text: &str) -> Option<String> {
    let text = text.trim();
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    if PUBLISHED.contains(&encoded) {
        return Some("has a value that is published".to_owned());
    }
    let weakness = text_weakness(text, SECRET_MIN_BYTES, SECRET_MIN_DISTINCT_BYTES);
    weakness.or_else(|| {
        // Of base64, the bytes that it stands for count.
        let bytes = BASE64_STANDARD.decode(encoded).ok()?;
        bytes_weakness(&bytes, 0, SECRET_MIN_DISTINCT_BYTES).or_else(|| {
            let starts_as_text = text.len() != encoded.len();
            starts_as_text.then(|| bytes_weakness(&bytes, SECRET_MIN_BYTES, 0)).flatten()
        })
    })
}

fn text_weakness(text: &str, min_bytes: usize, min_distinct: usize) -> Option<String> {
    let lower = text.to_lowercase();
    if PLACEHOLDER_STARTS.iter().any(|start| lower.starts_with(start)) {
        return Some("has a default value that protects nothing".to_owned());
    }
    bytes_weakness(text.as_bytes(), min_bytes, min_distinct)
}

fn bytes_weakness(bytes: &[u8], min_bytes: usize, min_distinct: usize) -> Option<String> {
    let length = bytes.len();
    if length < min_bytes {
        return Some(format!("has {length} bytes and can be guessed: at least {min_bytes} are needed"));
    }
    let distinct = bytes.iter().collect::<BTreeSet<_>>().len();
    (distinct < min_distinct).then(|| {
        format!("has {distinct} distinct bytes and can be guessed: at least {min_distinct} are needed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: Variable = Variable::secret("SECRET", "a.secret");
    const SECRETS: Variable = Variable::secrets("SECRETS", "a.secrets");

    #[test]
    fn worthless_secrets_are_found() {
        for (text, what) in [
            ("hunter2", "has 7 bytes"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "has 1 distinct bytes"),
            ("abcabcabcabcabcabcabcabcabcabcabc", "has 3 distinct bytes"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "has 2 distinct bytes"),
            ("AQIDBAECAwQBAgMEAQIDBAECAwQBAgMEAQIDBAECAwQ=", "has 4 distinct bytes"),
            ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "distinct bytes and can be guessed"),
            ("whsec_Zmx5aW5nLWZpc2g=", "has 11 bytes"),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "is published"),
            ("development-webhook-secret", "default value"),
            ("Change-Me-Please-1234567", "default value"),
            ("0123456789abcdef0123456789abcdef", "default value"),
            ("postgres://sms:development@db/sms", "password that has a default value"),
            ("postgres://postgres:postgres@db/sms", "the user's name"),
            ("postgres://db/sms?user=sms&password=short", "password that has 5 bytes"),
            ("host=db user=sms password=111111111111", "password that has 1 distinct"),
            ("amqp://guest:guest@broker/%2f", "the user's name"),
            ("amqp://broker/%2f", "guest"),
        ] {
            let found = weakness(&SECRET, text).unwrap_or_default();
            assert!(found.contains(what), "{text}: {found:?}");
        }
        let found =
            weakness(&SECRETS, "new=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD,old=hunter2").expect("weak");
        assert_eq!(found, "holds \"old\", which has 7 bytes and can be guessed: at least 16 are needed");
    }

    #[test]
    fn random_secrets_and_passphrases_are_accepted() {
        for text in [
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=",
            "2119fc3095e5e24de5b852802e916460",
            "seven ships on a calm sea",
            "postgres://sms:2119fc3095e5e24d@db/sms",
            "postgres://sms@%2Frun%2Fpostgresql/sms",
            "amqps://sms:2119fc3095e5e24d@broker/%2f",
        ] {
            assert_eq!(weakness(&SECRET, text), None, "{text}");
        }
    }
}
