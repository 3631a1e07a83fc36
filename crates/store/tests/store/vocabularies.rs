//! Closed vocabularies stand twice: as enums, and in the schema, whose CHECKs refuse other words. A word that only one of them
//! knows would fail at its first row.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Cause, FailureClass, Mode, Outcome, RecordType, Severity, SyncState, TaskState, WebhookRefusal,
    WebhookState,
    analytics::{Measure, WindowWidth},
    circuit::OpenCircuitState,
    conflict::{ConflictKind, ConflictPolicy, ConflictState, Resolution, Side},
    dead_letter::{DeadLetterState, ReplayItemState},
    last_write_wins::Writer,
    missing_records::{MissingPolicy, MissingState},
    peer_outcome::OutcomeClass,
    row_status::RowStatus,
    schedule::OverlapPolicy,
    tick::TickOutcome,
    undo::{UndoResult, UndoSkipReason},
    user::Workplace,
};

use crate::scene::Scene;

type Words = BTreeSet<&'static str>;

/// The words of each column that holds a vocabulary.
fn vocabularies() -> BTreeMap<&'static str, Words> {
    macro_rules! words {
        ($vocabulary:ty) => {
            <$vocabulary>::ALL.iter().map(|word| word.as_str()).collect::<Words>()
        };
    }
    let mut columns = BTreeMap::from([
        ("analytics.measure", words!(Measure)),
        ("analytics.width", words!(WindowWidth)),
        // As chassis::auth knows them.
        ("api_keys.role", ["viewer", "operator", "admin"].into()),
        ("attempts.class", words!(FailureClass)),
        ("circuits.state", words!(OpenCircuitState)),
        ("conflicts.kind", words!(ConflictKind)),
        ("conflicts.local_writer", words!(Writer)),
        ("conflicts.policy", words!(ConflictPolicy)),
        ("conflicts.resolution", words!(Resolution)),
        ("conflicts.state", words!(ConflictState)),
        ("conflicts.winner", words!(Side)),
        ("dead_letters.class", words!(FailureClass)),
        ("dead_letters.state", words!(DeadLetterState)),
        ("findings.severity", words!(Severity)),
        ("peer_outcomes.outcome", words!(OutcomeClass)),
        ("record_findings.severity", words!(Severity)),
        ("refused_webhooks.reason", words!(WebhookRefusal)),
        ("replay_items.before", ["dead", "replayed"].into()),
        ("replay_items.state", words!(ReplayItemState)),
        ("schedule_ticks.outcome", words!(TickOutcome)),
        ("schedules.mode", words!(Mode)),
        ("schedules.overlap", words!(OverlapPolicy)),
        ("settings.missing_records", words!(MissingPolicy)),
        ("sync_changes.outcome", words!(Outcome)),
        ("sync_logs.cause", words!(Cause)),
        ("sync_logs.missing_records", words!(MissingState)),
        ("sync_logs.mode", words!(Mode)),
        ("sync_logs.state", words!(SyncState)),
        ("sync_queue.state", words!(TaskState)),
        // Companies have no list of their own.
        ("sync_seen.record_type", ["vessel", "equipment", "user"].into()),
        ("undo_items.reason", words!(UndoSkipReason)),
        ("undo_items.result", words!(UndoResult)),
        ("users.workplace", words!(Workplace)),
        ("webhook_events.state", words!(WebhookState)),
        // Of the labels on board, which no program of ours reads.
        ("equipment.qr_label_state", ["to_print", "printed", "attached"].into()),
    ]);
    for column in ["company", "vessel", "equipment", "user"] {
        let column = ["conflict_policies.", column].concat().leak();
        columns.insert(column, words!(ConflictPolicy));
    }
    for table in ["companies", "vessels", "equipment", "users", "critical_parts", "maintenance_schedules"] {
        columns.insert([table, ".status"].concat().leak(), words!(RowStatus));
    }
    for table in ["companies", "vessels", "equipment", "users"] {
        columns.insert([table, ".last_writer"].concat().leak(), words!(Writer));
    }
    for table in [
        "acknowledgements",
        "conflicts",
        "dead_letters",
        "findings",
        "record_findings",
        "sync_changes",
        "sync_counts",
        "sync_missing",
        "sync_queue",
        "undo_items",
        "webhook_events",
    ] {
        columns.insert([table, ".record_type"].concat().leak(), words!(RecordType));
    }
    columns
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_and_enums_know_the_same_words() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let checks = scene
        .rows(
            "SELECT c.conrelid::regclass::text || '.' || m[1] AS column, m[2] AS words
             FROM pg_constraint c,
                 regexp_match(pg_get_constraintdef(c.oid), '^CHECK \\(\\(\"?(\\w+)\"? = ANY \\(ARRAY\\[([^]]*)\\]\\)\\)\\)$') AS m
             WHERE c.contype = 'c' AND c.connamespace = 'public'::regnamespace AND m IS NOT NULL",
        )
        .await;
    let vocabularies = vocabularies();
    let mut seen = BTreeSet::new();
    for check in &checks {
        let column = check["column"].as_str().unwrap_or_default();
        let words: BTreeSet<&str> = check["words"]
            .as_str()
            .unwrap_or_default()
            .split(", ")
            .map(|word| word.trim_end_matches("::text").trim_matches('\''))
            .collect();
        let known = vocabularies
            .get(column)
            .unwrap_or_else(|| panic!("{column} is checked and has no vocabulary here"));
        assert_eq!(&words, known, "{column}");
        seen.insert(column);
    }
    let unchecked: Vec<_> = vocabularies.keys().filter(|column| !seen.contains(**column)).collect();
    assert_eq!(unchecked, [] as [&&str; 0], "not checked by the schema");
    Ok(())
}
