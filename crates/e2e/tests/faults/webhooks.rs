//! Webhooks under load, while what takes them is killed: whatever a sender got a 202 for is a row, and in the end
//! processed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use e2e::{Fleet, Kind, PATIENCE, Setup, System, Webhook};
use reqwest::StatusCode;
use testbed::{Servers, wait_until};

const SENDERS: usize = 6;

/// What came of the webhooks that were sent so far.
#[derive(Debug, Default)]
struct Tally {
    /// Ids of those that were answered with 202.
    accepted: Vec<String>,
    /// How many were answered with 503.
    refused: usize,
    /// How many got no answer.
    unanswered: usize,
    /// Answers that nobody should get.
    odd: Vec<String>,
}

/// Senders that never rest.
struct Load {
    tally: Arc<Mutex<Tally>>,
    stop: Arc<AtomicBool>,
    senders: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    async fn on(system: &System) -> anyhow::Result<Self> {
        let vessels = system.portal.ids(Kind::Vessels, "approved").await?;
        let (tally, stop) = (Arc::new(Mutex::new(Tally::default())), Arc::new(AtomicBool::new(false)));
        let senders = (0..SENDERS).map(|sender| {
            let (tally, stop) = (tally.clone(), stop.clone());
            let (url, vessel) = (system.webhook_url.clone(), vessels[sender % vessels.len()].clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let webhook = Webhook::about("vessel.updated", &vessel, "2026-05-01T00:00:00Z")
                        .expect("a webhook can be signed");
                    let answer = webhook.send_to(&url).await;
                    let mut tally = tally.lock().expect("nobody panics with it");
                    match answer {
                        Ok((StatusCode::ACCEPTED, _)) => tally.accepted.push(webhook.id),
                        Ok((StatusCode::SERVICE_UNAVAILABLE, _)) => tally.refused += 1,
                        Ok(odd) => tally.odd.push(format!("{odd:?}")),
                        Err(_no_answer) => tally.unanswered += 1,
                    }
                }
            })
        });
        let senders = senders.collect();
        Ok(Self { tally, stop, senders })
    }

    fn number(&self, of: impl Fn(&Tally) -> usize) -> usize {
        of(&self.tally.lock().expect("nobody panics with it"))
    }

    /// Waits until there are so many more of something than there are now.
    async fn more(&self, what: &str, number: usize, of: impl Fn(&Tally) -> usize) -> anyhow::Result<()> {
        let target = self.number(&of) + number;
        wait_until(format!("{number} more are {what}"), PATIENCE, async || {
            let now = self.number(&of);
            if now >= target { Ok(()) } else { Err(format!("{now} of {target}")) }
        })
        .await
    }

    async fn accepts(&self, number: usize) -> anyhow::Result<()> {
        self.more("accepted", number, |tally| tally.accepted.len()).await
    }

    async fn end(self) -> anyhow::Result<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.await?;
        }
        Ok(std::mem::take(&mut *self.tally.lock().expect("nobody panics with it")))
    }
}

/// Counts: every webhook that was accepted is a row, and in the end every row is processed.
async fn nothing_is_lost(system: &System, tally: &Tally) -> anyhow::Result<()> {
    assert_eq!(tally.odd, Vec::<String>::new(), "answers that nobody should get");
    let rows = system.rows("SELECT webhook_id FROM webhook_events").await?;
    let recorded: BTreeSet<_> = rows.iter().filter_map(|row| row["webhook_id"].as_str()).collect();
    let lost: Vec<_> = tally.accepted.iter().filter(|id| !recorded.contains(id.as_str())).collect();
    assert!(
        lost.is_empty(),
        "{} of {} accepted webhooks are no rows: {lost:?}",
        lost.len(),
        tally.accepted.len()
    );
    system
        .wait_for_rows(
            "every event is processed",
            "webhook_events WHERE state = 'processed'",
            rows.len() as i64,
        )
        .await?;
    assert_eq!(system.count("dead_letters").await?, 0, "dead letters");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_ingest_is_killed_under_load() -> anyhow::Result<()> {
    let mut system = System::start(Setup { fleet: Fleet::Of(4, 0, 0), ..Setup::default() }).await?;
    let load = Load::on(&system).await?;
    for _ in 0..3 {
        load.accepts(60).await?;
        system.front[0].kill()?;
        load.more("unanswered", 5, |tally| tally.unanswered).await?;
        system.front[0].restart()?;
        system.front[0].ready().await?;
    }
    load.accepts(60).await?;
    let tally = load.end().await?;
    nothing_is_lost(&system, &tally).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_and_postgresql_are_killed_under_load_of_webhooks() -> anyhow::Result<()> {
    let servers = Arc::new(Servers::private().await?);
    let setup = Setup { fleet: Fleet::Of(4, 0, 0), servers: Some(servers.clone()), ..Setup::default() };
    let system = System::start(setup).await?;
    let load = Load::on(&system).await?;
    load.accepts(60).await?;

    servers.kill_broker().await?;
    // Not one of them is refused.
    load.accepts(120).await?;
    servers.start_broker().await?;
    load.accepts(60).await?;
    assert_eq!(
        load.number(|tally| tally.refused + tally.unanswered),
        0,
        "the broker is no sender's business"
    );

    servers.kill_database().await?;
    load.more("refused", 10, |tally| tally.refused).await?;
    servers.start_database().await?;
    load.accepts(60).await?;
    let tally = load.end().await?;
    nothing_is_lost(&system, &tally).await
}
