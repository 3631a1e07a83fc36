//! Figures as `make bench` reads them.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

/// A figure beside its limit, if it has one.
pub(crate) fn figure(name: &str, value: f64, unit: &str, limit: Option<f64>) -> Value {
    let round = |number: f64| (number * 1_000.0).round() / 1_000.0;
    let ratio = limit.map(|limit| round(value / limit));
    let figure =
        json!({"name": name, "value": round(value), "unit": unit, "limit": limit.map(round), "ratio": ratio});
    eprintln!("{figure}");
    figure
}

pub(crate) fn write(path: Option<&Path>, figures: &[Value]) -> anyhow::Result<()> {
    match path {
        Some(path) => Ok(std::fs::write(path, serde_json::to_vec_pretty(figures)?)?),
        None => Ok(()),
    }
}

/// Of times in their order, in milliseconds.
pub(crate) fn percentile(times: &[Duration], share: f64) -> f64 {
    let place = ((times.len() - 1) as f64 * share).round() as usize;
    times[place].as_secs_f64() * 1_000.0
}
