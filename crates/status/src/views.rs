//! Rows of the database as the API shows them. A file per subject; no file reads a request.

pub(crate) mod attention;
pub(crate) mod configuration;
pub(crate) mod conflicts;
pub(crate) mod dead_letters;
pub(crate) mod records;
pub(crate) mod replays;
pub(crate) mod syncs;
pub(crate) mod updates;
pub(crate) mod webhooks;
