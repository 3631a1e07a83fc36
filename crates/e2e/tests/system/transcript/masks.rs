//! What differs from run to run, replaced in a stable way: ids by their order, times and durations by one of each.

use std::collections::BTreeMap;

use regex_lite::{Captures, Regex};

pub(super) struct Masks {
    /// Texts, each with its mask.
    known: Vec<(String, String)>,
    masks_of_ids: BTreeMap<String, String>,
    patterns: Vec<(Regex, &'static str)>,
}

/// Ids in the order in which they are first printed.
const ID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

impl Masks {
    pub(super) fn of<'a>(known: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let known = known.into_iter().map(|(text, mask)| (text.to_owned(), mask.to_owned())).collect();
        let pattern = |pattern: &str| Regex::new(pattern).expect("a pattern");
        let patterns = vec![
            (pattern(r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d(\.\d+)?"), "2026-11-27${1}08:00:00"),
            (
                pattern(r"(completed|completed_with_errors|failed) in (\d+ min \d\d s|[0-9.]+ m?s)"),
                "${1} in 4.2 s",
            ),
            (pattern(r"\b\d+(\.\d+)? s apart"), "0.0 s apart"),
            (pattern(r"port \d+"), "port 3001"),
            (pattern(r"\b\d+ ms\b"), "42 ms"),
            (pattern("msg_[0-9a-f]{32}"), "msg_019ab2c400007000800000000000000a"),
            (pattern(r"\b[0-9a-f]{16}\b"), "9f86d081884c7d65"),
        ];
        Self { known, masks_of_ids: BTreeMap::new(), patterns }
    }

    /// The text that a command printed, as the page shows it.
    pub(super) fn masked(&mut self, text: &str) -> String {
        let ids = Regex::new(ID).expect("a pattern");
        for id in ids.find_iter(text) {
            let number = self.masks_of_ids.len() + 1;
            self.masks_of_ids
                .entry(id.as_str().to_owned())
                .or_insert_with(|| format!("019ab2c4-0000-7000-8000-{number:012}"));
        }
        let mut shown = String::new();
        // Progress comes as often as it comes.
        for line in text.lines().filter(|line| !line.ends_with(" records read")) {
            let mut line =
                ids.replace_all(line, |id: &Captures<'_>| self.masks_of_ids[&id[0]].clone()).into_owned();
            for (known, mask) in &self.known {
                line = line.replace(known, mask);
            }
            for (pattern, mask) in &self.patterns {
                line = replace_in_columns(&line, pattern, mask);
            }
            shown += line.trim_end();
            shown.push('\n');
        }
        shown
    }

    /// A command of the page, with the ids and URLs that are meant.
    pub(super) fn unmasked(&self, command: &str) -> String {
        let known = self.known.iter().map(|(text, mask)| (text, mask));
        let all = self.masks_of_ids.iter().chain(known);
        all.fold(command.to_owned(), |command, (text, mask)| command.replace(mask.as_str(), text))
    }
}

/// Replaces what a pattern finds. Blanks beside it that stand for the width of a column grow or shrink with it.
fn replace_in_columns(line: &str, pattern: &Regex, mask: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(found) = pattern.find(rest) {
        let new = pattern.replace(found.as_str(), mask).into_owned();
        let (before, after) = (&rest[..found.start()], &rest[found.end()..]);
        let blanks_before = before.len() - before.trim_end_matches(' ').len();
        let blanks_after = after.len() - after.trim_start_matches(' ').len();
        let (old_width, new_width) = (found.as_str().len(), new.len());
        if blanks_before >= 2 && found.as_str().ends_with("ms") {
            let blanks = (blanks_before + old_width).saturating_sub(new_width).max(1);
            shown += before.trim_end_matches(' ');
            shown += &format!("{}{new}", " ".repeat(blanks));
            rest = after;
        } else if blanks_after >= 2 {
            let blanks = (blanks_after + old_width).saturating_sub(new_width).max(1);
            shown += &format!("{before}{new}{}", " ".repeat(blanks));
            rest = &after[blanks_after..];
        } else {
            shown += &format!("{before}{new}");
            rest = after;
        }
    }
    shown + rest
}

#[test]
fn masks_keep_columns_and_lead_back_to_what_was_printed() {
    let mut masks = Masks::of([("http://127.0.0.1:41234", "http://localhost:3005")]);
    let id = "019abc12-3456-7890-8abc-def012345678";
    let printed = format!("{id}  2026-12-01 10:11:12.1 completed in 12 ms\nread: phase 1, 3 records read\n");
    assert_eq!(
        masks.masked(&printed),
        "019ab2c4-0000-7000-8000-000000000001  2026-11-27 08:00:00 completed in 4.2 s\n"
    );
    assert_eq!(
        masks.unmasked("show 019ab2c4-0000-7000-8000-000000000001 --url http://localhost:3005"),
        format!("show {id} --url http://127.0.0.1:41234")
    );
    assert_eq!(masks.masked("dns      5 ms  ok"), "dns     42 ms  ok\n");
}
