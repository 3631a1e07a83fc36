//! `sms-sync portal`: checks an onboarding portal against the contract of the provider API.

use std::{process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use domain::clock::Clock;
use secrecy::SecretString;

use crate::{
    arguments::OutputFormat,
    output::{self, print_entries},
    portal_check::{CheckLimits, PortalAccess, Report, Verdict, check_portal},
    secrets::option_or_file,
};

#[derive(Debug, Subcommand)]
pub(super) enum PortalCommand {
    /// Try a portal against the contract, step by step, and say what is missing; changes nothing
    #[command(after_help = "Exit code: 0 if no check failed, 1 if one did.")]
    Check(CheckOptions),
}

#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// URL of the portal's API, as in ONBOARDING_API_URL, for example https://portal.example/api
    url: String,
    /// The key that the portal has issued; ONBOARDING_API_KEY_FILE may name a file with it
    #[arg(long, env = "ONBOARDING_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<SecretString>,
    /// Records per page
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    page_size: u32,
    /// Most pages of a list that are read
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pages: u32,
    /// Longest wait for an answer
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

pub(super) async fn run(
    clock: &dyn Clock,
    format: OutputFormat,
    command: PortalCommand,
) -> anyhow::Result<ExitCode> {
    let PortalCommand::Check(CheckOptions { url, api_key, page_size, pages, timeout }) = command;
    let api_key = option_or_file("ONBOARDING_API_KEY", api_key)?;
    let access = PortalAccess { url, key: api_key, timeout: Duration::from_secs(timeout) };
    let report = check_portal(&access, CheckLimits { page_size, pages }, clock).await?;
    print_entries(format, &report, &report.checks, print_report);
    Ok(if report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_report(report: &Report) {
    output::line(&report.url);
    for check in &report.checks {
        let mark = match check.verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
            Verdict::Skip => "skip",
        };
        output::line(format!("  {mark} {:<9} {:<27} {}", check.of, check.name, check.detail));
        if let Some(hint) = check.hint {
            output::line(format!("       what to do: {hint}"));
        }
    }
    let count = |verdict| report.checks.iter().filter(|check| check.verdict == verdict).count();
    output::line(format!(
        "{} ok, {} warnings, {} failed, {} skipped",
        count(Verdict::Ok),
        count(Verdict::Warn),
        count(Verdict::Fail),
        count(Verdict::Skip)
    ));
}
