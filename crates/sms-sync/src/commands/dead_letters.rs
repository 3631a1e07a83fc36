//! Dead letters: list, look, replay.

use std::process::ExitCode;

use contracts::operator::{DeadLetter, DeadLetterDetail, List, ReplayAccepted, ReplayRequest};

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
        DeadLetters::Replay { ids, all, fingerprint } => {
            let which = ReplayRequest { ids, all, fingerprint };
            let accepted: ReplayAccepted = api.post("/api/sync/bulk/replay", Some(&which)).await?;
            output::either(output, &accepted, |it| {
                output::line(format!("{} on their way again", it.replaying))
            });
        }
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
        table.add_row([id.as_str(), &died, &it.queue, &it.class, &it.reason, &it.state, &it.fingerprint]);
    }
    output::line(table);
    output::line(format!("{} of {}", list.data.len(), list.pagination.total));
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
            attempt.class.clone(),
            attempt.failure.clone(),
        ]);
    }
    output::line(table);
}
