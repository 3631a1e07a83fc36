//! Errors of the `config` library in our words.

use ::config::ConfigError;

/// The key an error is about (empty where it has none), and what is wrong with it.
pub(super) fn key_and_message(error: &ConfigError) -> (String, String) {
    match error {
        ConfigError::At { error, key, .. } => {
            let (inner, what) = key_and_message(error);
            let outer = key.clone().unwrap_or_default();
            let key = match (outer.is_empty(), inner.is_empty()) {
                (_, true) => outer,
                (true, false) => inner,
                (false, false) => format!("{outer}.{inner}"),
            };
            (key, what)
        }
        ConfigError::Type { key, unexpected, expected, .. } => {
            (key.clone().unwrap_or_default(), format!("is {unexpected}, should be {expected}"))
        }
        ConfigError::NotFound(key) => (key.clone(), "is missing".to_owned()),
        ConfigError::Message(text) => match unknown_field(text) {
            Some((field, rest)) => (field.to_owned(), format!("is not a known key{rest}")),
            None => (String::new(), text.clone()),
        },
        other => (String::new(), other.to_string()),
    }
}

/// The field that serde does not know, and the fields it does: serde says them only in the text "unknown field `x`,
/// expected one of ...".
fn unknown_field(text: &str) -> Option<(&str, String)> {
    let (field, rest) = text.strip_prefix("unknown field `")?.split_once('`')?;
    let known = rest.strip_prefix(", expected ").map(|known| format!(" (known: {known})"));
    Some((field, known.unwrap_or_default()))
}
