//! The macro for closed vocabularies: an enum whose names in the database, in JSON and in logs are one.

/// A text is no word of a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {vocabulary}")]
pub struct UnknownWord {
    /// What was to be parsed.
    pub text: String,
    /// The vocabulary's name.
    pub vocabulary: &'static str,
}

/// Defines an enum with `as_str`, `ALL`, `Display`, `FromStr` and serde over the same words.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every word, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in JSON and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::vocabulary::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::vocabulary::UnknownWord {
                        text: text.to_owned(),
                        vocabulary: stringify!($name),
                    }),
                }
            }
        }
    };
}
pub(crate) use vocabulary;

#[cfg(test)]
mod tests {
    use crate::{Cause, Mode, Outcome, RecordType, SyncState, TaskState, WebhookState};

    #[test]
    fn every_word_parses_back_to_itself() {
        fn check<T: std::str::FromStr + Copy + PartialEq + std::fmt::Debug>(
            all: &[T],
            text: fn(T) -> &'static str,
        ) {
            for word in all {
                assert_eq!(text(*word).parse::<T>().ok(), Some(*word));
            }
        }
        check(RecordType::ALL, RecordType::as_str);
        check(Outcome::ALL, Outcome::as_str);
        check(SyncState::ALL, SyncState::as_str);
        check(TaskState::ALL, TaskState::as_str);
        check(WebhookState::ALL, WebhookState::as_str);
        check(Cause::ALL, Cause::as_str);
        check(Mode::ALL, Mode::as_str);
    }
}
