use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

use crate::{Servers, servers::USER_PASSWORD};

/// What one test has for itself: databases and a vhost, dropped with it.
///
/// It does not tie the test to a runtime: [`Drop`] cleans up on a thread of its own.
#[derive(Debug)]
pub struct World {
    /// The database of the maintenance portal.
    pub database_url: String,
    servers: On,
    name: String,
    databases: Mutex<Vec<String>>,
    onboarding: OnceCell<String>,
    amqp: OnceCell<String>,
    /// When the vhost was made.
    amqp_since: OnceLock<Instant>,
    /// The users of the vhost beside its owner, with their rights.
    users: Mutex<Vec<(String, [String; 3])>>,
}

#[derive(Debug, Clone)]
enum On {
    Shared(&'static Servers),
    Private(Arc<Servers>),
}

impl std::ops::Deref for On {
    type Target = Servers;
    fn deref(&self) -> &Servers {
        match self {
            On::Shared(servers) => servers,
            On::Private(servers) => servers,
        }
    }
}

/// A vhost is not deleted before it is so old. RabbitMQ starts a process for the dead letters of each queue, without telling when
/// it runs; two that find their queue gone within a second end the supervisor of all of them, and no queue works any more.
const VHOST_AGE: Duration = Duration::from_secs(2);

static COUNT: AtomicU32 = AtomicU32::new(0);
static SWEPT: OnceCell<()> = OnceCell::const_new();
const PREFIX: &str = "sms_world_";

impl World {
    /// A world with an empty database, on the shared servers.
    pub async fn empty() -> anyhow::Result<World> {
        Self::create(shared().await?, async |world: &World| world.another_database().await).await
    }

    /// A world whose database is a copy of a template, on the shared servers.
    ///
    /// `migrate` gets the URL of an empty database and makes the template of it, once for all test processes that
    /// come to these servers: a name must change with what `migrate` does, see [`crate::template_name`].
    pub async fn from_template<F: Future<Output = anyhow::Result<()>>>(
        name: &str,
        migrate: impl FnOnce(String) -> F,
    ) -> anyhow::Result<World> {
        let make = async |world: &World| world.another_database_from_template(name, migrate).await;
        Self::create(shared().await?, make).await
    }

    /// As [`World::empty`], on servers of the test's own.
    pub async fn empty_on(servers: &Arc<Servers>) -> anyhow::Result<World> {
        Self::create(private(servers), async |world: &World| world.another_database().await).await
    }

    /// As [`World::from_template`], on servers of the test's own.
    pub async fn from_template_on<F: Future<Output = anyhow::Result<()>>>(
        servers: &Arc<Servers>,
        name: &str,
        migrate: impl FnOnce(String) -> F,
    ) -> anyhow::Result<World> {
        let make = async |world: &World| world.another_database_from_template(name, migrate).await;
        Self::create(private(servers), make).await
    }

    async fn create(
        servers: On,
        make: impl AsyncFnOnce(&World) -> anyhow::Result<String>,
    ) -> anyhow::Result<World> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let random = &uuid::Uuid::now_v7().simple().to_string()[24..];
        let mut world = World {
            database_url: String::new(),
            servers,
            name: format!("{PREFIX}{}_{number}_{random}", std::process::id()),
            databases: Mutex::default(),
            onboarding: OnceCell::new(),
            amqp: OnceCell::new(),
            amqp_since: OnceLock::new(),
            users: Mutex::default(),
        };
        world.database_url = make(&world).await?;
        Ok(world)
    }

    /// One more empty database of this world.
    pub async fn another_database(&self) -> anyhow::Result<String> {
        self.create_database("template0").await
    }

    /// One more database of this world, as [`World::from_template`] makes it.
    pub async fn another_database_from_template<F: Future<Output = anyhow::Result<()>>>(
        &self,
        name: &str,
        migrate: impl FnOnce(String) -> F,
    ) -> anyhow::Result<String> {
        let template = format!("sms_template_{name}");
        ensure_template(&self.servers, &template, migrate).await?;
        self.create_database(&template).await
    }

    /// The database of the onboarding portal: empty, and there once it was asked for.
    pub async fn onboarding_database_url(&self) -> anyhow::Result<&str> {
        Ok(self.onboarding.get_or_try_init(|| self.another_database()).await?)
    }

    /// A vhost of this world's own, there once it was asked for.
    pub async fn amqp_url(&self) -> anyhow::Result<&str> {
        let create = async || {
            self.servers.create_vhost(&self.name).await.context("cannot create a vhost")?;
            self.amqp_since.get_or_init(Instant::now);
            anyhow::Ok(format!("{}/{}", self.servers.amqp_url, self.name))
        };
        Ok(self.amqp.get_or_try_init(create).await?)
    }

