//! Which webhook events a command is about, apart from their states.

use clap::Args;

use crate::arguments::{RecordType, TimeRange};

/// Names of the options, for groups of them.
pub(super) const OPTIONS: [&str; 5] = ["event_type", "record_type", "source_id", "from", "to"];

#[derive(Debug, Args)]
pub(super) struct EventFilter {
    /// Only events of this type, such as vessel.approved
    #[arg(long, value_name = "TYPE")]
    pub(super) event_type: Option<String>,
    /// Only events about records of this type
    #[arg(long, value_enum, value_name = "TYPE")]
    pub(super) record_type: Option<RecordType>,
    /// Only events about the record with this id in the onboarding portal
    #[arg(long, value_name = "ID")]
    pub(super) source_id: Option<String>,
    #[command(flatten)]
    pub(super) range: TimeRange,
}
