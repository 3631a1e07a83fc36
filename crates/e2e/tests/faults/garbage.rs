//! Messages that nobody can read, on each queue.

use std::collections::BTreeMap;

use e2e::{Fleet, Kind, Message, PATIENCE, Setup, System, Webhook};
use serde_json::json;
use testbed::wait_until;

const QUEUES: [&str; 4] = ["sync.events", "sync.commands", "sync.tasks", "sync.dead-letters"];

#[tokio::test(flavor = "multi_thread")]
async fn garbage_unknown_kinds_and_old_versions_are_dead_letters_and_nothing_is_stuck() -> anyhow::Result<()>
{
    let system = System::start(Setup { fleet: Fleet::Of(2, 4, 2), ..Setup::default() }).await?;
    let task = br#"{"taskId": "0190a7b4-5c5e-7e2b-8f3a-6c1f4f5b9d01", "syncId": "0190a7b4-5c5e-7e2b-8f3a-6c1f4f5b9d02"}"#;
    let messages = [
        Message { kind: "", id: "bytes", body: b"\xff\x00\xfe" },
        Message { kind: "sms.sync.v1.Weather", id: "unknown kind", body: b"{}" },
        Message { kind: "sms.sync.v0.SyncTask", id: "old version", body: task },
        Message { kind: "sms.sync.v1.MessageBundle", id: "empty bundle", body: br#"{"messages": []}"# },
        // Legible, about something that is not there.
        Message { kind: "sms.sync.v1.SyncTask", id: "stranger", body: task },
    ];
    for queue in QUEUES {
        for message in &messages {
            message.send_to(&system.world, queue).await?;
        }
    }
    let all = QUEUES.len() * messages.len();
    let letters = wait_until("all of it is dead letters", PATIENCE, async || {
        let letters = system.operator.dead_letters().await.map_err(|error| format!("{error:#}"))?;
        if letters.len() == all { Ok(letters) } else { Err(format!("{letters:#?}")) }
    })
    .await?;
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for letter in &letters {
        found.entry(letter.message_id.as_str()).or_default().push(letter.queue.as_str());
        assert_eq!((letter.class.as_str(), letter.state.as_str()), ("permanent", "dead"), "{letter:#?}");
        assert!(!letter.reason.is_empty() && !letter.fingerprint.is_empty(), "{letter:#?}");
    }
    for queue in &QUEUES[..3] {
        for message in &messages {
            assert!(found[message.id].contains(queue), "{} of {queue}: {letters:#?}", message.id);
        }
    }
    // Byte by byte, for whoever wants to know what it was.
    let bytes =
        letters.iter().find(|it| it.message_id == "bytes" && it.queue == "sync.tasks").expect("it is there");
    assert_eq!(system.operator.dead_letter(bytes.id).await?.body_base64.as_deref(), Some("/wD+"));
    let said = system.operator.cli(&["dead-letters", "list", "--limit", "200"]).await?;
    assert_eq!(said["pagination"]["total"], all);

    // The queues work on.
    let sync = system.operator.full_sync().await?;
    assert_eq!(json!(sync.summary.state), "completed", "{sync:#?}");
    system.assert_created_once(sync.summary.sync_id).await?;
    let vessel = system.portal.ids(Kind::Vessels, "approved").await?.remove(0);
    Webhook::about("vessel.updated", &vessel, "2026-05-01T00:00:00Z")?.send(&system).await?;
    system.wait_for_rows("a webhook is processed", "webhook_events WHERE state = 'processed'", 1).await?;
    for queue in QUEUES {
        assert_eq!(system.world.messages_ready(queue).await?, 0, "{queue}");
    }
    Ok(())
}
