//! `sms-sync analytics`: what happened in each hour or day.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::Args;
use contracts::operator::{Analytics, AnalyticsWindow, Percentiles, WindowFigures, WindowWidth};

use crate::{
    api::Api,
    arguments::{OutputFormat, RecordType, TimeRange, query_of, words},
    output::{self, json_word, print_entries, right_aligned, timestamp},
};

#[derive(Debug, Args)]
pub(super) struct AnalyticsOptions {
    /// How long a window is; by default 24 hours, or 30 days, are shown
    #[arg(long, value_parser = words(WindowWidth::ALL, WindowWidth::as_str), default_value = "hour")]
    window: WindowWidth,
    #[command(flatten)]
    range: TimeRange,
    /// Only records of this type, and findings about them
    #[arg(long, value_enum, value_name = "TYPE")]
    record_type: Option<RecordType>,
    /// Only events and findings about this vessel and its equipment, by its id in the onboarding portal
    #[arg(long, value_name = "ID")]
    vessel: Option<String>,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    options: AnalyticsOptions,
) -> anyhow::Result<ExitCode> {
    let record_type = options.record_type.map(contracts::operator::RecordType::from);
    let own = [
        ("window", Some(options.window.to_string())),
        ("recordType", record_type.map(|it| it.to_string())),
        ("vessel", options.vessel),
    ];
    let query = query_of(own.into_iter().chain(options.range.given()));
    let analytics: Analytics = api.get(&format!("/api/sync/analytics?{query}")).await?;
    print_entries(format, &analytics, &analytics.windows, print_analytics);
    Ok(ExitCode::SUCCESS)
}

fn print_analytics(it: &Analytics) {
    match it.counted_until {
        None => return output::line("nothing is counted yet: the scheduler counts every half minute"),
        Some(until) if until < it.to => output::note(format_args!("counted until {}", timestamp(until))),
        Some(_) => {}
    }
    let header = [
        "from (UTC)",
        "syncs",
        "failed",
        "took (p90)",
        "read",
        "changed",
        "rejected",
        "approvals",
        "lag p50",
        "lag p99",
        "findings",
    ];
    let mut table = output::table(header).optional(["took (p90)", "lag p50", "read"]);
    for AnalyticsWindow { starts_at, figures } in &it.windows {
        if *figures != WindowFigures::default() && !is_empty(figures) {
            table.add_row(row(&timestamp(*starts_at), figures));
        }
    }
    if table.is_empty() {
        return output::line("nothing happened");
    }
    table.add_row(row("all", &it.total));
    table.print();
    for (what, counts) in [
        ("findings", it.findings.iter().map(|it| (it.code.clone(), it.count)).collect::<Vec<_>>()),
        ("failed attempts", it.failures.iter().map(|it| (it.class.clone(), it.count)).collect()),
    ] {
        if !counts.is_empty() {
            let counts: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
            output::line(format!("{what}: {}", counts.join(", ")));
        }
    }
    if let [first, ..] = it.syncs.as_slice() {
        let most =
            format!("{} {}, {}", json_word(&first.cause), json_word(&first.mode), json_word(&first.state));
        output::line(format!("most syncs: {most} ({})", first.count));
    }
}

fn is_empty(figures: &WindowFigures) -> bool {
    let WindowFigures { syncs, records, approval_lag, findings, failed_attempts, .. } = figures;
    let syncs = syncs
        .as_ref()
        .is_none_or(|it| it.completed + it.completed_with_errors + it.failed + it.cancelled == 0);
    let records = records.as_ref().is_none_or(|it| *it == contracts::operator::RecordFigures::default());
    syncs && records && approval_lag.is_none() && *findings == 0 && failed_attempts.unwrap_or(0) == 0
}

fn row(from: &str, figures: &WindowFigures) -> Vec<output::Cell> {
    // What is not counted for one vessel is not known, which is no zero.
    let number =
        |count: Option<i64>| right_aligned(count.map_or_else(|| "-".to_owned(), |it| it.to_string()));
    let time = |of: Option<Percentiles>, seconds: fn(Percentiles) -> f64| {
        right_aligned(of.map_or_else(|| "-".to_owned(), |it| took(seconds(it))))
    };
    let (syncs, records) = (figures.syncs.as_ref(), figures.records.as_ref());
    vec![
        output::Cell::new(from),
        number(syncs.map(|it| it.completed + it.completed_with_errors + it.failed + it.cancelled)),
        number(syncs.map(|it| it.failed)),
        time(figures.sync_duration, |it| it.p90_seconds),
        number(
            records.map(|it| it.created + it.updated + it.unchanged + it.conflict + it.rejected + it.skipped),
        ),
        number(records.map(|it| it.created + it.updated + it.deactivated)),
        number(records.map(|it| it.rejected)),
        number(Some(figures.approval_lag.map_or(0, |it| it.count))),
        time(figures.approval_lag, |it| it.p50_seconds),
        time(figures.approval_lag, |it| it.p99_seconds),
        number(Some(figures.findings)),
    ]
}

/// A time with a tenth of a second below ten seconds, else as other durations are shown.
fn took(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        output::duration(TimeDelta::milliseconds((seconds * 1000.0) as i64))
    }
}
