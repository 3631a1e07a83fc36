//! The macro for closed vocabularies: an enum whose words are the same in the database, in JSON and in logs.
//!
//! An enum stands in the file of its subject. `contracts` defines the operator API's enums by the same macro and converts
//! between the two.

/// The text is not a word of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a word of {vocabulary}")]
pub struct UnknownWord {
    pub text: String,
    /// Name of the enum.
    pub vocabulary: &'static str,
}

/// Defines an enum with `as_str`, `ALL`, `Display`, `FromStr` and serde over the same words. They are matched as `tt`, not as
/// `literal`: utoipa does not read a serde attribute whose value was matched as a literal.
#[doc(hidden)]
#[macro_export]
macro_rules! __vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every word, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in JSON and in the database.
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
pub use __vocabulary as vocabulary;

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
