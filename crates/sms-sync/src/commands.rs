//! The commands of the command line, and the code that runs each. A command's options stand with its code.

mod analytics;
mod api_keys;
mod audit;
mod completions;
mod config;
mod conflicts;
mod dead_letters;
mod doctor;
mod history;
mod labels;
mod migrate;
mod openapi;
mod portal;
mod profiles;
mod records;
mod revocations;
mod role_mapping;
mod schedules;
mod search;
mod settings;
mod status;
mod syncs;
mod test_connection;
mod token;
mod trigger;
mod up;
mod users;
mod validation;
mod vessels;
mod webhooks;
mod whoami;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
#[expect(clippy::disallowed_types, reason = "the commands are wired here")]
use domain::clock::SystemClock;

use crate::{
    api::Api,
    arguments::GlobalOptions,
    connection::{self, Target},
    output,
};

const AFTER_HELP: &str = "Examples:
  sms-sync trigger --watch             start a full sync and follow it until it ends
  sms-sync trigger --imo 9074729       sync one vessel with its equipment and users
  sms-sync status                      show health, running syncs and the last full sync
  sms-sync search 'nordhavn orion'     find a vessel by its name
  sms-sync dead-letters replay --all   replay all dead letters, after a confirmation
  sms-sync token --subject anna --role operator --ttl 12h

Exit codes:
   0  done
   1  failed: the API refused the request, a sync that was watched failed, a check found something
   2  wrong arguments
  69  nothing answers at the URL, or a service behind it is down
  77  the token is missing or refused, or its role is too low
  78  wrong config, of a service or in a profile";

/// Start, follow and repair the sync from the onboarding portal to the maintenance portal
#[derive(Debug, Parser)]
#[command(name = "sms-sync", version, max_term_width = 100, propagate_version = false)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all services in this process, on one port (3005; BIND changes it)
    #[command(after_help = up::environment_help())]
    Up,
    /// Check or show the config of the services that `up` runs
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Name systems, and choose the one that commands speak to
    #[command(subcommand)]
    Profiles(profiles::ProfilesCommand),
    /// Write a script that completes commands and options in a shell
    Completions(completions::CompletionsOptions),
    /// Write man pages, one for each command
    Manual(completions::ManualOptions),
    #[command(flatten)]
    OneShot(OneShotCommand),
}

/// A command that answers and exits.
#[derive(Debug, Subcommand)]
enum OneShotCommand {
    /// Bring the database schema of the maintenance portal up to date (DATABASE_URL), and the queues (AMQP_URL)
    Migrate(migrate::MigrateOptions),
    /// Start a full, incremental or selective sync
    Trigger(trigger::TriggerOptions),
    /// Show one sync; without an id: health, running syncs and the last full sync
    Status(status::StatusOptions),
    /// Find records, syncs, webhook events, dead letters and traces
    Search(search::SearchOptions),
    /// List the vessels with what waits for somebody, worst first
    Vessels(vessels::VesselsOptions),
    /// List records, show one, show what happened to it, or acknowledge its rejection
    #[command(subcommand)]
    Records(records::RecordsCommand),
    /// List syncs
    History(history::HistoryOptions),
    /// Cancel, resume, retry or undo a sync; list its findings, or the changes of a dry run; answer its questions
    #[command(subcommand)]
    Syncs(syncs::SyncsCommand),
    /// Create an operator token (OPERATOR_JWT_SECRET)
    Token(token::TokenOptions),
    /// Revoke operator tokens
    #[command(subcommand)]
    Revocations(revocations::RevocationsCommand),
    /// Make, replace and revoke API keys of services
    #[command(subcommand)]
    ApiKeys(api_keys::ApiKeysCommand),
    /// Show how much was synced, how well and how fast, by hour or day
    Analytics(analytics::AnalyticsOptions),
    /// List, export and verify the audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// List users, and claim or renew their temporary passwords
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Show or replace the mapping from ranks to roles
    #[command(subcommand)]
    RoleMapping(role_mapping::RoleMappingCommand),
    /// Show the operator and the system that commands use
    Whoami,
    /// Inspect and replay dead letters
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// List and resolve conflicts, and say who wins them
    #[command(subcommand)]
    Conflicts(conflicts::ConflictsCommand),
    /// List, reprocess, send or verify webhooks
    #[command(subcommand, alias = "webhook")]
    Webhooks(webhooks::WebhooksCommand),
    /// Report on the quality of the data: which records were rejected, or written with a warning
    Validation(validation::ValidationOptions),
    /// Write labels with QR codes for equipment
    #[command(subcommand)]
    Labels(labels::LabelsCommand),
    /// Test the connection from the services to the onboarding portal, step by step
    TestConnection,
    /// Show or change the sync settings, or list who changed what
    #[command(subcommand)]
    Settings(settings::SettingsCommand),
    /// Add, change, pause and delete schedules, and list what came of their ticks
    #[command(subcommand)]
    Schedules(schedules::SchedulesCommand),
    /// Check an onboarding portal against the contract of its API
    #[command(subcommand)]
    Portal(portal::PortalCommand),
    /// Find out what is wrong: connection, stuck syncs, missing records; name a record to learn why it is missing
    Doctor(doctor::DoctorOptions),
    /// Write the OpenAPI document of the operator API
    Openapi(openapi::OpenapiOptions),
}

