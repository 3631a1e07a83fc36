//! What can be typed.

use std::time::Duration;

use chassis::auth::Role;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;
use uuid::Uuid;

/// Start, watch and mend the sync of the onboarding portal into the maintenance portal.
#[derive(Debug, Parser)]
#[command(name = "sms-sync", version, about, max_term_width = 100, propagate_version = false)]
#[command(after_help = "Examples:
  sms-sync trigger --watch             start a full sync and follow it to its end
  sms-sync trigger --imo 9074729       bring one vessel with all that belongs to it
  sms-sync status                      what syncs, what was last, what is wrong
  sms-sync dead-letters replay --all   put everything that died back on its way, after a count
  sms-sync token --subject anna --role operator --ttl 12h")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to reach the operator API, and how to print.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// Where the operator API is
    #[arg(
        long,
        global = true,
        env = "API_URL",
        default_value = "http://localhost:3005",
        help_heading = "Connection"
    )]
    pub(crate) url: String,
    /// Your token, as `sms-sync token` prints it
    #[arg(
        long,
        global = true,
        env = "OPERATOR_TOKEN",
        hide_env_values = true,
        value_name = "JWT",
        help_heading = "Connection"
    )]
    pub(crate) token: Option<SecretString>,
    /// A table for people or JSON for programs
    #[arg(long, global = true, value_enum, default_value_t = Output::Table, help_heading = "Output")]
    pub(crate) output: Output,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For programs.
    Json,
    /// For people.
    Table,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run all services in this process, on one port (3005; BIND changes it)
    Up,
    /// Bring the maintenance portal's database to the newest schema (DATABASE_URL)
    Migrate,
    /// Start a sync: of everything, of what changed, or of what you name
    Trigger(Trigger),
    /// Show one sync, or the state of the whole
    Status {
        /// The sync; without it, the state of the whole
        sync_id: Option<Uuid>,
        /// Follow the sync (without an id: the newest that is running) to its end; exit code 1 if it fails
        #[arg(long, short)]
        watch: bool,
    },
    /// List syncs, newest first
    History {
        #[command(flatten)]
        page: PageArguments,
    },
    /// Stop syncs, go on with them, try again what failed
    #[command(subcommand)]
    Syncs(Syncs),
    /// Mint an operator's token (OPERATOR_JWT_SECRET)
    Token {
        /// Whom it is for, as the audit log will name them
        #[arg(long)]
        subject: String,
        /// What they may do: viewer looks; operator also starts, cancels, replays; admin also changes settings
        #[arg(long, value_parser = parse_role, default_value = "viewer")]
        role: Role,
        /// How long it is good, like 30m, 12h or 7d
        #[arg(long, value_parser = parse_duration, default_value = "12h")]
        ttl: Duration,
        /// The secret that the services verify with, at least 32 bytes
        #[arg(long, env = "OPERATOR_JWT_SECRET", hide_env_values = true)]
        secret: SecretString,
    },
    /// What used up its retries
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// What both portals have changed
    #[command(subcommand)]
    Conflicts(Conflicts),
    /// Play the onboarding portal's webhooks
    #[command(subcommand)]
    Webhook(Webhook),
    /// Try the way from the services to the onboarding portal, step by step
    TestConnection,
    /// Schedule, page size, retries
    #[command(subcommand)]
    Settings(Settings),
    /// The configuration of `up`
    Config {
        #[command(subcommand)]
        which: Config,
    },
    /// Write the operator API's OpenAPI document
    Openapi {
        /// Where to; by default to standard output
        #[arg(long)]
        to: Option<std::path::PathBuf>,
    },
}

/// What a sync is to look at.
#[derive(Debug, Args)]
pub(crate) struct Trigger {
    /// How much; by default full, or selective if anything below names records
    #[arg(long, value_enum)]
    pub(crate) mode: Option<Mode>,
    /// Only this kind of record; may be given again
    #[arg(long = "record-type", value_enum, value_name = "TYPE")]
    pub(crate) record_types: Vec<RecordType>,
    /// Only this vessel and what belongs to it, by IMO number; may be given again
    #[arg(long = "imo", value_name = "NUMBER")]
    pub(crate) imos: Vec<String>,
    /// Only this company with its vessels, by its id in the onboarding portal
    #[arg(long, value_name = "ID")]
    pub(crate) company: Option<String>,
    /// Only this piece of equipment, by its id in the onboarding portal; may be given again
    #[arg(long = "equipment", value_name = "ID")]
    pub(crate) equipment: Vec<String>,
    /// Only what changed at this time or later, like 2026-11-24T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<DateTime<Utc>>,
    /// Only what changed at this time or earlier
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<DateTime<Utc>>,
    /// Write nothing, and say what would become of each record
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Follow it to its end; exit code 1 if it fails
    #[arg(long, short)]
    pub(crate) watch: bool,
    /// Why; kept with the sync and in the audit log
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// How much a sync looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Everything that the onboarding portal has approved.
    Full,
    /// What changed since the last complete sync.
    Incremental,
    /// What is named.
    Selective,
}

