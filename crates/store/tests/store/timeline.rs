//! Records as operators look them up, and what happened to them.

use domain::{
    Mode, RecordType, Scope, record_standing::RecordStanding, row_status::RowStatus, search::SearchText,
    timeline::TimelineKind,
};
use serde_json::{Value, json};
use store::{
    Order, Page, Store, Total, Window,
    engine::undo::sync_undo,
    views::{
        records::{
            Record, RecordDetail, RecordFilter, StatusFilter, company_identity, record_find, record_list,
        },
        timeline::{KeptSince, TimelineEntry, kept_since, timeline},
    },
};

use crate::{
    records::{Records, day, vessel},
    scene::{Scene, new_sync},
    search::MANY_ROWS,
};

const WHOLE: Window<()> = Window { limit: 100, offset: 0, after: None, order: Order::NewestFirst };

impl Scene {
    async fn timeline_of(
        &self,
        record_type: RecordType,
        id: &str,
        window: Window<()>,
    ) -> anyhow::Result<Page<TimelineEntry>> {
        self.tx(async |tx| timeline(tx, record_type, id, false, window).await).await
    }

    /// The kinds of the entries about a vessel, newest first.
    async fn kinds(&self, id: &str) -> anyhow::Result<Vec<TimelineKind>> {
        let page = self.timeline_of(RecordType::Vessel, id, WHOLE).await?;
        assert_eq!(
            page.total,
            Total::Exactly(page.rows.len() as u64),
            "the count is that of the entries: {page:?}"
        );
        Ok(page.rows.iter().map(|it| it.kind).collect())
    }

    async fn entry(&self, id: &str, kind: TimelineKind) -> anyhow::Result<TimelineEntry> {
        let page = self.timeline_of(RecordType::Vessel, id, WHOLE).await?;
        let mut of_kind = page.rows.into_iter().filter(|it| it.kind == kind);
        of_kind.next().ok_or_else(|| anyhow::anyhow!("an entry {kind}"))
    }

    async fn found(&self, record_type: RecordType, id: &str) -> anyhow::Result<RecordDetail> {
        self.tx(async |tx| record_find(tx, record_type, id).await).await
    }

    async fn listed(&self, record_type: RecordType, filter: RecordFilter) -> anyhow::Result<Vec<String>> {
        let page = self.tx(async |tx| record_list(tx, record_type, &filter, WHOLE).await).await?;
        let page = page.expect("its text can be searched for");
        assert_eq!(page.total, Total::Exactly(page.rows.len() as u64), "{page:?}");
        Ok(page.rows.into_iter().map(|it: Record| it.source_id).collect())
    }
}

fn named(name: &str, updated: u32) -> Records {
    Records::of_vessels([vessel("v-1", json!({"name": name, "updatedAt": day(updated)}))])
}

fn values(side: Option<&serde_json::Map<String, Value>>) -> Value {
    side.map_or(Value::Null, |side| side.clone().into())
}

