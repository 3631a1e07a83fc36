//! Names in tokens: of operators and of tokens themselves.

use uuid::Uuid;

/// Prefix of an API key, by which people and secret scanners know it.
pub const API_KEY_PREFIX: &str = "sms_";

/// Prefix of the subject of an API key. No token may have such a subject.
pub const API_KEY_SUBJECT_PREFIX: &str = "api-key:";

/// Characters of `sub` and of `jti`: both are kept, in the audit log and in the list of revoked tokens.
const NAME_LIMIT: usize = 255;

/// What is wrong with a `sub` or `jti`. A name that nobody can read would stand in the audit log.
pub(super) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() {
        Err("is empty")
    } else if name.chars().count() > NAME_LIMIT {
        Err("is longer than 255 characters")
    } else if name.chars().any(char::is_control) {
        Err("has control characters")
    } else if name.trim() != name {
        Err("begins or ends with a blank")
    } else if name.to_lowercase().starts_with(API_KEY_SUBJECT_PREFIX) {
        Err("begins like the subject of an API key")
    } else {
        Ok(())
    }
}

/// The id of a token as the list of revoked ones has it. Ours are UUIDs, which may be written in several ways, and an API key has its
/// id in it. Whoever compares ids must compare these.
#[must_use]
pub fn canonical_token_id(id: &str) -> String {
    let of_key = id.strip_prefix(API_KEY_PREFIX).and_then(|rest| rest.split('_').next());
    Uuid::try_parse(of_key.unwrap_or(id)).map_or_else(|_other| id.to_owned(), |id| id.to_string())
}
