//! `sms-sync dead-letters`: inspects and replays dead letters.

mod replays;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use contracts::operator::{
    self, DeadLetter, DeadLetterDetail, DeadLetterGroup, DeadLetterState, FailureClass, List, ReplayItemState,
};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, RecordType, SortOption, words},
    listing::Listing,
    output::{self, json_word, print, time, timestamp},
};

const PATH: &str = "/api/sync/dead-letters";

#[derive(Debug, Subcommand)]
pub(super) enum DeadLettersCommand {
    /// List dead letters
    List {
        #[command(flatten)]
        page: PageOptions,
        #[command(flatten)]
        filter: DeadLetterFilter,
        #[command(flatten)]
        sort: SortOption,
    },
    /// Show a dead letter with its message and all attempts
    Show {
        /// Id of the dead letter
        id: Uuid,
    },
    /// Group dead letters by cause, groups with the most unresolved ones first
    Groups {
        #[command(flatten)]
        page: PageOptions,
        #[command(flatten)]
        filter: DeadLetterFilter,
    },
    /// Replay dead letters: publish them again, with a new set of retries
    Replay(replays::ReplayOptions),
    /// List replay jobs, or the dead letters of one job
    Jobs {
        /// Id of a replay job [default: list all jobs]
        job_id: Option<Uuid>,
        /// Only dead letters with this outcome
        #[arg(long, requires = "job_id", value_parser = words(ReplayItemState::ALL, ReplayItemState::as_str))]
        outcome: Option<ReplayItemState>,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Cancel a replay job; messages that it has published are still processed
    CancelJob {
        /// Id of the replay job
        job_id: Uuid,
    },
}

#[derive(Debug, Args)]
pub(super) struct DeadLetterFilter {
    /// Only this state
    #[arg(long, value_parser = words(DeadLetterState::ALL, DeadLetterState::as_str))]
    state: Option<DeadLetterState>,
    /// Only this cause, as `groups` shows it
    #[arg(long)]
    fingerprint: Option<String>,
    /// Only dead letters from this queue, for example sync.tasks
    #[arg(long)]
    queue: Option<String>,
    /// Only this failure class
    #[arg(long, value_parser = words(FailureClass::ALL, FailureClass::as_str))]
    class: Option<FailureClass>,
    /// Only dead letters of this sync
    #[arg(long, value_name = "ID")]
    sync_id: Option<Uuid>,
    /// Only dead letters about records of this type
    #[arg(long, value_enum, value_name = "TYPE")]
    record_type: Option<RecordType>,
    /// Only dead letters about the record with this id in the onboarding portal
    #[arg(long, value_name = "ID")]
    source_id: Option<String>,
}

impl DeadLetterFilter {
    fn given(self) -> [(&'static str, Option<String>); 7] {
        [
            ("state", self.state.map(|it| it.to_string())),
            ("fingerprint", self.fingerprint),
            ("queue", self.queue),
            ("class", self.class.map(|it| it.to_string())),
            ("syncId", self.sync_id.map(|it| it.to_string())),
            ("recordType", self.record_type.map(|it| operator::RecordType::from(it).to_string())),
            ("sourceId", self.source_id),
        ]
    }
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    command: DeadLettersCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        DeadLettersCommand::List { page, filter, sort } => {
            Listing::with(PATH, filter.given().into_iter().chain([sort.given()]))
                .show(api, format, &page, print_list)
                .await?;
        }
        DeadLettersCommand::Show { id } => {
            let letter: DeadLetterDetail = api.get(&format!("{PATH}/{id}")).await?;
            print(format, &letter, print_detail);
        }
        DeadLettersCommand::Groups { page, filter } => {
            let groups = Listing::with(format!("{PATH}/groups"), filter.given());
            groups.show(api, format, &page, print_groups).await?;
        }
        DeadLettersCommand::Replay(options) => return replays::replay(api, format, options).await,
        DeadLettersCommand::Jobs { job_id: None, page, .. } => replays::list_jobs(api, format, &page).await?,
        DeadLettersCommand::Jobs { job_id: Some(job_id), page, outcome } => {
            replays::list_items(api, format, job_id, outcome, &page).await?
        }
        DeadLettersCommand::CancelJob { job_id } => replays::cancel_job(api, format, job_id).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_list(list: &List<DeadLetter>) {
    let mut table =
        output::table(["dead letter", "died (UTC)", "queue", "class", "reason", "state", "fingerprint"])
            .text(["reason"])
            .optional(["fingerprint", "class", "queue", "died (UTC)"]);
    for it in &list.data {
        let (id, died) = (it.id.to_string(), time(it.died_at));
        table.add_row([
            id.as_str(),
            &died,
            &it.queue,
            it.class.as_str(),
            &it.reason,
            it.state.as_str(),
            &it.fingerprint,
        ]);
    }
    output::print_list(&table, &list.pagination, "no dead letters");
}

fn print_groups(list: &List<DeadLetterGroup>) {
    let mut table =
        output::table(["fingerprint", "dead", "total", "queue", "class", "last died (UTC)", "reason"])
            .text(["reason"])
            .optional(["last died (UTC)", "queue", "class"]);
    for it in &list.data {
        table.add_row([
            it.fingerprint.clone(),
            it.dead.to_string(),
            it.total.to_string(),
            it.queue.clone(),
            json_word(&it.class),
            time(it.last_died_at),
            it.reason.clone(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no dead letters");
}

fn print_detail(letter: &DeadLetterDetail) {
    let it = &letter.summary;
    output::line(format!("{}  {} ({})", it.id, it.reason, it.class));
    output::line(format!("  {} from {}, died {}", it.kind, it.queue, timestamp(it.died_at)));
    output::line(format!("  state {}, {} attempts, {} replays", it.state, it.attempts, it.replays));
    if let Some(sync) = it.sync_id {
        output::line(format!("  sync {sync}"));
    }
    if let Some(body) = letter.body.as_ref().or(letter.body_base64.as_ref()) {
        output::line(format!("  message {body}"));
    }
    output::print_attempts(&letter.attempts_made);
}
