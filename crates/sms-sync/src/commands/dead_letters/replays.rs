//! Replays: a count first, then the job; and what became of it.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::Context;
use contracts::operator::{self, List, ReplayAccepted, ReplayItem, ReplayJob, ReplayPlan, ReplayRequest};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{DeathClass, Output, PageArguments, Replay},
    output,
};

const PATH: &str = "/api/sync/bulk/replay";

pub(super) async fn replay(api: &Api, output: Output, replay: Replay) -> anyhow::Result<ExitCode> {
    let sure = replay.yes;
    let request = request(replay);
    let plan: ReplayPlan = api.post(&format!("{PATH}/plan"), Some(&request)).await?;
    if plan.replaying == 0 {
        output::either(output, &plan, |_| output::line("nothing to replay"));
        return Ok(ExitCode::SUCCESS);
    }
    if !sure && !agreed(&plan)? {
        output::line("nothing was replayed");
        return Ok(ExitCode::FAILURE);
    }
    let accepted: ReplayAccepted = api.post(PATH, Some(&request)).await?;
    output::either(output, &accepted, |it| {
        output::line(format!("{} on their way again", it.replaying));
        output::line(format!("follow them: sms-sync dead-letters jobs {}", it.job_id));
    });
    Ok(ExitCode::SUCCESS)
}

/// Asks a person; a program has to say `--yes`.
fn agreed(plan: &ReplayPlan) -> anyhow::Result<bool> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "{} dead letters would be replayed: say --yes where nobody can be asked",
        plan.replaying
    );
    let mut question = io::stderr();
    write!(question, "Replay {} of {} dead letters? [y/N] ", plan.replaying, plan.matching)?;
    question.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("no answer could be read")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

pub(super) async fn jobs(api: &Api, output: Output, page: &PageArguments) -> anyhow::Result<()> {
    let list: List<ReplayJob> =
        api.get(&format!("{PATH}?limit={}&offset={}", page.limit, page.offset)).await?;
    output::either(output, &list, |list| {
        if list.data.is_empty() {
            output::line("no replays");
            return;
        }
        let mut table =
            output::table(["job", "asked", "by", "state", "succeeded", "died", "open", "stopped"]);
        for it in &list.data {
            let counts = &it.counts;
            table.add_row([
                it.id.to_string(),
                output::time(it.created_at),
                it.requested_by.clone(),
                output::word(&it.state),
                counts.succeeded.to_string(),
                counts.died.to_string(),
                (counts.waiting + counts.sent).to_string(),
                counts.cancelled.to_string(),
            ]);
        }
        output::line(table);
    });
    Ok(())
}

pub(super) async fn items(
    api: &Api,
    output: Output,
    job_id: Uuid,
    page: &PageArguments,
) -> anyhow::Result<()> {
    let path = format!("{PATH}/{job_id}/items?limit={}&offset={}", page.limit, page.offset);
    let list: List<ReplayItem> = api.get(&path).await?;
    output::either(output, &list, |list| {
        let mut table = output::table(["dead letter", "outcome", "died as", "had died of"]);
        for it in &list.data {
            let died_as = it.died_as.map(|id| id.to_string()).unwrap_or_default();
            table.add_row([
                it.dead_letter_id.to_string(),
                output::word(&it.outcome),
                died_as,
                it.reason.clone(),
            ]);
        }
        output::line(table);
        output::line(format!("{} of {}", list.data.len(), list.pagination.total));
    });
    Ok(())
}

pub(super) async fn cancel(api: &Api, output: Output, job_id: Uuid) -> anyhow::Result<()> {
    let job: ReplayJob = api.post(&format!("{PATH}/{job_id}/cancel"), None::<&()>).await?;
    output::either(output, &job, |it| {
        output::line(format!("{} {}: {} were stopped", it.id, output::word(&it.state), it.counts.cancelled))
    });
    Ok(())
}

fn request(it: Replay) -> ReplayRequest {
    let class = |it: DeathClass| match it {
        DeathClass::Transient => operator::FailureClass::Transient,
        DeathClass::Permanent => operator::FailureClass::Permanent,
        DeathClass::Poison => operator::FailureClass::Poison,
    };
    ReplayRequest {
        ids: it.ids,
        all: it.all,
        fingerprint: it.fingerprint,
        queue: it.queue,
        class: it.class.map(class),
        sync_id: it.sync,
        reason: it.reason,
        rate_per_second: it.rate,
    }
}
