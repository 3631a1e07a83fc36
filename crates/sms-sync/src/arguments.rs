//! Options and values that several commands share. A command's own options stand with the command.

use clap::{Args, ValueEnum};
use contracts::operator;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;

/// Options of every command: how to reach the operator API, and how to print.
#[derive(Debug, Args)]
pub(crate) struct GlobalOptions {
    /// URL of the operator API
    #[arg(
        long,
        global = true,
        env = "API_URL",
        default_value = "http://localhost:3005",
        help_heading = "Connection"
    )]
    pub(crate) url: String,
    /// Operator token, as printed by `sms-sync token`
    #[arg(
        long,
        global = true,
        env = "OPERATOR_TOKEN",
        hide_env_values = true,
        value_name = "JWT",
        help_heading = "Connection"
    )]
    pub(crate) token: Option<SecretString>,
    /// Output format
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Table, help_heading = "Output")]
    pub(crate) output: OutputFormat,
}

/// How a command prints its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// JSON for programs
    Json,
    /// Tables for people
    Table,
}

/// Which entries of a list to show.
#[derive(Debug, Args)]
pub(crate) struct PageOptions {
    /// Number of entries to show
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=200))]
    limit: i64,
    /// Number of entries to skip
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    offset: i64,
}

impl PageOptions {
    /// The query parameters of a list request.
    pub(crate) fn query(&self) -> String {
        format!("limit={}&offset={}", self.limit, self.offset)
    }

    /// As [`Self::query`], with the filters that are given.
    pub(crate) fn query_with(
        &self,
        filters: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) -> String {
        format!("{}&{}", self.query(), query_of(filters)).trim_end_matches('&').to_owned()
    }
}

/// The query parameters of the filters that are given.
pub(crate) fn query_of(filters: impl IntoIterator<Item = (&'static str, Option<String>)>) -> String {
    let given = filters.into_iter().filter_map(|(name, value)| Some((name, value?)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
}

/// A text as a segment of a path: ids of rejected records may hold anything.
pub(crate) fn path_segment(text: &str) -> impl std::fmt::Display {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, ESCAPED)
}

/// Which records a sync looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// All approved records
    Full,
    /// Records changed since the last complete sync
    Incremental,
    /// Only the records that other options name
    Selective,
}

impl From<Mode> for operator::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Full => Self::Full,
            Mode::Incremental => Self::Incremental,
            Mode::Selective => Self::Selective,
        }
    }
}

/// What happens to records that the onboarding portal no longer lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MissingPolicy {
    /// Keep the records, and count them as missing
    Keep,
    /// Deactivate the records
    Deactivate,
}

impl From<MissingPolicy> for operator::MissingPolicy {
    fn from(policy: MissingPolicy) -> Self {
        match policy {
            MissingPolicy::Keep => Self::Keep,
            MissingPolicy::Deactivate => Self::Deactivate,
        }
    }
}

/// A record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordType {
    /// Ship managers and owners; they are synced with their vessels
    Company,
    /// Vessels
    Vessel,
    /// Equipment with its critical parts and maintenance schedules
    Equipment,
    /// Users
    User,
}

impl From<RecordType> for operator::RecordType {
    fn from(record_type: RecordType) -> Self {
        match record_type {
            RecordType::Company => Self::Company,
            RecordType::Vessel => Self::Vessel,
            RecordType::Equipment => Self::Equipment,
            RecordType::User => Self::User,
        }
    }
}
