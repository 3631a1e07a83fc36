//! Maritime mobile service identities of ships, and the flags of their first three digits.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CountryCode, text_value};

/// Why a text is no ship station's MMSI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MmsiError {
    /// Not nine digits.
    #[error("must be nine digits")]
    Malformed,
    /// A coast station, a group or a device: ships begin with 2 to 7.
    #[error("is no ship station: those begin with 2 to 7")]
    NotAShip,
}

impl MmsiError {
    /// The finding's code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "mmsi_malformed",
            Self::NotAShip => "mmsi_not_a_ship",
        }
    }
}

/// A ship station identity (ITU-R M.585): nine digits of which the first three, the MID, tell the flag. It changes
/// with the flag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mmsi(String);

text_value!(Mmsi, MmsiError);

impl Mmsi {
    /// Maritime identification digits.
    #[must_use]
    pub fn mid(&self) -> u16 {
        self.0[..3].parse().expect("nine digits were checked")
    }

    /// The country of the MID, if the table has it.
    #[must_use]
    pub fn flag(&self) -> Option<&'static str> {
        flag_of_mid(self.mid())
    }

    /// Whether the MID can belong to a ship of this flag. An unknown MID contradicts nothing.
    #[must_use]
    pub fn agrees_with(&self, flag: &CountryCode) -> bool {
        self.flag().is_none_or(|of_mid| of_mid == flag.as_str())
    }
}

impl FromStr for Mmsi {
    type Err = MmsiError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() != 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(MmsiError::Malformed);
        }
        if !(b'2'..=b'7').contains(&text.as_bytes()[0]) {
            return Err(MmsiError::NotAShip);
        }
        Ok(Self(text.to_owned()))
    }
}

fn flag_of_mid(mid: u16) -> Option<&'static str> {
    MIDS.iter().find(|(first, last, _)| (*first..=*last).contains(&mid)).map(|(_, _, flag)| *flag)
}

/// MIDs (from, to) and their flags: the ITU's table as far as merchant fleets need it.
const MIDS: &[(u16, u16, &str)] = &[
    (201, 201, "AL"),
    (205, 205, "BE"),
    (207, 207, "BG"),
    (209, 210, "CY"),
    (211, 211, "DE"),
    (212, 212, "CY"),
    (213, 213, "GE"),
    (214, 214, "MD"),
    (215, 215, "MT"),
    (218, 218, "DE"),
    (219, 220, "DK"),
    (224, 225, "ES"),
    (226, 228, "FR"),
    (229, 229, "MT"),
    (230, 230, "FI"),
    (231, 231, "FO"),
    (232, 235, "GB"),
    (236, 236, "GI"),
    (237, 237, "GR"),
    (238, 238, "HR"),
    (239, 241, "GR"),
    (242, 242, "MA"),
    (244, 246, "NL"),
    (247, 247, "IT"),
    (248, 249, "MT"),
    (250, 250, "IE"),
    (251, 251, "IS"),
    (253, 253, "LU"),
    (255, 255, "PT"), // Madeira
    (256, 256, "MT"),
    (257, 259, "NO"),
    (261, 261, "PL"),
    (263, 263, "PT"),
    (264, 264, "RO"),
    (265, 266, "SE"),
    (271, 271, "TR"),
    (272, 272, "UA"),
    (273, 273, "RU"),
    (275, 275, "LV"),
    (276, 276, "EE"),
    (277, 277, "LT"),
    (304, 305, "AG"),
    (308, 309, "BS"),
    (310, 310, "BM"),
    (311, 311, "BS"),
    (312, 312, "BZ"),
    (314, 314, "BB"),
    (316, 316, "CA"),
    (319, 319, "KY"),
    (338, 338, "US"),
    (345, 345, "MX"),
    (351, 357, "PA"),
    (366, 369, "US"),
    (370, 374, "PA"),
    (375, 377, "VC"),
    (403, 403, "SA"),
    (412, 414, "CN"),
    (416, 416, "TW"),
    (419, 419, "IN"),
    (422, 422, "IR"),
    (431, 432, "JP"),
    (440, 441, "KR"),
    (447, 447, "KW"),
    (461, 461, "OM"),
    (466, 466, "QA"),
    (470, 471, "AE"),
    (477, 477, "HK"),
    (503, 503, "AU"),
    (511, 511, "PW"),
    (512, 512, "NZ"),
    (518, 518, "CK"),
    (525, 525, "ID"),
    (533, 533, "MY"),
    (538, 538, "MH"),
    (548, 548, "PH"),
    (563, 566, "SG"),
    (567, 567, "TH"),
    (572, 572, "TV"),
    (574, 574, "VN"),
    (576, 577, "VU"),
    (601, 601, "ZA"),
    (613, 613, "CM"),
    (616, 616, "KM"),
    (622, 622, "EG"),
    (636, 637, "LR"),
    (657, 657, "NG"),
    (667, 667, "SL"),
    (671, 671, "TG"),
    (701, 701, "AR"),
    (710, 710, "BR"),
    (725, 725, "CL"),
    (730, 730, "CO"),
    (760, 760, "PE"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_countries() {
        for pair in MIDS.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{pair:?}");
        }
        for (first, last, flag) in MIDS {
            assert!(first <= last && flag.parse::<CountryCode>().is_ok(), "{first} {flag}");
        }
    }

    #[test]
    fn a_panamanian_identity_does_not_agree_with_a_norwegian_flag() {
        let mmsi: Mmsi = "355123000".parse().unwrap();
        assert!(mmsi.agrees_with(&"PA".parse().unwrap()));
        assert!(!mmsi.agrees_with(&"NO".parse().unwrap()));
    }

    #[test]
    fn coast_stations_groups_and_devices_are_no_ships() {
        for text in ["002570000", "025700000", "970123456", "111257001"] {
            assert_eq!(text.parse::<Mmsi>(), Err(MmsiError::NotAShip), "{text}");
        }
        assert_eq!("25700000".parse::<Mmsi>(), Err(MmsiError::Malformed));
    }

    proptest! {
        #[test]
        fn what_parses_prints_back(text in "[2-7][0-9]{8}") {
            prop_assert_eq!(text.parse::<Mmsi>().unwrap().to_string(), text);
        }
    }
}
