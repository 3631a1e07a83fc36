//! Printing: tables for people, JSON for programs.
//!
//! Nearly every text that the API answers came from somebody else: the onboarding portal, a sender of webhooks, an operator.
//! So everything that goes to the terminal goes through this file, and [`visible`] takes from it the power to move the cursor,
//! to hide or to reorder what stands beside it.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::Context;
use chassis::terminal;
use chrono::{DateTime, TimeDelta, Utc};
use comfy_table::{CellAlignment, ContentArrangement, presets::UTF8_FULL_CONDENSED};
use contracts::operator::List;
use domain::text::{is_unsafe_to_print, printable};
use serde::Serialize;

use crate::arguments::OutputFormat;

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
    terminal::print_line(visible_json(value));
}

/// JSON escapes only the control characters up to U+001F by itself. The others can stand in its strings alone.
fn visible_json(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).expect("answers came as JSON and have text keys");
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
        OutputFormat::Table => print_text(value),
    }
}

/// Prints an error on standard error. Its line breaks are ours: see `ProblemText` for the texts of the API.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    for line in format!("error: {error:#}").lines() {
        note(line);
    }
    ExitCode::FAILURE
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

/// A table whose cells show foreign texts.
pub(crate) struct Table(comfy_table::Table);

/// A cell of a table: the text is on one line and [`visible`].
pub(crate) struct Cell(comfy_table::Cell);

impl Cell {
    pub(crate) fn new(value: impl ToString) -> Self {
        Self(comfy_table::Cell::new(visible(&value.to_string())))
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    Table(table)
}

impl Table {
    pub(crate) fn add_row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.0.add_row(cells.into_iter().map(|cell| cell.into().0).collect::<Vec<_>>());
    }

    pub(crate) fn print(&self) {
        terminal::print_line(&self.0);
    }
}

pub(crate) fn right_aligned(value: impl ToString) -> Cell {
    Cell(Cell::new(value).0.set_alignment(CellAlignment::Right))
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

    const HOSTILE: &str = "a\u{1b}[2J\r\nb\u{9b}31m\u{202e}c\u{7f}";

    #[test]
    fn cell_of_a_foreign_text_is_one_line_of_visible_characters() {
        let mut table = table(["x"]);
        table.add_row([HOSTILE]);
        table.add_row([right_aligned(HOSTILE)]);
        let printed = table.0.to_string();
        assert!(printed.chars().all(|c| c == '\n' || !is_unsafe_to_print(c)), "{printed:?}");
        assert_eq!(printed.matches(r"a\u{1b}[2J  b\u{9b}31m\u{202e}c\u{7f}").count(), 2, "{printed}");
    }

    #[test]
    fn json_of_a_foreign_text_is_the_same_value_in_visible_characters() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, "Gjøa \u{10ffff}"] });
        let printed = visible_json(&value);
        assert!(printed.chars().all(|c| c == '\n' || !is_unsafe_to_print(c)), "{printed:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), value);
    }
}