#[tokio::test(flavor = "multi_thread")]
async fn timeline_has_each_write_with_the_values_before_and_after() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let created = scene.bring(&named("One", 1)).await?.sync;
    let second = scene.bring(&named("Two", 2)).await?.sync;
    let third = scene.bring(&named("Three", 3)).await?.sync;
    scene.bring(&named("Three", 3)).await?;
    let page = scene.timeline_of(RecordType::Vessel, "v-1", WHOLE).await?;
    let told: Vec<_> = page
        .rows
        .iter()
        .map(|it| (it.kind, it.sync_id, values(it.before.as_ref()), values(it.after.as_ref())))
        .collect();
    let name = |name: &str| json!({"name": name});
    assert_eq!(
        told,
        [
            (TimelineKind::Updated, Some(third), name("Two"), name("Three")),
            (TimelineKind::Updated, Some(second), name("One"), name("Two")),
            (TimelineKind::Created, Some(created), Value::Null, Value::Null),
        ]
    );
    assert_eq!(page.total, Total::Exactly(3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_after_a_write_are_unknown_where_an_edit_came_before_the_next() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.execute("UPDATE conflict_policies SET vessel = 'source_wins'").await?;
    scene.bring(&named("One", 1)).await?;
    scene.bring(&named("Two", 2)).await?;
    scene.execute("UPDATE vessels SET flag = 'DK'").await?;
    // The edit has the time of PostgreSQL: it gets that of the scene, in which it came before the third sync.
    let at = scene.now();
    scene
        .execute(&format!(
            "UPDATE vessels SET version_at = '{at}', synced_at = synced_at + interval '1 second'"
        ))
        .await?;
    let page = scene.timeline_of(RecordType::Vessel, "v-1", WHOLE).await?;
    assert_eq!((page.rows[0].kind, page.rows[1].kind), (TimelineKind::Edited, TimelineKind::Updated));
    assert_eq!(page.rows[1].after, None, "the row holds the edit, too");
    scene.bring(&named("Three", 3)).await?;
    let writes = scene.timeline_of(RecordType::Vessel, "v-1", WHOLE).await?;
    let writes = writes.rows.iter().filter(|it| it.kind == TimelineKind::Updated);
    let known: Vec<_> = writes.map(|it| values(it.after.as_ref())).collect();
    assert_eq!(known, [json!({"name": "Three", "flag": "NO"}), Value::Null]);
    let kinds = scene.kinds("v-1").await?;
    assert!(
        kinds.contains(&TimelineKind::ConflictOpened) && kinds.contains(&TimelineKind::Edited),
        "{kinds:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn timeline_tells_withdrawal_return_missing_and_undo() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&named("One", 1)).await?;
    let gone = json!({"name": "One", "updatedAt": day(2), "withdrawnAt": day(2)});
    scene.bring(&Records::of_vessels([vessel("v-1", gone)])).await?;
    let back = scene.bring(&named("One", 3)).await?.sync;
    let writes = [TimelineKind::Returned, TimelineKind::Withdrawn, TimelineKind::Created];
    assert_eq!(scene.kinds("v-1").await?, writes);
    let _missed = scene.full_sync(&Records::default()).await?;
    let missing = scene.entry("v-1", TimelineKind::Missing).await?;
    assert_eq!(missing.detail["missingRecords"], "kept");
    let now = scene.now();
    let _undone = scene.tx(async |tx| sync_undo(tx, back, "anna", now).await).await?;
    let undone = scene.entry("v-1", TimelineKind::Undone).await?;
    assert_eq!((undone.actor.as_deref(), undone.sync_id), (Some("anna"), Some(back)));
    assert_eq!(undone.detail["result"], "restored");
    assert_eq!(scene.entry("v-1", TimelineKind::Updated).await?.after, None, "an undo came after it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_was_rejected_and_never_written_stands_rejected_with_its_findings() -> anyhow::Result<()>
{
    let scene = Scene::new().await?;
    let bad = vessel("v-bad", json!({"name": "Bad", "imoNumber": "9074728"}));
    let sync = scene.bring(&Records::of_vessels([bad])).await?.sync;
    let found = scene.found(RecordType::Vessel, "v-bad").await?;
    assert_eq!((found.record.standing, found.record.row.clone()), (RecordStanding::Rejected, None));
    assert_eq!(found.record.name.as_deref(), Some("Bad (IMO 9074728)"));
    assert_eq!((found.findings_total, found.findings[0].code.as_str()), (1, "imo_number_check_digit"));
    let finding = scene.entry("v-bad", TimelineKind::Finding).await?;
    assert_eq!((finding.sync_id, &finding.detail["severity"]), (Some(sync), &json!("error")));
    assert_eq!(scene.kinds("v-bad").await?, [TimelineKind::Finding]);
    // Its sync is forgotten: what stands about it is told all the same, once.
    scene.execute("DELETE FROM sync_logs").await?;
    assert_eq!(scene.kinds("v-bad").await?, [TimelineKind::Finding]);
    assert_eq!(scene.entry("v-bad", TimelineKind::Finding).await?.sync_id, None);
    let nothing = scene.timeline_of(RecordType::Equipment, "v-bad", WHOLE).await?;
    assert_eq!((nothing.rows.len(), nothing.total), (0, Total::Exactly(0)), "another type has the same id");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_known_by_a_webhook_alone_never_came() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .execute(
            "INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state,
                 received_at, published_at)
             VALUES ('019ab2c4-0000-7000-8000-00000000000e', 'msg_1', 'vessel.approved', 'vessel', 'v/1 é', '{}', 'current',
                 'failed', '2025-01-01', '2025-01-01');
             INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, died_at,
                 archived_at)
             VALUES (gen_random_uuid(), '019ab2c4-0000-7000-8000-00000000000e', 'sync.events', 'k', '{}', 'permanent',
                 'not found', 'f', 1, '2025-01-02', '2025-01-02');
             INSERT INTO refused_webhooks (id, received_at, reason, status, detail, source, webhook_id)
             VALUES (gen_random_uuid(), '2025-01-03', 'id_reused', 409, 'd', '192.0.2.1', 'msg_1')",
        )
        .await?;
    let found = scene.found(RecordType::Vessel, "v/1 é").await?;
    assert_eq!(found.record.standing, RecordStanding::NeverCame);
    let kinds = [TimelineKind::WebhookRefused, TimelineKind::DeadLetter, TimelineKind::WebhookReceived];
    assert_eq!(scene.kinds("v/1 é").await?, kinds);
    assert_eq!(scene.kinds("v\0").await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_that_was_processed_has_an_entry_for_each_of_the_two_times() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let sync = scene.bring(&named("One", 1)).await?.sync;
    scene
        .execute(&format!(
            "INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state, sync_id,
                 received_at, published_at, processed_at)
             VALUES (gen_random_uuid(), 'msg_1', 'vessel.approved', 'vessel', 'v-1', '{{}}', 'current', 'processed', '{sync}',
                 '2024-12-31 23:00+00', '2024-12-31 23:01+00', '2026-01-01 00:00+00')"
        ))
        .await?;
    let kinds = [TimelineKind::WebhookProcessed, TimelineKind::Created, TimelineKind::WebhookReceived];
    assert_eq!(scene.kinds("v-1").await?, kinds);
    let received = scene.entry("v-1", TimelineKind::WebhookReceived).await?;
    assert_eq!((received.sync_id, &received.detail["state"]), (Some(sync), &json!("processed")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_retention_removed_is_missing_and_the_oldest_that_is_kept_is_named() -> anyhow::Result<()>
{
    let scene = Scene::new().await?;
    scene.bring(&named("One", 1)).await?;
    scene.bring(&named("Two", 2)).await?;
    let last = scene.bring(&named("Three", 3)).await?.sync;
    scene.execute(&format!("DELETE FROM sync_logs WHERE id <> '{last}'")).await?;
    let page = scene.timeline_of(RecordType::Vessel, "v-1", WHOLE).await?;
    let kinds: Vec<_> = page.rows.iter().map(|it| (it.kind, it.sync_id)).collect();
    assert_eq!(
        kinds,
        [(TimelineKind::Updated, Some(last)), (TimelineKind::Created, None)],
        "which sync created it is not known"
    );
    let kept = kept_since(&mut *scene.store.db().await?).await?;
    let stored = scene.stored(last).await?;
    assert_eq!(kept, KeptSince { syncs: Some(stored.started_at), webhook_events: None, decisions: None });
    scene.execute("DELETE FROM sync_logs").await?;
    let detail = scene.found(RecordType::Vessel, "v-1").await?;
    assert!(!detail.sync_is_kept);
    assert_eq!(detail.record.row.and_then(|row| row.synced_by), Some(last));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_timeline_are_the_whole_timeline() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    for n in 1..=7 {
        scene.bring(&named(&format!("Name {n}"), n)).await?;
    }
    scene.execute("UPDATE vessels SET name = 'By hand'").await?;
    scene.bring(&named("Other", 8)).await?;
    let whole = scene.timeline_of(RecordType::Vessel, "v-1", WHOLE).await?;
    let mut paged = Vec::new();
    let number = whole.rows.len() as u64;
    assert_eq!(whole.total, Total::Exactly(number));
    for offset in (0..number).step_by(2) {
        let window = Window { limit: 2, offset: u32::try_from(offset)?, ..Window::default() };
        let page = scene.timeline_of(RecordType::Vessel, "v-1", window).await?;
        assert_eq!((page.total, page.has_more), (whole.total, offset + 2 < number));
        paged.extend(page.rows);
    }
    assert_eq!(paged, whole.rows);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_is_told_as_one() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut dry_run = new_sync(Mode::Selective, Scope::default());
    dry_run.dry_run = true;
    let id = scene.create_as(&dry_run).await?;
    scene
        .execute(&format!(
            "INSERT INTO sync_changes (sync_id, record_type, source_id, outcome, fields)
             VALUES ('{id}', 'vessel', 'v-new', 'created', '[{{\"field\": \"/name\", \"old\": null, \"new\": \"X\"}}]')"
        ))
        .await?;
    let entry = scene.entry("v-new", TimelineKind::DryRun).await?;
    assert_eq!((entry.sync_id, &entry.detail["outcome"]), (Some(id), &json!("created")));
    assert_eq!(scene.found(RecordType::Vessel, "v-new").await?.record.standing, RecordStanding::NeverCame);
    scene
        .execute(&format!(
            "INSERT INTO findings (sync_id, record_type, source_id, severity, code, pointer, message, found_at)
             VALUES ('{id}', 'vessel', 'v-new', 'error', 'blank', '/name', 'is blank', now())"
        ))
        .await?;
    assert_eq!(scene.entry("v-new", TimelineKind::Finding).await?.detail["dryRun"], true);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_in_no_answer_and_what_became_of_them_is_for_admins() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&Records::small_fleet()).await?;
    scene
        .execute(
            "UPDATE users SET password_hash = '$argon2id$x', sealed_password = 'y', password_expires_at = now();
             INSERT INTO audit (at, actor, action, subject, detail)
             SELECT now(), 'anna', 'user.reveal_password', id::text, '{\"result\": \"Expired\"}' FROM users
                 WHERE source_id = 'u-1'",
        )
        .await?;
    let found = scene.found(RecordType::User, "u-1").await?;
    let text = serde_json::to_string(&found.particulars)?;
    assert!(!text.contains("argon2") && !text.contains("password"), "{text}");
    assert_eq!(found.particulars["family_name"], "Nordmann");
    let of = async |for_admin| {
        scene.tx(async |tx| timeline(tx, RecordType::User, "u-1", for_admin, WHOLE).await).await
    };
    let is_claim = |it: &&TimelineEntry| it.kind == TimelineKind::PasswordClaim;
    assert_eq!(of(false).await?.rows.iter().filter(is_claim).count(), 0);
    let for_admin = of(true).await?;
    let claim = for_admin.rows.iter().find(is_claim).expect("the claim");
    assert_eq!((claim.actor.as_deref(), &claim.detail["result"]), (Some("anna"), &json!("Expired")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_has_rows_and_rejected_records_without_one_by_each_filter() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&Records::small_fleet()).await?;
    let gone = vessel("v-3", json!({"imoNumber": "9321483", "updatedAt": day(2), "withdrawnAt": day(2)}));
    scene.bring(&Records::of_vessels([gone])).await?;
    let mut bad = Records::of_vessels([vessel("v-2", json!({"imoNumber": "9619908", "updatedAt": day(2)}))]);
    bad.put_vessel("v-2b", json!({"name": "Never written", "imoNumber": "9074728"}));
    scene.bring(&bad).await?;
    let vessels = async |filter| scene.listed(RecordType::Vessel, filter).await;
    assert_eq!(vessels(RecordFilter::default()).await?, ["v-1", "v-2", "v-2b", "v-3"]);
    let by = |status| RecordFilter { status: Some(status), ..RecordFilter::default() };
    assert_eq!(vessels(by(StatusFilter::Row(RowStatus::Active))).await?, ["v-1", "v-2"]);
    assert_eq!(vessels(by(StatusFilter::Row(RowStatus::Withdrawn))).await?, ["v-3"]);
    assert_eq!(vessels(by(StatusFilter::Rejected)).await?, ["v-2", "v-2b"]);
    let text = |text: &str| RecordFilter { text: SearchText::parse(text).ok(), ..RecordFilter::default() };
    assert_eq!(vessels(text("never wr")).await?, ["v-2b"]);
    assert_eq!(vessels(text("v-2")).await?, ["v-2", "v-2b"]);
    assert_eq!(vessels(text("100%")).await?, [""; 0]);
    let greek = text("Ωω");
    let page = scene.tx(async |tx| record_list(tx, RecordType::Vessel, &greek, WHOLE).await).await?;
    assert_eq!(page, None, "the locale of the tests is C: no index knows the letters");
    let of_vessel = || RecordFilter { vessel_id: Some("v-1".to_owned()), ..RecordFilter::default() };
    assert_eq!(scene.listed(RecordType::Equipment, of_vessel()).await?, ["e-1a", "e-1b"]);
    assert_eq!(scene.listed(RecordType::User, of_vessel()).await?, ["u-1", "u-2", "u-3"]);
    assert_eq!(scene.listed(RecordType::Company, of_vessel()).await?, ["c-1"]);
    let company = company_identity(&mut *scene.store.db().await?, "c-1").await?.map(|it| it.id);
    assert!(company.is_some());
    let of_company = || RecordFilter { company, ..RecordFilter::default() };
    assert_eq!(vessels(of_company()).await?, ["v-1", "v-2", "v-3"]);
    assert_eq!(scene.listed(RecordType::Equipment, of_company()).await?.len(), 5);
    let vessel = scene.found(RecordType::Vessel, "v-1").await?;
    assert_eq!(vessel.dependents, [("equipment", 2, 0), ("users", 3, 0)]);
    assert_eq!(vessel.record.row.and_then(|row| row.company_id).as_deref(), Some("c-1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn timeline_and_list_read_no_table_as_a_whole() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.execute(MANY_ROWS).await?;
    scene
        .execute(
            "INSERT INTO overwritten (sync_id, record_type, row_id, image, written_at)
             SELECT s.id, 'vessel', v.id, '{\"name\": \"x\"}', now() FROM sync_logs s, LATERAL
                 (SELECT id FROM vessels LIMIT 1) v;
             INSERT INTO findings (sync_id, record_type, source_id, severity, code, pointer, message, found_at)
             SELECT id, 'vessel', 'v-id-' || (row_number() OVER () % 100), 'warning', 'c', '/', 'm', now() FROM sync_logs;
             INSERT INTO sync_missing (sync_id, record_type, source_id)
             SELECT id, 'vessel', 'v-id-' || (row_number() OVER () % 100) FROM sync_logs;
             INSERT INTO sync_changes (sync_id, record_type, source_id, outcome)
             SELECT id, 'vessel', 'v-id-' || (row_number() OVER () % 100), 'updated' FROM sync_logs;
             INSERT INTO undos (sync_id, undone_at, undone_by) SELECT id, now(), 'anna' FROM sync_logs;
             INSERT INTO undo_items (sync_id, record_type, source_id, result)
             SELECT id, 'vessel', 'v-id-' || (row_number() OVER () % 100), 'restored' FROM sync_logs;
             INSERT INTO conflicts (id, sync_id, record_type, source_id, kind, local_value, source_value, local_at, source_at,
                 winner, opened_at)
             SELECT gen_random_uuid(), id, 'vessel', 'v-id-' || (row_number() OVER () % 100), 'local_newer', '{}', '{}',
                 now() - row_number() OVER () * interval '1 minute', now(), 'local', now() FROM sync_logs;
             ANALYZE",
        )
        .await?;
    let scans = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname NOT IN ('undos',
        'conflict_policies', '__diesel_schema_migrations') ORDER BY 1";
    let before = scene.rows(scans).await;
    let store = Store::connect(&scene.world.database_url, 1).await?;
    for _ in 0..7 {
        for id in ["v-id-1", "v-id-77", "nothing"] {
            let mut tx = store.begin().await?;
            timeline(&mut tx, RecordType::Vessel, id, true, WHOLE).await?;
            record_find(&mut tx, RecordType::Vessel, id).await?;
            tx.rollback().await;
        }
        let filter = RecordFilter { text: SearchText::parse("star 77").ok(), ..RecordFilter::default() };
        let mut tx = store.begin().await?;
        record_list(&mut tx, RecordType::Vessel, &filter, WHOLE).await?;
        tx.rollback().await;
    }
    drop(store);
    scene.wait_for_closed_pools().await?;
    assert_eq!(scene.rows(scans).await, before);
    Ok(())
}
