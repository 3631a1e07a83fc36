//! States with several registers of ships. Their territories have flags of ISO 3166-1, and use the maritime identification
//! digits and call signs of the state or of each other.

/// The flags of each state with several registers, its own first.
const STATES: &[&[&str]] = &[
    &["GB", "IM", "GG", "JE", "GI", "BM", "KY", "VG", "AI", "MS", "TC", "FK", "SH", "PN", "IO", "GS"],
    &["FR", "TF", "NC", "PF", "WF", "PM", "GP", "MQ", "GF", "RE", "YT", "BL", "MF"],
    &["NO", "SJ", "BV"],
    &["DK", "FO", "GL"],
    &["FI", "AX"],
    &["NL", "CW", "BQ", "SX", "AW"],
    &["US", "PR", "GU", "VI", "AS", "MP", "UM"],
    &["AU", "CX", "CC", "NF", "HM"],
    // The Cook Islands and Niue have registers, digits and call signs of their own.
    &["NZ", "TK"],
    &["MA", "EH"],
];

/// Whether two flags are one, or those of registers of one state.
pub(super) fn same_state(one: &str, other: &str) -> bool {
    one == other || STATES.iter().any(|flags| flags.contains(&one) && flags.contains(&other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::CountryCode;

    #[test]
    fn every_flag_is_a_country_of_one_state() {
        let mut flags: Vec<&str> = STATES.concat();
        let count = flags.len();
        flags.sort_unstable();
        flags.dedup();
        assert_eq!(flags.len(), count);
        assert!(flags.iter().all(|flag| flag.parse::<CountryCode>().is_ok()));
    }

    #[test]
    fn territories_are_of_their_states_and_of_no_other() {
        assert!(
            same_state("IM", "GB")
                && same_state("KY", "BM")
                && same_state("SJ", "NO")
                && same_state("PA", "PA")
        );
        assert!(!same_state("IM", "IE") && !same_state("HK", "CN") && !same_state("PA", "LR"));
    }
}
