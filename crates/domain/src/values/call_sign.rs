//! Radio call signs.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CountryCode, registers::same_state, text_value};

/// A text is no call sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be three to seven letters and digits, such as LDPN or 3EJH2")]
pub struct CallSignError;

/// A ship's call sign (Radio Regulations, art. 19), in capitals. It changes with the flag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallSign(String);

text_value!(CallSign, CallSignError);

impl CallSign {
    /// The first two characters: they say whose series it is of.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0[..2]
    }

    /// Whether the series may be the flag's, or that of another register of the same state: a prefix or a flag that the
    /// table does not know agrees with all.
    #[must_use]
    pub fn agrees_with(&self, flag: &CountryCode) -> bool {
        let has_flag = |flags: &[&str]| flags.iter().any(|of_series| same_state(of_series, flag.as_str()));
        let known = SERIES.iter().any(|(_, flags)| has_flag(flags));
        let mut of_prefix = SERIES
            .iter()
            .filter(|(series, _)| {
                series.iter().any(|(first, last)| (*first..=*last).contains(&self.prefix()))
            })
            .peekable();
        !known || of_prefix.peek().is_none() || of_prefix.any(|(_, flags)| has_flag(flags))
    }
}

/// A series of prefixes, from and to, by their first two characters.
type Series = &'static [(&'static str, &'static str)];

