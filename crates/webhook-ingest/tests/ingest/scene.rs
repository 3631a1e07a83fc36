//! A running service with a database and a vhost of its own, and a sender of signed webhooks.

use std::{collections::BTreeMap, net::SocketAddr, sync::LazyLock, time::Duration};

use anyhow::Context;
use chassis::{config, health::Health, http, shutdown::Shutdown};
use contracts::webhook::signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use domain::clock::{Clock, SystemClock};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::Store;
use testbed::{World, wait_until};
use webhook_ingest::{Config, DAEMON, WEBHOOK_PATH};

pub(crate) const WAIT_TIMEOUT: Duration = Duration::from_secs(60);
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A world whose database has the maintenance schema.
pub(crate) async fn world() -> anyhow::Result<World> {
    chassis::install_tls();
    World::from_template(&template()?, migrate).await
}

pub(crate) async fn migrate(url: String) -> anyhow::Result<()> {
    Store::connect(&url, 2).await?.migrate().await?;
    Ok(())
}

/// Name of the template database: a digest of the migrations.
pub(crate) fn template() -> anyhow::Result<String> {
    let folder = testbed::workspace_root().join("migrations/maintenance");
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(std::fs::read(file.join("up.sql"))?);
    }
    let digest: String = digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("webhook-ingest-{digest}"))
}

/// The service, running in this process.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) address: SocketAddr,
    shutdown: Shutdown,
}

impl Scene {
    pub(crate) async fn new(environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::in_world(world().await?, environment).await
    }

    pub(crate) async fn in_world(world: World, more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut environment: BTreeMap<String, String> = [
            ("SMS_ENV", "development"),
            ("DATABASE_URL", &world.database_url),
            ("AMQP_URL", world.amqp_url().await?),
            ("WEBHOOK_SECRET", SECRET),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let config: Config = config::load_from(DAEMON.defaults, DAEMON.variables, &environment)?;
        let (shutdown, health) = (Shutdown::manual(), Health::new());
        let service = webhook_ingest::start(&config, &shutdown, &health).await?;
        let listener = http::listen("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        shutdown.supervise("http", http::serve(listener, shutdown.clone(), health, service.routes()));
        Ok(Self { world, address, shutdown })
    }

    /// Shuts the service down and returns the world.
    pub(crate) async fn end(self) -> World {
        self.shutdown.request("the test is over");
        self.shutdown.finished().await;
        self.world
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{WEBHOOK_PATH}", self.address)
    }

    pub(crate) async fn send(&self, webhook: &Webhook) -> anyhow::Result<Answer> {
        webhook.send_to(&self.url()).await
    }

    pub(crate) async fn rows(&self, sql: &str) -> anyhow::Result<Vec<Value>> {
        self.world.query_json(sql).await
    }

    pub(crate) async fn count(&self, from: &str) -> anyhow::Result<i64> {
        count(&self.world, from).await
    }

    /// Waits until exactly so many events are marked as published.
    pub(crate) async fn wait_published(&self, number: i64) -> anyhow::Result<()> {
        wait_until(format!("{number} events are published"), WAIT_TIMEOUT, async || {
            match self.count("webhook_events WHERE state = 'published'").await {
                Ok(found) if found == number => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }
}

pub(crate) async fn count(world: &World, from: &str) -> anyhow::Result<i64> {
    let rows = world.query_json(&format!("SELECT count(*) AS n FROM {from}")).await?;
    rows[0]["n"].as_i64().context("a count is a number")
}

/// One client for all tests, without a pool: connections that outlive the runtime of one test fail in the next.
pub(crate) fn client() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        chassis::install_tls();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).pool_max_idle_per_host(0);
        client.build().expect("a client can be built")
    });
    &CLIENT
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> anyhow::Result<Self> {
        let retry_after =
            response.headers().get("retry-after").map(|it| it.to_str().unwrap_or("?").to_owned());
        let status = response.status();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        Ok(Self { status, retry_after, body })
    }
}

/// A webhook as a sender makes it; tests can change any header.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Webhook {
    /// A signed event about a record, with a new id.
    pub(crate) fn about(event_type: &str, record: &str) -> Self {
        let body = json!({"type": event_type, "timestamp": "2026-11-24T08:30:00Z", "data": {"id": record}});
        Self::signed(SECRET, &new_id(), SystemClock.now().timestamp(), body.to_string().as_bytes())
    }

    pub(crate) fn signed(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Self {
        let secret = Secret::parse(&secret.to_owned().into()).expect("a valid secret");
        let signature = secret.sign(id, timestamp, body);
        let headers = [
            ("content-type", "application/json"),
            (ID_HEADER, id),
            (TIMESTAMP_HEADER, &timestamp.to_string()),
            (SIGNATURE_HEADER, &signature),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        Self { body: body.to_vec(), headers }
    }

    /// Sets a header, or removes it.
    pub(crate) fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn id(&self) -> &str {
        self.header(ID_HEADER)
    }

    pub(crate) async fn send_to(&self, url: &str) -> anyhow::Result<Answer> {
        let mut request = client().post(url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Answer::of(request.send().await?).await
    }
}

pub(crate) fn new_id() -> String {
    format!("msg_{}", uuid::Uuid::now_v7().simple())
}
