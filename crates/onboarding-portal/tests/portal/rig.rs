//! A portal for one test, and a client of it.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use chassis::{
    config::{Environment, Secret, load_from},
    health::Health,
    http,
    shutdown::Shutdown,
};
use chrono::{DateTime, Utc};
use onboarding_portal::{
    Config, DAEMON, Portal,
    clock::Clock,
    database::Database,
    fleet::Fleet,
    seeding::{self, Progress, SeedError, Seeded},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testbed::World;

pub(crate) const KEY: &str = "a-key-of-this-test";
pub(crate) const ADMIN_KEY: &str = "an-admin-key-of-this-test";
pub(crate) const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// How long a test waits for an event before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A world whose database has the portal's schema.
pub(crate) async fn world() -> anyhow::Result<World> {
    let name = testbed::template_name("onboarding", "onboarding")?;
    World::from_template(&name, async |url| {
        database(&url)?.migrate().await?;
        anyhow::Ok(())
    })
    .await
}

pub(crate) fn database(url: &str) -> anyhow::Result<Database> {
    Ok(Database::new(&Secret::from(url), 4)?)
}

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A portal that runs in the test's process.
pub(crate) struct Rig {
    pub world: World,
    pub clock: Clock,
    pub portal: Portal,
    url: String,
    client: reqwest::Client,
    shutdown: Shutdown,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Rig {
    /// With the default config, in production, without a webhook endpoint.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::with(Environment::Production, &[]).await
    }

    /// With this config beside the defaults, named as in the environment.
    pub(crate) async fn with(environment: Environment, config: &[(&str, &str)]) -> anyhow::Result<Self> {
        let world = world().await?;
        Self::on(world, Clock::manual(noon()), environment, config).await
    }

    /// On the database of another portal, and with its clock.
    pub(crate) async fn on(
        world: World,
        clock: Clock,
        environment: Environment,
        config: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let (portal, url, shutdown) = serve(&world.database_url, &clock, environment, config).await?;
        let client = reqwest::Client::builder().no_gzip().timeout(PATIENCE).build()?;
        Ok(Self { world, clock, portal, url, client, shutdown })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).header("x-api-key", ADMIN_KEY)
    }

    /// Without a key.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request).await
    }

    /// The body of a successful answer.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None).await?.success()
    }

    pub(crate) async fn post(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, None).await?.success()
    }

    pub(crate) async fn patch(&self, path: &str, fields: Value) -> anyhow::Result<Value> {
        self.ask(Method::PATCH, path, Some(&fields)).await?.success()
    }

    /// Enters records as drafts.
    pub(crate) async fn enter(&self, records: impl IntoIterator<Item = (&str, Value)>) -> anyhow::Result<()> {
        for (kind, record) in records {
            self.ask(Method::POST, &format!("/api/{kind}"), Some(&record)).await?.success()?;
        }
        Ok(())
    }

    /// Enters a company with a vessel that has one piece of equipment and one user, all drafts: `c-1`, `v-1`, `e-1`,
    /// `u-1`.
    pub(crate) async fn enter_a_vessel(&self) -> anyhow::Result<()> {
        self.enter([
            ("companies", company("c-1")),
            ("vessels", vessel("v-1", "c-1", "9074729")),
            ("equipment", equipment("e-1", "v-1", 1)),
            ("users", user("u-1", &["v-1"])),
        ])
        .await
    }

    /// The ids of the first page of a list.
    pub(crate) async fn listed(&self, path: &str) -> anyhow::Result<Vec<String>> {
        let page = self.get(path).await?;
        let records = page["data"].as_array().context("a page has data")?;
        Ok(records.iter().map(|record| record["id"].as_str().unwrap_or_default().to_owned()).collect())
    }

    pub(crate) async fn seed(&self, fleet: &Fleet) -> Result<Seeded, SeedError> {
        seeding::seed(self.portal.database(), fleet, Progress::Silent, &self.clock).await
    }

    pub(crate) async fn query(&self, sql: &str) -> anyhow::Result<Vec<Value>> {
        self.world.query_json(sql).await
    }

    /// Advances the clock, and wakes the sender.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.portal.sender().wake();
    }

    /// Waits until a message is in a state.
    pub(crate) async fn message_in_state(&self, id: &str, state: &str) -> anyhow::Result<Value> {
        let path = format!("/api/webhooks/messages/{id}");
        testbed::wait_until(format!("{id} is {state}"), PATIENCE, async || {
            let message = self.get(&path).await.map_err(|error| error.to_string())?;
            if message["state"] == state { Ok(message) } else { Err(message.to_string()) }
        })
        .await
    }

    /// Waits until a number of attempts of a message have ended.
    pub(crate) async fn message_after(&self, id: &str, attempts: usize) -> anyhow::Result<Value> {
        let path = format!("/api/webhooks/messages/{id}");
        testbed::wait_until(format!("{id} was tried {attempts} times"), PATIENCE, async || {
            let message = self.get(&path).await.map_err(|error| error.to_string())?;
            let made = message["attemptsMade"].as_array().map_or(0, Vec::len);
            if made >= attempts { Ok(message) } else { Err(message.to_string()) }
        })
        .await
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.shutdown.abort("the test is over");
    }
}

