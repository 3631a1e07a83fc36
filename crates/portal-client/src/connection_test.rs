//! The way to the onboarding portal, step by step, for an operator who wants to know where it breaks.

use std::time::{Duration, Instant};

use contracts::provider::{ListQuery, VesselDraft};
use domain::clock::{Clock, SystemClock};
use reqwest::{Method, header::DATE};
use tokio::net::{TcpStream, lookup_host};

use crate::{ListedRecord, PortalClient, PortalError, page as answer};

/// A clock that is off by more than this makes every version suspect.
const WORST_SKEW: chrono::TimeDelta = chrono::TimeDelta::minutes(2);
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionStep {
    /// `name`, `connect`, `answer`, `key`, `sample`, `clock`.
    pub name: &'static str,
    /// What was seen; the error if it went wrong.
    pub seen: Result<String, String>,
    /// What to do about a failure.
    pub hint: Option<&'static str>,
    /// How long it took.
    pub took: Duration,
}

impl PortalClient {
    /// Tries the way to the portal. Ends with the first step that fails.
    pub async fn test_connection(&self) -> Vec<ConnectionStep> {
        let mut steps = Vec::new();
        self.walk(&mut steps).await;
        steps
    }

    async fn walk(&self, steps: &mut Vec<ConnectionStep>) -> Option<()> {
        let host = self.base().host_str().unwrap_or_default();
        let port = self.base().port_or_known_default().unwrap_or(80);

        let began = Instant::now();
        let found = limited(async { Ok(lookup_host((host, port)).await?.collect::<Vec<_>>()) }).await;
        let seen = found
            .as_ref()
            .map(|all| format!("{host} is {}", all.first().map(|a| a.ip().to_string()).unwrap_or_default()));
        let hint = "Check the host name in ONBOARDING_API_URL, and this machine's name service.";
        note(steps, "name", seen.map_err(Clone::clone), hint, began)?;

        let began = Instant::now();
        let addresses = found.unwrap_or_default();
        let connected = limited(TcpStream::connect(addresses.as_slice())).await;
        let hint =
            "Nothing listens there, or a firewall is in between. Check the port in ONBOARDING_API_URL.";
        note(steps, "connect", connected.map(|_| format!("port {port} is open")), hint, began)?;

        let began = Instant::now();
        let query = ListQuery { limit: Some(1), ..ListQuery::default() };
        let answer = self.send(Method::GET, VesselDraft::PATH, Some(&query)).await;
        let hint =
            "The port is open but HTTP fails: for https, check the certificate and that the port speaks TLS.";
        let seen = answer.as_ref().map(|r| format!("HTTP {}", r.status().as_u16())).map_err(explain);
        note(steps, "answer", seen, hint, began)?;
        let response = answer.ok()?;

        let status = response.status().as_u16();
        let date = response.headers().get(DATE).and_then(|d| d.to_str().ok()).map(str::to_owned);
        let (seen, hint) = match status {
            200..=299 => (Ok("the key is accepted".to_owned()), ""),
            401 => (
                Err("the key is not known".to_owned()),
                "Set ONBOARDING_API_KEY to the key that the portal issued.",
            ),
            403 => (
                Err("the key may not read".to_owned()),
                "Ask the portal's owner for the right to read the sync API.",
            ),
            404 => (
                Err("there is no such list".to_owned()),
                "ONBOARDING_API_URL should end where /sync/vessels begins, often with /api.",
            ),
            _ => (Err(format!("it answers {status}")), "The portal is in trouble; its own log will say why."),
        };
        note(steps, "key", seen, hint, Instant::now())?;

        let began = Instant::now();
        let sample = async {
            let body = answer::body(response, VesselDraft::PATH).await?;
            answer::page::<VesselDraft>(&body, VesselDraft::PATH)
        };
        let seen = sample.await.map(|page| match page.info.total {
            Some(total) => format!("it has {total} vessels"),
            None => "a page was read".to_owned(),
        });
        let hint = "The address answers, but not with the provider API. Compare it with the contract's OpenAPI document.";
        note(steps, "sample", seen.map_err(|e| explain(&e)), hint, began)?;

        let theirs = date.and_then(|d| chrono::DateTime::parse_from_rfc2822(&d).ok());
        let seen = match theirs.map(|t| SystemClock.now() - t.to_utc()) {
            None => Ok("the portal does not say its time".to_owned()),
            Some(skew) if skew.abs() <= WORST_SKEW => Ok(format!("{} s apart", skew.num_seconds().abs())),
            Some(skew) => Err(format!("{} s apart", skew.num_seconds().abs())),
        };
        let hint = "Set both clocks by NTP: versions and signatures are compared by time.";
        note(steps, "clock", seen, hint, Instant::now())
    }
}

fn note(
    steps: &mut Vec<ConnectionStep>,
    name: &'static str,
    seen: Result<String, String>,
    hint: &'static str,
    began: Instant,
) -> Option<()> {
    let failed = seen.is_err();
    steps.push(ConnectionStep { name, seen, hint: failed.then_some(hint), took: began.elapsed() });
    (!failed).then_some(())
}

async fn limited<T>(step: impl Future<Output = std::io::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(STEP_TIMEOUT, step).await {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err(format!("no answer within {} s", STEP_TIMEOUT.as_secs())),
    }
}

/// The error with its causes, on one line.
fn explain(error: &PortalError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
