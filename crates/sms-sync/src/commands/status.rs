//! `sms-sync status`: one sync, or the state of the whole system.

use std::process::ExitCode;

use clap::Args;
use contracts::operator::{
    Finding, LastOutcome, List, OutcomeClass, Overview, SyncDetail, SyncState, SyncSummary, Urgency,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::OutputFormat,
    follow::follow,
    output::{self, json_word, print, timestamp},
    sync_report::{print_sync, sync_table},
};

#[derive(Debug, Args)]
pub(super) struct StatusOptions {
    /// Id of a sync [default: show health, running syncs and the last full sync]
    sync_id: Option<Uuid>,
    /// Follow the sync (without an id: the newest running one) until it ends; exit code 1 if it fails or is cancelled
    #[arg(long, short)]
    watch: bool,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: &StatusOptions,
) -> anyhow::Result<ExitCode> {
    match *options {
        StatusOptions { sync_id: Some(sync_id), watch: true } => {
            follow_and_report(api, format, sync_id).await
        }
        StatusOptions { sync_id: Some(sync_id), watch: false } => {
            let detail: SyncDetail = api.get(&format!("/api/sync/status/{sync_id}")).await?;
            report(api, format, &detail).await?;
            Ok(ExitCode::SUCCESS)
        }
        StatusOptions { sync_id: None, watch } => {
            let overview: Overview = api.get("/api/sync/status").await?;
            let newest = overview.running.iter().max_by_key(|sync| sync.started_at);
            if let (true, Some(sync)) = (watch, newest) {
                return follow_and_report(api, format, sync.sync_id).await;
            }
            print(format, &overview, print_overview);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Follows a sync until it ends, and reports it. Fails if the sync failed or was cancelled.
pub(super) async fn follow_and_report(
    api: &Api,
    format: OutputFormat,
    sync_id: Uuid,
) -> anyhow::Result<ExitCode> {
    let detail = follow(api, sync_id).await?;
    report(api, format, &detail).await?;
    let failed = matches!(detail.summary.state, SyncState::Failed | SyncState::Cancelled);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn report(api: &Api, format: OutputFormat, detail: &SyncDetail) -> anyhow::Result<()> {
    let findings: Option<List<Finding>> = if detail.findings > 0 {
        Some(api.get(&format!("/api/sync/syncs/{}/findings?limit=200", detail.summary.sync_id)).await?)
    } else {
        None
    };
    match format {
        OutputFormat::Table => print_sync(detail, findings.as_ref()),
        OutputFormat::Json | OutputFormat::Ndjson => {
            let mut answer = json!(detail);
            answer["findingsFound"] = json!(findings.map(|list| list.data).unwrap_or_default());
            print(format, &answer, |_answer| ());
        }
    }
    Ok(())
}

fn print_overview(overview: &Overview) {
    output::line(verdict_text(overview));
    for it in &overview.attention {
        output::line(format!("  {}: {}", json_word(&it.urgency), it.message));
    }
    let health = overview.health.iter().map(|part| match (&part.detail, part.ok) {
        (_, true) => match &part.last_outcome {
            Some(LastOutcome { failure: Some(failure), .. }) => {
                format!("{} ok (the last request failed: {failure})", part.name)
            }
            _ => format!("{} ok", part.name),
        },
        (Some(detail), false) if part.last_outcome.as_ref().is_some_and(is_permanent) => {
            format!("{} REFUSES REQUESTS ({detail})", part.name)
        }
        (Some(detail), false) => format!("{} DOWN ({detail})", part.name),
        (None, false) => format!("{} DOWN", part.name),
    });
    output::line(format!("health          {}", health.collect::<Vec<_>>().join(", ")));
    let active = overview.fleet.iter().map(|it| format!("{} {}", it.active, json_word(&it.record_type)));
    output::line(format!("active records  {}", active.collect::<Vec<_>>().join(", ")));
    let time = |at: Option<_>, none: &str| at.map_or_else(|| none.to_owned(), timestamp);
    output::line(format!("next scheduled  {}", time(overview.next_scheduled_at, "the schedule is off")));
    output::line(format!("last webhook    {}", time(overview.last_webhook_at, "none yet")));
    output::line(format!("dead letters    {}", overview.dead_letters));
    output::line(format!("open conflicts  {}", overview.open_conflicts));
    output::line(format!("unpublished     {}", overview.unpublished));
    output::line(format!("postponed       {}", overview.postponed));
    let shown: Vec<SyncSummary> = overview.running.iter().chain(&overview.last_full_sync).cloned().collect();
    if shown.is_empty() {
        output::line("no full sync yet; to start one: sms-sync trigger --watch");
    } else {
        sync_table(&shown).print();
    }
}

/// Whether the maintenance portal is in sync, in one line.
fn verdict_text(overview: &Overview) -> &'static str {
    if overview.attention.iter().any(|it| it.urgency == Urgency::Error) {
        "OUT OF SYNC"
    } else if !overview.attention.is_empty() {
        "in sync, except for:"
    } else if overview.last_full_sync.is_some() {
        "in sync"
    } else {
        "no full sync yet"
    }
}

fn is_permanent(outcome: &LastOutcome) -> bool {
    outcome.class == OutcomeClass::Permanent
}
