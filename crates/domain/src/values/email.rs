//! E-mail addresses, and how they look where strangers may read.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text_value;

/// A text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address")]
pub struct EmailError;

/// An e-mail address in lower case: the maintenance portal's tallies are found by it, whatever case is typed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

text_value!(Email, EmailError);

impl Email {
    /// For findings, labels and logs: `j***@e***.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        Self::mask(&self.0)
    }

    /// Masks any text that was meant as an address, well-formed or not.
    #[must_use]
    pub fn mask(text: &str) -> String {
        let first = |part: &str| part.chars().next().map_or_else(String::new, |c| format!("{c}***"));
        match text.trim().rsplit_once('@') {
            Some((local, domain)) => match domain.rsplit_once('.') {
                Some((name, top)) if top.len() <= 6 => format!("{}@{}.{top}", first(local), first(name)),
                _ => format!("{}@{}", first(local), first(domain)),
            },
            None => first(text.trim()),
        }
    }
}

/// Addresses do not print in `Debug` output, which ends in logs.
impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Email({})", self.masked())
    }
}

impl FromStr for Email {
    type Err = EmailError;

    /// The shape only; whether mail arrives is for the mail system to find out.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_lowercase();
        let Some((local, domain)) = text.split_once('@') else { return Err(EmailError) };
        let local_fits = (1..=64).contains(&local.len())
            && local.chars().all(|c| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let label_fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let domain_fits = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label_fits);
        if local_fits && domain_fits { Ok(Self(text)) } else { Err(EmailError) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_one_whatever_its_case() {
        assert_eq!("Ola.Nordmann@Example.com".parse::<Email>(), "ola.nordmann@example.com".parse());
    }

    #[test]
    fn shapes_that_are_no_address_are_refused() {
        for text in [
            "",
            "ola",
            "@example.com",
            "ola@",
            "ola@example",
            "o la@example.com",
            "ola@exa_mple.com",
            "ola@@example.com",
            "ola@-example.com",
            ".ola@example.com",
            "ola@example..com",
        ] {
            assert_eq!(text.parse::<Email>(), Err(EmailError), "{text:?}");
        }
    }

    #[test]
    fn addresses_from_public_lists_are_told_from_what_is_none() {
        let facts = include_str!("../../tests/fixtures/emails.tsv");
        for line in facts.lines().filter(|line| !line.starts_with("# ")) {
            let (text, verdict) = line.rsplit_once('\t').unwrap();
            assert_eq!(text.parse::<Email>().is_ok(), verdict == "yes", "{text}");
        }
    }

    #[test]
    fn masking_leaves_no_name_readable() {
        assert_eq!("ola.nordmann@example.com".parse::<Email>().unwrap().masked(), "o***@e***.com");
        assert_eq!(Email::mask("ola nordmann"), "o***");
        assert_eq!(Email::mask("ola@localhost"), "o***@l***");
        assert_eq!(Email::mask(""), "");
        assert_eq!(format!("{:?}", "ola@example.com".parse::<Email>().unwrap()), "Email(o***@e***.com)");
    }

    proptest! {
        #[test]
        fn what_parses_prints_back(text in "[a-z0-9]{1,20}(\\.[a-z0-9]{1,20})?@[a-z0-9]{1,20}\\.[a-z]{2,6}") {
            prop_assert_eq!(text.parse::<Email>().unwrap().to_string(), text);
        }
    }
}
