//! `sms-sync migrate`: brings the schema of the maintenance portal's database up to date, makes the queues if it is told where
//! RabbitMQ is, and gives the roles of the services their logins: the services' own users may lack the right to.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use broker::Broker;
use clap::Args;
use domain::clock::Clock;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{ServiceRole, Store};
use url::Url;

use crate::{
    arguments::OutputFormat,
    output::{self, print},
    secrets::{refuse_weak, secret},
};

#[derive(Debug, Args)]
pub(super) struct MigrateOptions {
    /// File with the DATABASE_URL of a service: its role may sign in with the password of that URL from now on
    #[arg(long, value_name = "FILE")]
    login: Vec<PathBuf>,
}

pub(super) async fn run(
    clock: Arc<dyn Clock>,
    format: OutputFormat,
    options: &MigrateOptions,
) -> anyhow::Result<ExitCode> {
    // All are read before the first takes effect.
    let logins = options.login.iter().map(|path| login(path)).collect::<anyhow::Result<Vec<_>>>()?;
    // Without waiting for a server that is away: whoever runs the command sees at once what is wrong, and can repeat it.
    let owner_url = database_url()?;
    let broker_url = secret("AMQP_URL")?;
    for (name, url) in [("DATABASE_URL", Some(&owner_url)), ("AMQP_URL", broker_url.as_ref())] {
        url.map_or(Ok(()), |url| refuse_weak(name, url))?;
    }
    let store = Store::lazy(owner_url.expose_secret(), 1)?;
    let reached = store.reach().await;
    reached.context("cannot connect to the database that DATABASE_URL names")?;
    let migrated = store
        .migrate_and_tell(|met| {
            output::note(format!("a table is in use; trying again for up to five minutes: {met}"))
        })
        .await?;
    for (role, password) in &logins {
        let given = store.set_login(*role, password.expose_secret()).await;
        given.with_context(|| format!("cannot give {role} a login: the owner needs CREATEROLE"))?;
    }
    if let Some(url) = &broker_url {
        let broker = Broker::connect(url.clone(), "sms-sync", clock);
        broker.ping().await.context("cannot make the queues in the broker that AMQP_URL names")?;
    }
    let queues = broker_url.is_some();
    let logins: Vec<_> = logins.iter().map(|(role, _)| role.to_string()).collect();
    let answer = json!({ "migrated": format!("{migrated:?}"), "queues": queues, "logins": logins });
    print(format, &answer, |_answer| {
        output::line("the database schema is up to date");
        if !logins.is_empty() {
            output::line(format!("logins: {}", logins.join(", ")));
        }
        if queues {
            output::line("the queues are there");
        }
    });
    Ok(ExitCode::SUCCESS)
}

/// The role and the password of the URL in a file.
fn login(path: &Path) -> anyhow::Result<(ServiceRole, SecretString)> {
    let read = || {
        let text = std::fs::read_to_string(path)?;
        let url = SecretString::from(text.trim());
        refuse_weak("the URL", &url)?;
        let url = Url::parse(url.expose_secret())?;
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(String::from);
        let role = decoded(url.username())?.parse::<ServiceRole>()?;
        let password = url.password().context("the URL has no password")?;
        anyhow::Ok((role, SecretString::from(decoded(password)?)))
    };
    read().with_context(|| format!("{}: cannot give its role a login", path.display()))
}

/// The URL of the maintenance portal's database, from the environment.
pub(super) fn database_url() -> anyhow::Result<SecretString> {
    secret("DATABASE_URL")?.context("set DATABASE_URL or DATABASE_URL_FILE")
}
