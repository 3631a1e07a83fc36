//! Search: what is found by which text, what is left out for whom, and that no table is read as a whole.

use std::time::Duration;

use domain::{
    Mode, Scope,
    record_standing::RecordStanding,
    search::{HitKind, MatchedField, SearchText},
};
use serde_json::json;
use store::{
    Store,
    views::search::{Hit, HitGroup, search},
};

use crate::{
    records::{Records, day, equipment, user, vessel},
    scene::Scene,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn text(text: &str) -> SearchText {
    SearchText::parse(text).expect("a text to search for")
}

impl Scene {
    async fn groups(&self, query: &str, for_admin: bool) -> anyhow::Result<Vec<HitGroup>> {
        Ok(search(&self.store, &text(query), for_admin, 10).await?)
    }

    /// The hits of a search: kind, id, and the field that matched.
    async fn hits(&self, query: &str) -> anyhow::Result<Vec<(HitKind, String, MatchedField)>> {
        found(self.groups(query, false).await?)
    }

    async fn hits_for_admin(&self, query: &str) -> anyhow::Result<Vec<(HitKind, String, MatchedField)>> {
        found(self.groups(query, true).await?)
    }
}

fn found(groups: Vec<HitGroup>) -> anyhow::Result<Vec<(HitKind, String, MatchedField)>> {
    assert!(groups.iter().all(|it| !it.is_cut_short), "{groups:?}");
    let hits = groups.into_iter().flat_map(|group| group.hits.into_iter().map(move |hit| (group.kind, hit)));
    Ok(hits.map(|(kind, hit)| (kind, hit.id, hit.matched)).collect())
}

fn hit(kind: HitKind, id: &str, matched: MatchedField) -> (HitKind, String, MatchedField) {
    (kind, id.to_owned(), matched)
}

fn fleet() -> Records {
    let name = json!({"name": "Nordhavn Orion", "imoNumber": "9619907", "mmsi": "257123000"});
    let mut fleet =
        Records::of_vessels([vessel("v-orion", name), vessel("v-2", json!({"name": "50% off_shore"}))]);
    fleet.put_equipment(
        "e-pump",
        "v-orion",
        json!({"code": "732.004", "unitNumber": 2, "name": "Fire pump",
        "qrCode": "ACME-000001"}),
    );
    let person =
        json!({"email": "kari.lund@example.com", "givenName": "Kari", "familyName": "Lund", "vesselIds": []});
    fleet.put_user("u-lund", person);
    fleet
}

#[tokio::test(flavor = "multi_thread")]
async fn vessel_is_found_by_each_of_its_names_numbers_and_ids() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&fleet()).await?;
    let id = scene.row("SELECT id FROM vessels WHERE source_id = 'v-orion'").await["id"].clone();
    let id = id.as_str().expect("an id");
    for (query, matched) in [
        ("9619907", MatchedField::ImoNumber),
        ("IMO 961", MatchedField::ImoNumber),
        ("257123000", MatchedField::Mmsi),
        ("v-ori", MatchedField::SourceId),
        (id, MatchedField::Id),
        (&id[..34], MatchedField::Id),
        ("nordhavn", MatchedField::Name),
        ("RION", MatchedField::Name),
    ] {
        assert_eq!(scene.hits(query).await?, [hit(HitKind::Vessel, "v-orion", matched)], "{query}");
    }
    let groups = scene.groups("orion", false).await?;
    let expected = Hit {
        id: "v-orion".to_owned(),
        title: "Nordhavn Orion · IMO 9619907".to_owned(),
        subtitle: Some("Nordic Bulk AS · bulk_carrier · NO".to_owned()),
        matched: MatchedField::Name,
        standing: Some(RecordStanding::Active),
    };
    assert_eq!(groups[0].hits, [expected]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn equipment_is_found_by_tag_sfi_code_qr_code_and_name() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&fleet()).await?;
    for (query, matched) in [
        ("732.004/2", MatchedField::Tag),
        ("732", MatchedField::SfiCode),
        ("acme-0000", MatchedField::QrCode),
        ("e-pump", MatchedField::SourceId),
        ("ire pum", MatchedField::Name),
        ("fi", MatchedField::Name),
    ] {
        assert_eq!(scene.hits(query).await?, [hit(HitKind::Equipment, "e-pump", matched)], "{query}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wildcards_quotes_and_odd_letters_are_searched_for_as_they_are() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&fleet()).await?;
    assert_eq!(scene.hits("off_sh").await?, [hit(HitKind::Vessel, "v-2", MatchedField::Name)]);
    assert_eq!(scene.hits("50% off").await?, [hit(HitKind::Vessel, "v-2", MatchedField::Name)]);
    let long = "x".repeat(190);
    for query in ["%%%%", "____", r"\\\", "offXshore", "'; --", "v%2", &long, "a\0b", "\u{202e}\u{1f6a2}"] {
        assert_eq!(scene.hits(query).await?, [], "{query:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn name_of_190_letters_is_found() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&Records::of_vessels([vessel("v-1", json!({}))])).await?;
    let name = "Ab".repeat(95);
    scene.execute(&format!("UPDATE vessels SET name = '{name}'")).await?;
    assert_eq!(scene.hits(&name).await?, [hit(HitKind::Vessel, "v-1", MatchedField::Name)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_two_types_with_one_id_are_both_found() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut records = Records::of_vessels([vessel("x-77", json!({}))]);
    records.put_equipment("x-77", "x-77", json!({}));
    scene.bring(&records).await?;
    let expected =
        [HitKind::Vessel, HitKind::Equipment].map(|kind| hit(kind, "x-77", MatchedField::SourceId));
    assert_eq!(scene.hits("x-77").await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_record_and_one_that_was_rejected_and_never_written_are_found_as_such() -> anyhow::Result<()>
{
    let scene = Scene::new().await?;
    scene.bring(&fleet()).await?;
    let gone =
        json!({"name": "Nordhavn Orion", "imoNumber": "9619907", "updatedAt": day(2), "withdrawnAt": day(2)});
    scene.bring(&Records::of_vessels([vessel("v-orion", gone)])).await?;
    let bad = json!({"name": "Nordhavn Sirius", "imoNumber": "9074728"});
    scene.bring(&Records::of_vessels([vessel("v-sirius", bad)])).await?;
    assert_eq!(scene.number("vessels WHERE source_id = 'v-sirius'").await, 0);
    let groups = scene.groups("nordhavn", false).await?;
    let vessels = groups[0].hits.iter().map(|it| (it.id.as_str(), it.matched, it.standing));
    assert_eq!(
        vessels.collect::<Vec<_>>(),
        [
            ("v-orion", MatchedField::Name, Some(RecordStanding::Withdrawn)),
            ("v-sirius", MatchedField::Label, Some(RecordStanding::Rejected)),
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_addresses_of_users_are_searched_for_admins_only() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&fleet()).await?;
    for (query, matched) in [
        ("kari.lund@example.com", MatchedField::Email),
        ("lund@", MatchedField::Email),
        ("kari lund", MatchedField::Name),
    ] {
        assert_eq!(scene.hits(query).await?, [], "{query}");
        let for_admin = scene.hits_for_admin(query).await?;
        assert_eq!(for_admin, [hit(HitKind::User, "u-lund", matched)], "{query}");
    }
    let title = |groups: Vec<HitGroup>| groups[2].hits[0].title.clone();
    assert_eq!(title(scene.groups("u-lund", false).await?), "k***@e***.com");
    assert_eq!(title(scene.groups("u-lund", true).await?), "kari.lund@example.com");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_webhooks_dead_letters_and_traces_are_found_by_their_ids() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (sync, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let event = "019ab2c4-0000-7000-8000-00000000000e";
    let letter = "019ab2c5-0000-7000-8000-00000000000d";
    scene
        .execute(&format!(
            "UPDATE sync_logs SET trace_context = '{{\"traceparent\": \"00-{TRACE}-b7ad6b7169203331-01\"}}';
             INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state,
                 received_at, trace_context)
             VALUES ('{event}', 'msg_2abc', 'vessel.approved', 'vessel', 'v-1', '{{}}', 'current', 'received', now(),
                 '{{\"traceparent\": \"00-{TRACE}-b7ad6b7169203331-01\"}}');
             INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, trace_id,
                 died_at, archived_at)
             VALUES ('{letter}', '{event}', 'sync.events', 'k', '{{}}', 'transient', '500', 'f', 4, '{TRACE}', now(), now());
             INSERT INTO audit (at, actor, action, subject, trace_id) VALUES (now(), 'anna', 'sync.trigger', 'x', '{TRACE}')"
        ))
        .await?;
    let sync = sync.to_string();
    assert_eq!(scene.hits(&sync).await?, [hit(HitKind::Sync, &sync, MatchedField::Id)]);
    let task = tasks[0].id.to_string();
    assert_eq!(scene.hits(&task).await?, [hit(HitKind::Sync, &sync, MatchedField::TaskId)]);
    assert_eq!(scene.hits("msg_2abc").await?, [hit(HitKind::Webhook, event, MatchedField::WebhookId)]);
    assert_eq!(
        scene.hits(event).await?,
        [
            hit(HitKind::Webhook, event, MatchedField::Id),
            hit(HitKind::DeadLetter, letter, MatchedField::MessageId)
        ]
    );
    assert_eq!(scene.hits("019ab2c5").await?, [hit(HitKind::DeadLetter, letter, MatchedField::Id)]);
    let of_trace = |kind, id: &str| hit(kind, id, MatchedField::TraceId);
    let expected = [
        of_trace(HitKind::Sync, &sync),
        of_trace(HitKind::Webhook, event),
        of_trace(HitKind::DeadLetter, letter),
        of_trace(HitKind::Trace, TRACE),
    ];
    assert_eq!(scene.hits(TRACE).await?, expected);
    assert_eq!(scene.hits(&TRACE.to_uppercase()).await?, expected);
    let trace = |groups: Vec<HitGroup>| groups[7].hits[0].subtitle.clone().expect("what it has caused");
    assert_eq!(trace(scene.groups(TRACE, false).await?), "syncs: 1, webhook events: 1, dead letters: 1");
    let for_admin = trace(scene.groups(TRACE, true).await?);
    assert_eq!(for_admin, "syncs: 1, webhook events: 1, dead letters: 1, entries of the audit log: 1");
    assert_eq!(scene.hits("0bf92f3577b34da6a3ce929d0e0e4736").await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn search_lists_ten_hits_of_a_kind_and_says_that_there_are_more() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut records = Records::of_vessels([vessel("v-1", json!({}))]);
    for n in 0..11 {
        let code = format!("732.{n:03}");
        records.equipment.push(equipment(&format!("e-{n:02}"), "v-1", json!({"code": code, "name": "Pump"})));
    }
    records.users.push(user("u-1", json!({})));
    scene.bring(&records).await?;
    let groups = scene.groups("732", false).await?;
    let equipment = groups.iter().find(|it| it.kind == HitKind::Equipment).expect("a group");
    assert_eq!((equipment.hits.len(), equipment.has_more), (10, true));
    scene.execute("DELETE FROM equipment WHERE source_id = 'e-00'").await?;
    let groups = scene.groups("732", false).await?;
    let equipment = groups.iter().find(|it| it.kind == HitKind::Equipment).expect("a group");
    assert_eq!((equipment.hits.len(), equipment.has_more), (10, false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_whose_table_is_locked_is_cut_short_and_the_others_answer() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&fleet()).await?;
    let url = scene.world.database_url.clone();
    let locking = tokio::spawn(async move {
        testbed::World::execute_at(&url, "BEGIN; LOCK TABLE equipment; SELECT pg_sleep(4); COMMIT").await
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let groups = scene.groups("orion", false).await?;
    let cut_short = groups.iter().filter(|it| it.is_cut_short).map(|it| it.kind).collect::<Vec<_>>();
    assert_eq!(cut_short, [HitKind::Equipment]);
    assert_eq!(groups[0].hits.len(), 1, "{groups:?}");
    locking.await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn search_reads_no_table_as_a_whole() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.execute(MANY_ROWS).await?;
    let scans = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname IN ('vessels', 'equipment', 'users',
        'companies', 'record_findings', 'sync_logs', 'sync_queue', 'webhook_events', 'dead_letters', 'audit') ORDER BY 1";
    scene.execute("SELECT pg_stat_force_next_flush()").await?;
    let before = scene.rows(scans).await;
    assert_eq!(before.len(), 10);
    // A pool of its own: what its connections have read is in the statistics once they are closed.
    let store = Store::connect(&scene.world.database_url, 1).await?;
    let id = "019ab2c4-0000-7000-8000-000000000001";
    for query in [
        "9619907",
        "star 77",
        "zz",
        "732.1",
        "SMS-77",
        "id-77",
        "user77@",
        id,
        TRACE,
        "msg_77",
        "no such thing",
    ] {
        // More often than the statement is planned for its values.
        for _ in 0..7 {
            let groups = search(&store, &text(query), true, 10).await?;
            assert!(groups.iter().all(|it| !it.is_cut_short), "{query}: {groups:?}");
        }
    }
    drop(store);
    scene.wait_for_closed_pools().await?;
    assert_eq!(scene.rows(scans).await, before);
    Ok(())
}

impl Scene {
    /// Waits until the connections of other pools than the scene's are closed.
    pub(crate) async fn wait_for_closed_pools(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            let sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()
                AND application_name = 'sms-sync' AND query LIKE '%enable_seqscan%'";
            if self.row(sql).await["n"] == 0 {
                // The statistics of a closed connection follow at once; its backend is still listed for a moment.
                tokio::time::sleep(Duration::from_millis(300)).await;
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("connections stay open")
    }
}

/// Rows enough for a scan to be worth an index.
pub(crate) const MANY_ROWS: &str = "
    INSERT INTO companies (id, name, country, source_id, source_updated_at, content_hash, version_at, synced_at, created_at,
        updated_at)
    SELECT gen_random_uuid(), 'Company ' || n, 'NO', 'c-id-' || n, now(), decode(md5(n::text), 'hex'), now(), now(), now(), now()
    FROM generate_series(1, 3000) n;
    INSERT INTO vessels (id, imo_number, name, flag, vessel_type, service_status, source_id, source_updated_at, content_hash,
        version_at, synced_at, created_at, updated_at)
    SELECT gen_random_uuid(), (9000000 + n)::text, 'Star ' || n, 'NO', 'tanker', 'in_service', 'v-id-' || n, now(),
        decode(md5(n::text), 'hex'), now(), now(), now(), now() FROM generate_series(1, 3000) n;
    INSERT INTO equipment (id, vessel_id, code, unit_number, name, is_critical, is_standby, qr_code, service_status, source_id,
        source_updated_at, content_hash, version_at, synced_at, created_at, updated_at)
    SELECT gen_random_uuid(), v.id, '732.' || n, n, 'Pump ' || v.imo_number, false, false, 'SMS-' || v.imo_number || '-' || n,
        'in_service', 'id-' || v.imo_number || '-' || n, now(), decode(md5(n::text), 'hex'), now(), now(), now(), now()
    FROM vessels v, generate_series(1, 5) n;
    INSERT INTO users (id, email, given_name, family_name, rank, workplace, role, role_mapping_version, vessel_scope, active,
        source_id, source_updated_at, content_hash, version_at, synced_at, created_at, updated_at)
    SELECT gen_random_uuid(), 'user' || n || '@example.com', 'Ola', 'Lund ' || n, 'master', 'ship', 'master', 1, '{}', true,
        'u-id-' || n, now(), decode(md5(n::text), 'hex'), now(), now(), now(), now() FROM generate_series(1, 5000) n;
    INSERT INTO sync_logs (id, cause, mode, state, requested_by, started_at, running_at, heartbeat_at, completed_at, trace_context)
    SELECT gen_random_uuid(), 'webhook', 'selective', 'completed', 'webhook', now(), now(), now(), now(),
        jsonb_build_object('traceparent', '00-' || md5(n::text) || '-b7ad6b7169203331-01') FROM generate_series(1, 5000) n;
    INSERT INTO sync_queue (id, sync_id, record_type, page, page_request, state, created_at, updated_at, completed_at)
    SELECT gen_random_uuid(), id, 'vessel', 0, '{}', 'done', now(), now(), now() FROM sync_logs;
    INSERT INTO record_findings (sync_id, record_type, source_id, label, vessel_ids, severity, code, pointer, message, found_at)
    SELECT NULL, 'vessel', 'bad-id-' || n, 'Bad ' || n, '{}', 'error', 'blank', '/name', 'is blank', now()
    FROM generate_series(1, 5000) n;
    INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state, received_at,
        trace_context)
    SELECT gen_random_uuid(), 'msg_' || n, 'vessel.updated', 'vessel', 'v-id-' || n, '{}', 'current', 'received', now(),
        jsonb_build_object('traceparent', '00-' || md5(n::text) || '-b7ad6b7169203331-01') FROM generate_series(1, 5000) n;
    INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, trace_id, died_at,
        archived_at)
    SELECT gen_random_uuid(), gen_random_uuid()::text, 'sync.events', 'k', '{}', 'transient', '500', 'f', 4, md5(n::text), now(),
        now() FROM generate_series(1, 5000) n;
    INSERT INTO audit (at, actor, action, subject, trace_id)
    SELECT now(), 'anna', 'sync.trigger', gen_random_uuid()::text, md5(n::text) FROM generate_series(1, 500) n;
    ANALYZE";
