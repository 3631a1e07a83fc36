//! A connection URL: what libpq says about TLS is taken out of it, the rest is tokio-postgres's.

use tokio_postgres::{Config, config::SslMode};

use crate::{error::PostgresUrlError, tls::TlsMode};

/// A parsed URL.
pub(crate) struct Parsed {
    pub(crate) config: Config,
    pub(crate) mode: TlsMode,
    /// `sslrootcert`
    pub(crate) root: Option<String>,
}

pub(crate) fn parse(url: &str) -> Result<Parsed, PostgresUrlError> {
    let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    let (rest, options) = if is_url { take_from_query(url) } else { take_from_pairs(url) };
    let mode = options.mode.as_deref().map_or(Ok(TlsMode::Prefer), TlsMode::parse)?;
    let config: Config = rest.parse()?;
    // What was not found above, and tokio-postgres found, must not be lost: it may ask for TLS.
    if config.get_ssl_mode() != SslMode::Prefer {
        return Err(PostgresUrlError::AmbiguousSslMode);
    }
    let root = options.root.filter(|path| !path.is_empty());
    if root.as_deref() == Some("system") && mode != TlsMode::VerifyFull {
        return Err(PostgresUrlError::SystemRootsNeedVerifyFull);
    }
    Ok(Parsed { config, mode, root })
}

#[derive(Default)]
struct TlsOptions {
    mode: Option<String>,
    root: Option<String>,
}

impl TlsOptions {
    /// Whether the option is one of these; it is kept then.
    fn take(&mut self, name: &str, value: impl FnOnce() -> String) -> bool {
        match name {
            "sslmode" => self.mode = Some(value()),
            "sslrootcert" => self.root = Some(value()),
            _ => return false,
        }
        true
    }
}

fn take_from_query(url: &str) -> (String, TlsOptions) {
    let mut options = TlsOptions::default();
    let Some((head, query)) = url.split_once('?') else { return (url.to_owned(), options) };
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let rest: Vec<_> = query
        .split('&')
        .filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            !options.take(&decoded(name), || decoded(value))
        })
        .collect();
    (format!("{head}?{}", rest.join("&")).trim_end_matches('?').to_owned(), options)
}

fn take_from_pairs(pairs: &str) -> (String, TlsOptions) {
    let mut options = TlsOptions::default();
    let mut in_quotes = false;
    let mut escaped = false;
    let rest: Vec<_> = pairs
        .split(|c: char| {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\'' => in_quotes = !in_quotes,
                _ => return c.is_whitespace() && !in_quotes,
            }
            false
        })
        .filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            !options.take(name, || value.trim_matches('\'').replace("\\'", "'").replace("\\\\", "\\"))
        })
        .collect();
    (rest.join(" "), options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_tls_are_taken_out_of_both_notations() {
        for text in [
            "postgres://sms:p%3Dw@db/sms?connect_timeout=3&sslmode=verify-ca&sslrootcert=%2Frun%2Fa%20ca.pem",
            "host=db user=sms password='p=w sslmode=disable' sslrootcert='/run/a ca.pem' sslmode=verify-ca",
        ] {
            let Parsed { config, mode, root } = parse(text).expect(text);
            assert_eq!((mode, root.as_deref()), (TlsMode::VerifyCa, Some("/run/a ca.pem")), "{text}");
            assert!(config.get_password().expect(text).starts_with(b"p=w"), "{text}");
        }
    }

    #[test]
    fn mode_that_stands_in_an_odd_place_is_not_lost() {
        for text in [
            "postgres://sms:p?w@db/sms?sslmode=require",
            "host=db user=sms application_name='a'sslmode=require",
            "postgres://db/sms?sslmode=disable&sslrootcert=system",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        for text in [
            "postgres://db/sms?ssl%6Dode=require",
            "host=db user=sms application_name='a://b' sslmode=require",
        ] {
            assert_eq!(parse(text).expect(text).mode, TlsMode::Require, "{text}");
        }
    }

    #[test]
    fn mode_is_libpqs_and_a_wrong_one_is_named() {
        assert_eq!(parse("postgres://db/sms").expect("no mode").mode, TlsMode::Prefer);
        let wrong = parse("postgres://db/sms?sslmode=verify").err().expect("a wrong mode");
        assert!(wrong.to_string().contains("\"verify\""), "{wrong}");
    }
}
