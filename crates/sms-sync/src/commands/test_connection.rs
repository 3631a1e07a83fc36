//! The connection test.

use std::process::ExitCode;

use contracts::operator::ConnectionTest;

use crate::{api::Api, arguments::Output, output};

pub(crate) async fn run(api: &Api, output: Output) -> anyhow::Result<ExitCode> {
    let test: ConnectionTest = api.get("/api/sync/test-connection").await?;
    output::either(output, &test, |test| {
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
