//! `sms-sync webhooks list|show|body|refused`: the log of received webhooks.

use std::{path::PathBuf, process::ExitCode};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use contracts::operator::{
    List, RefusedWebhook, WebhookEvent, WebhookEventDetail, WebhookRefusal, WebhookState,
};
use uuid::Uuid;

use super::event_filter::EventFilter;
use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, SortOption, TimeRange, words},
    listing::Listing,
    output::{self, print, save_bytes, time, timestamp},
};

const PATH: &str = "/api/sync/webhooks";

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// List webhook events, newest first
    List(ListOptions),
    /// Show a webhook event with its attempts
    Show {
        /// Id of the event
        id: Uuid,
    },
    /// Write the body of a webhook, byte for byte as it was received (role admin)
    Body {
        /// Id of the event
        id: Uuid,
        /// File to write [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// List refused requests to the webhook endpoint, newest first
    Refused(RefusedOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Only events in this state
    #[arg(long, value_parser = words(WebhookState::ALL, WebhookState::as_str))]
    state: Option<WebhookState>,
    #[command(flatten)]
    filter: EventFilter,
    /// Only the event with this value of the header webhook-id
    #[arg(long, value_name = "ID")]
    webhook_id: Option<String>,
    #[command(flatten)]
    sort: SortOption,
}

#[derive(Debug, Args)]
pub(crate) struct RefusedOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Only requests refused for this reason
    #[arg(long, value_parser = words(WebhookRefusal::ALL, WebhookRefusal::as_str))]
    reason: Option<WebhookRefusal>,
    /// Only requests with this value of the header webhook-id
    #[arg(long, value_name = "ID")]
    webhook_id: Option<String>,
    #[command(flatten)]
    range: TimeRange,
    #[command(flatten)]
    sort: SortOption,
}

pub(super) async fn run(api: &Api, format: OutputFormat, command: LogCommand) -> anyhow::Result<ExitCode> {
    match command {
        LogCommand::List(ListOptions { page, state, filter, webhook_id, sort }) => {
            let EventFilter { event_type, record_type, source_id, range } = filter;
            let record_type = record_type.map(contracts::operator::RecordType::from);
            let filters = [
                ("state", state.map(|it| it.to_string())),
                ("eventType", event_type),
                ("recordType", record_type.map(|it| it.to_string())),
                ("sourceId", source_id),
                ("webhookId", webhook_id),
                sort.given(),
            ];
            let filters = filters.into_iter().chain(range.given());
            Listing::with(PATH, filters).show(api, format, &page, print_events).await?;
        }
        LogCommand::Show { id } => {
            let event: WebhookEventDetail = api.get(&format!("{PATH}/{id}")).await?;
            print(format, &event, print_event);
        }
        LogCommand::Body { id, to } => {
            save_bytes(&api.get_bytes(&format!("{PATH}/{id}/raw-body")).await?, to.as_deref())?;
        }
        LogCommand::Refused(RefusedOptions { page, reason, webhook_id, range, sort }) => {
            let filters =
                [("reason", reason.map(|it| it.to_string())), ("webhookId", webhook_id), sort.given()];
            let filters = filters.into_iter().chain(range.given());
            let refused = Listing::with(format!("{PATH}/refused"), filters);
            refused.show(api, format, &page, print_refused).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_events(list: &List<WebhookEvent>) {
    let mut table =
        output::table(["event", "received (UTC)", "type", "record", "state", "duplicates", "last failure"])
            .text(["last failure"])
            .optional(["duplicates", "last failure", "received (UTC)", "record"]);
    for it in &list.data {
        table.add_row([
            it.id.to_string(),
            time(it.received_at),
            it.event_type.clone(),
            it.source_id.clone().unwrap_or_default(),
            it.state.to_string(),
            it.duplicates.to_string(),
            it.last_failure.clone().unwrap_or_default(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no webhook events");
}

fn print_event(event: &WebhookEventDetail) {
    let it = &event.summary;
    output::line(format!("{}  {} {}", it.id, it.event_type, it.state));
    output::line(format!("  webhook-id {}, signed with the secret {}", it.webhook_id, it.key_name));
    if let (Some(record_type), Some(id)) = (it.record_type, &it.source_id) {
        output::line(format!("  about {record_type} {id}"));
    }
    let at = |name: &str, at: Option<DateTime<Utc>>| at.map(|at| format!("{name} {}", timestamp(at)));
    let times = [
        at("happened", it.occurred_at),
        at("received", Some(it.received_at)),
        at("published", it.published_at),
        at("processed", it.processed_at),
    ];
    for text in times.into_iter().flatten() {
        output::line(format!("  {text}"));
    }
    output::line(format!("  {} duplicates, body of {} bytes", it.duplicates, event.body_bytes));
    if let Some(sync) = it.sync_id {
        output::line(format!("  sync {sync}"));
    }
    if let Some(failure) = &it.last_failure {
        output::line(format!("  last failure: {failure}"));
    }
    output::print_attempts(&event.attempts_made);
}

fn print_refused(list: &List<RefusedWebhook>) {
    let mut table = output::table(["received (UTC)", "reason", "status", "source", "alike", "detail"])
        .text(["detail"])
        .optional(["detail", "alike", "source"]);
    for it in &list.data {
        table.add_row([
            time(it.received_at),
            it.reason.to_string(),
            it.status.to_string(),
            it.source.clone(),
            it.alike.to_string(),
            it.detail.clone(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no refused webhooks");
}
