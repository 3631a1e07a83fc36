//! Where a URL of the config leads, and the password in it.

use std::net::IpAddr;

use url::{Host, Url};

/// A server as the config names it: by a URL, or by the `key=value` pairs that PostgreSQL's clients understand.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) scheme: String,
    /// Empty for a socket of this machine.
    pub(super) host: String,
    pub(super) user: String,
    pub(super) password: String,
    tls_required: bool,
}

impl Endpoint {
    /// None: the text names no server.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.contains("://") { Self::from_url(text) } else { Self::from_pairs(text) }
    }

    fn from_url(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let parameter =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let host = match url.host() {
            Some(Host::Domain(domain)) => decoded(domain),
            Some(address) => address.to_string().trim_matches(['[', ']']).to_owned(),
            None => parameter("host").unwrap_or_default(),
        };
        let password = url.password().map(decoded).or_else(|| parameter("password"));
        let scheme = url.scheme().to_owned();
        let tls_required = match scheme.as_str() {
            "postgres" | "postgresql" => requires_tls(parameter("sslmode").as_deref()),
            scheme => !matches!(scheme, "http" | "amqp" | "ws"),
        };
        let user = decoded(url.username());
        Some(Self { scheme, host, user, password: password.unwrap_or_default(), tls_required })
    }

    fn from_pairs(text: &str) -> Option<Self> {
        // Blanks around the sign are none of the pair's.
        let text = text.split('=').map(str::trim).collect::<Vec<_>>().join("=");
        let value = |name: &str| {
            let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
            pairs
                .into_iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.trim_matches('\'').to_owned())
        };
        let host = value("host")?;
        Some(Self {
            scheme: "postgres".to_owned(),
            host,
            user: value("user").unwrap_or_default(),
            password: value("password").unwrap_or_default(),
            tls_required: requires_tls(value("sslmode").as_deref()),
        })
    }

    pub(super) fn is_plaintext_to_another_host(&self) -> bool {
        !self.tls_required && !self.is_this_machine()
    }

    fn is_this_machine(&self) -> bool {
        let host = self.host.as_str();
        host.is_empty()
            || host.starts_with('/')
            || host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Whether libpq's mode refuses a connection without TLS.
fn requires_tls(mode: Option<&str>) -> bool {
    matches!(mode, Some("require" | "verify-ca" | "verify-full"))
}

/// A part of a URL without its percent-encoding.
fn decoded(part: &str) -> String {
    // A form's decoder, for which a plus is a blank: it is written `%2B` before.
    let part = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(part.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_of_a_url_is_decoded_and_found_in_parameters_and_pairs() {
        for (text, password) in [
            ("postgres://sms:p%40ss+w%26rd@db/sms", "p@ss+w&rd"),
            ("postgres://db/sms?user=sms&password=hidden", "hidden"),
            ("host=db user=sms password='hidden'", "hidden"),
            ("host = db user = sms password = hidden", "hidden"),
            ("amqp://broker/%2f", ""),
        ] {
            assert_eq!(Endpoint::parse(text).expect(text).password, password, "{text}");
        }
        assert!(Endpoint::parse("a secret").is_none());
    }

    #[test]
    fn plaintext_is_what_leaves_the_machine_without_tls() {
        let plaintext = |text: &str| Endpoint::parse(text).expect(text).is_plaintext_to_another_host();
        for text in [
            "amqp://u:p@broker:5672/%2f",
            "http://portal/api",
            "postgres://u:p@10.0.0.7/sms",
            "postgres://u:p@db/sms?sslmode=prefer",
            "host=db user=sms",
        ] {
            assert!(plaintext(text), "{text}");
        }
        for text in [
            "amqps://u:p@broker/%2f",
            "https://portal/api",
            "postgres://u:p@db/sms?sslmode=verify-full",
            "http://localhost:3001/api",
            "amqp://u:p@127.0.0.1/%2f",
            "amqp://u:p@[::1]/%2f",
            "postgres://u:p@%2Frun%2Fpostgresql/sms",
            "host=/run/postgresql user=sms",
        ] {
            assert!(!plaintext(text), "{text}");
        }
    }
}
