//! Syncs: follow, look back, stop.

use std::process::ExitCode;

use contracts::operator::{Finding, List, Overview, SyncDetail, SyncState, SyncSummary};
use serde_json::json;
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{Output, PageArguments},
    follow::follow,
    output,
};

pub(crate) async fn watch(api: &Api, output: Output, sync_id: Option<Uuid>) -> anyhow::Result<ExitCode> {
    let sync_id = match sync_id {
        Some(sync_id) => Some(sync_id),
        None => {
            let overview: Overview = api.get("/api/sync/status").await?;
            overview.running.iter().max_by_key(|sync| sync.started_at).map(|sync| sync.sync_id)
        }
    };
    match sync_id {
        Some(sync_id) => to_the_end(api, output, sync_id).await,
        None => overview(api, output).await,
    }
}

pub(crate) async fn to_the_end(api: &Api, output: Output, sync_id: Uuid) -> anyhow::Result<ExitCode> {
    let detail = follow(api, sync_id).await?;
    report(api, output, &detail).await?;
    let failed = matches!(detail.summary.state, SyncState::Failed | SyncState::Cancelled);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub(crate) async fn show(api: &Api, output: Output, sync_id: Uuid) -> anyhow::Result<ExitCode> {
    let detail: SyncDetail = api.get(&format!("/api/sync/status/{sync_id}")).await?;
    report(api, output, &detail).await?;
    Ok(ExitCode::SUCCESS)
}

/// One sync with its tally, and why records were rejected.
async fn report(api: &Api, output: Output, detail: &SyncDetail) -> anyhow::Result<()> {
    let findings: Option<List<Finding>> = if detail.findings > 0 {
        Some(api.get(&format!("/api/sync/syncs/{}/findings?limit=200", detail.summary.sync_id)).await?)
    } else {
        None
    };
    if output == Output::Json {
        let mut whole = json!(detail);
        whole["findingsFound"] = json!(findings.map(|list| list.data).unwrap_or_default());
        output::json(&whole);
        return Ok(());
    }
    let it = &detail.summary;
    output::line(format!(
        "sync {}: {} in {} ({}, {}, by {})",
        it.sync_id,
        output::word(&it.state),
        output::took(it),
        output::word(&it.cause),
        output::word(&it.mode),
        it.requested_by
    ));
    if let Some(failure) = &it.failure {
        output::line(format!("  {failure}"));
    }
    if let Some(detail) = &it.detail {
        output::line(format!("  {detail}"));
    }
    if it.scope.as_object().is_some_and(|scope| !scope.is_empty()) {
        output::line(format!("  only {}", it.scope));
    }
    if let Some(of) = it.retry_of {
        output::line(format!("  tries again what failed in {of}"));
    }
    if let Some(by) = &it.cancelled_by {
        output::line(format!("  cancelled by {by}"));
    }
    if !it.counts.is_empty() {
        output::outcomes(&it.counts);
    }
    if let Some(findings) = findings {
        output::reasons(&findings.data, findings.pagination.total);
    }
    if detail.tasks.dead > 0 {
        output::line(format!("{} tasks died: sms-sync dead-letters list", detail.tasks.dead));
    }
    Ok(())
}

pub(crate) async fn overview(api: &Api, output: Output) -> anyhow::Result<ExitCode> {
    let overview: Overview = api.get("/api/sync/status").await?;
    output::either(output, &overview, |it| {
        let health = it.health.iter().map(|part| match (&part.detail, part.ok) {
            (_, true) => format!("{} ok", part.name),
            (Some(detail), false) => format!("{} AWAY ({detail})", part.name),
            (None, false) => format!("{} AWAY", part.name),
        });
        output::line(format!("health          {}", health.collect::<Vec<_>>().join(", ")));
        let fleet: Vec<_> = it
            .fleet
            .iter()
            .map(|count| format!("{} {}", count.active, output::word(&count.record_type)))
            .collect();
        output::line(format!("fleet           {}", fleet.join(", ")));
        let time = |at: Option<_>, none: &str| at.map_or_else(|| none.to_owned(), output::time);
        output::line(format!("next scheduled  {}", time(it.next_scheduled_at, "the schedule is off")));
        output::line(format!("last webhook    {}", time(it.last_webhook_at, "none yet")));
        output::line(format!("dead letters    {}", it.dead_letters));
        output::line(format!("unpublished     {}", it.unpublished));
        let shown: Vec<SyncSummary> = it.running.iter().chain(&it.last_full_sync).cloned().collect();
        if shown.is_empty() {
            output::line("no full sync has run yet: sms-sync trigger --watch");
        } else {
            output::syncs(&shown);
        }
    });
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn history(api: &Api, output: Output, page: &PageArguments) -> anyhow::Result<ExitCode> {
    let path = format!("/api/sync/history?limit={}&offset={}", page.limit, page.offset);
    let list: List<SyncSummary> = api.get(&path).await?;
    output::either(output, &list, |list| {
        output::syncs(&list.data);
        output::line(format!("{} of {}", list.data.len(), list.pagination.total));
    });
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn cancel(api: &Api, output: Output, sync_id: Uuid) -> anyhow::Result<ExitCode> {
    let sync: SyncSummary = api.post(&format!("/api/sync/syncs/{sync_id}/cancel"), None::<&()>).await?;
    output::either(output, &sync, |sync| {
        output::line(format!("{} {}", sync.sync_id, output::word(&sync.state)))
    });
    Ok(ExitCode::SUCCESS)
}