/// Series of the ITU's table (Radio Regulations, appendix 42) as far as merchant fleets need it, and their flags: of a
/// state with several registers its own, and more where several share the series.
const SERIES: &[(Series, &[&str])] = &[
    (&[("LA", "LN"), ("JW", "JX"), ("3Y", "3Y")], &["NO"]),
    (&[("OU", "OZ"), ("XP", "XP"), ("5P", "5Q")], &["DK"]),
    (&[("SA", "SM"), ("7S", "7S"), ("8S", "8S")], &["SE"]),
    (&[("OF", "OJ")], &["FI"]),
    (&[("TF", "TF")], &["IS"]),
    (
        &[
            ("20", "2Z"),
            ("G0", "GZ"),
            ("M0", "MZ"),
            ("VP", "VQ"),
            ("VS", "VS"),
            ("ZB", "ZJ"),
            ("ZN", "ZO"),
            ("ZQ", "ZQ"),
        ],
        &["GB"],
    ),
    (&[("EI", "EJ")], &["IE"]),
    (&[("DA", "DR"), ("Y2", "Y9")], &["DE"]),
    (&[("PA", "PJ")], &["NL"]),
    (&[("ON", "OT")], &["BE"]),
    (&[("LX", "LX")], &["LU"]),
    (
        &[("F0", "FZ"), ("HW", "HY"), ("TH", "TH"), ("TK", "TK"), ("TM", "TM"), ("TO", "TQ"), ("TV", "TX")],
        &["FR"],
    ),
    (&[("AM", "AO"), ("EA", "EH")], &["ES"]),
    (&[("CQ", "CU")], &["PT"]),
    (&[("I0", "IZ")], &["IT"]),
    (&[("9H", "9H")], &["MT"]),
    (&[("J4", "J4"), ("SV", "SZ")], &["GR"]),
    (&[("5B", "5B"), ("C4", "C4"), ("H2", "H2"), ("P3", "P3")], &["CY"]),
    (&[("TA", "TC"), ("YM", "YM")], &["TR"]),
    (&[("9A", "9A")], &["HR"]),
    (&[("HF", "HF"), ("SN", "SR"), ("3Z", "3Z")], &["PL"]),
    (&[("ES", "ES")], &["EE"]),
    (&[("YL", "YL")], &["LV"]),
    (&[("LY", "LY")], &["LT"]),
    (&[("R0", "RZ"), ("UA", "UI")], &["RU"]),
    (&[("EM", "EO"), ("UR", "UZ")], &["UA"]),
    (&[("YO", "YR")], &["RO"]),
    (&[("LZ", "LZ")], &["BG"]),
    (&[("4L", "4L")], &["GE"]),
    (&[("ER", "ER")], &["MD"]),
    (&[("ZA", "ZA")], &["AL"]),
    (&[("HO", "HP"), ("H3", "H3"), ("H8", "H9"), ("3E", "3F")], &["PA"]),
    (&[("EL", "EL"), ("A8", "A8"), ("D5", "D5"), ("5L", "5M"), ("6Z", "6Z")], &["LR"]),
    (&[("V7", "V7")], &["MH"]),
    (&[("C6", "C6")], &["BS"]),
    (&[("V2", "V2")], &["AG"]),
    (&[("V3", "V3")], &["BZ"]),
    (&[("8P", "8P")], &["BB"]),
    (&[("J8", "J8")], &["VC"]),
    (&[("V4", "V4")], &["KN"]),
    (&[("J7", "J7")], &["DM"]),
    (&[("6Y", "6Y")], &["JM"]),
    (&[("K0", "KZ"), ("W0", "WZ"), ("N0", "NZ"), ("AA", "AL")], &["US"]),
    (&[("CF", "CK"), ("CY", "CZ"), ("VA", "VG"), ("VO", "VO"), ("VX", "VY"), ("XJ", "XO")], &["CA"]),
    (&[("XA", "XI"), ("4A", "4C"), ("6D", "6J")], &["MX"]),
    (&[("PP", "PY"), ("ZV", "ZZ")], &["BR"]),
    (&[("AY", "AZ"), ("LO", "LW"), ("L2", "L9")], &["AR"]),
    (&[("CA", "CE"), ("XQ", "XR"), ("3G", "3G")], &["CL"]),
    (&[("OA", "OC"), ("4T", "4T")], &["PE"]),
    (&[("HJ", "HK"), ("5J", "5K")], &["CO"]),
    (&[("9V", "9V"), ("S6", "S6")], &["SG"]),
    (&[("VR", "VR")], &["HK"]),
    (&[("B0", "BZ"), ("XS", "XS"), ("3H", "3U")], &["CN", "TW", "MO"]),
    (&[("JA", "JS"), ("7J", "7N"), ("8J", "8N")], &["JP"]),
    (&[("HL", "HL"), ("DS", "DT"), ("D7", "D9"), ("6K", "6N")], &["KR"]),
    (&[("AT", "AW"), ("VT", "VW"), ("8T", "8Y")], &["IN"]),
    (&[("JZ", "JZ"), ("PK", "PO"), ("YB", "YH"), ("7A", "7I"), ("8A", "8I")], &["ID"]),
    (&[("9M", "9M"), ("9W", "9W")], &["MY"]),
    (&[("DU", "DZ"), ("4D", "4I")], &["PH"]),
    (&[("HS", "HS"), ("E2", "E2")], &["TH"]),
    (&[("XV", "XV"), ("3W", "3W")], &["VN"]),
    (&[("A6", "A6")], &["AE"]),
    (&[("HZ", "HZ"), ("7Z", "7Z"), ("8Z", "8Z")], &["SA"]),
    (&[("A7", "A7")], &["QA"]),
    (&[("9K", "9K")], &["KW"]),
    (&[("A4", "A4")], &["OM"]),
    (&[("EP", "EQ"), ("9B", "9D")], &["IR"]),
    (&[("AX", "AX"), ("VH", "VN"), ("VZ", "VZ")], &["AU"]),
    (&[("ZK", "ZM")], &["NZ"]),
    (&[("E5", "E5")], &["CK"]),
    (&[("YJ", "YJ")], &["VU"]),
    (&[("T2", "T2")], &["TV"]),
    (&[("T8", "T8")], &["PW"]),
    (&[("S8", "S8"), ("ZR", "ZU")], &["ZA"]),
    (&[("SU", "SU"), ("6A", "6B")], &["EG"]),
    (&[("CN", "CN"), ("5C", "5G")], &["MA"]),
    (&[("5N", "5O")], &["NG"]),
    (&[("D6", "D6")], &["KM"]),
    (&[("9L", "9L")], &["SL"]),
    (&[("5V", "5V")], &["TG"]),
    (&[("TJ", "TJ")], &["CM"]),
];

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

    #[test]
    fn the_table_is_in_order_names_countries_and_gives_no_prefix_twice() {
        let mut all: Vec<_> = SERIES.iter().flat_map(|(series, _)| series.iter()).collect();
        all.sort();
        for (first, last) in &all {
            assert!(first <= last && first.len() == 2 && last.len() == 2, "{first} {last}");
        }
        for pair in all.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{pair:?}");
        }
        for flag in SERIES.iter().flat_map(|(_, flags)| flags.iter()) {
            assert!(flag.parse::<CountryCode>().is_ok(), "{flag}");
        }
    }

    #[test]
    fn a_panamanian_call_sign_does_not_agree_with_a_norwegian_flag() {
        let agree =
            |sign: &str, flag: &str| sign.parse::<CallSign>().unwrap().agrees_with(&flag.parse().unwrap());
        assert!(agree("3EJH2", "PA") && agree("LDPN", "NO") && agree("V7AB1", "MH") && agree("2ABC3", "IM"));
        for (sign, flag) in [
            ("MABC2", "IM"),
            ("ZDAB3", "GI"),
            ("ZCDF5", "BM"),
            ("ZGAB7", "KY"),
            ("GABC", "JE"),
            ("2ABC4", "GG"),
            ("OJAB", "AX"),
            ("OXAB", "FO"),
            ("OUAB2", "GL"),
            ("LAXY7", "SJ"),
            ("JWAB", "SJ"),
            ("FTAB", "TF"),
            ("FABC", "MF"),
            ("CQAB", "PT"),
            ("PJAB", "CW"),
            ("WABC", "PR"),
            ("VJAB", "CX"),
            ("ZMAB", "TK"),
            ("BABC", "TW"),
        ] {
            assert!(agree(sign, flag), "{sign} {flag}");
        }
        assert!(!agree("3EJH2", "NO") && !agree("LDPN", "PA"));
        assert!(agree("QQQQ", "NO"), "a prefix that the table does not know");
        assert!(agree("3EJH2", "MN"), "a flag that the table does not know");
    }

    proptest! {
        #[test]
        fn what_parses_prints_back_in_capitals(text in "[A-Za-z0-9]{3,7}") {
            prop_assert_eq!(text.parse::<CallSign>().unwrap().to_string(), text.to_uppercase());
        }
    }
}
