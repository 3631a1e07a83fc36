//! Webhook events: recorded once, locked while they are handled, processed again on an operator's order.

use chrono::{DateTime, Utc};
use domain::{
    Mode, RecordType, RefusedWebhookId, Scope, SyncId, WebhookEventId, WebhookRefusal, WebhookState,
};
use serde_json::{Value, json};
use store::{
    Total, Window,
    ledger::{
        refused_webhooks::{RefusedFilter, RefusedWebhook, refused_webhook_list, refused_webhooks_insert},
        webhook_events::{
            Inserted, NewWebhookEvent, ReprocessOrder, WebhookFilter, webhook_event_list,
            webhook_events_count_reprocessable, webhook_events_insert, webhook_events_lock_open,
            webhook_events_mark_failed, webhook_events_mark_processed, webhook_events_mark_published,
            webhook_events_reprocess,
        },
    },
};

use crate::scene::Scene;

fn event(webhook_id: &str) -> NewWebhookEvent {
    NewWebhookEvent {
        id: WebhookEventId::new(),
        webhook_id: webhook_id.to_owned(),
        event_type: "vessel.approved".to_owned(),
        entity: Some((RecordType::Vessel, "v-1".to_owned())),
        occurred_at: None,
        record_updated_at: None,
        body: b"{}".to_vec(),
        key_name: "current".to_owned(),
        trace_context: json!({}),
    }
}

impl Scene {
    async fn insert(&self, events: &[NewWebhookEvent]) -> anyhow::Result<Vec<Inserted>> {
        let now = self.now();
        self.tx(async |tx| webhook_events_insert(tx, events, now).await).await
    }

    /// Events that are recorded, oldest first.
    async fn recorded(&self, webhook_ids: &[&str]) -> anyhow::Result<Vec<WebhookEventId>> {
        let mut ids = Vec::new();
        for webhook_id in webhook_ids {
            let event = event(webhook_id);
            self.insert(std::slice::from_ref(&event)).await?;
            ids.push(event.id);
        }
        Ok(ids)
    }

    async fn event_state(&self, id: WebhookEventId) -> Value {
        self.row(&format!("SELECT state FROM webhook_events WHERE id = '{id}'")).await["state"].clone()
    }

    async fn mark_published(&self, id: WebhookEventId) -> anyhow::Result<usize> {
        let now = self.now();
        self.tx(async |tx| webhook_events_mark_published(tx, &[id], now).await).await
    }

    async fn mark_processed(&self, id: WebhookEventId, sync: SyncId) -> anyhow::Result<usize> {
        let now = self.now();
        self.tx(async |tx| webhook_events_mark_processed(tx, &[id], sync, now).await).await
    }

