//! The onboarding portal is in trouble, or plays tricks.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::operator::{FailureClass, Severity, SyncDetail};
use e2e::{Fleet, Kind, PATIENCE, RECORD_TYPES, Setup, System};
use serde_json::{Value, json};
use testbed::wait_until;
use uuid::Uuid;

async fn system(more: Setup) -> anyhow::Result<System> {
    System::start(Setup { fleet: Fleet::Of(3, 30, 12), ..more }).await
}

/// For what a page that leads nowhere does to all that comes after it.
fn one_chain_per_list() -> Setup {
    Setup { environment: vec![("SMS_WORK__SLICES", "1".to_owned())], ..Setup::default() }
}

fn state(detail: &SyncDetail) -> Value {
    json!(detail.summary.state)
}

/// Waits until a sync is complete.
async fn completed(system: &System, id: Uuid) -> anyhow::Result<()> {
    wait_until("the sync is complete", PATIENCE, async || {
        let detail = system.operator.sync(id).await.map_err(|error| format!("{error:#}"))?;
        if state(&detail) == "completed" { Ok(()) } else { Err(format!("{detail:#?}")) }
    })
    .await
}

/// One attempt that failed, as `attempts` keeps it.
#[derive(Debug, serde::Deserialize)]
struct Attempt {
    number: i32,
    class: String,
    failure: String,
    began_at: DateTime<Utc>,
    duration_ms: i64,
    next_attempt_at: Option<DateTime<Utc>>,
}

impl Attempt {
    fn ended_at(&self) -> DateTime<Utc> {
        self.began_at + TimeDelta::milliseconds(self.duration_ms)
    }

    fn waited(&self) -> TimeDelta {
        self.next_attempt_at.map_or(TimeDelta::zero(), |next| next - self.ended_at())
    }
}

