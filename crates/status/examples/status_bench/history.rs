//! How fast lists, search, timelines and analytics answer over HTTP when the tables are those of years, beside the query of the
//! index alone, by a bare client in the same run.
//!
//! Tables of years come by SQL: see `history/fill.sql`. Where a list says how many entries it has, the time of counting them
//! is a figure of its own.

mod cases;
mod requests;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context;
use cases::Case;
use clap::Args;
use requests::Connection;
use serde_json::Value;
use tokio_postgres::{Client, NoTls, types::ToSql};

use crate::{
    figures::{self, figure, percentile},
    service::{Service, new_world},
};

/// Requests before those that are measured.
const WARM_UP: usize = 10;
/// What the time of a request may be of its query's.
const RATIO_LIMIT: f64 = 2.0;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Syncs in the ledger; of tallies, webhooks, findings, overwritten rows, tasks and attempts there are five times as many
    #[arg(long, default_value_t = 1_000_000)]
    syncs: usize,
    /// Records of the fleet
    #[arg(long, default_value_t = 200_000)]
    records: usize,
    /// Requests of each kind that are measured
    #[arg(long, default_value_t = 200)]
    requests: usize,
    /// File for the figures, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let world = new_world().await?;
    let began = Instant::now();
    let fill = include_str!("history/fill.sql")
        .replace(":syncs", &arguments.syncs.to_string())
        .replace(":records", &arguments.records.to_string());
    world.execute(&fill).await?;
    world.execute("VACUUM (ANALYZE)").await?;
    eprintln!("  the tables were filled in {:.0} s", began.elapsed().as_secs_f64());
    let (bare, connection) = tokio_postgres::connect(&world.database_url, NoTls).await?;
    tokio::spawn(connection);
    eprintln!("  {}", sizes(&bare).await?);

    let service = Service::start_in(world, 1).await?;
    let mut api = Connection::open(service.port, &service.token()?).await?;
    let mut figures = Vec::new();
    for case in cases::all(&bare, &mut api, arguments.syncs, arguments.records).await? {
        figures.extend(measure_case(&case, &bare, &mut api, arguments.requests).await?);
    }
    let is_slow = |it: &&Value| it["ratio"].as_f64().is_some_and(|ratio| ratio > RATIO_LIMIT);
    for slow in figures.iter().filter(is_slow) {
        eprintln!("  {} is {} times its query; the limit is {RATIO_LIMIT}", slow["name"], slow["ratio"]);
    }
    figures::write(arguments.json.as_deref(), &figures)
}

async fn measure_case(
    case: &Case,
    bare: &Client,
    api: &mut Connection,
    requests: usize,
) -> anyhow::Result<Vec<Value>> {
    api.renew().await?;
    let (status, answer) = api.get(&case.path(0)).await?;
    if status == 404 && case.may_be_missing {
        eprintln!("  {}: this version has no such route", case.name);
        return Ok(Vec::new());
    }
    anyhow::ensure!(status == 200, "{} answered {status}: {answer}", case.path(0));
    let query = bare.prepare(case.sql).await.with_context(|| case.sql)?;
    let count = match case.count {
        Some(sql) => Some(bare.prepare(sql).await.with_context(|| sql)?),
        None => None,
    };
    let (mut queried, mut counted, mut answered) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..WARM_UP + requests {
        let values = case.values(number);
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|it| it as &(dyn ToSql + Sync)).collect();
        let began = Instant::now();
        let rows = bare.query(&query, &values).await?;
        let took_query = began.elapsed();
        anyhow::ensure!(!rows.is_empty(), "the query of {} finds nothing", case.name);
        let mut took_count = Duration::ZERO;
        // Counting takes long: some of them say how long.
        if let Some(count) = count.as_ref().filter(|_| number % 10 == 0) {
            let began = Instant::now();
            bare.query(count, &[]).await?;
            took_count = began.elapsed();
        }
        let path = case.path(number);
        api.renew().await?;
        let began = Instant::now();
        let (status, answer) = api.get(&path).await?;
        let took_request = began.elapsed();
        anyhow::ensure!(status == 200, "{path} answered {status}: {answer}");
        if number >= WARM_UP {
            queried.push(took_query);
            answered.push(took_request);
            if !took_count.is_zero() {
                counted.push(took_count);
            }
        }
    }
    for times in [&mut queried, &mut counted, &mut answered] {
        times.sort_unstable();
    }
    let ratio = |name: &str, share: f64| {
        let name = format!("{}.{name}", case.name);
        figure(&name, percentile(&answered, share), "ms", Some(percentile(&queried, share)))
    };
    let mut figures = vec![ratio("p50", 0.5), ratio("p99", 0.99)];
    if !counted.is_empty() {
        figures.push(figure(&format!("{}.count", case.name), percentile(&counted, 0.5), "ms", None));
    }
    Ok(figures)
}

/// The largest tables with their rows, and the whole database.
async fn sizes(bare: &Client) -> anyhow::Result<String> {
    let sql = "SELECT string_agg(relname || ' ' || reltuples::bigint, ', ' ORDER BY reltuples DESC) || '; '
                   || pg_size_pretty(pg_database_size(current_database()))
               FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > 1000";
    Ok(bare.query_one(sql, &[]).await?.try_get(0)?)
}
