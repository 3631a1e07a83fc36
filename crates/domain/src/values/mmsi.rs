//! Maritime mobile service identities of ships, and the flags of their first three digits.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CountryCode, registers::same_state, text_value};

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

    /// Whether the MID can belong to a ship of this flag: it is the flag's own, or that of another register of the same
    /// state. An unknown MID contradicts nothing.
    #[must_use]
    pub fn agrees_with(&self, flag: &CountryCode) -> bool {
        self.flag().is_none_or(|of_mid| same_state(of_mid, flag.as_str()))
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

/// MIDs (from, to) and their flags: the table of the ITU. Of the islands that share 306 one stands for all.
const MIDS: &[(u16, u16, &str)] = &[
    (201, 201, "AL"),
    (202, 202, "AD"),
    (203, 203, "AT"),
    (204, 204, "PT"), // Azores
    (205, 205, "BE"),
    (206, 206, "BY"),
    (207, 207, "BG"),
    (208, 208, "VA"),
    (209, 210, "CY"),
    (211, 211, "DE"),
    (212, 212, "CY"),
    (213, 213, "GE"),
    (214, 214, "MD"),
    (215, 215, "MT"),
    (216, 216, "AM"),
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
    (243, 243, "HU"),
    (244, 246, "NL"),
    (247, 247, "IT"),
    (248, 249, "MT"),
    (250, 250, "IE"),
    (251, 251, "IS"),
    (252, 252, "LI"),
    (253, 253, "LU"),
    (254, 254, "MC"),
    (255, 255, "PT"), // Madeira
    (256, 256, "MT"),
    (257, 259, "NO"),
    (261, 261, "PL"),
    (262, 262, "ME"),
    (263, 263, "PT"),
    (264, 264, "RO"),
    (265, 266, "SE"),
    (267, 267, "SK"),
    (268, 268, "SM"),
    (269, 269, "CH"),
    (270, 270, "CZ"),
    (271, 271, "TR"),
    (272, 272, "UA"),
    (273, 273, "RU"),
    (274, 274, "MK"),
    (275, 275, "LV"),
    (276, 276, "EE"),
    (277, 277, "LT"),
    (278, 278, "SI"),
    (279, 279, "RS"),
    (301, 301, "AI"),
    (303, 303, "US"), // Alaska
    (304, 305, "AG"),
    (306, 306, "CW"), // Bonaire, Curaçao, Sint Maarten
    (307, 307, "AW"),
    (308, 309, "BS"),
    (310, 310, "BM"),
    (311, 311, "BS"),
    (312, 312, "BZ"),
    (314, 314, "BB"),
    (316, 316, "CA"),
    (319, 319, "KY"),
    (321, 321, "CR"),
    (323, 323, "CU"),
    (325, 325, "DM"),
    (327, 327, "DO"),
    (329, 329, "GP"),
    (330, 330, "GD"),
    (331, 331, "GL"),
    (332, 332, "GT"),
    (334, 334, "HN"),
    (336, 336, "HT"),
    (338, 338, "US"),
    (339, 339, "JM"),
    (341, 341, "KN"),
    (343, 343, "LC"),
    (345, 345, "MX"),
    (347, 347, "MQ"),
    (348, 348, "MS"),
    (350, 350, "NI"),
    (351, 357, "PA"),
    (358, 358, "PR"),
    (359, 359, "SV"),
    (361, 361, "PM"),
    (362, 362, "TT"),
    (364, 364, "TC"),
    (366, 369, "US"),
    (370, 374, "PA"),
    (375, 377, "VC"),
    (378, 378, "VG"),
    (379, 379, "VI"),
    (401, 401, "AF"),
    (403, 403, "SA"),
    (405, 405, "BD"),
    (408, 408, "BH"),
    (410, 410, "BT"),
    (412, 414, "CN"),
    (416, 416, "TW"),
    (417, 417, "LK"),
    (419, 419, "IN"),
    (422, 422, "IR"),
    (423, 423, "AZ"),
    (425, 425, "IQ"),
    (428, 428, "IL"),
    (431, 432, "JP"),
    (434, 434, "TM"),
    (436, 436, "KZ"),
    (437, 437, "UZ"),
    (438, 438, "JO"),
    (440, 441, "KR"),
    (443, 443, "PS"),
    (445, 445, "KP"),
    (447, 447, "KW"),
    (450, 450, "LB"),
    (451, 451, "KG"),
    (453, 453, "MO"),
    (455, 455, "MV"),
    (457, 457, "MN"),
    (459, 459, "NP"),
    (461, 461, "OM"),
    (463, 463, "PK"),
    (466, 466, "QA"),
    (468, 468, "SY"),
    (470, 471, "AE"),
    (472, 472, "TJ"),
    (473, 473, "YE"),
    (475, 475, "YE"),
    (477, 477, "HK"),
    (478, 478, "BA"),
    (501, 501, "TF"), // Adelie Land
    (503, 503, "AU"),
    (506, 506, "MM"),
    (508, 508, "BN"),
    (510, 510, "FM"),
    (511, 511, "PW"),
    (512, 512, "NZ"),
    (514, 515, "KH"),
    (516, 516, "CX"),
    (518, 518, "CK"),
    (520, 520, "FJ"),
    (523, 523, "CC"),
    (525, 525, "ID"),
    (529, 529, "KI"),
    (531, 531, "LA"),
    (533, 533, "MY"),
    (536, 536, "MP"),
    (538, 538, "MH"),
    (540, 540, "NC"),
    (542, 542, "NU"),
    (544, 544, "NR"),
    (546, 546, "PF"),
    (548, 548, "PH"),
    (550, 550, "TL"),
    (553, 553, "PG"),
    (555, 555, "PN"),
    (557, 557, "SB"),
    (559, 559, "AS"),
    (561, 561, "WS"),
    (563, 566, "SG"),
    (567, 567, "TH"),
    (570, 570, "TO"),
    (572, 572, "TV"),
    (574, 574, "VN"),
    (576, 577, "VU"),
    (578, 578, "WF"),
    (601, 601, "ZA"),
    (603, 603, "AO"),
    (605, 605, "DZ"),
    (607, 607, "TF"), // Saint Paul and Amsterdam Islands
    (608, 608, "SH"), // Ascension
    (609, 609, "BI"),
    (610, 610, "BJ"),
    (611, 611, "BW"),
    (612, 612, "CF"),
    (613, 613, "CM"),
    (615, 615, "CG"),
    (616, 616, "KM"),
    (617, 617, "CV"),
    (618, 618, "TF"), // Crozet
    (619, 619, "CI"),
    (620, 620, "KM"),
    (621, 621, "DJ"),
    (622, 622, "EG"),
    (624, 624, "ET"),
    (625, 625, "ER"),
    (626, 626, "GA"),
    (627, 627, "GH"),
    (629, 629, "GM"),
    (630, 630, "GW"),
    (631, 631, "GQ"),
    (632, 632, "GN"),
    (633, 633, "BF"),
    (634, 634, "KE"),
    (635, 635, "TF"), // Kerguelen
    (636, 637, "LR"),
    (638, 638, "SS"),
    (642, 642, "LY"),
    (644, 644, "LS"),
    (645, 645, "MU"),
    (647, 647, "MG"),
    (649, 649, "ML"),
    (650, 650, "MZ"),
    (654, 654, "MR"),
    (655, 655, "MW"),
    (656, 656, "NE"),
    (657, 657, "NG"),
    (659, 659, "NA"),
    (660, 660, "RE"),
    (661, 661, "RW"),
    (662, 662, "SD"),
    (663, 663, "SN"),
    (664, 664, "SC"),
    (665, 665, "SH"),
    (666, 666, "SO"),
    (667, 667, "SL"),
    (668, 668, "ST"),
    (669, 669, "SZ"),
    (670, 670, "TD"),
    (671, 671, "TG"),
    (672, 672, "TN"),
    (674, 674, "TZ"),
    (675, 675, "UG"),
    (676, 676, "CD"),
    (677, 677, "TZ"),
    (678, 678, "ZM"),
    (679, 679, "ZW"),
    (701, 701, "AR"),
    (710, 710, "BR"),
    (720, 720, "BO"),
    (725, 725, "CL"),
    (730, 730, "CO"),
    (735, 735, "EC"),
    (740, 740, "FK"),
    (745, 745, "GF"),
    (750, 750, "GY"),
    (755, 755, "PY"),
    (760, 760, "PE"),
    (765, 765, "SR"),
    (770, 770, "UY"),
    (775, 775, "VE"),
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

    /// Every MID that the ITU has assigned, with its flag, and pairs of registers that share them.
    const FACTS: &str = include_str!("../../tests/fixtures/mids.tsv");

    #[test]
    fn every_assigned_mid_agrees_with_its_flags() {
        let mut assigned = std::collections::BTreeSet::new();
        for line in FACTS.lines().filter(|line| !line.starts_with('#')) {
            let (mid, flag) = line.split_once('\t').unwrap();
            let mmsi: Mmsi = format!("{mid}123000").parse().unwrap();
            assert!(mmsi.flag().is_some() && mmsi.agrees_with(&flag.parse().unwrap()), "{line}");
            assigned.insert(mid);
        }
        let known = (200u16..800).filter(|mid| flag_of_mid(*mid).is_some()).count();
        assert_eq!(known, assigned.len(), "the table has no other MIDs");
    }

    #[test]
    fn registers_of_different_states_do_not_agree() {
        for (mid, flag) in
            [(310, "BS"), (636, "MH"), (477, "CN"), (416, "CN"), (255, "ES"), (257, "DK"), (235, "MT")]
        {
            let mmsi: Mmsi = format!("{mid}123000").parse().unwrap();
            assert!(!mmsi.agrees_with(&flag.parse().unwrap()), "{mid} {flag}");
        }
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
