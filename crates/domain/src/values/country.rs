//! ISO 3166-1 alpha-2 country codes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text_value;

/// A text is no country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a country code of ISO 3166-1 alpha-2, such as NO")]
pub struct CountryCodeError;

/// A country of ISO 3166-1, by its two letters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode(String);

text_value!(CountryCode, CountryCodeError);

/// Officially assigned codes.
const ASSIGNED: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO \
FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE \
JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW \
PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM \
TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

impl FromStr for CountryCode {
    type Err = CountryCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = text.trim().to_ascii_uppercase();
        if code.len() == 2 && ASSIGNED.split(' ').any(|assigned| assigned == code) {
            Ok(Self(code))
        } else {
            Err(CountryCodeError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_249_codes_parse_and_print_back_and_no_others_do() {
        assert_eq!(ASSIGNED.split(' ').count(), 249);
        for code in ASSIGNED.split(' ') {
            assert_eq!(code.to_lowercase().parse::<CountryCode>().unwrap().as_str(), code);
        }
        for text in ["", "N", "ZZ", "NOR", "A ", "UK", "é"] {
            assert_eq!(text.parse::<CountryCode>(), Err(CountryCodeError), "{text:?}");
        }
    }
}
