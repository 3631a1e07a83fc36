//! Equipment codes after the SFI Group System.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text_value;

/// A text is no SFI code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an SFI code: three digits from 100 to 899, a dot, three digits, such as 601.001")]
pub struct SfiCodeError;

/// A detail code `601.001`: main group 6, group 60, subgroup 601, detail 001. The system is licensed, so its pattern
/// is checked and not its contents.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SfiCode(String);

text_value!(SfiCode, SfiCodeError);

impl SfiCode {
    /// 1 to 8: ship general, hull, cargo equipment, ship equipment, crew and passengers, main machinery, systems for
    /// machinery, common systems.
    #[must_use]
    pub fn main_group(&self) -> u8 {
        self.0.as_bytes()[0] - b'0'
    }
}

impl FromStr for SfiCode {
    type Err = SfiCodeError;

    /// Six digits without the dot are taken, too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (group, detail) = match text.split_once('.') {
            Some(parts) => parts,
            None if text.len() == 6 && text.is_ascii() => text.split_at(3),
            None => return Err(SfiCodeError),
        };
        let three_digits = |part: &str| part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
        let fits =
            three_digits(group) && three_digits(detail) && (b'1'..=b'8').contains(&group.as_bytes()[0]);
        if fits { Ok(Self(format!("{group}.{detail}"))) } else { Err(SfiCodeError) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_main_engine_is_in_main_group_six() {
        assert_eq!("601.001".parse::<SfiCode>().unwrap().main_group(), 6);
        assert_eq!("601001".parse::<SfiCode>().unwrap().as_str(), "601.001");
    }

    #[test]
    fn other_patterns_are_refused() {
        for text in ["", "601", "901.001", "001.001", "601.01", "6O1.001", "601.001.1", "601-001", "ééé"] {
            assert_eq!(text.parse::<SfiCode>(), Err(SfiCodeError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_back(text in "[1-8][0-9]{2}\\.[0-9]{3}") {
            prop_assert_eq!(text.parse::<SfiCode>().unwrap().to_string(), text);
        }
    }
}
