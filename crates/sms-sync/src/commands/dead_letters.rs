//! `sms-sync dead-letters`: inspects and replays dead letters.

mod replays;

use std::process::ExitCode;

use clap::Subcommand;
use contracts::operator::{DeadLetter, DeadLetterDetail, DeadLetterGroup, List};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions},
    output::{self, json_word, list_footer, print, timestamp},
};

const PATH: &str = "/api/sync/dead-letters";

#[derive(Debug, Subcommand)]
pub(super) enum DeadLettersCommand {
    /// List dead letters, newest first
    List {
        #[command(flatten)]
        page: PageOptions,
        /// Only this state: dead, replaying, replayed or succeeded [default: all]
        #[arg(long)]
        state: Option<String>,
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
    },
    /// Replay dead letters: publish them again, with a new set of retries
    Replay(replays::ReplayOptions),
    /// List replay jobs, or the dead letters of one job
    Jobs {
        /// Id of a replay job [default: list all jobs]
        job_id: Option<Uuid>,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Cancel a replay job; messages that it has published are still processed
    CancelJob {
        /// Id of the replay job
        job_id: Uuid,
    },
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    command: DeadLettersCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        DeadLettersCommand::List { page, state } => {
            let mut path = format!("{PATH}?{}", page.query());
            if let Some(state) = state {
                path = format!("{path}&state={state}");
            }
            let list: List<DeadLetter> = api.get(&path).await?;
            print(format, &list, print_list);
        }
        DeadLettersCommand::Show { id } => {
            let letter: DeadLetterDetail = api.get(&format!("{PATH}/{id}")).await?;
            print(format, &letter, print_detail);
        }
        DeadLettersCommand::Groups { page } => {
            let list: List<DeadLetterGroup> = api.get(&format!("{PATH}/groups?{}", page.query())).await?;
            print(format, &list, print_groups);
        }
        DeadLettersCommand::Replay(options) => return replays::replay(api, format, options).await,
        DeadLettersCommand::Jobs { job_id: None, page } => replays::list_jobs(api, format, &page).await?,
        DeadLettersCommand::Jobs { job_id: Some(job_id), page } => {
            replays::list_items(api, format, job_id, &page).await?
        }
        DeadLettersCommand::CancelJob { job_id } => replays::cancel_job(api, format, job_id).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_list(list: &List<DeadLetter>) {
    if list.data.is_empty() {
        output::line("no dead letters");
        return;
    }
    let mut table =
        output::table(["dead letter", "died", "queue", "class", "reason", "state", "fingerprint"]);
    for it in &list.data {
        let (id, died) = (it.id.to_string(), timestamp(it.died_at));
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
    table.print();
    list_footer(list);
}

fn print_groups(list: &List<DeadLetterGroup>) {
    if list.data.is_empty() {
        output::line("no dead letters");
        return;
    }
    let mut table = output::table(["fingerprint", "dead", "total", "queue", "class", "last died", "reason"]);
    for it in &list.data {
        table.add_row([
            it.fingerprint.clone(),
            it.dead.to_string(),
            it.total.to_string(),
            it.queue.clone(),
            json_word(&it.class),
            timestamp(it.last_died_at),
            it.reason.clone(),
        ]);
    }
    table.print();
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
    if letter.attempts_made.is_empty() {
        return;
    }
    let mut table = output::table(["attempt", "started", "duration", "class", "failure"]);
    for attempt in &letter.attempts_made {
        table.add_row([
            attempt.number.to_string(),
            timestamp(attempt.began_at),
            format!("{} ms", attempt.duration_ms),
            attempt.class.to_string(),
            attempt.failure.clone(),
        ]);
    }
    table.print();
}
