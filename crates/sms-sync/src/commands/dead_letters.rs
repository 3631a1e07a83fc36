//! Dead letters: list, group, look, replay.

mod replays;

use std::process::ExitCode;

use contracts::operator::{DeadLetter, DeadLetterDetail, DeadLetterGroup, List};

use crate::{
    api::Api,
    arguments::{DeadLetters, Output},
    output,
};

pub(crate) async fn run(api: &Api, output: Output, command: DeadLetters) -> anyhow::Result<ExitCode> {
    match command {
        DeadLetters::List { page, state } => {
            let mut path = format!("/api/sync/dead-letters?limit={}&offset={}", page.limit, page.offset);
            if let Some(state) = state {
                path = format!("{path}&state={state}");
            }
            let list: List<DeadLetter> = api.get(&path).await?;
            output::either(output, &list, table);
        }
        DeadLetters::Show { id } => {
            let letter: DeadLetterDetail = api.get(&format!("/api/sync/dead-letters/{id}")).await?;
            output::either(output, &letter, show);
        }
        DeadLetters::Groups { page } => {
            let path = format!("/api/sync/dead-letters/groups?limit={}&offset={}", page.limit, page.offset);
            let list: List<DeadLetterGroup> = api.get(&path).await?;
            output::either(output, &list, groups);
        }
        DeadLetters::Replay(replay) => return replays::replay(api, output, replay).await,
        DeadLetters::Jobs { job_id: None, page } => replays::jobs(api, output, &page).await?,
        DeadLetters::Jobs { job_id: Some(job_id), page } => {
            replays::items(api, output, job_id, &page).await?
        }
        DeadLetters::CancelJob { job_id } => replays::cancel(api, output, job_id).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn table(list: &List<DeadLetter>) {
    if list.data.is_empty() {
        output::line("no dead letters");
        return;
    }
    let mut table =
        output::table(["dead letter", "died", "queue", "class", "reason", "state", "fingerprint"]);
    for it in &list.data {
        let (id, died) = (it.id.to_string(), output::time(it.died_at));
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
    output::line(table);
    output::line(format!("{} of {}", list.data.len(), list.pagination.total));
}

fn groups(list: &List<DeadLetterGroup>) {
    if list.data.is_empty() {
        output::line("no dead letters");
        return;
    }
    let mut table = output::table(["fingerprint", "dead", "of", "queue", "class", "last died", "reason"]);
    for it in &list.data {
        table.add_row([
            it.fingerprint.clone(),
            it.dead.to_string(),
            it.total.to_string(),
            it.queue.clone(),
            output::word(&it.class),
            output::time(it.last_died_at),
            it.reason.clone(),
        ]);
    }
    output::line(table);
}

fn show(letter: &DeadLetterDetail) {
    let it = &letter.summary;
    output::line(format!("{}  {} ({})", it.id, it.reason, it.class));
    output::line(format!("  {} from {}, died {}", it.kind, it.queue, output::time(it.died_at)));
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
    let mut table = output::table(["attempt", "began", "took", "class", "failure"]);
    for attempt in &letter.attempts_made {
        table.add_row([
            attempt.number.to_string(),
            output::time(attempt.began_at),
            format!("{} ms", attempt.duration_ms),
            attempt.class.to_string(),
            attempt.failure.clone(),
        ]);
    }
    output::line(table);
}
