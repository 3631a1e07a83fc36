//! `sms-sync webhooks`: the log of received webhooks, their reprocessing, and signed webhooks as the onboarding portal sends
//! them.

mod event_filter;
mod log;
mod reprocess;
mod send;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;
use domain::clock::Clock;

use crate::{api::Api, arguments::OutputFormat};

#[derive(Debug, Subcommand)]
pub(super) enum WebhooksCommand {
    #[command(flatten)]
    Log(log::LogCommand),
    /// Process webhook events again; each starts a new sync
    Reprocess(reprocess::ReprocessOptions),
    /// Sign and send a webhook; print the answer and how long it took
    Send(send::SendOptions),
    /// Check the signature of a received webhook, and explain what is wrong with it
    Verify(verify::VerifyOptions),
}

impl WebhooksCommand {
    /// Whether it asks the operator API anything.
    pub(super) fn needs_api(&self) -> bool {
        !matches!(self, Self::Verify(_))
    }
}

pub(super) async fn run(
    api: &Api,
    clock: &impl Clock,
    format: OutputFormat,
    command: WebhooksCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        WebhooksCommand::Log(command) => log::run(api, format, command).await,
        WebhooksCommand::Reprocess(options) => reprocess::run(api, format, options).await,
        WebhooksCommand::Send(options) => send::run(api, clock.now(), format, options).await,
        WebhooksCommand::Verify(options) => verify::run(clock.now(), format, options),
    }
}
