//! The environment variables that operators know by a name of their own.

/// An environment variable with a name of its own, e.g. `DATABASE_URL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    pub name: &'static str,
    /// The config key it sets, e.g. `database.url`.
    pub key: &'static str,
    /// Whether the value is a secret: then `NAME_FILE` is understood too, the value is never printed, and its
    /// default is refused outside development.
    pub secret: bool,
    /// Whether the value is a list of secrets, as [`super::named_secrets`] reads it.
    pub list: bool,
}

impl Variable {
    /// A variable whose value may be printed.
    #[must_use]
    pub const fn plain(name: &'static str, key: &'static str) -> Self {
        Self { name, key, secret: false, list: false }
    }

    /// A variable whose value is never printed.
    #[must_use]
    pub const fn secret(name: &'static str, key: &'static str) -> Self {
        Self { name, key, secret: true, list: false }
    }

    /// A variable with secrets by name, as [`super::named_secrets`] reads them; the value is never printed.
    #[must_use]
    pub const fn secrets(name: &'static str, key: &'static str) -> Self {
        Self { name, key, secret: true, list: true }
    }
}