    async fn mark_failed(&self, id: WebhookEventId) -> anyhow::Result<usize> {
        self.tx(async |tx| webhook_events_mark_failed(tx, &[id], "404").await).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_whose_webhook_id_comes_again_is_a_duplicate() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (first, twin, other) = (event("w-1"), event("w-1"), event("w-2"));
    let ids = (first.id, other.id);
    let inserted = scene.insert(&[first.clone(), twin, other]).await?;
    assert_eq!(inserted, [Inserted::New(ids.0), Inserted::Duplicate(ids.0), Inserted::New(ids.1)]);
    assert_eq!(scene.insert(&[event("w-1")]).await?, [Inserted::Duplicate(ids.0)]);
    let rows = scene.rows("SELECT webhook_id, duplicates FROM webhook_events ORDER BY webhook_id").await;
    assert_eq!(
        rows,
        [json!({"webhook_id": "w-1", "duplicates": 2}), json!({"webhook_id": "w-2", "duplicates": 0})]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_names_no_record_is_ignored() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let ping = NewWebhookEvent { entity: None, ..event("w-1") };
    scene.insert(std::slice::from_ref(&ping)).await?;
    assert_eq!(scene.event_state(ping.id).await, "ignored");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_is_processed_before_its_confirmation_stays_processed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let ids = scene.recorded(&["w-1", "w-2"]).await?;
    let sync = scene.create(Mode::Selective, Scope::default()).await?;
    assert_eq!(scene.mark_published(ids[0]).await?, 1);
    assert_eq!(scene.event_state(ids[0]).await, "published");
    assert_eq!(scene.mark_processed(ids[1], sync).await?, 1);
    assert_eq!(scene.mark_published(ids[1]).await?, 0, "its publication was noted along");
    assert_eq!(scene.event_state(ids[1]).await, "processed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn event_is_processed_once_and_after_it_was_given_up_too() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let ids = scene.recorded(&["w-1"]).await?;
    let sync = scene.create(Mode::Selective, Scope::default()).await?;
    assert_eq!(scene.mark_failed(ids[0]).await?, 1);
    assert_eq!(scene.mark_processed(ids[0], sync).await?, 1, "by a replay");
    assert_eq!(scene.mark_processed(ids[0], sync).await?, 0);
    assert_eq!(scene.mark_failed(ids[0]).await?, 0, "it is processed");
    let locked = scene.tx(async |tx| webhook_events_lock_open(tx, &ids).await).await?;
    assert_eq!(locked, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn second_delivery_of_an_event_waits_and_finds_it_processed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let ids = scene.recorded(&["w-1"]).await?;
    let sync = scene.create(Mode::Selective, Scope::default()).await?;
    let now = scene.now();
    let mut first = scene.store.begin().await?;
    assert_eq!(webhook_events_lock_open(&mut first, &ids).await?, ids);
    let second = {
        let (store, ids) = (scene.store.clone(), ids.clone());
        tokio::spawn(
            async move { store.transaction(async |tx| webhook_events_lock_open(tx, &ids).await).await },
        )
    };
    webhook_events_mark_processed(&mut first, &ids, sync, now).await?;
    first.commit().await?;
    assert_eq!(second.await??, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_newest_first_with_the_total_of_the_filter() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let ids = scene.recorded(&["w-1", "w-2", "w-3"]).await?;
    scene.insert(&[NewWebhookEvent { entity: None, ..event("w-4") }]).await?;
    let filter = WebhookFilter { states: vec![WebhookState::Received], ..WebhookFilter::default() };
    let mut db = scene.store.db().await?;
    let window = Window { limit: 2, ..Window::default() };
    let first = webhook_event_list(&mut db, &filter, window).await?;
    assert_eq!((first.total, first.has_more), (Total::Exactly(3), true));
    assert_eq!(first.rows.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[2], ids[1]]);
    let after = first.rows.last().map(|it| (it.received_at, it.id));
    let rest = webhook_event_list(&mut db, &filter, Window { after, ..window }).await?;
    assert_eq!((rest.total, rest.has_more), (Total::Exactly(3), false), "the total is of the whole list");
    assert_eq!(rest.rows.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[0]]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reprocessed_event_is_as_it_was_received_and_audited_with_its_past() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let ids = scene.recorded(&["w-done", "w-waiting"]).await?;
    let sync = scene.create(Mode::Selective, Scope::default()).await?;
    scene.mark_processed(ids[0], sync).await?;
    let (all, now) = (WebhookFilter::default(), scene.now());
    assert_eq!(webhook_events_count_reprocessable(&mut *scene.store.db().await?, &all).await?, 1);

    let order = ReprocessOrder { actor: "anna", reason: Some("mended"), limit: 10 };
    let set_back = scene.tx(async |tx| webhook_events_reprocess(tx, &all, order, now).await).await?;
    assert_eq!(set_back, [ids[0]], "the other is on its way");
    let sql = format!(
        "SELECT state, published_at, processed_at, sync_id FROM webhook_events WHERE id = '{}'",
        ids[0]
    );
    let expected = json!({"state": "received", "published_at": null, "processed_at": null, "sync_id": null});
    assert_eq!(scene.row(&sql).await, expected);
    let entry = scene.row("SELECT actor, action, subject, detail FROM audit").await;
    assert_eq!(
        entry,
        json!({"actor": "anna", "action": "webhook.reprocess", "subject": ids[0].to_string(),
               "detail": {"state": "processed", "syncId": sync.to_string(), "reason": "mended"}})
    );
    Ok(())
}

fn refused(reason: WebhookRefusal, received_at: DateTime<Utc>) -> RefusedWebhook {
    RefusedWebhook {
        id: RefusedWebhookId::new(),
        received_at,
        reason,
        status: 401,
        detail: "no signature".to_owned(),
        source: "192.0.2.1".to_owned(),
        webhook_id: None,
        content_type: None,
        user_agent: None,
        body_bytes: None,
        body_sha256: None,
        alike: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_requests_are_listed_newest_first_with_the_total_of_the_filter() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let reason = WebhookRefusal::ALL[0];
    let all = [
        refused(reason, scene.now()),
        refused(reason, scene.now()),
        refused(WebhookRefusal::ALL[1], scene.now()),
    ];
    scene.tx(async |tx| refused_webhooks_insert(tx, &all).await).await?;
    let filter = RefusedFilter { reasons: vec![reason], ..RefusedFilter::default() };
    let mut db = scene.store.db().await?;
    let window = Window { limit: 1, ..Window::default() };
    let first = refused_webhook_list(&mut db, &filter, window).await?;
    assert_eq!((first.total, first.has_more, first.rows[0].id), (Total::Exactly(2), true, all[1].id));
    let rest = refused_webhook_list(&mut db, &filter, Window { after: Some(all[1].id), ..window }).await?;
    assert_eq!((rest.total, rest.has_more, rest.rows[0].id), (Total::Exactly(2), false, all[0].id));
    Ok(())
}