    /// The vhost for a user with these rights: patterns of the names that it may configure, write and read.
    pub async fn amqp_url_of(&self, user: &str, rights: [&str; 3]) -> anyhow::Result<String> {
        let url = of_user(self.amqp_url().await?, user)?;
        self.servers.grant(&self.name, user, rights).await.context("cannot make a user")?;
        let mut users = self.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        users.push((user.to_owned(), rights.map(str::to_owned)));
        Ok(url)
    }

    /// The database for a role that a migration has made. Roles belong to the whole server.
    pub async fn database_url_of(&self, role: &str) -> anyhow::Result<String> {
        let login = format!(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtext('roles'));
             ALTER ROLE {role} LOGIN PASSWORD '{USER_PASSWORD}'; COMMIT"
        );
        administer(&self.servers).await?.batch_execute(&login).await.with_context(|| login)?;
        of_user(&self.database_url, role)
    }

    /// Gives this world its vhost again, empty, after its broker came back without a disk.
    pub async fn restore_vhost(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.amqp.get().is_some(), "this world has no vhost yet");
        self.servers.create_vhost(&self.name).await.context("cannot create the vhost again")?;
        let users = self.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        for (user, rights) in &users {
            self.servers.grant(&self.name, user, rights.each_ref().map(String::as_str)).await?;
        }
        Ok(())
    }

    /// Rows of the maintenance portal's database as JSON objects, keyed by column.
    pub async fn query_json(&self, sql: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        Self::query_json_at(&self.database_url, sql).await
    }

    /// Rows of any database as JSON objects, keyed by column.
    pub async fn query_json_at(url: &str, sql: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        let client = connect(url).await?;
        let query = format!("SELECT to_jsonb(q)::text FROM (\n{}\n) q", sql.trim().trim_end_matches(';'));
        let rows = client.query(&query, &[]).await.with_context(|| sql.to_owned())?;
        rows.iter().map(|row| Ok(serde_json::from_str(row.try_get(0)?)?)).collect()
    }

    /// Runs statements in the maintenance portal's database.
    pub async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        Self::execute_at(&self.database_url, sql).await
    }

    /// Runs statements in any database.
    pub async fn execute_at(url: &str, sql: &str) -> anyhow::Result<()> {
        connect(url).await?.batch_execute(sql).await.with_context(|| sql.to_owned())
    }

    /// A connection of the test's own to the vhost, to look into queues or to publish what is wrong.
    pub async fn amqp_connection(&self) -> anyhow::Result<lapin::Connection> {
        let url = self.amqp_url().await?;
        Ok(lapin::Connection::connect(url, lapin::ConnectionProperties::default()).await?)
    }

    /// Publishes messages of a kind (the AMQP `type`) to a queue, and waits until the broker has all of them.
    pub async fn publish_to_queue(
        &self,
        queue: &str,
        kind: &str,
        bodies: impl IntoIterator<Item = Vec<u8>>,
    ) -> anyhow::Result<()> {
        let connection = self.amqp_connection().await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut confirms = Vec::new();
        for body in bodies {
            let properties = BasicProperties::default().with_type(kind.into());
            let options = BasicPublishOptions::default();
            confirms.push(channel.basic_publish("".into(), queue.into(), options, &body, properties).await?);
        }
        for confirm in confirms {
            confirm.await?;
        }
        connection.close(200, "published".into()).await.ok();
        Ok(())
    }

    /// How many consumers a queue or stream has. By the management API: AMQP 0-9-1 does not say it of a stream.
    pub async fn consumers(&self, queue: &str) -> anyhow::Result<usize> {
        let queues = self.servers.consumers(&self.name).await?;
        Ok(queues.iter().filter(|name| *name == queue).count())
    }

    /// How many messages of a queue wait for a consumer.
    pub async fn messages_ready(&self, queue: &str) -> anyhow::Result<u32> {
        let connection = self.amqp_connection().await?;
        let channel = connection.create_channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.into(), passive, FieldTable::default()).await?;
        let count = declared.message_count();
        connection.close(200, "looked".into()).await.ok();
        Ok(count)
    }

    async fn create_database(&self, template: &str) -> anyhow::Result<String> {
        let name = {
            let mut databases = self.databases.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let name = format!("{}_{}", self.name, databases.len());
            databases.push(name.clone());
            name
        };
        let server = administer(&self.servers).await?;
        let create = format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}""#);
        server.batch_execute(&create).await.with_context(|| create)?;
        Ok(format!("{}/{name}", self.servers.database_url))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let databases = std::mem::take(self.databases.get_mut().unwrap_or_else(|poison| poison.into_inner()));
        let vhost = self.amqp.get().map(|_| self.name.clone());
        if std::env::var_os("SMS_TEST_KEEP").is_some() {
            eprintln!("kept: {databases:?} {vhost:?} on {:?}", &*self.servers);
            return;
        }
        let servers = self.servers.clone();
        let age = self.amqp_since.get().map_or(VHOST_AGE, |since| since.elapsed());
        // Its own thread and runtime: the test's may be single-threaded, and is busy dropping this. What fails here
        // is found by the sweep of a later run.
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            let clean = async {
                if let Some(vhost) = vhost {
                    tokio::time::sleep(VHOST_AGE.saturating_sub(age)).await;
                    servers.delete_vhost(&vhost).await.ok();
                }
                drop_databases(&servers, &databases).await.ok();
            };
            runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), clean).await }).ok();
        })
        .join()
        .ok();
    }
}

