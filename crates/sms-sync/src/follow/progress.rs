//! The progress of a sync: a bar per record type on a terminal; elsewhere a line whenever state or phase changes.

use std::{collections::BTreeMap, io::IsTerminal, time::Duration};

use contracts::operator::{RecordCounts, SyncState};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{output, sync_report::record_type_plural};

const SPINNER_INTERVAL: Duration = Duration::from_millis(120);

pub(super) struct ProgressDisplay {
    bars: MultiProgress,
    spinner: ProgressBar,
    bar_of_type: BTreeMap<&'static str, ProgressBar>,
    is_terminal: bool,
    last_shown: Option<(SyncState, i16)>,
}

impl ProgressDisplay {
    pub(super) fn new() -> Self {
        let bars = MultiProgress::new();
        let spinner = bars.add(ProgressBar::new_spinner());
        spinner.enable_steady_tick(SPINNER_INTERVAL);
        let is_terminal = std::io::stderr().is_terminal();
        Self { bars, spinner, bar_of_type: BTreeMap::new(), is_terminal, last_shown: None }
    }

    pub(super) fn show(&mut self, state: SyncState, phase: i16, counts: &[RecordCounts]) {
        let phase_text = match phase {
            1 => "companies and vessels",
            2 => "equipment and users",
            _ => "starting",
        };
        let state_word = output::json_word(&state);
        self.spinner.set_message(format!("{state_word}: {phase_text}"));
        if self.last_shown != Some((state, phase)) && !self.is_terminal {
            let read: i64 = counts.iter().map(|counts| counts.read).sum();
            output::note(format_args!("{state_word}: {phase_text}, {read} records read"));
        }
        self.last_shown = Some((state, phase));
        for counts in counts {
            self.show_counts(counts);
        }
    }

    fn show_counts(&mut self, counts: &RecordCounts) {
        let name = record_type_plural(counts);
        let bar = self.bar_of_type.entry(name).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::no_length());
            bar.set_prefix(name);
            bar
        });
        let template = if let Some(expected) = counts.expected {
            bar.set_length(expected.unsigned_abs());
            "  {prefix:10} {bar:32.cyan/dim} {pos:>7} / {len:<7} {per_sec:>12} {msg}"
        } else {
            "  {prefix:10} {pos:>7} {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_position(counts.read.unsigned_abs());
        let rejected =
            if counts.rejected > 0 { format!("{} rejected", counts.rejected) } else { String::new() };
        bar.set_message(rejected);
    }

    /// Removes the bars: the table that is printed next says the same, and more.
    pub(super) fn clear(&self) {
        self.bars.clear().ok();
    }
}
