//! Radio call signs.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text_value;

/// A text is no call sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be three to seven letters and digits, such as LDPN or 3EJH2")]
pub struct CallSignError;

/// A ship's call sign (Radio Regulations, art. 19), in capitals. It changes with the flag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallSign(String);

text_value!(CallSign, CallSignError);

impl FromStr for CallSign {
    type Err = CallSignError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_uppercase();
        let fits = (3..=7).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits { Ok(Self(text)) } else { Err(CallSignError) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blanks_accents_and_hyphens_are_refused() {
        for text in ["", "LD", "LD PN", "LDPÑ", "LD-PN", "ABCDEFGH"] {
            assert_eq!(text.parse::<CallSign>(), Err(CallSignError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_back_in_capitals(text in "[A-Za-z0-9]{3,7}") {
            prop_assert_eq!(text.parse::<CallSign>().unwrap().to_string(), text.to_uppercase());
        }
    }
}
