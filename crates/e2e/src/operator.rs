//! An operator: at the API and at the command line.

use std::collections::BTreeMap;

use anyhow::Context;
use contracts::operator::{DeadLetter, DeadLetterDetail, Finding, List, SyncAccepted, SyncDetail};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use testbed::wait_until;
use uuid::Uuid;

use crate::daemon::run;
use crate::environment::PATIENCE;
use crate::environment::{OPERATOR_JWT_SECRET, http};

/// An operator who may do everything.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Where the API is.
    pub url: String,
    token: String,
}

impl Operator {
    /// With a token from the command line.
    pub(crate) async fn at(url: String) -> anyhow::Result<Self> {
        Ok(Self { url, token: mint("e2e").await?.0 })
    }

    /// For programs that ask in the operator's name.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Another one at the same system, and the id of the token.
    pub async fn other(&self, subject: &str) -> anyhow::Result<(Self, String)> {
        let (token, id) = mint(subject).await?;
        Ok((Self { url: self.url.clone(), token }, id))
    }

    /// Asks the API; status and answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = http()?.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
    }

    /// Watches the updates from now on.
    pub async fn updates(&self) -> anyhow::Result<Updates> {
        let asked = http()?.get(format!("{}/api/sync/updates", self.url)).bearer_auth(&self.token);
        Ok(Updates { stream: asked.send().await?.error_for_status()?, said: String::new() })
    }

    async fn take<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<T> {
        let (status, answer) = self.ask(method, path, body).await?;
        anyhow::ensure!(status.is_success(), "the API answered {status} to {path}: {answer}");
        serde_json::from_value(answer).context(path.to_owned())
    }

    /// An answer of the API.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.take(Method::GET, path, None).await
    }

    /// Starts a full sync, without a body.
    pub async fn trigger(&self) -> anyhow::Result<Uuid> {
        let accepted: SyncAccepted = self.take(Method::POST, "/api/sync/trigger", None).await?;
        Ok(accepted.sync_id)
    }

    /// A sync as it stands.
    pub async fn sync(&self, id: Uuid) -> anyhow::Result<SyncDetail> {
        self.get(&format!("/api/sync/status/{id}")).await
    }

    /// Waits until a sync has ended, through whatever the API goes in the meantime.
    pub async fn ended(&self, id: Uuid) -> anyhow::Result<SyncDetail> {
        wait_until(format!("the sync {id} has ended"), PATIENCE, async || {
            let detail = self.sync(id).await.map_err(|error| format!("{error:#}"))?;
            if detail.summary.completed_at.is_some() { Ok(detail) } else { Err(format!("{detail:#?}")) }
        })
        .await
    }

    /// Starts a full sync and waits until it has ended.
    pub async fn full_sync(&self) -> anyhow::Result<SyncDetail> {
        self.ended(self.trigger().await?).await
    }

    /// What was found about the records of a sync.
    pub async fn findings(&self, id: Uuid) -> anyhow::Result<Vec<Finding>> {
        let list: List<Finding> = self.get(&format!("/api/sync/syncs/{id}/findings?limit=200")).await?;
        Ok(list.data)
    }

    /// All dead letters, newest first.
    pub async fn dead_letters(&self) -> anyhow::Result<Vec<DeadLetter>> {
        let list: List<DeadLetter> = self.get("/api/sync/dead-letters?limit=200").await?;
        Ok(list.data)
    }

    /// A dead letter, whole.
    pub async fn dead_letter(&self, id: Uuid) -> anyhow::Result<DeadLetterDetail> {
        self.get(&format!("/api/sync/dead-letters/{id}")).await
    }

    /// What the command line answers to a program.
    pub async fn cli(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let environment = BTreeMap::from([
            ("API_URL".to_owned(), self.url.clone()),
            ("OPERATOR_TOKEN".to_owned(), self.token.clone()),
        ]);
        let arguments = [arguments, &["--output", "json"]].concat();
        let said = run("sms-sync", &arguments, &environment).await?;
        serde_json::from_str(&said).with_context(|| said)
    }
}

/// A token of an admin, and its id.
async fn mint(subject: &str) -> anyhow::Result<(String, String)> {
    let environment =
        BTreeMap::from([("OPERATOR_JWT_SECRET", OPERATOR_JWT_SECRET), ("SMS_ENV", "development")]);
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let arguments = ["token", "--subject", subject, "--role", "admin", "--output", "json"];
    let said: Value = serde_json::from_str(&run("sms-sync", &arguments, &environment.collect()).await?)?;
    let text = |name: &str| said[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    Ok((text("token")?, text("tokenId")?))
}

/// Server-sent events as they come.
#[derive(Debug)]
pub struct Updates {
    stream: reqwest::Response,
    said: String,
}

impl Updates {
    /// Waits for an event of this name; its data.
    pub async fn wait_for(&mut self, event: &str) -> anyhow::Result<Value> {
        let next = async {
            loop {
                while let Some((message, rest)) = self.said.split_once("\n\n") {
                    let field =
                        |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                    let found =
                        (field("event:") == Some(event)).then(|| field("data:").map(serde_json::from_str));
                    self.said = rest.to_owned();
                    if let Some(Some(data)) = found {
                        return Ok(data?);
                    }
                }
                let more = self.stream.chunk().await?.context("the updates have ended")?;
                self.said.push_str(std::str::from_utf8(&more)?);
            }
        };
        tokio::time::timeout(PATIENCE, next).await.with_context(|| format!("no update {event} came"))?
    }
}
