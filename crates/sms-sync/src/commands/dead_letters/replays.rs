//! Replay jobs. A plan says first how many dead letters a job would replay; then the job starts.

use std::process::ExitCode;

use clap::{ArgGroup, Args, ValueEnum};
use contracts::operator::{
    self, List, ReplayAccepted, ReplayItem, ReplayItemState, ReplayJob, ReplayPlan, ReplayRequest,
};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, RecordType},
    listing::Listing,
    output::{self, confirm, counted, json_word, print, time},
};

const PATH: &str = "/api/sync/bulk/replay";

/// Which dead letters to replay: by id, all, or by filter.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("selection").required(true).multiple(true))]
pub(crate) struct ReplayOptions {
    /// Ids of dead letters
    #[arg(group = "selection", conflicts_with_all = ["all", "fingerprint", "queue", "class", "sync", "record_type", "source_id"])]
    ids: Vec<Uuid>,
    /// All dead letters in state dead
    #[arg(long, group = "selection", conflicts_with_all = ["fingerprint", "queue", "class", "sync", "record_type", "source_id"])]
    all: bool,
    /// Only dead letters with this cause, as `groups` shows it
    #[arg(long, group = "selection")]
    fingerprint: Option<String>,
    /// Only dead letters from this queue, for example sync.tasks
    #[arg(long, group = "selection")]
    queue: Option<String>,
    /// Only dead letters of this failure class
    #[arg(long, group = "selection", value_enum)]
    class: Option<FailureClass>,
    /// Only dead letters of this sync
    #[arg(long, group = "selection", value_name = "SYNC_ID")]
    sync: Option<Uuid>,
    /// Only dead letters about records of this type
    #[arg(long, group = "selection", value_enum, value_name = "TYPE")]
    record_type: Option<RecordType>,
    /// Only dead letters about the record with this id in the onboarding portal
    #[arg(long, group = "selection", value_name = "ID")]
    source_id: Option<String>,
    /// Publish at most this many messages per second
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<i32>,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Reason, kept with the job and in the audit log
    #[arg(long)]
    reason: Option<String>,
}

/// Why a message became a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailureClass {
    /// All retries failed
    Transient,
    /// It cannot succeed, however often it is retried
    Permanent,
    /// It crashed its consumer again and again
    Poison,
}

impl From<FailureClass> for operator::FailureClass {
    fn from(class: FailureClass) -> Self {
        match class {
            FailureClass::Transient => Self::Transient,
            FailureClass::Permanent => Self::Permanent,
            FailureClass::Poison => Self::Poison,
        }
    }
}

impl From<ReplayOptions> for ReplayRequest {
    fn from(options: ReplayOptions) -> Self {
        Self {
            ids: options.ids,
            all: options.all,
            fingerprint: options.fingerprint,
            queue: options.queue,
            class: options.class.map(Into::into),
            sync_id: options.sync,
            record_type: options.record_type.map(Into::into),
            source_id: options.source_id,
            reason: options.reason,
            rate_per_second: options.rate,
        }
    }
}

pub(super) async fn replay(
    api: &Api,
    format: OutputFormat,
    options: ReplayOptions,
) -> anyhow::Result<ExitCode> {
    let confirmed = options.yes;
    let request = ReplayRequest::from(options);
    let plan: ReplayPlan = api.post(&format!("{PATH}/plan"), &request).await?;
    if plan.replaying == 0 {
        print(format, &plan, |_plan| output::line("nothing to replay"));
        return Ok(ExitCode::SUCCESS);
    }
    if !confirmed
        && !confirm(&format!("Replay {} of {}?", plan.replaying, counted(plan.matching, "dead letter")))?
    {
        output::line("nothing was replayed");
        return Ok(ExitCode::FAILURE);
    }
    let accepted: ReplayAccepted = api.post_once(PATH, Some(&request)).await?;
    print(format, &accepted, |it| {
        output::line(format!("replaying {}", counted(it.replaying, "dead letter")));
        output::line(format!("to see the results: sms-sync dead-letters jobs {}", it.job_id));
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn list_jobs(api: &Api, format: OutputFormat, page: &PageOptions) -> anyhow::Result<()> {
    Ok(Listing::at(PATH).show(api, format, page, print_jobs).await?)
}

fn print_jobs(list: &List<ReplayJob>) {
    let mut table = output::table([
        "job",
        "created (UTC)",
        "by",
        "state",
        "succeeded",
        "died again",
        "open",
        "cancelled",
    ])
    .optional(["created (UTC)", "by", "cancelled", "open"]);
    for it in &list.data {
        let counts = &it.counts;
        table.add_row([
            it.id.to_string(),
            time(it.created_at),
            it.requested_by.clone(),
            json_word(&it.state),
            counts.succeeded.to_string(),
            counts.died.to_string(),
            (counts.waiting + counts.sent).to_string(),
            counts.cancelled.to_string(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no replay jobs");
}

pub(super) async fn list_items(
    api: &Api,
    format: OutputFormat,
    job_id: Uuid,
    outcome: Option<ReplayItemState>,
    page: &PageOptions,
) -> anyhow::Result<()> {
    if format == OutputFormat::Table {
        let job: ReplayJob = api.get(&format!("{PATH}/{job_id}")).await?;
        let reason = job.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        output::line(format!("{} {}, by {}{reason}", job.id, json_word(&job.state), job.requested_by));
    }
    let outcome = ("outcome", outcome.map(|it| it.to_string()));
    let items = Listing::with(format!("{PATH}/{job_id}/items"), [outcome]);
    Ok(items.show(api, format, page, print_items).await?)
}

fn print_items(list: &List<ReplayItem>) {
    let mut table = output::table(["dead letter", "outcome", "new dead letter", "original reason"])
        .text(["original reason"])
        .optional(["new dead letter"]);
    for it in &list.data {
        table.add_row([
            it.dead_letter_id.to_string(),
            json_word(&it.outcome),
            it.died_as.map(|id| id.to_string()).unwrap_or_default(),
            it.reason.clone(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no dead letters");
}

pub(super) async fn cancel_job(api: &Api, format: OutputFormat, job_id: Uuid) -> anyhow::Result<()> {
    let job: ReplayJob = api.post_without_body(&format!("{PATH}/{job_id}/cancel")).await?;
    print(format, &job, |it| {
        let cancelled = it.counts.cancelled;
        output::line(format!("{} {}: {cancelled} replays cancelled", it.id, json_word(&it.state)));
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct ReplayOnly {
        #[command(flatten)]
        _options: ReplayOptions,
    }

    const ID: &str = "019ab2c4-0000-7000-8000-000000000001";

    fn accepts(arguments: &[&str]) -> bool {
        ReplayOnly::try_parse_from(["replay"].iter().chain(arguments)).is_ok()
    }

    #[test]
    fn replay_by_ids_by_filters_or_of_all_is_accepted() {
        assert!(accepts(&["--all"]));
        assert!(accepts(&["--queue", "sync.tasks", "--class", "transient"]));
        assert!(accepts(&[ID, "--reason", "mended"]));
    }

    #[test]
    fn replay_without_selection_is_refused() {
        assert!(!accepts(&[]));
        assert!(!accepts(&["--yes"]));
    }

    #[test]
    fn replay_with_two_kinds_of_selection_is_refused() {
        assert!(!accepts(&["--all", "--fingerprint", "f"]));
        assert!(!accepts(&[ID, "--queue", "sync.tasks"]));
    }
}
