//! The whole system, each service a process of its own, on databases and a vhost of its own.

use std::sync::Arc;

use anyhow::Context;
use serde_json::Value;
use testbed::{Servers, World, free_port, wait_until};
use uuid::Uuid;

use crate::daemon::{Daemon, run};
use crate::environment::{
    Environment, ONBOARDING_ADMIN_KEY, ONBOARDING_API_KEY, OPERATOR_JWT_SECRET, PASSWORD_SEAL_KEY, PATIENCE,
    WEBHOOK_SECRET,
};
use crate::tally::{RECORD_TYPES, Tally, is_balanced, tally, tally_of_json};
use crate::{Kind, Operator, Portal};

/// What the onboarding portal begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fleet {
    /// Nothing.
    Empty,
    /// The demo fleet, with its drafts and its records that are wrong on purpose.
    Demo,
    /// So many vessels, pieces of equipment and users, all approved and right.
    Of(u32, u32, u32),
}

/// What a test wants of its system.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What the onboarding portal begins with.
    pub fleet: Fleet,
    /// How many workers run.
    pub workers: usize,
    /// How many schedulers run.
    pub schedulers: usize,
    /// Records per page.
    pub page_size: u32,
    /// Waits before the second, third and fourth attempt.
    pub retry_delays_ms: [u32; 3],
    /// Whether `sms-sync up` runs all services in one process, in the place of separate ones.
    pub one_process: bool,
    /// Whether the portal knows where to send its webhooks.
    pub webhooks: bool,
    /// More settings of every service; those of OpenTelemetry also of the portal.
    pub environment: Vec<(&'static str, String)>,
    /// Servers of the test's own, which it may kill; otherwise those that all tests share.
    pub servers: Option<Arc<Servers>>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            fleet: Fleet::Of(7, 60, 24),
            workers: 1,
            schedulers: 1,
            page_size: 10,
            retry_delays_ms: [50, 50, 50],
            one_process: false,
            webhooks: false,
            environment: Vec::new(),
            servers: None,
        }
    }
}

/// The system, running. Its processes end with it, and its databases are gone.
#[derive(Debug)]
pub struct System {
    /// What others speak to: webhook-ingest and status, or all in one process.
    pub front: Vec<Daemon>,
    /// The clocks.
    pub schedulers: Vec<Daemon>,
    /// Those that do the work.
    pub workers: Vec<Daemon>,
    /// Where webhooks go.
    pub webhook_url: String,
    /// The other company's program.
    pub portal: Portal,
    /// Somebody who may do everything.
    pub operator: Operator,
    /// Of a worker.
    environment: Environment,
    /// Databases and vhost.
    pub world: World,
}

impl System {
    /// Starts all of it, and waits until all of it is ready.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        let world = world(setup.servers.as_ref()).await?;
        let Setup { page_size, retry_delays_ms: [first, second, third], .. } = setup;
        world
            .execute(&format!(
                "UPDATE settings SET page_size = {page_size}, retry_delays_ms = '{{{first},{second},{third}}}'"
            ))
            .await?;
        let (webhook_port, api_port) = match free_port() {
            port if setup.one_process => (port, port),
            port => (port, free_port()),
        };
        let webhook_url = format!("http://127.0.0.1:{webhook_port}/api/sync/webhook");
        let mut portal = portal(&world, &setup, &webhook_url).await?;

        let api_url = format!("{}/api", portal.daemon.url);
        let on = async |port, name: &str, arguments: &[&str]| {
            let mut environment = environment_of(name, &world, &api_url).await?;
            let more = setup.environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            environment.extend(more);
            Daemon::start_on(port, name, arguments, environment).await
        };
        let (mut front, mut schedulers, mut workers) = (Vec::new(), Vec::new(), Vec::new());
        if setup.one_process {
            front.push(on(api_port, "sms-sync", &["up"]).await?);
        } else {
            front.push(on(webhook_port, "webhook-ingest", &[]).await?);
            front.push(on(api_port, "status", &[]).await?);
            for _ in 0..setup.schedulers {
                schedulers.push(on(free_port(), "scheduler", &[]).await?);
            }
            for _ in 0..setup.workers {
                workers.push(on(free_port(), "worker", &[]).await?);
            }
        }
        let operator = Operator::at(format!("http://127.0.0.1:{api_port}")).await?;
        portal.daemon.ready().await?;
        for daemon in front.iter_mut().chain(&mut schedulers).chain(&mut workers) {
            daemon.ready().await?;
        }
        let mut environment = environment_of("worker", &world, &api_url).await?;
        environment.extend(setup.environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Ok(Self { front, schedulers, workers, webhook_url, portal, operator, environment, world })
    }

    /// One more worker, ready, with more settings.
    pub async fn start_worker(&mut self, more: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut environment = self.environment.clone();
        environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut worker = Daemon::start_on(free_port(), "worker", &[], environment).await?;
        worker.ready().await?;
        self.workers.push(worker);
        Ok(())
    }

