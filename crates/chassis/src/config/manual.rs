//! The embedded defaults as a manual: the comment above a key describes it.

/// The comment lines right above `key` in `defaults`, joined to one line.
#[must_use]
pub fn key_description(defaults: &str, key: &str) -> Option<String> {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let mut current_section = String::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in defaults.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
            continue;
        }
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            current_section = header.0.trim().to_owned();
        } else if current_section == section && line.split('=').next().is_some_and(|left| left.trim() == name)
        {
            return (!comment.is_empty()).then(|| comment.join(" "));
        }
        comment.clear();
    }
    None
}
