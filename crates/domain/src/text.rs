//! Foreign texts: characters that nobody sees, in texts that people must be able to read, and texts that are only shown.
//!
//! A text of nothing but such characters is blank. Within a text, characters that change the order of others (Unicode's
//! bidirectional controls: a name can read as another one) and noncharacters (U+FFFE, U+FFFF and the like: never text) are
//! removed. Joiners stay: Persian, Hindi and other scripts are spelled with them.

use std::borrow::Cow;

/// Most characters of what people call a record.
pub const LABEL_LIMIT: usize = 300;

/// Whether nothing of the text can be seen.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_zero_width(c) || is_removed(c))
}

/// The text without what is blank at its ends.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_zero_width(c))
}

/// The text without bidirectional controls and noncharacters.
pub(crate) fn cleaned(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(is_removed) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !is_removed(*c)).collect())
}

/// A foreign text as it can be shown and kept anywhere: of at most `limit` characters, the last an ellipsis if it was longer,
/// and of visible ones. Line breaks and tabs become blanks; other control characters, bidirectional controls and noncharacters
/// are written as `\u{0}`.
#[must_use]
pub fn printable(text: &str, limit: usize) -> Cow<'_, str> {
    let fits = text.len() <= limit || text.chars().nth(limit).is_none();
    if fits && !text.contains(is_unsafe_to_print) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut room = limit;
    for c in text.chars() {
        let before = shown.len();
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if is_unsafe_to_print(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
        let length = shown[before..].chars().count();
        if length > room {
            shown.truncate(before);
            // Room for the ellipsis.
            if room == 0 {
                shown.pop();
            }
            shown.push('…');
            break;
        }
        room -= length;
    }
    Cow::Owned(shown)
}

/// Whether a character can change what stands beside it on a terminal or a page: control characters, bidirectional controls and
/// noncharacters.
#[must_use]
pub fn is_unsafe_to_print(c: char) -> bool {
    c.is_control() || is_removed(c)
}

/// Characters without ink of their own, and the fillers that stand for an absent letter.
const fn is_zero_width(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Bidirectional controls (Unicode Standard Annex 9) and noncharacters (Unicode Standard 23.7).
const fn is_removed(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{fdd0}'..='\u{fdef}'
    ) || c as u32 & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_characters_that_nobody_sees_is_blank() {
        for text in ["", " \t", "\u{200b}", "\u{feff}\u{200d}\u{2060}", "\u{202e}\u{ffff}", "\u{3164}\u{ad}"]
        {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["-", "\0", "\u{200b}a", "می\u{200c}خواهم"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn bidirectional_controls_and_noncharacters_are_removed_and_joiners_stay() {
        assert_eq!(cleaned("Nordic\u{202e} Star\u{fffe}\u{1ffff}"), "Nordic Star");
        assert!(matches!(cleaned("می\u{200c}خواهم é"), Cow::Borrowed(_)));
        assert_eq!(trimmed("\u{feff} Nordic\u{200b}Star \u{200b}"), "Nordic\u{200b}Star");
    }

    #[test]
    fn printable_text_is_short_and_visible() {
        assert!(matches!(printable("Gjøa ⚓", 10), Cow::Borrowed("Gjøa ⚓")));
        assert_eq!(
            printable("a\0b\r\nc\u{1b}[31m\u{202e}\u{fffe}", 50),
            r"a\u{0}b  c\u{1b}[31m\u{202e}\u{fffe}"
        );
        assert_eq!((printable("ééé", 3), printable("éééé", 3)), ("ééé".into(), "éé…".into()));
        assert_eq!(printable("ab\0", 4), "ab…");
        assert_eq!(printable(&"x".repeat(100_000), 200).chars().count(), 200);
    }
}
