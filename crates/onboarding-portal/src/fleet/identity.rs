//! Numbers and call signs that authorities assign to ships and companies.

/// A ship identification number of six digits and their check digit (IMO Res. A.1117(30)).
pub(super) fn imo_number(six_digits: u32) -> String {
    format!("{six_digits:06}{}", weighted(six_digits, [7, 6, 5, 4, 3, 2]) % 10)
}

/// A company number of six digits and their check digit (MSC.160(78)).
pub(super) fn company_number(six_digits: u32) -> String {
    format!("{six_digits:06}{}", (11 - weighted(six_digits, [8, 6, 4, 2, 9, 7]) % 11) % 10)
}

fn weighted(six_digits: u32, weights: [u32; 6]) -> u32 {
    let digit = |place: u32| six_digits / 10u32.pow(5 - place) % 10;
    (0..6).zip(weights).map(|(place, weight)| digit(place) * weight).sum()
}

/// A flag state, with the MMSIs and call signs that it assigns.
pub(super) struct Flag {
    /// ISO 3166-1 alpha-2.
    pub(super) country: &'static str,
    pub(super) port: &'static str,
    /// Maritime identification digits (ITU).
    mids: &'static [u32],
    /// Prefixes of its call signs (Radio Regulations).
    call_signs: &'static [&'static str],
}

const fn flag(
    country: &'static str,
    port: &'static str,
    mids: &'static [u32],
    call_signs: &'static [&'static str],
) -> Flag {
    Flag { country, port, mids, call_signs }
}

pub(super) static FLAGS: [Flag; 16] = [
    flag("NO", "Bergen", &[257, 258, 259], &["LA", "LC", "LD", "LF"]),
    flag("GR", "Piraeus", &[237, 239, 240, 241], &["SV", "SX", "SY"]),
    flag("DE", "Hamburg", &[211, 218], &["DA", "DC", "DD", "DG"]),
    flag("SG", "Singapore", &[563, 564, 565, 566], &["9V"]),
    flag("GB", "London", &[232, 233, 234, 235], &["MA", "MB", "MC", "GB"]),
    flag("NL", "Rotterdam", &[244, 245, 246], &["PA", "PB", "PC", "PD"]),
    flag("JP", "Tokyo", &[431, 432], &["7J", "7K", "7L"]),
    flag("SE", "Gothenburg", &[265, 266], &["SB", "SC", "SD"]),
    flag("PA", "Panama", &[351, 352, 353, 354, 355, 356, 357, 370, 371, 372, 373], &["3E", "3F", "H3", "HO"]),
    flag("LR", "Monrovia", &[636, 637], &["A8", "D5"]),
    flag("MH", "Majuro", &[538], &["V7"]),
    flag("MT", "Valletta", &[215, 229, 248, 249, 256], &["9H"]),
    flag("CY", "Limassol", &[209, 210, 212], &["5B", "C4"]),
    flag("BS", "Nassau", &[308, 309, 311], &["C6"]),
    flag("HK", "Hong Kong", &[477], &["VR"]),
    flag("DK", "Copenhagen", &[219, 220], &["OU", "OW", "OX", "OY"]),
];

impl Flag {
    /// A different MMSI for each ship number.
    pub(super) fn mmsi(&self, number: u32) -> String {
        let mid = self.mids[number as usize % self.mids.len()];
        format!("{mid}{:06}", (310_000 + number * 1130) % 1_000_000 + number / 100_000)
    }

    /// A different call sign for each ship number.
    pub(super) fn call_sign(&self, number: u32) -> String {
        let letters = |n: u32| char::from(b'A' + u8::try_from(n % 26).expect("under 26"));
        let beginning = self.call_signs[number as usize % self.call_signs.len()];
        let (first, second, digits) =
            (letters(number / 10 / 26), letters(number / 10), number / 6760 * 10 + number % 10);
        format!("{beginning}{first}{second}{digits}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_equal_those_of_real_ships_and_companies() {
        for number in ["9074729", "9619907", "7625811", "8814275", "9321483", "9811000"] {
            assert_eq!(imo_number(number[..6].parse().unwrap()), number);
        }
        assert_eq!(company_number(204_199), "2041999");
    }
}
