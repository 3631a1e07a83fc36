//! The code on an equipment's QR label.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::text_value;
use crate::SourceId;

/// Why a text is no label's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QrCodeError {
    /// Not the shape of one.
    #[error("must be 6 to 64 capital letters, digits and hyphens")]
    Malformed,
    /// One of our own codes, with a typing mistake.
    #[error("the check character does not fit: a character was mistyped")]
    CheckCharacter,
}

impl QrCodeError {
    /// The finding's code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "qr_code_malformed",
            Self::CheckCharacter => "qr_code_check_character",
        }
    }
}

/// An opaque, stable code: unique in the fleet, never re-used.
///
/// One that we derive is `SMS-` and seventeen characters of Crockford's base32 (which has no I, L, O, U), the last
/// of them a check character. Labels printed by others are taken as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QrCode(String);

text_value!(QrCode, QrCodeError);

/// Namespace of the UUIDv5s that codes are made of. Changing it changes every label in the fleet.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_3f2e_8f0c_5d3a_9b57_2c61_70ae_94d1);
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX: &str = "SMS-";
/// Symbols before the check character: 80 bits.
const SYMBOLS: usize = 16;

impl QrCode {
    /// The code of an equipment that came without one. The same id gives the same code, so a retry prints no second
    /// label.
    #[must_use]
    pub fn derived(equipment: &SourceId) -> Self {
        Self::derived_again(equipment, 0)
    }

    /// The next code after `attempt` codes of the same id that other equipment bears.
    #[must_use]
    pub fn derived_again(equipment: &SourceId, attempt: usize) -> Self {
        // Crockford's check is modulo 37 and needs five symbols that no keyboard on board types well. A code whose
        // check would be one of them is passed over for the next.
        let mut passed_over = 0;
        for round in 0u32.. {
            let name = if round == 0 { equipment.to_string() } else { format!("{equipment}#{round}") };
            let bits = Uuid::new_v5(&NAMESPACE, name.as_bytes()).as_u128() >> 48;
            let symbols: [u8; SYMBOLS] =
                std::array::from_fn(|i| ((bits >> (5 * (SYMBOLS - 1 - i))) & 31) as u8);
            let check = check_value(&symbols);
            if check < 32 {
                if passed_over < attempt {
                    passed_over += 1;
                    continue;
                }
                let mut code = String::from(PREFIX);
                for (i, symbol) in symbols.iter().enumerate() {
                    if i > 0 && i % 4 == 0 {
                        code.push('-');
                    }
                    code.push(char::from(ALPHABET[usize::from(*symbol)]));
                }
                code.push('-');
                code.push(char::from(ALPHABET[usize::from(check)]));
                return Self(code);
            }
        }
        unreachable!("32 rounds of 37 succeed")
    }
}

fn check_value(symbols: &[u8]) -> u8 {
    symbols.iter().fold(0u16, |sum, symbol| (sum * 32 + u16::from(*symbol)) % 37) as u8
}

/// The symbols of one of our own codes, check included; `None` for another's.
fn own_symbols(text: &str) -> Option<Vec<u8>> {
    let symbols: Option<Vec<u8>> = text
        .strip_prefix(PREFIX)?
        .bytes()
        .filter(|b| *b != b'-')
        .map(|b| ALPHABET.iter().position(|symbol| *symbol == b).map(|at| at as u8))
        .collect();
    symbols.filter(|symbols| symbols.len() == SYMBOLS + 1)
}

impl FromStr for QrCode {
    type Err = QrCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_uppercase();
        let fits =
            (6..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !fits {
            return Err(QrCodeError::Malformed);
        }
        match own_symbols(&text) {
            Some(symbols) if check_value(&symbols[..SYMBOLS]) != symbols[SYMBOLS] => {
                Err(QrCodeError::CheckCharacter)
            }
            _ => Ok(Self(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_code_of_an_equipment_never_changes() {
        // It is printed on a label that is glued to the machine.
        let code = QrCode::derived(&"0190a7b4-5c5e-7e2b-8f3a-6c1f4f5b9d01".parse().unwrap());
        assert_eq!(code.as_str(), "SMS-S12Q-3W4Q-XHEY-F66E-V");
    }

    #[test]
    fn labels_of_others_are_taken_as_they_are() {
        assert_eq!("acme-000123".parse::<QrCode>().unwrap().as_str(), "ACME-000123");
        for text in ["", "AB", "https://x.example/e/1", "ABC DEF", "ABC_DEF"] {
            assert_eq!(text.parse::<QrCode>(), Err(QrCodeError::Malformed), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_derived_code_parses_back_and_a_mistyped_one_does_not(
            id in "[a-z0-9-]{1,40}", at in 0usize..16, by in 1u8..32,
        ) {
            let code = QrCode::derived(&id.parse().unwrap());
            prop_assert_eq!(&code.as_str().parse::<QrCode>().unwrap(), &code);

            let places: Vec<usize> =
                code.as_str().bytes().enumerate().skip(4).filter(|(_, b)| *b != b'-').map(|(i, _)| i).collect();
            let mut bytes = code.as_str().as_bytes().to_vec();
            let symbol = ALPHABET.iter().position(|s| *s == bytes[places[at]]).unwrap() as u8;
            bytes[places[at]] = ALPHABET[usize::from((symbol + by) % 32)];
            let mistyped = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(mistyped.parse::<QrCode>(), Err(QrCodeError::CheckCharacter));
        }
    }
}
