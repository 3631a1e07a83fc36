//! Printing: tables for people, JSON for programs.
//!
//! Nearly every text that the API answers came from somebody else: the onboarding portal, a sender of webhooks, an operator.
//! So everything that goes to the terminal goes through this file, and [`visible`] takes from it the power to move the cursor,
//! to hide or to reorder what stands beside it.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use chassis::terminal;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::operator::{Attempt, Pagination};
use domain::text::{is_unsafe_to_print, printable};
use serde::Serialize;

pub(crate) use self::table::{Cell, Table, right_aligned, table};
use crate::{
    api::{ApiError, FailureKind},
    arguments::OutputFormat,
    profiles::ConfigFault,
};

mod table;

/// A foreign text on one line: line breaks become blanks, and control and bidirectional characters are written as `\u{1b}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    printable(text, usize::MAX)
}

/// Prints one line, whatever the text holds.
pub(crate) fn line(text: impl Display) {
    terminal::print_line(visible(&text.to_string()));
}

/// Prints a text of our own with its line breaks.
pub(crate) fn document(text: &str) {
    terminal::print_line(text.trim_end());
}

/// Prints one line on standard error, whatever the text holds.
pub(crate) fn note(text: impl Display) {
    terminal::report(visible(&text.to_string()));
}

pub(crate) fn json(value: &impl Serialize) {
    let json = serde_json::to_string_pretty(value).expect("answers came as JSON and have text keys");
    terminal::print_line(visible_json(&json));
}

/// Prints a value as JSON on one line.
pub(crate) fn json_line(value: &impl Serialize) {
    let json = serde_json::to_string(value).expect("answers came as JSON and have text keys");
    terminal::print_line(visible_json(&json));
}

/// JSON escapes only the control characters up to U+001F by itself. The others can stand in its strings alone.
fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unsafe_to_print(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(shown, "\\u{unit:04x}").expect("writing to a String never fails");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Prints a value as JSON, or with `print_text` for people.
pub(crate) fn print<T: Serialize>(format: OutputFormat, value: &T, print_text: impl FnOnce(&T)) {
    match format {
        OutputFormat::Json => json(value),
        OutputFormat::Ndjson => json_line(value),
        OutputFormat::Table => print_text(value),
    }
}

/// Prints entries that come all at once: as JSON with all that stands around them, as NDJSON one on a line.
pub(crate) fn print_entries<T: Serialize, E: Serialize>(
    format: OutputFormat,
    value: &T,
    entries: &[E],
    print_text: impl FnOnce(&T),
) {
    match format {
        OutputFormat::Ndjson => entries.iter().for_each(json_line),
        _ => print(format, value, print_text),
    }
}

/// Prints the failed attempts of a message.
pub(crate) fn print_attempts(attempts: &[Attempt]) {
    if attempts.is_empty() {
        return;
    }
    let header = ["attempt", "started (UTC)", "duration", "class", "failure"];
    let mut table = table(header).text(["failure"]).optional(["started (UTC)"]);
    for it in attempts {
        table.add_row([
            it.number.to_string(),
            time(it.began_at),
            format!("{} ms", it.duration_ms),
            it.class.to_string(),
            it.failure.clone(),
        ]);
    }
    table.print();
}

/// Writes what is not for a terminal to a file, or to standard output.
pub(crate) fn save_bytes(bytes: &[u8], to: Option<&Path>) -> anyhow::Result<()> {
    match to {
        Some(path) => std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display())),
        None if io::stdout().is_terminal() => {
            line(String::from_utf8_lossy(bytes));
            Ok(())
        }
        None => io::stdout().lock().write_all(bytes).context("cannot write to standard output"),
    }
}

/// Prints an error on standard error. Its line breaks are ours: see `ProblemText` for the texts of the API.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    for line in format!("error: {error:#}").lines() {
        note(line);
    }
    exit_code(error)
}

/// The numbers of `sysexits.h` for what a script may wait for or hand on; see the exit codes in `sms-sync --help`.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    const EX_UNAVAILABLE: u8 = 69;
    const EX_NOPERM: u8 = 77;

    if error.downcast_ref::<ConfigFault>().is_some() {
        return ExitCode::from(chassis::EXIT_CONFIG);
    }
    match error.downcast_ref::<ApiError>().map(ApiError::kind) {
        Some(FailureKind::Unavailable) => ExitCode::from(EX_UNAVAILABLE),
        Some(FailureKind::NotAllowed) => ExitCode::from(EX_NOPERM),
        Some(FailureKind::Other) | None => ExitCode::FAILURE,
    }
}

/// Asks a question on a terminal. Elsewhere nobody can answer, so `--yes` is required.
pub(crate) fn confirm(question: &str) -> anyhow::Result<bool> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "{question} Confirm it with --yes, as there is no terminal to ask on"
    );
    let mut terminal = io::stderr();
    write!(terminal, "{} [y/N] ", visible(question))?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Prints the table of a list and how many of its entries were shown, or `none`.
pub(crate) fn print_list(table: &Table, pagination: &Pagination, none: &str) {
    if table.is_empty() && pagination.total == 0 {
        line(none);
        return;
    }
    if !table.is_empty() {
        table.print();
    }
    let more_than = if pagination.total_is_exact { "" } else { "more than " };
    line(format!("{} of {more_than}{}", table.len(), pagination.total));
}

/// A number with its noun: `1 conflict`, `2 conflicts`.
pub(crate) fn counted(number: impl Into<i64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// The word of an enum's value in JSON.
pub(crate) fn json_word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => other.map(|value| value.to_string()).unwrap_or_default(),
    }
}

pub(crate) fn timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time in a column whose header says `(UTC)`.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
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

    const HOSTILE: &str = "a\u{1b}[2J\r\nb\u{9b}31m\u{202e}c\u{7f}";

    #[test]
    fn json_of_a_foreign_text_is_the_same_value_in_visible_characters() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, "Gjøa \u{10ffff}"] });
        let printed = visible_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(printed.chars().all(|c| c == '\n' || !is_unsafe_to_print(c)), "{printed:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), value);
    }
}
