//! How a sync ends when none of its tasks is open any more: its final state, and the reason in words for people.

use crate::{SyncState, Tally};

/// The end of a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncEnd {
    pub state: SyncState,
    /// Why the sync did not end green; none if it did.
    pub reason: Option<String>,
}

/// Tasks of a sync that were given up.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeadTasks<'a> {
    pub count: u64,
    /// Why the last one failed, as far as it is known.
    pub last_failure: Option<&'a str>,
    /// The slices of lists that are missing for it, as people read them; none of lists that were fetched as one.
    pub slices: Option<&'a str>,
}

impl SyncEnd {
    /// Decides how a sync ends. `question`: what an operator must decide before the sync is settled.
    #[must_use]
    pub fn of(dead_tasks: DeadTasks<'_>, tallies: &[Tally], question: Option<String>) -> Self {
        let read: u64 = tallies.iter().map(|it| it.counts.read()).sum();
        let reason = reason(dead_tasks, tallies, question);
        let state = match &reason {
            None => SyncState::Completed,
            Some(_) if dead_tasks.count > 0 && read == 0 => SyncState::Failed,
            Some(_) => SyncState::CompletedWithErrors,
        };
        Self { state, reason }
    }
}

/// The gravest reason: a hole in the sync, then numbers that do not add up, then rejected records; and in front of any but a
/// hole the question, since somebody must answer it.
fn reason(dead_tasks: DeadTasks<'_>, tallies: &[Tally], question: Option<String>) -> Option<String> {
    if let Some(hole) = hole(dead_tasks, tallies) {
        return Some(hole);
    }
    if let Some(tally) = tallies.iter().find(|it| !it.is_whole()) {
        let (expected, records, read) =
            (tally.expected.unwrap_or_default(), tally.record_type.plural(), tally.counts.read());
        let again = match tally.again {
            0 => String::new(),
            again => format!(", {again} of them more than once"),
        };
        let difference = format!("the provider announced {expected} {records}, and {read} were read{again}");
        return Some(question.map_or(difference.clone(), |question| format!("{question}; {difference}")));
    }
    let rejected: u64 = tallies.iter().map(|it| it.counts.rejected).sum();
    question.or_else(|| match rejected {
        0 => None,
        1 => Some("1 record was rejected".to_owned()),
        rejected => Some(format!("{rejected} records were rejected")),
    })
}

/// The tasks that were given up, and the record types of which no page was read.
fn hole(dead_tasks: DeadTasks<'_>, tallies: &[Tally]) -> Option<String> {
    let types: Vec<&str> =
        tallies.iter().filter(|it| !it.is_reached).map(|it| it.record_type.plural()).collect();
    let not_reached = (!types.is_empty()).then(|| format!("not reached: {}", types.join(", ")));
    let failure = dead_tasks.last_failure.unwrap_or("no reason is known");
    let part = dead_tasks.slices.map_or_else(String::new, |slices| format!(" ({slices})"));
    let given_up = match dead_tasks.count {
        0 => None,
        1 => Some(format!("1 task was given up{part}: {failure}")),
        tasks => Some(format!("{tasks} tasks were given up{part}: {failure}")),
    };
    let parts: Vec<String> = given_up.into_iter().chain(not_reached).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RecordCounts, RecordType};

    fn tally(expected: u64, counts: RecordCounts) -> Tally {
        Tally { expected: Some(expected), counts, is_reached: true, ..Tally::empty(RecordType::Vessel) }
    }

    fn created(created: u64) -> RecordCounts {
        RecordCounts { created, ..RecordCounts::default() }
    }

    fn dead(count: u64) -> DeadTasks<'static> {
        DeadTasks { count, last_failure: Some("503"), slices: None }
    }

    #[test]
    fn sync_ends_green_when_all_that_was_announced_was_read_and_nothing_rejected() {
        for tallies in [vec![], vec![tally(2, created(2))]] {
            let end = SyncEnd::of(DeadTasks::default(), &tallies, None);
            assert_eq!(end, SyncEnd { state: SyncState::Completed, reason: None });
        }
    }

    #[test]
    fn numbers_that_do_not_add_up_end_with_errors_and_say_which() {
        let end = SyncEnd::of(DeadTasks::default(), &[tally(3, created(2))], None);
        assert_eq!(end.state, SyncState::CompletedWithErrors);
        assert_eq!(end.reason.as_deref(), Some("the provider announced 3 vessels, and 2 were read"));
    }

    #[test]
    fn rejected_records_and_questions_end_with_errors() {
        let counts = RecordCounts { rejected: 2, ..created(1) };
        let end = SyncEnd::of(DeadTasks::default(), &[tally(3, counts)], None);
        assert_eq!(end.state, SyncState::CompletedWithErrors);
        assert_eq!(end.reason.as_deref(), Some("2 records were rejected"));

        let end = SyncEnd::of(DeadTasks::default(), &[tally(3, counts)], Some("which?".to_owned()));
        assert_eq!(end.reason.as_deref(), Some("which?"));
    }

    #[test]
    fn dead_task_ends_with_errors_and_fails_the_sync_if_nothing_was_read() {
        let end = SyncEnd::of(dead(1), &[tally(3, created(2))], None);
        assert_eq!(end.state, SyncState::CompletedWithErrors);
        assert_eq!(end.reason.as_deref(), Some("1 task was given up: 503"));

        let end = SyncEnd::of(dead(2), &[], None);
        assert_eq!(end.state, SyncState::Failed);
        assert_eq!(end.reason.as_deref(), Some("2 tasks were given up: 503"));
    }

    #[test]
    fn slices_that_are_missing_are_named() {
        let of_slice = DeadTasks { slices: Some("equipment, slice 3/16"), ..dead(1) };
        let end = SyncEnd::of(of_slice, &[tally(3, created(2))], None);
        assert_eq!(end.reason.as_deref(), Some("1 task was given up (equipment, slice 3/16): 503"));
    }

    #[test]
    fn record_types_of_which_no_page_was_read_are_named() {
        let not_reached = [RecordType::Equipment, RecordType::User].map(Tally::empty);
        let tallies = [tally(2, created(2)), not_reached[0], not_reached[1]];
        let end = SyncEnd::of(dead(1), &tallies, None);
        assert_eq!(end.state, SyncState::CompletedWithErrors);
        assert_eq!(end.reason.as_deref(), Some("1 task was given up: 503; not reached: equipment, users"));
        let end = SyncEnd::of(DeadTasks::default(), &tallies, None);
        assert_eq!(end.state, SyncState::CompletedWithErrors, "never completed");
    }

    #[test]
    fn question_stands_in_front_of_numbers_that_do_not_add_up() {
        let short = tally(3, RecordCounts { created: 2, ..RecordCounts::default() });
        let end = SyncEnd::of(DeadTasks::default(), &[short], Some("2 are missing".to_owned()));
        let reason = "2 are missing; the provider announced 3 vessels, and 2 were read";
        assert_eq!((end.state, end.reason.as_deref()), (SyncState::CompletedWithErrors, Some(reason)));
    }
}
