use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Command;
use tokio::sync::OnceCell;

/// A PostgreSQL and a RabbitMQ server, both on the loopback interface.
///
/// Private ones are stopped and their data is deleted when this value is dropped.
#[derive(Debug)]
pub struct Servers {
    pub(crate) database_url: String,
    pub(crate) amqp_url: String,
    pub(crate) management_url: String,
    /// Where `servers.sh` keeps them; nothing for servers that someone else started.
    directory: Option<PathBuf>,
    private: bool,
}

static SHARED: OnceCell<Servers> = OnceCell::const_new();
static PRIVATE: AtomicU32 = AtomicU32::new(0);

impl Servers {
    /// The servers that all tests of the workspace share; the first to ask starts them.
    ///
    /// `SMS_TEST_SERVERS` may name a `servers.env` of servers that run already.
    pub async fn shared() -> anyhow::Result<&'static Servers> {
        SHARED
            .get_or_try_init(async || match std::env::var_os("SMS_TEST_SERVERS") {
                Some(file) => Self::read(Path::new(&file), None, false),
                None => Self::start(crate::workspace_root().join(".local/test"), false).await,
            })
            .await
    }

    /// Servers for one test alone, which may kill them. They need some ten seconds to start.
    pub async fn private() -> anyhow::Result<Servers> {
        let parent = crate::workspace_root().join(".local/test-private");
        sweep(&parent).await;
        let number = PRIVATE.fetch_add(1, Ordering::Relaxed);
        Self::start(parent.join(format!("{}-{number}", std::process::id())), true).await
    }

    /// Kills RabbitMQ with SIGKILL.
    pub async fn kill_broker(&self) -> anyhow::Result<()> {
        self.disturb("kill-rabbitmq").await
    }

    /// Returns when RabbitMQ has written down which queues it has. It does so half a second late, and a queue that was
    /// declared just before it is killed would have no leader ever after.
    pub async fn settle_broker(&self) -> anyhow::Result<()> {
        self.disturb("settle-rabbitmq").await
    }

    /// Starts RabbitMQ on its old port and data, and returns when it accepts connections.
    pub async fn start_broker(&self) -> anyhow::Result<()> {
        self.disturb("start-rabbitmq").await
    }

    /// Has RabbitMQ raise the alarm of too little memory: it takes no messages until [`Servers::unblock_broker`].
    pub async fn block_broker(&self) -> anyhow::Result<()> {
        self.disturb("block-rabbitmq").await
    }

    /// Ends the alarm.
    pub async fn unblock_broker(&self) -> anyhow::Result<()> {
        self.disturb("unblock-rabbitmq").await
    }

    /// The connections to RabbitMQ, by the names that its clients give them.
    pub async fn broker_connections(&self) -> anyhow::Result<Vec<String>> {
        let listed: Vec<serde_json::Value> =
            serde_json::from_str(&self.manage(reqwest::Method::GET, "connections", "").await?)?;
        let mut names: Vec<String> = listed
            .iter()
            .filter_map(|it| it["client_properties"]["connection_name"].as_str().map(str::to_owned))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Kills RabbitMQ and takes its disk away: [`Servers::start_broker`] starts one that knows nothing, on the old port
    /// and with the old password.
    pub async fn wipe_broker(&self) -> anyhow::Result<()> {
        self.disturb("wipe-rabbitmq").await
    }

    /// Kills PostgreSQL with SIGKILL, all of its processes.
    pub async fn kill_database(&self) -> anyhow::Result<()> {
        self.disturb("kill-postgres").await
    }

    /// Starts PostgreSQL on its old port and data, and returns when it accepts connections.
    pub async fn start_database(&self) -> anyhow::Result<()> {
        self.disturb("start-postgres").await
    }

    async fn disturb(&self, verb: &str) -> anyhow::Result<()> {
        match &self.directory {
            Some(directory) if self.private => servers_script(verb, directory, &[]).await,
            _ => bail!("{verb} is for Servers::private(): these servers belong to other tests too"),
        }
    }

    async fn start(directory: PathBuf, private: bool) -> anyhow::Result<Servers> {
        servers_script("start", &directory, &["test"]).await?;
        Self::read(&directory.join("servers.env"), Some(directory), private)
    }

    fn read(file: &Path, directory: Option<PathBuf>, private: bool) -> anyhow::Result<Servers> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
                .with_context(|| format!("{} does not name {name}", file.display()))
        };
        Ok(Servers {
            database_url: value("DATABASE_SERVER_URL")?,
            amqp_url: value("AMQP_SERVER_URL")?,
            management_url: value("RABBITMQ_MANAGEMENT_URL")?,
            directory,
            private,
        })
    }

    pub(crate) async fn create_vhost(&self, name: &str) -> anyhow::Result<()> {
        self.manage(reqwest::Method::PUT, &format!("vhosts/{name}"), "{}").await?;
        let user = reqwest::Url::parse(&self.management_url)?.username().to_owned();
        let everything = r#"{"configure":".*","write":".*","read":".*"}"#;
        self.manage(reqwest::Method::PUT, &format!("permissions/{name}/{user}"), everything).await?;
        Ok(())
    }

    /// Lets a user, which every world shares, do this in a vhost: patterns of names.
    pub(crate) async fn grant(
        &self,
        vhost: &str,
        user: &str,
        [configure, write, read]: [&str; 3],
    ) -> anyhow::Result<()> {
        let password = format!(r#"{{"password":"{USER_PASSWORD}","tags":""}}"#);
        self.manage(reqwest::Method::PUT, &format!("users/{user}"), &password).await?;
        let rights = serde_json::json!({"configure": configure, "write": write, "read": read});
        self.manage(reqwest::Method::PUT, &format!("permissions/{vhost}/{user}"), &rights.to_string())
            .await?;
        Ok(())
    }

    pub(crate) async fn delete_vhost(&self, name: &str) -> anyhow::Result<()> {
        self.manage(reqwest::Method::DELETE, &format!("vhosts/{name}"), "").await.map(drop)
    }

    pub(crate) async fn vhosts(&self) -> anyhow::Result<Vec<String>> {
        let answer = self.manage(reqwest::Method::GET, "vhosts?columns=name", "").await?;
        let list: Vec<serde_json::Value> = serde_json::from_str(&answer)?;
        Ok(list.iter().filter_map(|vhost| Some(vhost["name"].as_str()?.to_owned())).collect())
    }

    /// The queue of each consumer in a vhost.
    pub(crate) async fn consumers(&self, vhost: &str) -> anyhow::Result<Vec<String>> {
        let answer = self.manage(reqwest::Method::GET, &format!("consumers/{vhost}"), "").await?;
        let list: Vec<serde_json::Value> = serde_json::from_str(&answer)?;
        Ok(list.iter().filter_map(|it| Some(it["queue"]["name"].as_str()?.to_owned())).collect())
    }

    async fn manage(&self, method: reqwest::Method, path: &str, body: &str) -> anyhow::Result<String> {
        // A client for each request: connections that outlive the runtime of one test fail in the next.
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
        let request = client.request(method, format!("{}/api/{path}", self.management_url));
        let request = request.header("content-type", "application/json").body(body.to_owned());
        Ok(request.send().await?.error_for_status()?.text().await?)
    }
}

/// The password of users with less than all rights.
pub(crate) const USER_PASSWORD: &str = "of-a-test-and-nobody-else";

impl Drop for Servers {
    fn drop(&mut self) {
        if let (true, Some(directory)) = (self.private, &self.directory) {
            let ended = std::process::Command::new(script()).arg("destroy").arg(directory).status();
            if ended.is_ok_and(|status| status.success()) {
                std::fs::remove_dir_all(directory).ok();
            }
        }
    }
}

fn script() -> PathBuf {
    crate::workspace_root().join("deploy/local/servers.sh")
}

async fn servers_script(verb: &str, directory: &Path, more: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(script());
    command.arg(verb).arg(directory).args(more).stdin(Stdio::null());
    let output = command.output().await.context("cannot run deploy/local/servers.sh")?;
    if !output.status.success() {
        bail!("servers.sh {verb} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Ends the private servers of tests that were killed themselves.
async fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.split('-').next().and_then(|id| id.parse().ok());
        if owner.is_some_and(|id| !crate::process_lives(id))
            && servers_script("destroy", &entry.path(), &[]).await.is_ok()
        {
            std::fs::remove_dir_all(entry.path()).ok();
        }
    }
}
