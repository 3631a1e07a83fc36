//! Typed ids. A bare `Uuid` or `String` in a signature is a mistake waiting to be made.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::text::printable;

macro_rules! uuid_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id. Version 7: ordered by time, which keeps indexes compact.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "an id made by default would be one nobody asked for")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id of a row or message that exists already.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID, for the database.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

uuid_id!(
    /// A sync: row of `sync_logs`, the `syncId` of the API.
    SyncId
);
uuid_id!(
    /// A task: row of `sync_queue`, AMQP message id on `sync.tasks`.
    TaskId
);
uuid_id!(
    /// A webhook event: row of `webhook_events`, AMQP message id on `sync.events`.
    WebhookEventId
);
uuid_id!(
    /// A refused request to the webhook endpoint: row of `refused_webhooks`.
    RefusedWebhookId
);
uuid_id!(
    /// A dead letter: row of `dead_letters`.
    DeadLetterId
);
uuid_id!(
    /// A conflict: row of `conflicts`.
    ConflictId
);

/// A record's id in the onboarding portal: opaque, 1 to 200 ASCII letters, digits and `-._~:@+=`. So it stands in a path
/// or a list of a query as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceId(String);

/// A text cannot be a record's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to 200 letters, digits and any of -._~:@+=")]
pub struct SourceIdError;

impl SourceId {
    /// The id as the onboarding portal writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceId {
    type Err = SourceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=200).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:@+=".contains(&b))
            // These would walk up a path.
            && !matches!(text, "." | "..");
        if fits { Ok(Self(text.to_owned())) } else { Err(SourceIdError) }
    }
}

impl TryFrom<String> for SourceId {
    type Error = SourceIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SourceId> for String {
    fn from(id: SourceId) -> Self {
        id.0
    }
}

impl AsRef<str> for SourceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An id as it was sent, which may be none at all: what is said of a rejected record goes by it, in every table and log. A text
/// that is too long or cannot be shown is cut and escaped, and ends in a digest of the whole, so that two of them stay apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SentId(String);

impl SentId {
    /// Most characters.
    const LIMIT: usize = 200;

    /// Empty if no id was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SentId {
    fn from(text: &str) -> Self {
        Self(match printable(text, Self::LIMIT) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(_) => {
                let digest = hex::encode(&Sha256::digest(text)[..8]);
                format!("{}#{digest}", printable(text, Self::LIMIT - 1 - digest.len()))
            }
        })
    }
}

impl From<&SourceId> for SentId {
    fn from(id: &SourceId) -> Self {
        Self(id.0.clone())
    }
}

impl fmt::Display for SentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_and_parse_back() {
        let id = SyncId::new();
        assert_eq!(id.to_string().parse::<SyncId>().unwrap(), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
    }

    #[test]
    fn a_source_id_that_would_end_a_path_or_split_a_list_is_refused() {
        for text in ["", "a,b", "a b", "ä", "a/b", "..", "a?b", "a%2fb", &"x".repeat(201)] {
            assert_eq!(text.parse::<SourceId>(), Err(SourceIdError), "{text:?}");
        }
        assert_eq!("v-1".parse::<SourceId>().unwrap().as_str(), "v-1");
    }

    #[test]
    fn sent_id_is_short_and_visible_and_two_of_them_stay_apart() {
        for text in ["", "v-1", "a b", "skip/é"] {
            assert_eq!(SentId::from(text).as_str(), text);
        }
        let long = |end: &str| SentId::from(format!("{}{end}", "x".repeat(3000)).as_str());
        let with_nul = SentId::from("v\0x");
        for id in [&long("a"), &long("b"), &with_nul] {
            assert!(id.as_str().chars().count() <= 200, "{id}");
            assert!(!id.as_str().contains(char::is_control), "{id}");
        }
        assert_ne!(long("a"), long("b"));
        assert_ne!(with_nul, SentId::from("v\\u{0}x"));
        assert!(with_nul.as_str().starts_with("v\\u{0}x#"), "{with_nul}");
    }
}
