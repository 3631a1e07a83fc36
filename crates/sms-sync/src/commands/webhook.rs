//! `sms-sync webhook`: signs and sends webhooks as the onboarding portal does, and checks received ones.

mod send;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;
use domain::clock::Clock;

use crate::{api::Api, arguments::OutputFormat};

#[derive(Debug, Subcommand)]
pub(super) enum WebhookCommand {
    /// Sign and send a webhook; print the answer and how long it took
    Send(send::SendOptions),
    /// Check the signature of a received webhook, and explain what is wrong with it
    Verify(verify::VerifyOptions),
}

pub(super) async fn run(
    api: &Api,
    clock: &impl Clock,
    format: OutputFormat,
    command: WebhookCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        WebhookCommand::Send(options) => send::run(api, clock.now(), format, options).await,
        WebhookCommand::Verify(options) => verify::run(clock.now(), format, &options),
    }
}