impl OneShotCommand {
    /// Whether the command asks the operator API anything.
    fn needs_api(&self) -> bool {
        match self {
            Self::Migrate(_) | Self::Token(_) | Self::Portal(_) | Self::Openapi(_) => false,
            Self::Audit(command) => command.needs_api(),
            Self::Webhooks(command) => command.needs_api(),
            _ => true,
        }
    }
}

pub(crate) fn execute(cli: Cli) -> ExitCode {
    let or_failure =
        |result: anyhow::Result<ExitCode>| result.unwrap_or_else(|error| output::failure(&error));
    match cli.command {
        // A daemon, with telemetry and a shutdown of its own.
        Command::Up => up::run(),
        Command::Config(command) => config::run(command, cli.global.output),
        Command::Profiles(command) => or_failure(profiles::run(&cli.global, command)),
        Command::Completions(options) => completions::complete(Cli::command(), &options),
        Command::Manual(options) => or_failure(completions::write_manual(Cli::command(), &options)),
        Command::OneShot(command) => execute_one_shot(&cli.global, command),
    }
}

fn execute_one_shot(global: &GlobalOptions, command: OneShotCommand) -> ExitCode {
    chassis::install_tls();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return output::failure(&anyhow::Error::from(error).context("cannot start the runtime"));
        }
    };
    match runtime.block_on(Box::pin(run(global, command))) {
        Ok(code) => code,
        Err(error) => output::failure(&error),
    }
}

async fn run(global: &GlobalOptions, command: OneShotCommand) -> anyhow::Result<ExitCode> {
    let target = if command.needs_api() { connection::target(global)? } else { Target::default() };
    let api = Api::new(target.clone())?;
    let format = global.output;
    match command {
        OneShotCommand::Migrate(options) => {
            migrate::run(std::sync::Arc::new(SystemClock), format, &options).await
        }
        OneShotCommand::Trigger(options) => trigger::run(&api, format, options).await,
        OneShotCommand::Status(options) => status::run(&api, format, &options).await,
        OneShotCommand::Search(options) => search::run(&api, format, options).await,
        OneShotCommand::Vessels(options) => vessels::run(&api, format, options).await,
        OneShotCommand::Records(command) => records::run(&api, &SystemClock, format, command).await,
        OneShotCommand::History(options) => history::run(&api, format, &options).await,
        OneShotCommand::Syncs(command) => syncs::run(&api, format, command).await,
        OneShotCommand::Token(options) => token::run(format, &options),
        OneShotCommand::Revocations(command) => revocations::run(&api, format, command).await,
        OneShotCommand::ApiKeys(command) => api_keys::run(&api, format, command).await,
        OneShotCommand::Analytics(options) => analytics::run(&api, format, options).await,
        OneShotCommand::Audit(command) => audit::run(&api, format, command).await,
        OneShotCommand::Users(command) => users::run(&api, format, command).await,
        OneShotCommand::DeadLetters(command) => dead_letters::run(&api, format, command).await,
        OneShotCommand::Conflicts(command) => conflicts::run(&api, format, command).await,
        OneShotCommand::RoleMapping(command) => role_mapping::run(&api, format, command).await,
        OneShotCommand::Whoami => whoami::run(&api, format, &target).await,
        OneShotCommand::Webhooks(command) => webhooks::run(&api, &SystemClock, format, command).await,
        OneShotCommand::Validation(options) => validation::run(&api, format, options).await,
        OneShotCommand::Labels(command) => labels::run(&api, command).await,
        OneShotCommand::TestConnection => test_connection::run(&api, format).await,
        OneShotCommand::Settings(command) => settings::run(&api, format, command).await,
        OneShotCommand::Schedules(command) => schedules::run(&api, format, command).await,
        OneShotCommand::Portal(command) => portal::run(&SystemClock, format, command).await,
        OneShotCommand::Doctor(options) => doctor::run(&api, format, options).await,
        OneShotCommand::Openapi(options) => openapi::run(&options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
