//! Printing: tables for people, JSON for programs.
#![expect(clippy::print_stdout, reason = "this is the command line")]

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use contracts::operator::List;
use serde::Serialize;

use crate::arguments::OutputFormat;

pub(crate) fn line(text: impl std::fmt::Display) {
    println!("{text}");
}

pub(crate) fn json(value: &impl Serialize) {
    println!("{}", serde_json::to_string_pretty(value).expect("answers came as JSON and have text keys"));
}

/// Prints a value as JSON, or with `print_text` for people.
pub(crate) fn print<T: Serialize>(format: OutputFormat, value: &T, print_text: impl FnOnce(&T)) {
    match format {
        OutputFormat::Json => json(value),
        OutputFormat::Table => print_text(value),
    }
}

/// Prints an error on standard error.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

/// Asks a question on a terminal. Elsewhere nobody can answer, so `--yes` is required.
pub(crate) fn confirm(question: &str) -> anyhow::Result<bool> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "{question} Confirm it with --yes, as there is no terminal to ask on"
    );
    let mut terminal = io::stderr();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Prints how many entries of a list were shown.
pub(crate) fn list_footer<T>(list: &List<T>) {
    line(format!("{} of {}", list.data.len(), list.pagination.total));
}

/// The word of an enum's value in JSON.
pub(crate) fn json_word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => other.map(|value| value.to_string()).unwrap_or_default(),
    }
}

pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table
}

pub(crate) fn right_aligned(value: impl ToString) -> Cell {
    Cell::new(value).set_alignment(CellAlignment::Right)
}

pub(crate) fn timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

pub(crate) fn duration(delta: TimeDelta) -> String {
    let ms = delta.num_milliseconds().max(0);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{} h {:02} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_is_printed_in_units_that_fit_its_length() {
        let printed = [999, 1_234, 61_000, 3_720_000].map(|ms| duration(TimeDelta::milliseconds(ms)));
        assert_eq!(printed, ["999 ms", "1.2 s", "1 min 01 s", "1 h 02 min"]);
    }
}