async fn attempts(system: &System) -> anyhow::Result<Vec<Attempt>> {
    let rows = system.rows("SELECT * FROM attempts ORDER BY id").await?;
    rows.into_iter().map(|row| Ok(serde_json::from_value(row)?)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_answers_500_for_a_while_is_tried_again_at_the_tiers_times_until_it_is_well()
-> anyhow::Result<()> {
    let delays = [400, 800, 1600];
    let system = system(Setup { retry_delays_ms: delays, ..Setup::default() }).await?;
    system.portal.fail(json!({"kind": "serverError", "path": "vessels", "requests": 3})).await?;
    let sync = system.operator.full_sync().await?;
    assert_eq!(state(&sync), "completed", "{sync:#?}");
    system.assert_created_once(sync.summary.sync_id).await?;

    let attempts = attempts(&system).await?;
    assert_eq!(attempts.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2, 3], "{attempts:#?}");
    for (attempt, delay) in attempts.iter().zip(delays) {
        assert_eq!(attempt.class, "transient");
        assert!(attempt.failure.contains("500"), "{attempt:?}");
        // Scattered by a fifth, and a millisecond for rounding.
        let (waited, delay) = (attempt.waited().num_milliseconds(), i64::from(delay));
        assert!((delay * 8 / 10 - 1..=delay * 12 / 10 + 1).contains(&waited), "{waited} ms: {attempt:?}");
    }
    for pair in attempts.windows(2) {
        assert!(Some(pair[1].began_at) >= pair[0].next_attempt_at, "too early: {pair:#?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_answers_500_for_too_long_costs_dead_letters_that_a_replay_brings_to_success()
-> anyhow::Result<()> {
    let system = system(Setup::default()).await?;
    system.portal.fail(json!({"kind": "serverError", "path": "equipment"})).await?;
    let sync = system.operator.full_sync().await?;
    assert!(
        ["failed", "completed_with_errors"].contains(&state(&sync).as_str().unwrap_or_default()),
        "{sync:#?}"
    );
    assert!(sync.summary.failure.as_ref().is_some_and(|failure| failure.contains("500")), "{sync:#?}");
    assert_eq!(sync.tasks.dead, 1, "{sync:#?}");
    let letters = system.operator.dead_letters().await?;
    assert_eq!(letters.len(), 1, "{letters:#?}");
    assert_eq!((letters[0].attempts, letters[0].sync_id), (4, Some(sync.summary.sync_id)));

    // No page of equipment was read: the sync and the overview name it.
    let overview = system.operator.cli(&["status"]).await?;
    let attention = overview["attention"].as_array().expect("a list");
    let named = attention.iter().find(|it| it["code"] == "type_not_read").expect("a type was not read");
    assert_eq!(
        (&named["urgency"], &named["message"]),
        (&json!("error"), &json!("Equipment was not read")),
        "{overview}"
    );
    let counts = sync.summary.counts.iter().find(|it| json!(it.record_type) == "equipment");
    assert!(counts.is_some_and(|it| !it.reached), "{sync:#?}");

    // As long as the portal is not well, a replay dies again, and says of what it is one.
    system.operator.cli(&["dead-letters", "replay", "--all", "--yes"]).await?;
    let again = wait_until("the replay has died", PATIENCE, async || {
        let letters = system.operator.dead_letters().await.map_err(|error| format!("{error:#}"))?;
        if letters.len() == 2 { Ok(letters) } else { Err(format!("{letters:#?}")) }
    })
    .await?;
    assert_eq!(again[0].replay_of, Some(letters[0].id), "{again:#?}");

    system.portal.recover().await?;
    let said = system.operator.cli(&["dead-letters", "replay", "--all", "--yes"]).await?;
    assert_eq!(said["replaying"], 1, "{said}");
    completed(&system, sync.summary.sync_id).await?;
    system.assert_created_once(sync.summary.sync_id).await?;
    // The replay's success is that of the letter which it replays, too.
    system.wait_for_rows("both have succeeded", "dead_letters WHERE state = 'succeeded'", 2).await?;
    let jobs = system.operator.cli(&["dead-letters", "jobs"]).await?;
    assert_eq!(jobs["data"].as_array().map(Vec::len), Some(2), "{jobs}");
    assert_eq!(jobs["data"][0]["counts"]["succeeded"], 1, "the second replay: {jobs}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn portal_that_refuses_the_key_is_not_well_though_it_answers() -> anyhow::Result<()> {
    let environment = vec![("ONBOARDING_API_KEY", "of another customer".to_owned())];
    let system = system(Setup { environment, ..Setup::default() }).await?;
    let sync = system.operator.full_sync().await?;
    assert_eq!(state(&sync), "failed", "{sync:#?}");
    let health = wait_until("the portal is not well", PATIENCE, async || {
        let overview = system.operator.cli(&["status"]).await.map_err(|error| format!("{error:#}"))?;
        let parts = overview["health"].as_array().cloned().unwrap_or_default();
        let portal = parts.into_iter().find(|it| it["name"] == "onboarding-portal").expect("a part");
        if portal["ok"] == false { Ok(portal) } else { Err(format!("{overview}")) }
    })
    .await?;
    assert_eq!(health["lastOutcome"]["class"], "permanent", "{health}");
    let detail = health["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("401") && !detail.contains("another customer"), "{health}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_of_the_portal_is_honoured() -> anyhow::Result<()> {
    let system = system(Setup::default()).await?;
    for (kind, path) in [("tooManyRequests", "vessels"), ("unavailable", "users")] {
        system
            .portal
            .fail(json!({"kind": kind, "path": path, "requests": 1, "retryAfterSeconds": 2}))
            .await?;
    }
    let sync = system.operator.full_sync().await?;
    assert_eq!(state(&sync), "completed", "{sync:#?}");
    system.assert_created_once(sync.summary.sync_id).await?;
    let attempts = attempts(&system).await?;
    assert_eq!(attempts.len(), 2, "{attempts:#?}");
    for (attempt, status) in attempts.iter().zip(["429", "503"]) {
        assert!(attempt.class == "transient" && attempt.failure.contains(status), "{attempt:?}");
        assert!(attempt.waited() >= TimeDelta::milliseconds(1999), "earlier than it was asked: {attempt:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_is_too_slow_is_tried_again() -> anyhow::Result<()> {
    let environment = vec![("SMS_ONBOARDING__TIMEOUT_SECONDS", "1".to_owned())];
    let system = system(Setup { environment, ..Setup::default() }).await?;
    system
        .portal
        .fail(json!({"kind": "slow", "path": "equipment", "requests": 1, "delayMs": 60_000}))
        .await?;
    let sync = system.operator.full_sync().await?;
    assert_eq!(state(&sync), "completed", "{sync:#?}");
    system.assert_created_once(sync.summary.sync_id).await?;
    let attempts = attempts(&system).await?;
    assert!(attempts.len() == 1 && attempts[0].class == "transient", "{attempts:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_is_not_taken_for_a_whole_one() -> anyhow::Result<()> {
    let system = system(one_chain_per_list()).await?;
    system.portal.fail(json!({"kind": "truncatedJson", "path": "equipment", "skip": 1})).await?;
    let sync = system.operator.full_sync().await?;
    assert_eq!(sync.tasks.dead, 1, "{sync:#?}");
    assert!(sync.summary.failure.is_some(), "{sync:#?}");
    let tally = system.tally(sync.summary.sync_id).await?;
    assert_eq!((tally["equipment"].expected, tally["equipment"].read), (Some(30), 10), "{tally:?}");

    system.portal.recover().await?;
    system.operator.cli(&["dead-letters", "replay", "--all", "--yes"]).await?;
    completed(&system, sync.summary.sync_id).await?;
    system.assert_created_once(sync.summary.sync_id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_that_die_are_named_and_come_in_when_they_are_replayed() -> anyhow::Result<()> {
    let system = system(Setup::default()).await?;
    system.portal.fail(json!({"kind": "truncatedJson", "path": "equipment", "skip": 1})).await?;
    let sync = system.operator.full_sync().await?;
    let failure = sync.summary.failure.clone().unwrap_or_default();
    assert!(
        failure.starts_with("2 tasks were given up (equipment, slice 0/2; equipment, slice 1/2): "),
        "{failure}"
    );
    let tally = system.tally(sync.summary.sync_id).await?;
    assert_eq!((tally["equipment"].expected, tally["equipment"].read), (Some(30), 10), "{tally:?}");

    system.portal.recover().await?;
    system.operator.cli(&["dead-letters", "replay", "--all", "--yes"]).await?;
    completed(&system, sync.summary.sync_id).await?;
    system.assert_created_once(sync.summary.sync_id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_wrong_type_are_rejected_with_their_field_and_come_in_once_they_are_right()
-> anyhow::Result<()> {
    let system = system(one_chain_per_list()).await?;
    system.portal.fail(json!({"kind": "wrongTypes", "path": "equipment", "skip": 1, "requests": 1})).await?;
    let first = system.operator.full_sync().await?;
    assert_eq!(state(&first), "completed_with_errors", "{first:#?}");
    let tally = system.balanced_tally(first.summary.sync_id).await?;
    let equipment = &tally["equipment"];
    assert_eq!((equipment.created, equipment.rejected), (20, 10), "{equipment:?}");
    let findings = system.operator.findings(first.summary.sync_id).await?;
    let errors: Vec<_> = findings.iter().filter(|it| it.severity == Severity::Error).collect();
    assert!(errors.len() == 10 && errors.iter().all(|it| it.pointer == "/name"), "{errors:#?}");

    let second = system.operator.full_sync().await?;
    assert_eq!(state(&second), "completed", "{second:#?}");
    let tally = system.balanced_tally(second.summary.sync_id).await?;
    let equipment = &tally["equipment"];
    assert_eq!((equipment.created, equipment.unchanged), (10, 20), "{equipment:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_loops_ends_the_sync_with_that_reason() -> anyhow::Result<()> {
    let system = system(one_chain_per_list()).await?;
    system.portal.fail(json!({"kind": "loopingCursor", "path": "equipment"})).await?;
    let sync = system.operator.full_sync().await?;
    assert_eq!((state(&sync), sync.tasks.dead), (json!("completed_with_errors"), 1), "{sync:#?}");
    assert!(sync.summary.failure.as_ref().is_some_and(|failure| failure.contains("cursor")), "{sync:#?}");
    let letters = system.operator.dead_letters().await?;
    assert!(letters.len() == 1 && letters[0].class == FailureClass::Permanent, "{letters:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_repeats_has_no_second_effect_and_the_sync_says_so() -> anyhow::Result<()> {
    let system = system(Setup::default()).await?;
    // The third page is the first again, and leads to the second.
    system
        .portal
        .fail(json!({"kind": "repeatedPage", "path": "equipment", "skip": 2, "requests": 1}))
        .await?;
    let sync = system.operator.full_sync().await?;
    assert_ne!(state(&sync), "completed", "{sync:#?}");
    assert!(sync.summary.failure.is_some(), "{sync:#?}");
    assert_eq!(system.count("conflicts").await?, 0);
    let tally = system.tally(sync.summary.sync_id).await?;
    assert_eq!(tally["equipment"].updated, 0, "{tally:?}");

    let again = system.operator.full_sync().await?;
    assert_eq!(state(&again), "completed", "{again:#?}");
    system.balanced_tally(again.summary.sync_id).await?;
    assert_eq!(system.count("equipment").await?, 30);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_change_while_they_are_paged_through_arrive_in_their_newest_state() -> anyhow::Result<()>
{
    // Time enough to change records between the first page and the second, which fails until that is done.
    let system = system(Setup { retry_delays_ms: [1000, 4000, 20_000], ..Setup::default() }).await?;
    let equipment = system.portal.ids(Kind::Equipment, "approved").await?;
    system.portal.fail(json!({"kind": "serverError", "path": "equipment", "skip": 1})).await?;
    let sync = system.operator.trigger().await?;
    system.in_the_middle(sync, "equipment").await?;
    // One of the page that was read, one that was not, and one that goes.
    system
        .portal
        .change(Kind::Equipment, &equipment[0], json!({"name": "Changed after it was read"}))
        .await?;
    system
        .portal
        .change(Kind::Equipment, &equipment[29], json!({"name": "Changed before it was read"}))
        .await?;
    system.portal.withdraw(Kind::Equipment, &equipment[15]).await?;
    system.portal.recover().await?;

    let detail = system.operator.ended(sync).await?;
    let tally = system.tally(sync).await?;
    assert!(RECORD_TYPES.iter().all(|word| tally[*word].rejected + tally[*word].conflict == 0), "{tally:?}");
    // What changed comes at the end of the list: the record that was read already for a second time. The books know.
    assert_eq!((state(&detail), &detail.summary.failure), (json!("completed"), &None), "{detail:#?}");
    let equipment = &tally["equipment"];
    assert_eq!((equipment.expected, equipment.read, equipment.late), (Some(30), 31, 3), "{equipment:?}");
    let names = system.rows("SELECT name FROM equipment WHERE name LIKE 'Changed %' ORDER BY name").await?;
    assert_eq!(
        names,
        [json!({"name": "Changed after it was read"}), json!({"name": "Changed before it was read"})]
    );
    assert_eq!(system.count("equipment WHERE status = 'active'").await?, 29);

    // The next sync has nothing left to do.
    let next = system.operator.full_sync().await?;
    assert_eq!(state(&next), "completed", "{next:#?}");
    let tally = system.balanced_tally(next.summary.sync_id).await?;
    assert_eq!(tally["equipment"].created + tally["equipment"].updated, 0, "{tally:?}");
    Ok(())
}
