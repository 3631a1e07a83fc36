//! The text of a search: what it may be, and how the database is asked for it without reading whole tables.

use uuid::Uuid;

use crate::vocabulary::vocabulary;

vocabulary!(
    /// What a search finds.
    HitKind {
        /// A vessel.
        Vessel = "vessel",
        /// A piece of equipment.
        Equipment = "equipment",
        /// A user.
        User = "user",
        /// A company.
        Company = "company",
        /// A sync.
        Sync = "sync",
        /// A webhook event.
        Webhook = "webhook",
        /// A dead letter.
        DeadLetter = "dead_letter",
        /// A trace: all that one request has caused.
        Trace = "trace",
    }
);

vocabulary!(
    /// The field in which a search has found its text.
    MatchedField {
        /// IMO number of a vessel or a company.
        ImoNumber = "imoNumber",
        Mmsi = "mmsi",
        Name = "name",
        /// SFI code and unit of equipment, `601.001/1`.
        Tag = "tag",
        SfiCode = "sfiCode",
        QrCode = "qrCode",
        Email = "email",
        /// Id in the onboarding portal.
        SourceId = "sourceId",
        /// Id in the maintenance portal, or of a sync, a webhook event, or a dead letter.
        Id = "id",
        /// What a person calls a record that was rejected and never written.
        Label = "label",
        /// The header `webhook-id`.
        WebhookId = "webhookId",
        /// AMQP message id.
        MessageId = "messageId",
        /// A task of the sync.
        TaskId = "taskId",
        TraceId = "traceId",
    }
);

/// Which characters the database takes for letters and digits: only of these its index of name parts is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// Those of all scripts.
    All,
    /// Those of ASCII: the locale of the database is `C`.
    Ascii,
}

/// A text to search for: 2 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

/// A text is too short or too long to be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must have from 2 to 200 characters")]
pub struct SearchTextError;

impl SearchText {
    pub const MIN_LENGTH: usize = 2;
    /// As an id of a record, the longest text that a search may find.
    pub const MAX_LENGTH: usize = 200;

    /// The text without white space at its ends.
    ///
    /// # Errors
    ///
    /// If it is too short or too long.
    pub fn parse(text: &str) -> Result<Self, SearchTextError> {
        let text = text.trim();
        let length = text.chars().count();
        let fits = (Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&length);
        if fits { Ok(Self(text.to_owned())) } else { Err(SearchTextError) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In capital letters, as QR codes are.
    #[must_use]
    pub fn to_upper(&self) -> String {
        self.0.to_uppercase()
    }

    /// The digits of the beginning of an IMO number, at least three; `IMO` may stand before them.
    #[must_use]
    pub fn imo_digits(&self) -> Option<&str> {
        let has_prefix = self.0.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("imo"));
        let digits = if has_prefix { self.0[3..].trim_start_matches([' ', ':', '-']) } else { &self.0 };
        let fits = (3..=7).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then_some(digits)
    }

    /// The pattern for `ILIKE` by which an index of name parts finds the text: anywhere if three letters or digits stand side
    /// by side in it, else at the beginning. None: nothing in it is a letter or digit, and no index would be of use.
    #[must_use]
    pub fn name_pattern(&self, letters: Letters) -> Option<String> {
        let is_letter = |c: char| match letters {
            Letters::All => c.is_alphanumeric(),
            Letters::Ascii => c.is_ascii_alphanumeric(),
        };
        let longest = self.0.split(|c| !is_letter(c)).map(|run| run.chars().count()).max();
        let escaped = escape_like(&self.0);
        match longest.unwrap_or_default() {
            0 => None,
            1 | 2 => Some(format!("{escaped}%")),
            _ => Some(format!("%{escaped}%")),
        }
    }

    /// The first and the last UUID that begin like the text: eight hexadecimal digits at least, with hyphens or without.
    #[must_use]
    pub fn uuid_range(&self) -> Option<(Uuid, Uuid)> {
        let digits: String = self.0.chars().filter(|c| *c != '-').collect();
        let fits = (8..=32).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let filled = |with: &str| {
            let filling = with.repeat(32 - digits.len());
            Uuid::try_parse(&format!("{digits}{filling}")).ok()
        };
        if fits { Some((filled("0")?, filled("f")?)) } else { None }
    }

    /// The trace id that the text is: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        let fits = self.0.len() == 32 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| self.0.to_ascii_lowercase())
    }
}

/// A text behind all that begin with `prefix`, when bytes are compared.
#[must_use]
pub fn prefix_end(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

/// The text as a pattern of `LIKE` that matches it alone.
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SearchText {
        SearchText::parse(text).unwrap()
    }

    #[test]
    fn search_text_has_a_minimum_and_a_maximum_length() {
        for refused in ["", " ", "a", " é ", &"é".repeat(201)] {
            assert_eq!(SearchText::parse(refused), Err(SearchTextError), "{refused:?}");
        }
        assert_eq!(text(&"é".repeat(200)).as_str().chars().count(), 200);
    }

    #[test]
    fn imo_number_is_found_with_and_without_its_prefix() {
        for written in ["9867607", "IMO 9867607", "imo9867607", "IMO: 9867607"] {
            assert_eq!(text(written).imo_digits(), Some("9867607"), "{written}");
        }
        assert_eq!(text("986").imo_digits(), Some("986"));
        for other in ["98", "IMO", "98676071", "9867-07", "éé9"] {
            assert_eq!(text(other).imo_digits(), None, "{other}");
        }
    }

    #[test]
    fn name_pattern_asks_for_a_part_only_where_an_index_finds_it() {
        let pattern = |it: &str| text(it).name_pattern(Letters::All);
        assert_eq!(pattern("ori"), Some("%ori%".to_owned()));
        assert_eq!(pattern("or"), Some("or%".to_owned()));
        assert_eq!(pattern("a-b-c"), Some("a-b-c%".to_owned()));
        assert_eq!(pattern("--"), None);
        assert_eq!(pattern("Ærø"), Some("%Ærø%".to_owned()));
        assert_eq!(text("Ærø").name_pattern(Letters::Ascii), Some("Ærø%".to_owned()));
        assert_eq!(text("Ωω").name_pattern(Letters::Ascii), None);
    }

    #[test]
    fn name_pattern_escapes_wildcards() {
        assert_eq!(text("100%_a\\bcd").name_pattern(Letters::All), Some(r"%100\%\_a\\bcd%".to_owned()));
    }

    #[test]
    fn uuid_range_spans_all_that_begin_alike() {
        let (first, last) = text("019ab2c4-00").uuid_range().unwrap();
        assert_eq!(first.to_string(), "019ab2c4-0000-0000-0000-000000000000");
        assert_eq!(last.to_string(), "019ab2c4-00ff-ffff-ffff-ffffffffffff");
        let whole = "019ab2c4-0000-7000-8000-000000000001";
        assert_eq!(text(whole).uuid_range(), Some((whole.parse().unwrap(), whole.parse().unwrap())));
        for other in ["019ab2c", "019ab2cg", &format!("{whole}0")] {
            assert_eq!(text(other).uuid_range(), None, "{other}");
        }
    }

    #[test]
    fn trace_id_is_32_hexadecimal_digits() {
        let id = "4BF92F3577B34DA6A3CE929D0E0E4736";
        assert_eq!(text(id).trace_id(), Some(id.to_lowercase()));
        assert_eq!(text(&id[1..]).trace_id(), None);
    }
}