impl Answer {
    pub(crate) fn success(self) -> anyhow::Result<Value> {
        anyhow::ensure!(self.status.is_success(), "{} {}", self.status, self.body);
        Ok(self.body)
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await?;
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).context(text)? };
    Ok(Answer { status, headers, body })
}

/// Starts an instance of the portal on a database. Returns its URL, and the handle that ends it.
pub(crate) async fn serve(
    database_url: &str,
    clock: &Clock,
    environment: Environment,
    config: &[(&str, &str)],
) -> anyhow::Result<(Portal, String, Shutdown)> {
    let shutdown = Shutdown::with_grace(Duration::from_secs(1));
    let health = Health::new();
    let config = self::config(database_url, config)?;
    let listener = http::listen(&config.server.bind)?;
    let url = format!("http://{}", listener.local_addr()?);
    let portal = onboarding_portal::start(&config, environment, clock.clone(), &shutdown, &health).await?;
    let options = http::Options { workers: 1, drain: Duration::ZERO, ..http::Options::default() };
    let serving = http::serve_with(options, listener, shutdown.clone(), health, portal.routes());
    shutdown.supervise("http", serving);
    Ok((portal, url, shutdown))
}

fn config(database_url: &str, more: &[(&str, &str)]) -> anyhow::Result<Config> {
    let given = [
        ("BIND", "127.0.0.1:0"),
        ("ONBOARDING_DATABASE_URL", database_url),
        ("ONBOARDING_API_KEY", KEY),
        ("ONBOARDING_ADMIN_KEY", ADMIN_KEY),
        ("WEBHOOK_SECRET", SECRET),
        ("SMS_DATABASE__POOL_SIZE", "6"),
    ];
    let environment: BTreeMap<String, String> =
        given.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(load_from(DAEMON.defaults, DAEMON.variables, &environment)?)
}

pub(crate) fn company(id: &str) -> Value {
    json!({"id": id, "name": "Nordhavn Bulk AS", "imoCompanyNumber": "2041999", "country": "NO"})
}

pub(crate) fn vessel(id: &str, company: &str, imo: &str) -> Value {
    json!({"id": id, "companyId": company, "imoNumber": imo, "name": "Nordhavn Aurora", "flag": "NO",
           "vesselType": "bulk_carrier", "serviceStatus": "in_service", "grossTonnage": 40000})
}

pub(crate) fn equipment(id: &str, vessel: &str, unit: u32) -> Value {
    json!({"id": id, "vesselId": vessel, "code": "651.001", "unitNumber": unit, "name": "Auxiliary engine",
           "specs": {"ratedPowerKw": 1200, "fuel": "MGO"}, "isCritical": true, "criticalityBasis": "class",
           "isStandby": false, "serviceStatus": "in_service"})
}

pub(crate) fn user(id: &str, vessels: &[&str]) -> Value {
    json!({"id": id, "email": format!("{id}@nordhavn.example"), "familyName": "Nordmann", "rank": "Chief Engineer",
           "workplace": "ship", "companyId": "c-1", "vesselIds": vessels, "active": true})
}