/// What becomes of records that are not listed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Missing {
    /// They are counted.
    Keep,
    /// They are withdrawn.
    Deactivate,
}

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordType {
    /// Ship managers and owners; they come with their vessels.
    Company,
    /// Vessels.
    Vessel,
    /// Equipment with its parts and schedules.
    Equipment,
    /// People with access.
    User,
}

/// Part of a list.
#[derive(Debug, Args)]
pub(crate) struct PageArguments {
    /// TallyChanges to show
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=200))]
    pub(crate) limit: i64,
    /// TallyChanges to pass over
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub(crate) offset: i64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Syncs {
    /// Stop one; what it has written stays
    Cancel {
        /// The sync
        sync_id: Uuid,
    },
    /// Go on with one that failed or was stopped, from where it stopped
    Resume {
        /// The sync
        sync_id: Uuid,
    },
    /// Try again what failed in one: tasks that were given up, and records that were rejected
    Retry {
        /// The sync
        sync_id: Uuid,
        /// Why; kept with the new sync and in the audit log
        #[arg(long)]
        reason: Option<String>,
    },
    /// List what a dry run would change
    Changes {
        /// The dry run
        sync_id: Uuid,
        #[command(flatten)]
        page: PageArguments,
    },
    /// Decide about records that a full sync did not find any more
    Confirm {
        /// The sync that asks
        sync_id: Uuid,
        /// Deactivate them, or keep them
        #[arg(value_enum)]
        decision: Missing,
        /// Why; kept in the audit log
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// List them, newest first
    List {
        #[command(flatten)]
        page: PageArguments,
        /// dead, replaying, replayed or succeeded; by default all
        #[arg(long)]
        state: Option<String>,
    },
    /// Show one with its message and every attempt
    Show {
        /// The dead letter
        id: Uuid,
    },
    /// Show what they have in common, those that wait for somebody first
    Groups {
        #[command(flatten)]
        page: PageArguments,
    },
    /// Put them back on their way, with a new budget of attempts
    Replay(Replay),
    /// Show replay jobs, or what became of each dead letter of one
    Jobs {
        /// The job; without it, all
        job_id: Option<Uuid>,
        #[command(flatten)]
        page: PageArguments,
    },
    /// Stop a replay job; what is published goes on
    CancelJob {
        /// The job
        job_id: Uuid,
    },
}

/// Which dead letters to replay: some, all, or those that a filter leaves.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub(crate) struct Replay {
    /// These
    #[arg(group = "which", conflicts_with_all = ["all", "fingerprint", "queue", "class", "sync"])]
    pub(crate) ids: Vec<Uuid>,
    /// All that are dead
    #[arg(long, group = "which", conflicts_with_all = ["fingerprint", "queue", "class", "sync"])]
    pub(crate) all: bool,
    /// Those of one cause, as `groups` shows it
    #[arg(long, group = "which")]
    pub(crate) fingerprint: Option<String>,
    /// Those of one queue, like sync.tasks
    #[arg(long, group = "which")]
    pub(crate) queue: Option<String>,
    /// Those of one class
    #[arg(long, group = "which", value_enum)]
    pub(crate) class: Option<DeathClass>,
    /// Those of one sync
    #[arg(long, group = "which")]
    pub(crate) sync: Option<Uuid>,
    /// No more than so many a second
    #[arg(long, value_name = "PER_SECOND")]
    pub(crate) rate: Option<i32>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Why; kept in the job and in the audit log
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// Why a message was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeathClass {
    /// It used up its retries.
    Transient,
    /// It could never succeed as things were.
    Permanent,
    /// Its consumer died with it, again and again.
    Poison,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Conflicts {
    /// List those that are open, newest first
    List {
        #[command(flatten)]
        page: PageArguments,
        /// The resolved ones, too
        #[arg(long)]
        all: bool,
        /// company, vessel, equipment or user; by default all
        #[arg(long)]
        record_type: Option<String>,
        /// Only those that this sync met
        #[arg(long)]
        sync_id: Option<Uuid>,
    },
    /// Show one with both sides
    Show {
        /// The conflict
        id: Uuid,
    },
    /// Decide: by a side, field by field, or keep what stands
    #[command(group = clap::ArgGroup::new("which").required(true).multiple(false))]
    #[command(group = clap::ArgGroup::new("how").required(true).multiple(false))]
    Resolve {
        /// These
        #[arg(group = "which")]
        ids: Vec<Uuid>,
        /// All that this sync met and that are open
        #[arg(long, group = "which", conflicts_with = "fields")]
        sync_id: Option<Uuid>,
        /// By which side
        #[arg(long, value_enum, group = "how")]
        by: Option<By>,
        /// One conflict field by field, like name=local,flag=source
        #[arg(long, value_delimiter = ',', value_parser = crate::commands::conflicts::parse_field, group = "how",
            value_name = "FIELD=SIDE")]
        fields: Vec<(String, contracts::operator::Side)>,
    },
}

