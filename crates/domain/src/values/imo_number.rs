//! The two seven-digit numbers of the IMO: of a hull, and of a company. Their check digits differ.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::text_value;

/// Why a text is no IMO number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImoNumberError {
    /// Not seven digits.
    #[error("must be seven digits, with or without the prefix IMO")]
    Malformed,
    /// Seven times the same digit, or 1234567: what is typed where there is no number. Some pass the check.
    #[error("is a placeholder and no number that the IMO has assigned")]
    Placeholder,
    /// The last digit does not check the others.
    #[error("the check digit must be {expected}, not {found}: a digit was mistyped")]
    CheckDigit {
        /// What it must be.
        expected: u8,
        /// What it is.
        found: u8,
    },
}

impl ImoNumberError {
    /// The finding's code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "imo_number_malformed",
            Self::Placeholder => "imo_number_placeholder",
            Self::CheckDigit { .. } => "imo_number_check_digit",
        }
    }
}

/// A ship identification number (IMO Res. A.1117(30)): it stays with the hull for life.
///
/// Seven digits; weights 7 to 2 over the first six, the sum's last digit is the seventh. The check lets 13 % of
/// single mistyped digits pass, so a valid number can still be another ship's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImoNumber(String);

/// A company or registered-owner identification number (MSC.160(78)).
///
/// Seven digits; weights 8, 6, 4, 2, 9, 7, modulo 11: another formula than a ship's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImoCompanyNumber(String);

text_value!(ImoNumber, ImoNumberError);
text_value!(ImoCompanyNumber, ImoNumberError);

impl ImoNumber {
    /// How people write it: `IMO 9074729`.
    #[must_use]
    pub fn with_prefix(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| write!(f, "IMO {}", self.0))
    }

    /// The valid numbers that one mistyped digit makes of this one: those that the check digit does not catch.
    #[must_use]
    pub fn one_digit_away(&self) -> Vec<Self> {
        let digits: [u8; 7] = std::array::from_fn(|at| self.0.as_bytes()[at] - b'0');
        let others = (0..7).flat_map(|at| (0..10).map(move |digit| (at, digit)));
        others
            .filter(|(at, digit)| digits[*at] != *digit)
            .filter_map(|(at, digit)| {
                let mut other = digits;
                other[at] = digit;
                let text: String = other.iter().map(|digit| char::from(b'0' + digit)).collect();
                text.parse().ok()
            })
            .collect()
    }
}

impl FromStr for ImoNumber {
    type Err = ImoNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, number) = seven_digits(text)?;
        checked(&digits, ship_check_digit(&digits))?;
        Ok(Self(number))
    }
}

impl FromStr for ImoCompanyNumber {
    type Err = ImoNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, number) = seven_digits(text)?;
        checked(&digits, company_check_digit(&digits))?;
        Ok(Self(number))
    }
}

fn seven_digits(text: &str) -> Result<([u8; 7], String), ImoNumberError> {
    let text = text.trim();
    let text = match text.get(..3) {
        Some(prefix) if prefix.eq_ignore_ascii_case("imo") => text[3..].trim_start(),
        _ => text,
    };
    let bytes: [u8; 7] =
        text.as_bytes().try_into().map_err(|_too_long_or_short| ImoNumberError::Malformed)?;
    if !bytes.iter().all(u8::is_ascii_digit) {
        return Err(ImoNumberError::Malformed);
    }
    if bytes.iter().all(|digit| *digit == bytes[0]) || &bytes == b"1234567" {
        return Err(ImoNumberError::Placeholder);
    }
    Ok((bytes.map(|b| b - b'0'), text.to_owned()))
}

fn checked(digits: &[u8; 7], expected: u8) -> Result<(), ImoNumberError> {
    let found = digits[6];
    if found == expected { Ok(()) } else { Err(ImoNumberError::CheckDigit { expected, found }) }
}

fn weighted(digits: &[u8; 7], weights: [u16; 6]) -> u16 {
    digits.iter().zip(weights).map(|(digit, weight)| u16::from(*digit) * weight).sum()
}

