//! `sms-sync test-connection`: each step from the services to the onboarding portal.

use std::process::ExitCode;

use contracts::operator::ConnectionTest;

use crate::{
    api::Api,
    arguments::OutputFormat,
    output::{self, print},
};

pub(super) async fn run(api: &Api, format: OutputFormat) -> anyhow::Result<ExitCode> {
    let test: ConnectionTest = api.get("/api/sync/test-connection").await?;
    print(format, &test, |test| {
        output::line(&test.url);
        for step in &test.steps {
            let mark = if step.ok { "ok  " } else { "FAIL" };
            output::line(format!("  {mark} {:8} {:>5} ms  {}", step.name, step.latency_ms, step.detail));
            if let Some(hint) = &step.hint {
                output::line(format!("       what to do: {hint}"));
            }
        }
    });
    Ok(if test.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
