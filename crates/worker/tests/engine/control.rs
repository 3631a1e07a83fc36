//! Syncs under an operator's hand: stopped, gone on with, tried again.

use std::time::{Duration, Instant};

use domain::{
    Cause, Mode, RecordCounts, RecordType, Scope, SyncId, SyncState,
    clock::{Clock, SystemClock},
};
use serde_json::{Value, json};
use store::{
    engine::{
        control::{SyncResumed, SyncRetried, sync_resume, sync_retry},
        lifecycle::{SyncCancelled, sync_cancel},
    },
    ledger::syncs::NewSync,
};
use testbed::{List, wait_until};

use crate::scene::{NONE, PATIENCE, Scene, announced};

async fn cancel(scene: &Scene, id: SyncId) -> anyhow::Result<SyncCancelled> {
    let now = SystemClock.now();
    Ok(scene.store.transaction(async |tx| sync_cancel(tx, id, "anna", now).await).await?)
}

pub(crate) async fn resume(scene: &Scene, id: SyncId) -> anyhow::Result<SyncResumed> {
    let now = SystemClock.now();
    let resumed = scene.store.transaction(async |tx| sync_resume(tx, id, "anna", now).await).await?;
    scene.outbox.wake();
    Ok(resumed)
}

async fn retry(scene: &Scene, id: SyncId) -> anyhow::Result<SyncRetried> {
    let asked = NewSync {
        id: SyncId::new(),
        cause: Cause::Manual,
        mode: Mode::Selective,
        scope: Scope::default(),
        dry_run: false,
        requested_by: "anna".to_owned(),
        reason: None,
        retry_of: None,
        trace_context: json!({}),
    };
    let now = SystemClock.now();
    let retried = scene.store.transaction(async |tx| sync_retry(tx, id, &asked, now).await).await?;
    scene.outbox.wake();
    Ok(retried)
}

async fn done_pages(scene: &Scene, id: SyncId) -> Vec<Value> {
    let sql = format!(
        "SELECT record_type, page, completed_at FROM sync_queue WHERE sync_id = '{id}' AND state = 'done'
         ORDER BY record_type, page"
    );
    scene.rows(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_cancelled_at_once_and_goes_on_where_it_stopped() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    for n in 0..20 {
        scene.provider.put_equipment(&format!("e-more-{n:02}"), "v-1", json!({"unitNumber": n + 10}));
    }
    scene.provider.answer_after(Duration::from_millis(300));
    let id = scene.full_sync().await?;
    wait_until("some equipment is in", PATIENCE, async || match done_pages(&scene, id).await {
        pages if pages.iter().any(|page| page["record_type"] == "equipment") => Ok(()),
        pages => Err(pages),
    })
    .await?;
    let began = Instant::now();
    assert_eq!(cancel(&scene, id).await?, SyncCancelled::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(cancel(&scene, id).await?, SyncCancelled::Ended(SyncState::Cancelled));
    assert_eq!(scene.ended(id).await?["cancelled_by"], "anna");

    // What a worker had in hand is not written any more: its message is acknowledged, and nothing moves.
    let (before, tally) = (done_pages(&scene, id).await, scene.tally(id, RecordType::Equipment).await);
    scene.provider.answer_after(Duration::ZERO);
    let vessels = Scope { record_types: [RecordType::Vessel].into(), ..Scope::default() };
    let other = scene.sync(Mode::Selective, vessels).await?;
    scene.ended(other).await?;
    assert_eq!(done_pages(&scene, id).await, before);
    assert_eq!(scene.tally(id, RecordType::Equipment).await, tally);

    assert!(matches!(resume(&scene, id).await?, SyncResumed::Resumed { tasks: 1.. }));
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert!(sync["cancelled_by"].is_null());
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(25, RecordCounts { created: 25, ..NONE })
    );
    let after = done_pages(&scene, id).await;
    assert!(before.iter().all(|page| after.contains(page)), "{before:?} was done again: {after:?}");
    assert_eq!(resume(&scene, id).await?, SyncResumed::NotStopped(SyncState::Completed));
    let audit = scene.rows("SELECT action, actor FROM audit ORDER BY id").await;
    assert_eq!(
        audit,
        [
            json!({"action": "sync.cancel", "actor": "anna"}),
            json!({"action": "sync.resume", "actor": "anna"})
        ]
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_failed_is_tried_again_and_its_dead_letter_learns_of_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_equipment("e-bad", "v-1", json!({"unitNumber": "one"}));
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "9074728"}));
    scene.provider.fail_list(List::Users, Some(404));
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed_with_errors", "{sync}");
    wait_until("the page of users is a dead letter", PATIENCE, async || {
        match scene.number("dead_letters WHERE state = 'dead'").await {
            1 => Ok(()),
            n => Err(n),
        }
    })
    .await?;

    // The provider is mended: the hole is filled in the sync itself, and what it rejected is looked at by another.
    scene.provider.fail_list(List::Users, None);
    scene.provider.put_equipment("e-bad", "v-1", json!({"unitNumber": 7}));
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "9434761"}));
    let SyncRetried::Retried { tasks: 1, records: 2, sync: Some(again) } = retry(&scene, id).await? else {
        panic!("one dead task, two rejected records")
    };
    let second = scene.ended(again).await?;
    assert_eq!(
        (&second["state"], &second["retry_of"]),
        (&json!("completed"), &json!(id.to_string())),
        "{second}"
    );
    assert_eq!(
        scene.tally(again, RecordType::Vessel).await,
        announced(1, RecordCounts { created: 1, ..NONE })
    );
    assert_eq!(
        scene.tally(again, RecordType::Equipment).await,
        announced(1, RecordCounts { created: 1, ..NONE })
    );
    wait_until("the dead letter has succeeded", PATIENCE, async || {
        match scene.number("dead_letters WHERE state = 'succeeded'").await {
            1 => Ok(()),
            n => Err(n),
        }
    })
    .await?;
    scene.ended(id).await?;
    assert_eq!(scene.tally(id, RecordType::User).await, announced(3, RecordCounts { created: 3, ..NONE }));
    assert_eq!(retry(&scene, again).await?, SyncRetried::NothingFailed);
    scene.end().await;
    Ok(())
}