fn ship_check_digit(digits: &[u8; 7]) -> u8 {
    (weighted(digits, [7, 6, 5, 4, 3, 2]) % 10) as u8
}

fn company_check_digit(digits: &[u8; 7]) -> u8 {
    ((11 - weighted(digits, [8, 6, 4, 2, 9, 7]) % 11) % 10) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn real_ships_numbers_are_valid_in_every_way_of_writing() {
        for number in ["9074729", "9619907", "7625811", "8814275", "9321483", "9811000"] {
            assert_eq!(number.parse::<ImoNumber>().unwrap().as_str(), number);
            assert_eq!(format!("IMO {number}").parse::<ImoNumber>().unwrap().as_str(), number);
            assert_eq!(format!("imo{number}").parse::<ImoNumber>().unwrap().as_str(), number);
        }
        assert_eq!("9074729".parse::<ImoNumber>().unwrap().with_prefix().to_string(), "IMO 9074729");
    }

    #[test]
    fn a_wrong_check_digit_says_which_one_it_must_be() {
        assert_eq!("9074728".parse::<ImoNumber>(), Err(ImoNumberError::CheckDigit { expected: 9, found: 8 }));
        for text in ["", "IMO", "907472", "90747290", "90747２9", "9O74729", "ımo9074729"] {
            assert_eq!(text.parse::<ImoNumber>(), Err(ImoNumberError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn placeholder_is_no_number_of_a_ship_or_company() {
        for digit in '0'..='9' {
            let text = digit.to_string().repeat(7);
            assert_eq!(text.parse::<ImoNumber>(), Err(ImoNumberError::Placeholder), "{text}");
            assert_eq!(text.parse::<ImoCompanyNumber>(), Err(ImoNumberError::Placeholder), "{text}");
        }
        for text in ["1234567", "IMO 1234567", "imo0000000"] {
            assert_eq!(text.parse::<ImoNumber>(), Err(ImoNumberError::Placeholder), "{text}");
        }
        assert_eq!(ImoNumberError::Placeholder.code(), "imo_number_placeholder");
    }

    #[test]
    fn a_company_is_not_checked_with_the_ships_formula() {
        assert_eq!("2041999".parse::<ImoCompanyNumber>().unwrap().as_str(), "2041999");
        assert!("9074729".parse::<ImoCompanyNumber>().is_err());
    }

    #[test]
    fn the_blind_spot_of_the_check_is_known() {
        let near = "7625811".parse::<ImoNumber>().unwrap().one_digit_away();
        assert!(near.contains(&"7605811".parse().unwrap()), "{near:?}");
        // 70 of 540 single mistyped digits of the first six pass; the seventh is always caught.
        assert!(near.iter().all(|number| number.as_str().parse::<ImoNumber>().is_ok()));
        assert_eq!(near.len(), 7);
    }

    proptest! {
        #[test]
        fn what_parses_prints_back(text in "[0-9]{7}") {
            if let Ok(number) = text.parse::<ImoNumber>() {
                prop_assert_eq!(number.to_string(), text);
            }
        }

        #[test]
        fn every_transposition_of_neighbours_is_caught(body in "[0-9]{6}", at in 0usize..5) {
            let bytes = body.as_bytes();
            let mut digits = [0; 7];
            digits[..6].copy_from_slice(bytes);
            let mut digits = digits.map(|b| b.wrapping_sub(b'0'));
            digits[6] = ship_check_digit(&digits);
            let text = |d: &[u8; 7]| d.map(|d| (b'0' + d) as char).iter().collect::<String>();
            prop_assume!(text(&digits).parse::<ImoNumber>() != Err(ImoNumberError::Placeholder));
            prop_assert!(text(&digits).parse::<ImoNumber>().is_ok());
            if digits[at] != digits[at + 1] {
                digits.swap(at, at + 1);
                prop_assert!(text(&digits).parse::<ImoNumber>().is_err());
            }
        }
    }
}
