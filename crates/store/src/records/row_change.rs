//! What an incoming record does to its locked row: the decision of last write wins under the conflict policy.

use domain::{
    Outcome,
    conflict::{ConflictKind, ConflictPolicy, Side},
    last_write_wins::Decision,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowChange {
    pub(super) write: RowWrite,
    pub(super) outcome: Outcome,
    /// A conflict to be kept, and the side that stays in the row.
    pub(super) conflict: Option<(ConflictKind, Side)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowWrite {
    Nothing,
    /// The version alone: the content is the same.
    Version,
    Row,
}

/// Whether both portals have changed the record, so that the conflict policy matters.
pub(super) const fn has_two_sides(decision: Decision) -> bool {
    matches!(decision, Decision::Update { overwrites_local: true } | Decision::LocalWins)
}

pub(super) fn row_change(decision: Decision, policy: ConflictPolicy) -> RowChange {
    let source_stays = |kind| RowChange {
        write: RowWrite::Row,
        outcome: Outcome::Updated,
        conflict: Some((kind, Side::Source)),
    };
    let local_stays = |kind| RowChange {
        write: RowWrite::Nothing,
        outcome: Outcome::Conflict,
        conflict: Some((kind, Side::Local)),
    };
    let no_conflict = |write, outcome| RowChange { write, outcome, conflict: None };
    match decision {
        Decision::Update { overwrites_local: false } => no_conflict(RowWrite::Row, Outcome::Updated),
        Decision::Update { overwrites_local: true } => match policy {
            ConflictPolicy::LastWriteWins | ConflictPolicy::SourceWins => {
                source_stays(ConflictKind::SourceNewer)
            }
            ConflictPolicy::Manual => local_stays(ConflictKind::SourceNewer),
        },
        Decision::LocalWins => match policy {
            ConflictPolicy::SourceWins => source_stays(ConflictKind::LocalNewer),
            ConflictPolicy::LastWriteWins | ConflictPolicy::Manual => local_stays(ConflictKind::LocalNewer),
        },
        Decision::Unchanged { newer: true } => no_conflict(RowWrite::Version, decision.outcome()),
        Decision::Create
        | Decision::Unchanged { newer: false }
        | Decision::Stale
        | Decision::OlderThanHere => no_conflict(RowWrite::Nothing, decision.outcome()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE_NEWER: Decision = Decision::Update { overwrites_local: true };

    fn conflict_of(decision: Decision, policy: ConflictPolicy) -> (RowWrite, Option<(ConflictKind, Side)>) {
        let change = row_change(decision, policy);
        (change.write, change.conflict)
    }

    #[test]
    fn last_write_wins_keeps_the_newer_side() {
        let policy = ConflictPolicy::LastWriteWins;
        let source_stays = Some((ConflictKind::SourceNewer, Side::Source));
        assert_eq!(conflict_of(SOURCE_NEWER, policy), (RowWrite::Row, source_stays));
        let local_stays = Some((ConflictKind::LocalNewer, Side::Local));
        assert_eq!(conflict_of(Decision::LocalWins, policy), (RowWrite::Nothing, local_stays));
    }

    #[test]
    fn source_wins_writes_over_a_newer_edit() {
        let source_stays = Some((ConflictKind::LocalNewer, Side::Source));
        assert_eq!(
            conflict_of(Decision::LocalWins, ConflictPolicy::SourceWins),
            (RowWrite::Row, source_stays)
        );
    }

    #[test]
    fn manual_writes_over_no_edit() {
        for (decision, kind) in
            [(SOURCE_NEWER, ConflictKind::SourceNewer), (Decision::LocalWins, ConflictKind::LocalNewer)]
        {
            let change = row_change(decision, ConflictPolicy::Manual);
            let expected = RowChange {
                write: RowWrite::Nothing,
                outcome: Outcome::Conflict,
                conflict: Some((kind, Side::Local)),
            };
            assert_eq!(change, expected);
        }
    }
}
