//! `sms-sync webhooks reprocess`: processes webhook events again, after a plan that counts them.

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use contracts::operator::{
    ReprocessAccepted, ReprocessPlan, ReprocessRequest, WebhookEventFilter, WebhookState,
};
use uuid::Uuid;

use super::event_filter::{self, EventFilter};
use crate::{
    api::Api,
    arguments::{OutputFormat, words},
    output::{self, confirm, counted, print},
};

const PATH: &str = "/api/sync/bulk/reprocess";

/// Which webhook events to process again: by id, or by filter.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("selection").required(true).multiple(true)
    .args(["ids", "states"]).args(event_filter::OPTIONS))]
pub(crate) struct ReprocessOptions {
    /// Ids of webhook events
    #[arg(conflicts_with = "states", conflicts_with_all = event_filter::OPTIONS)]
    ids: Vec<Uuid>,
    /// Only events in this state; may be given more than once
    #[arg(long = "state", value_parser = words(WebhookState::ALL, WebhookState::as_str))]
    states: Vec<WebhookState>,
    #[command(flatten)]
    filter: EventFilter,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Reason, kept in the audit log
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: ReprocessOptions,
) -> anyhow::Result<ExitCode> {
    let ReprocessOptions { ids, states, filter, yes, reason } = options;
    let EventFilter { event_type, record_type, source_id, range } = filter;
    let filter = WebhookEventFilter {
        states,
        event_type,
        record_type: record_type.map(Into::into),
        source_id,
        from: range.from,
        to: range.to,
    };
    let filter = ids.is_empty().then_some(filter);
    let request = ReprocessRequest { ids, filter, reason };
    let plan: ReprocessPlan = api.post(&format!("{PATH}/plan"), &request).await?;
    if plan.matching == 0 {
        print(format, &plan, |_plan| output::line("nothing to reprocess"));
        return Ok(ExitCode::SUCCESS);
    }
    let number = plan.matching.min(plan.at_most);
    if !yes && !confirm(&format!("Reprocess {number} of {}?", counted(plan.matching, "webhook event")))? {
        output::line("nothing was reprocessed");
        return Ok(ExitCode::FAILURE);
    }
    let accepted: ReprocessAccepted = api.post_once(PATH, Some(&request)).await?;
    print(format, &accepted, |it| {
        output::line(format!("reprocessing {}", counted(it.reprocessing, "webhook event")));
        let left = plan.matching - it.reprocessing;
        if left > 0 {
            output::line(format!("{left} left: repeat the command"));
        }
    });
    Ok(ExitCode::SUCCESS)
}
