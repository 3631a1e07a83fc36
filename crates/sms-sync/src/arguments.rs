//! Options and values that several commands share. A command's own options stand with the command.

use std::{
    io::Read,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use contracts::operator;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;

/// Options of every command: how to reach the operator API, and how to print.
#[derive(Debug, Args)]
pub(crate) struct GlobalOptions {
    /// URL of the operator API; otherwise that of the profile, or http://localhost:3005
    #[arg(long, global = true, env = "API_URL", help_heading = "Connection")]
    pub(crate) url: Option<String>,
    /// Operator token, as printed by `sms-sync token`; otherwise that of the profile
    #[arg(
        long,
        global = true,
        env = "OPERATOR_TOKEN",
        hide_env_values = true,
        value_name = "JWT",
        help_heading = "Connection"
    )]
    pub(crate) token: Option<SecretString>,
    /// File with the operator token
    #[arg(
        long,
        global = true,
        env = "OPERATOR_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    pub(crate) token_file: Option<PathBuf>,
    /// Profile of the system to speak to; `sms-sync profiles list` shows them
    #[arg(long, global = true, env = "SMS_SYNC_PROFILE", value_name = "NAME", help_heading = "Connection")]
    pub(crate) profile: Option<String>,
    /// Output format
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Table, help_heading = "Output")]
    pub(crate) output: OutputFormat,
}

/// How a command prints its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Tables for people
    Table,
    /// JSON for programs
    Json,
    /// JSON for programs, one entry of a list on each line
    Ndjson,
}

/// Which entries of a list to show.
#[derive(Debug, Args)]
pub(crate) struct PageOptions {
    /// Number of entries to show, or all
    #[arg(long, default_value = "20", value_name = "NUMBER|all")]
    pub(crate) limit: EntryLimit,
    /// Number of entries to skip
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub(crate) offset: i64,
}

/// How many entries of a list to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryLimit {
    AtMost(i64),
    All,
}

impl FromStr for EntryLimit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self::All),
            (_, Ok(number @ 1..)) => Ok(Self::AtMost(number)),
            _ => Err("expected a number from 1, or all"),
        }
    }
}

/// Which entries of a list come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    Newest,
    Oldest,
}

/// The order of a list by time.
#[derive(Debug, Args)]
pub(crate) struct SortOption {
    /// Which entries come first
    #[arg(long, value_enum, default_value_t = Sort::Newest)]
    sort: Sort,
}

impl SortOption {
    pub(crate) fn given(&self) -> (&'static str, Option<String>) {
        ("sort", (self.sort == Sort::Oldest).then(|| "oldest".to_owned()))
    }
}

/// From when to when.
#[derive(Debug, Default, Args)]
pub(crate) struct TimeRange {
    /// Only from this time on (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<DateTime<Utc>>,
    /// Only before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<DateTime<Utc>>,
}

impl TimeRange {
    pub(crate) fn given(&self) -> [(&'static str, Option<String>); 2] {
        [("from", self.from.map(|it| it.to_rfc3339())), ("to", self.to.map(|it| it.to_rfc3339()))]
    }
}

/// The bytes of a file, or of standard input where no file or `-` is named.
pub(crate) fn read_input(path: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    match path {
        Some(path) if path != Path::new("-") => {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        }
        _ => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
            Ok(bytes)
        }
    }
}

/// A parser of the words of a vocabulary, which help, completions and errors then list.
pub(crate) fn words<T: Copy + Send + Sync>(
    all: &'static [T],
    text: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<&'static str> = all.iter().map(|word| text(*word)).collect();
    PossibleValuesParser::new(names).map(move |name| {
        let word = all.iter().copied().find(|word| text(*word) == name);
        word.expect("the parser accepts no other word")
    })
}

/// A filter of which any of several values may hold.
pub(crate) fn repeated<T: std::fmt::Display>(
    name: &'static str,
    values: &[T],
) -> impl Iterator<Item = (&'static str, Option<String>)> {
    values.iter().map(move |value| (name, Some(value.to_string())))
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
