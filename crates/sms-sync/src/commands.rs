//! What each command does.

pub(crate) mod config;
pub(crate) mod conflicts;
mod dead_letters;
mod migrate;
mod settings;
mod status;
mod syncs;
mod test_connection;
mod token;
mod trigger;
pub(crate) mod up;
mod webhook;

use std::process::ExitCode;

use anyhow::Context;

use crate::{
    api::Api,
    arguments::{Arguments, Command},
    output,
};

/// Does what was asked, except for what is no client's business ([`up`], [`config`]).
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let api = Api::new(&arguments.connection)?;
    let output = arguments.connection.output;
    match arguments.command {
        Command::Up | Command::Config { .. } => {
            unreachable!("run by the caller, in a process of its own kind")
        }
        Command::Migrate => migrate::run(output).await,
        Command::Trigger(trigger) => trigger::run(&api, output, trigger).await,
        Command::Status { sync_id: None, watch: false } => status::overview(&api, output).await,
        Command::Status { sync_id, watch: true } => status::watch(&api, output, sync_id).await,
        Command::Status { sync_id: Some(sync_id), watch: false } => status::show(&api, output, sync_id).await,
        Command::History { page } => status::history(&api, output, &page).await,
        Command::Syncs(command) => syncs::run(&api, output, command).await,
        Command::Token { subject, role, ttl, secret } => token::run(output, &subject, role, ttl, &secret),
        Command::DeadLetters(command) => dead_letters::run(&api, output, command).await,
        Command::Conflicts(command) => conflicts::run(&api, output, command).await,
        Command::Webhook(command) => webhook::run(&api, output, command).await,
        Command::TestConnection => test_connection::run(&api, output).await,
        Command::Settings(command) => settings::run(&api, output, command).await,
        Command::Openapi { to } => {
            let document = ::status::openapi::json();
            match to {
                Some(to) => {
                    std::fs::write(&to, document).with_context(|| format!("cannot write {}", to.display()))?
                }
                None => output::line(document.trim_end()),
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
