//! Syncs under an operator's hand: stop, go on, try again, look at what a dry run would do, decide.

use std::process::ExitCode;

use contracts::operator::{
    Change, ConfirmAccepted, ConfirmRequest, List, MissingPolicy, ResumeAccepted, RetryAccepted, RetryRequest,
};
use uuid::Uuid;

use super::status::cancel;
use crate::{
    api::Api,
    arguments::{Missing, Output, PageArguments, Syncs},
    output,
};

/// Fields of a change that are shown in the table.
const FIELDS_SHOWN: usize = 6;

pub(crate) async fn run(api: &Api, output: Output, command: Syncs) -> anyhow::Result<ExitCode> {
    match command {
        Syncs::Cancel { sync_id } => return cancel(api, output, sync_id).await,
        Syncs::Resume { sync_id } => {
            let path = format!("/api/sync/syncs/{sync_id}/resume");
            let resumed: ResumeAccepted = api.post(&path, None::<&()>).await?;
            output::either(output, &resumed, |it| {
                output::line(format!(
                    "{} {}: {} tasks are open again",
                    it.sync_id,
                    output::word(&it.state),
                    it.tasks
                ))
            });
        }
        Syncs::Retry { sync_id, reason } => {
            let path = format!("/api/sync/syncs/{sync_id}/retry");
            let retried: RetryAccepted = api.post(&path, Some(&RetryRequest { reason })).await?;
            output::either(output, &retried, |it| {
                output::line(format!("{} tasks are open again in {}", it.tasks, it.sync_id));
                if let Some(retry) = it.retry_sync_id {
                    output::line(format!("{} records are looked at again by {retry}", it.records));
                }
            });
        }
        Syncs::Changes { sync_id, page } => changes(api, output, sync_id, &page).await?,
        Syncs::Confirm { sync_id, decision, reason } => {
            let path = format!("/api/sync/syncs/{sync_id}/confirm");
            let decided = ConfirmRequest { decision: missing(decision), reason };
            let confirmed: ConfirmAccepted = api.post(&path, Some(&decided)).await?;
            output::either(output, &confirmed, |it| {
                output::line(format!("{} records were deactivated", it.deactivated))
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn changes(api: &Api, output: Output, sync_id: Uuid, page: &PageArguments) -> anyhow::Result<()> {
    let path = format!("/api/sync/status/{sync_id}/changes?limit={}&offset={}", page.limit, page.offset);
    let list: List<Change> = api.get(&path).await?;
    output::either(output, &list, |list| {
        if list.data.is_empty() {
            output::line("nothing would be changed");
            return;
        }
        let mut table = output::table(["record", "id", "outcome", "fields"]);
        for it in &list.data {
            let shown = it.fields.iter().take(FIELDS_SHOWN);
            let mut fields: Vec<String> =
                shown.map(|field| format!("{}: {} -> {}", field.field, field.old, field.new)).collect();
            if it.fields.len() > FIELDS_SHOWN {
                fields.push(format!("and {} more", it.fields.len() - FIELDS_SHOWN));
            }
            let record = it.label.clone().unwrap_or_default();
            table.add_row([
                format!("{} {record}", output::word(&it.record_type)),
                it.source_id.clone(),
                output::word(&it.outcome),
                fields.join("\n"),
            ]);
        }
        output::line(table);
        output::line(format!("{} of {}", list.data.len(), list.pagination.total));
    });
    Ok(())
}

pub(super) const fn missing(it: Missing) -> MissingPolicy {
    match it {
        Missing::Keep => MissingPolicy::Keep,
        Missing::Deactivate => MissingPolicy::Deactivate,
    }
}