/// The same place for another user.
fn of_user(url: &str, user: &str) -> anyhow::Result<String> {
    let mut url = reqwest::Url::parse(url)?;
    let named = url.set_username(user).and_then(|()| url.set_password(Some(USER_PASSWORD)));
    anyhow::ensure!(named.is_ok(), "{url} takes no user");
    Ok(url.into())
}

async fn shared() -> anyhow::Result<On> {
    install_tls_provider();
    let servers = Servers::shared().await?;
    SWEPT.get_or_init(|| sweep(servers)).await;
    Ok(On::Shared(servers))
}

fn private(servers: &Arc<Servers>) -> On {
    install_tls_provider();
    On::Private(Arc::clone(servers))
}

/// reqwest panics without one, and so would the code under test; a second installation changes nothing.
fn install_tls_provider() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

async fn connect(url: &str) -> anyhow::Result<tokio_postgres::Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.with_context(|| format!("cannot connect to {url}"))?;
    tokio::spawn(connection);
    Ok(client)
}

async fn administer(servers: &Servers) -> anyhow::Result<tokio_postgres::Client> {
    connect(&format!("{}/postgres", servers.database_url)).await
}

async fn drop_databases(servers: &Servers, names: &[String]) -> anyhow::Result<()> {
    let server = administer(servers).await?;
    for name in names {
        server.batch_execute(&format!(r#"DROP DATABASE IF EXISTS "{name}" WITH (FORCE)"#)).await?;
    }
    Ok(())
}

async fn ensure_template<F: Future<Output = anyhow::Result<()>>>(
    servers: &Servers,
    template: &str,
    migrate: impl FnOnce(String) -> F,
) -> anyhow::Result<()> {
    anyhow::ensure!(template.len() <= 60, "{template} is longer than PostgreSQL's names");
    let server = administer(servers).await?;
    let exists = "SELECT count(*) FROM pg_database WHERE datname = $1";
    if server.query_one(exists, &[&template]).await?.try_get::<_, i64>(0)? > 0 {
        return Ok(());
    }
    // The lock goes with the connection, however this ends.
    server.execute("SELECT pg_advisory_lock(hashtext($1))", &[&template]).await?;
    if server.query_one(exists, &[&template]).await?.try_get::<_, i64>(0)? > 0 {
        return Ok(());
    }
    let raw = format!("{template}_0");
    drop_databases(servers, std::slice::from_ref(&raw)).await?;
    server.batch_execute(&format!(r#"CREATE DATABASE "{raw}" TEMPLATE template0"#)).await?;
    migrate(format!("{}/{raw}", servers.database_url))
        .await
        .with_context(|| format!("cannot make {template}"))?;
    // Nothing may be connected to a template while it is copied: neither now nor later.
    server.batch_execute(&format!(r#"ALTER DATABASE "{raw}" ALLOW_CONNECTIONS false"#)).await?;
    server
        .execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", &[&raw])
        .await?;
    server.batch_execute(&format!(r#"ALTER DATABASE "{raw}" RENAME TO "{template}""#)).await?;
    Ok(())
}

/// Removes what tests that were killed have left.
async fn sweep(servers: &Servers) {
    let mut lives = std::collections::BTreeMap::new();
    let mut is_left_over = |name: &str| {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next()?.parse::<u32>().ok());
        owner.is_some_and(|id| !*lives.entry(id).or_insert_with(|| crate::process_lives(id)))
    };
    let databases = async {
        let rows = administer(servers).await?.query("SELECT datname::text FROM pg_database", &[]).await?;
        rows.iter().map(|row| Ok(row.try_get::<_, String>(0)?)).collect::<anyhow::Result<Vec<_>>>()
    };
    for name in databases.await.unwrap_or_default().into_iter().filter(|name| is_left_over(name)) {
        drop_databases(servers, &[name]).await.ok();
    }
    for name in servers.vhosts().await.unwrap_or_default().into_iter().filter(|name| is_left_over(name)) {
        servers.delete_vhost(&name).await.ok();
    }
}