/// How a conflict is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The onboarding portal's values
    Source,
    /// The maintenance portal's values
    Local,
    /// The record as it stands
    Keep,
}

impl From<By> for contracts::operator::Resolution {
    fn from(by: By) -> Self {
        match by {
            By::Source => Self::Source,
            By::Local => Self::Local,
            By::Keep => Self::Keep,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// Sign an event and send it; prints the answer and how long it took
    Send(WebhookSend),
    /// Tell whether a webhook that arrived somewhere is signed as it should be, and what is wrong if not
    Verify(WebhookVerify),
}

#[derive(Debug, Args)]
pub(crate) struct WebhookSend {
    /// Type of the event
    #[arg(long = "type", default_value = "test.ping")]
    pub(crate) event_type: String,
    /// Id of the record in the onboarding portal; `test.ping` needs none
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// The webhook-id; the same one again is a duplicate. By default a new one
    #[arg(long)]
    pub(crate) webhook_id: Option<String>,
    /// What to sign with
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true)]
    pub(crate) secret: SecretString,
}

#[derive(Debug, Args)]
pub(crate) struct WebhookVerify {
    /// The body, byte for byte; by default standard input
    pub(crate) body: Option<std::path::PathBuf>,
    /// The header webhook-id
    #[arg(long)]
    pub(crate) id: String,
    /// The header webhook-timestamp
    #[arg(long)]
    pub(crate) timestamp: String,
    /// The header webhook-signature
    #[arg(long)]
    pub(crate) signature: String,
    /// What it should be signed with
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true)]
    pub(crate) secret: SecretString,
    /// How many seconds the sender's clock may be off
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(i64).range(0..), value_name = "SECONDS")]
    pub(crate) tolerance: i64,
    /// Whatever its age: for one out of a log
    #[arg(long, conflicts_with = "tolerance")]
    pub(crate) any_age: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Settings {
    /// Show them
    Get,
    /// Change some; what is not named stays
    Set {
        /// The schedule on or off
        #[arg(long, value_name = "true|false")]
        enable_scheduled_sync: Option<bool>,
        /// Five fields, like "0 2 * * *"
        #[arg(long, value_name = "CRON")]
        schedule_cron: Option<String>,
        /// In which zone it is meant, like Europe/Oslo
        #[arg(long, value_name = "ZONE")]
        schedule_time_zone: Option<String>,
        /// Records per page asked of the onboarding portal, 1 to 1000
        #[arg(long)]
        page_size: Option<i32>,
        /// Waits before the second, third and fourth attempt, in milliseconds, like 10000,30000,90000
        #[arg(long, value_delimiter = ',', value_name = "MS,MS,MS")]
        retry_delays_ms: Option<Vec<i32>>,
        /// How far before the last complete sync an incremental one begins
        #[arg(long, value_name = "SECONDS")]
        incremental_overlap_seconds: Option<i32>,
        /// What the schedule starts: full or incremental
        #[arg(long, value_enum)]
        schedule_mode: Option<Mode>,
        /// What a full sync does with records that are not listed any more
        #[arg(long, value_enum)]
        missing_records: Option<Missing>,
        /// Beyond this share of a type's active records an operator is asked before they are deactivated
        #[arg(long, value_name = "PERCENT")]
        deactivation_limit_percent: Option<i32>,
    },
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Config {
    /// What is in force for each service, secrets left out
    Print,
    /// The commented defaults of each service: the manual
    Defaults,
}

fn parse_role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|error: chassis::auth::UnknownRole| error.to_string())
}

/// `90`, `90s`, `30m`, `12h`, `7d`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("write it like 90s, 30m, 12h or 7d".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_unreadable| "write it like 90s, 30m, 12h or 7d".to_owned())?;
    number
        .checked_mul(seconds)
        .filter(|all| *all > 0)
        .map(Duration::from_secs)
        .ok_or("is out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(parse_duration("12h"), Ok(Duration::from_secs(43_200)));
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        for wrong in ["", "h", "0s", "1w", "1.5h", "-1h", "99999999999999999999d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_replay_says_which_in_exactly_one_way() {
        let parse = |arguments: &[&str]| Arguments::try_parse_from(arguments).is_ok();
        assert!(parse(&["sms-sync", "dead-letters", "replay", "--all"]));
        assert!(!parse(&["sms-sync", "dead-letters", "replay"]));
        assert!(!parse(&["sms-sync", "dead-letters", "replay", "--all", "--fingerprint", "f"]));
        assert!(parse(&[
            "sms-sync",
            "dead-letters",
            "replay",
            "--queue",
            "sync.tasks",
            "--class",
            "transient"
        ]));
        let id = "019ab2c4-0000-7000-8000-000000000001";
        assert!(parse(&["sms-sync", "dead-letters", "replay", id, "--reason", "mended"]));
        assert!(!parse(&["sms-sync", "dead-letters", "replay", id, "--queue", "sync.tasks"]));
    }
}