    /// All of our processes.
    pub fn daemons(&self) -> impl Iterator<Item = &Daemon> {
        self.front.iter().chain(&self.schedulers).chain(&self.workers)
    }

    /// Rows of the maintenance portal's database.
    pub async fn rows(&self, sql: &str) -> anyhow::Result<Vec<Value>> {
        self.world.query_json(sql).await
    }

    /// How many rows there are, as `SELECT count(*) FROM` goes on.
    pub async fn count(&self, from: &str) -> anyhow::Result<i64> {
        let rows = self.rows(&format!("SELECT count(*) AS n FROM {from}")).await?;
        rows[0]["n"].as_i64().context("a count is a number")
    }

    /// Waits until the database answers a question with as many rows as wanted.
    pub async fn wait_for_rows(&self, what: &str, from: &str, number: i64) -> anyhow::Result<()> {
        wait_until(what, PATIENCE, async || match self.count(from).await {
            Ok(found) if found == number => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    /// The tally of a sync, after the API, the command line and the tables have given the same.
    pub async fn tally(&self, id: Uuid) -> anyhow::Result<Tally> {
        let of_api = tally(self.operator.sync(id).await?.summary.counts)?;
        let said = self.operator.cli(&["status", &id.to_string()]).await?;
        anyhow::ensure!(
            tally_of_json(said["counts"].clone())? == of_api,
            "the command line says {said}, the API {of_api:?}"
        );
        let rows = self
            .rows(&format!(
                r#"SELECT record_type AS "recordType", pages > 0 AS reached, * FROM sync_counts WHERE sync_id = '{id}'"#
            ))
            .await?;
        let of_tables = tally_of_json(Value::Array(rows))?;
        anyhow::ensure!(of_tables == of_api, "the tables say {of_tables:?}, the API {of_api:?}");
        Ok(of_api)
    }

    /// The tally of a full sync: the same by every way, nothing missing and nothing twice, and as many of every kind
    /// as the onboarding portal announces.
    pub async fn balanced_tally(&self, id: Uuid) -> anyhow::Result<Tally> {
        let tally = self.tally(id).await?;
        for word in RECORD_TYPES {
            let counts = tally.get(word).with_context(|| format!("no tally of {word}"))?;
            anyhow::ensure!(is_balanced(counts), "the tally of {word} does not add up: {counts:?}");
        }
        for (word, kind) in
            RECORD_TYPES.iter().zip([Kind::Companies, Kind::Vessels, Kind::Equipment, Kind::Users])
        {
            let announced = self.portal.total(kind).await?;
            anyhow::ensure!(tally[*word].read == announced, "{announced} {kind} announced: {tally:?}");
        }
        Ok(tally)
    }

    /// Fails unless a first full sync took effect once: every record that the portal announces was created, none was
    /// touched again, each is one row, and no task was done that its sync does not know.
    pub async fn assert_created_once(&self, id: Uuid) -> anyhow::Result<()> {
        let tally = self.balanced_tally(id).await?;
        for (word, counts) in &tally {
            assert_eq!(counts.created, counts.read, "{word}: {counts:?}");
        }
        for (word, table) in RECORD_TYPES.iter().zip(["companies", "vessels", "equipment", "users"]) {
            assert_eq!(self.count(table).await?, tally[*word].read, "rows of {table}");
        }
        let once = format!("sync_queue WHERE sync_id = '{id}' AND state <> 'done'");
        assert_eq!(self.count(&once).await?, 0, "tasks that are not done");
        assert_eq!(self.count("conflicts").await?, 0, "conflicts");
        Ok(())
    }

    /// Waits until a sync has read some of a list and not all of it.
    pub async fn in_the_middle(&self, id: Uuid, word: &str) -> anyhow::Result<()> {
        let sql = format!(
            "SELECT read > 0 AS some, read >= expected AS all FROM sync_counts
             WHERE sync_id = '{id}' AND record_type = '{word}'"
        );
        let too_late = wait_until(format!("the {word} list is half read"), PATIENCE, async || {
            let rows = self.rows(&sql).await.map_err(|error| format!("{error:#}"))?;
            let first = rows.first().ok_or("not begun")?;
            if first["some"] == true { Ok(first["all"] == true) } else { Err(format!("{rows:?}")) }
        })
        .await?;
        anyhow::ensure!(!too_late, "the {word} list was read before anybody could look");
        Ok(())
    }

    /// Waits until a process says that it is held at a step.
    pub async fn held(daemon: &Daemon, step: &str) -> anyhow::Result<()> {
        wait_until(format!("a worker is held at {step}"), PATIENCE, async || {
            let output = daemon.output();
            if output.contains("paused by SMS_WORKER_PAUSE_AT") { Ok(()) } else { Err("it is not") }
        })
        .await
    }
}

/// The environment of a program: each service as a user of its own in PostgreSQL and RabbitMQ, with the secrets that it needs
/// and no others.
async fn environment_of(program: &str, world: &World, api_url: &str) -> anyhow::Result<Environment> {
    let (database_url, amqp_url) = match SERVICES.iter().find(|(name, _)| *name == program) {
        Some((_, role)) => (world.database_url_of(role).await?, amqp_url_of(program, world).await?),
        None => (world.database_url.clone(), world.amqp_url().await?.to_owned()),
    };
    let secret: &[&str] = match program {
        "webhook-ingest" => &["WEBHOOK_SECRET"],
        "scheduler" => &[],
        "worker" => &["ONBOARDING_API_KEY", "PASSWORD_SEAL_KEY"],
        "status" => &["ONBOARDING_API_KEY", "PASSWORD_SEAL_KEY", "OPERATOR_JWT_SECRET"],
        _ => &["WEBHOOK_SECRET", "ONBOARDING_API_KEY", "PASSWORD_SEAL_KEY", "OPERATOR_JWT_SECRET"],
    };
    let secrets = [
        ("ONBOARDING_API_KEY", ONBOARDING_API_KEY),
        ("WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("OPERATOR_JWT_SECRET", OPERATOR_JWT_SECRET),
        ("PASSWORD_SEAL_KEY", PASSWORD_SEAL_KEY),
    ];
    let mut environment: Environment =
        [("SMS_ENV", "development"), ("DATABASE_URL", &database_url), ("AMQP_URL", &amqp_url)]
            .into_iter()
            .chain(secrets.into_iter().filter(|(name, _)| secret.contains(name)))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
    if secret.contains(&"ONBOARDING_API_KEY") {
        environment.insert("ONBOARDING_API_URL".to_owned(), api_url.to_owned());
    }
    Ok(environment)
}

/// The services, and their roles in PostgreSQL.
pub const SERVICES: [(&str, &str); 4] = [
    ("webhook-ingest", "sms_webhook_ingest"),
    ("scheduler", "sms_scheduler"),
    ("worker", "sms_worker"),
    ("status", "sms_status"),
];

/// The vhost for a service's user, with the rights of `deploy/rabbitmq/rights`.
pub async fn amqp_url_of(service: &str, world: &World) -> anyhow::Result<String> {
    let rights = include_str!("../../../deploy/rabbitmq/rights");
    let line = rights
        .lines()
        .map(str::split_whitespace)
        .find_map(|mut words| (words.next() == Some(service)).then(|| words.collect::<Vec<_>>()));
    let [configure, write, read] = line.with_context(|| format!("no rights of {service}"))?[..] else {
        anyhow::bail!("three rights of {service}")
    };
    let user = format!("sms_test_{service}");
    world.amqp_url_of(&user, [configure, write, read]).await
}

async fn world(servers: Option<&Arc<Servers>>) -> anyhow::Result<World> {
    let template = testbed::template_name("e2e_maintenance", "maintenance")?;
    let migrate = async |url: String| {
        let environment = [("DATABASE_URL", url), ("SMS_ENV", "development".to_owned())];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
        run("sms-sync", &["migrate"], &environment).await.map(drop)
    };
    match servers {
        Some(servers) => World::from_template_on(servers, &template, migrate).await,
        None => World::from_template(&template, migrate).await,
    }
}

async fn portal(world: &World, setup: &Setup, webhook_url: &str) -> anyhow::Result<Portal> {
    let environment = |url: String| -> Environment {
        [
            ("SMS_ENV", "development".to_owned()),
            ("ONBOARDING_DATABASE_URL", url),
            ("ONBOARDING_API_KEY", ONBOARDING_API_KEY.to_owned()),
            ("ONBOARDING_ADMIN_KEY", ONBOARDING_ADMIN_KEY.to_owned()),
            ("WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            // What was refused comes again within a test's patience.
            ("SMS_WEBHOOK__RETRY_AFTER_SECONDS", "0.5,1,2,5,5,5,5,5,5".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    };
    let template = testbed::template_name("e2e_onboarding", "onboarding")?;
    let migrate =
        async |url: String| run("onboarding-portal", &["migrate"], &environment(url)).await.map(drop);
    let database_url = world.another_database_from_template(&template, migrate).await?;
    let mut environment = environment(database_url.clone());
    let seed: Option<Vec<String>> = match setup.fleet {
        Fleet::Empty => None,
        Fleet::Demo => Some(vec!["seed".to_owned()]),
        Fleet::Of(vessels, equipment, users) => Some(vec![
            "seed".to_owned(),
            format!("--vessels={vessels}"),
            format!("--equipment={equipment}"),
            format!("--users={users}"),
        ]),
    };
    if let Some(arguments) = seed {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run("onboarding-portal", &arguments, &environment).await?;
    }
    let telemetry = setup.environment.iter().filter(|(name, _)| name.starts_with("OTEL_"));
    environment.extend(telemetry.map(|(name, value)| ((*name).to_owned(), value.clone())));
    if setup.webhooks {
        environment.insert("WEBHOOK_URL".to_owned(), webhook_url.to_owned());
    }
    let daemon = Daemon::start_on(free_port(), "onboarding-portal", &["serve"], environment).await?;
    Ok(Portal { daemon, database_url })
}
