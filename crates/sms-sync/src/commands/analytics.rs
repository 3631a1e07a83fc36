//! `sms-sync analytics`: what happened in each hour or day.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use contracts::operator::{Analytics, AnalyticsWindow, Percentiles, WindowFigures, WindowWidth};

use crate::{
    api::Api,
    arguments::{OutputFormat, RecordType, query_of, words},
    output::{self, json_word, print_entries, right_aligned, time, timestamp},
};

#[derive(Debug, Args)]
pub(super) struct AnalyticsOptions {
    /// How long a window is; by default 24 hours, or 30 days, are shown
    #[arg(long, value_parser = words(WindowWidth::ALL, WindowWidth::as_str), default_value = "hour")]
    window: WindowWidth,
    /// A time in the first window (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// A time in the last window (RFC 3339); now by default
    #[arg(long, value_name = "TIME")]
    to: Option<DateTime<Utc>>,
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
        ("from", options.from.map(|it| it.to_rfc3339())),
        ("to", options.to.map(|it| it.to_rfc3339())),
    ];
    let query = query_of(own);
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
        "took p90",
        "read",
        "changed",
        "rejected",
        "approvals",
        "lag p50",
        "lag p99",
        "findings",
    ];
    let mut table = output::table(header).optional(["took p90", "lag p50", "read", "findings"]);
    for AnalyticsWindow { starts_at, figures } in &it.windows {
        if *figures != WindowFigures::default() && !is_empty(figures) {
            table.add_row(row(&time(*starts_at), figures));
        }
    }
    if table.is_empty() {
        let is_counted = it.counted_until.is_some_and(|until| until > it.from);
        return output::line(if is_counted { "nothing was counted in this time" } else { "not counted yet" });
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
    let took_of = |of: Option<Percentiles>, seconds: fn(Percentiles) -> f64| {
        right_aligned(of.map_or_else(|| "-".to_owned(), |it| took(seconds(it))))
    };
    let (syncs, records) = (figures.syncs.as_ref(), figures.records.as_ref());
    vec![
        output::Cell::new(from),
        number(syncs.map(|it| it.completed + it.completed_with_errors + it.failed + it.cancelled)),
        number(syncs.map(|it| it.failed)),
        took_of(figures.sync_duration, |it| it.p90_seconds),
        number(
            records.map(|it| it.created + it.updated + it.unchanged + it.conflict + it.rejected + it.skipped),
        ),
        number(records.map(|it| it.created + it.updated + it.deactivated)),
        number(records.map(|it| it.rejected)),
        number(Some(figures.approval_lag.map_or(0, |it| it.count))),
        took_of(figures.approval_lag, |it| it.p50_seconds),
        took_of(figures.approval_lag, |it| it.p99_seconds),
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
