//! The connection test: a request to the onboarding portal, step by step, so that an operator sees which step fails.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use chrono::{DateTime, FixedOffset, TimeDelta};
use contracts::provider::{ListQuery, VesselDraft};
use reqwest::{Method, Response, StatusCode, header::DATE};
use tokio::net::{TcpStream, lookup_host};

use crate::{
    ListedRecord, PortalClient, PortalError, body::read_body, circuit::CircuitPermit, page::decode_page,
};

/// A larger difference between both clocks makes versions of records doubtful.
const CLOCK_SKEW_LIMIT: TimeDelta = TimeDelta::minutes(2);
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionStep {
    /// `circuit` if it is open; else `name`, `connect`, `answer`, `key`, `sample`, `clock`.
    pub name: &'static str,
    /// What was found, or the error.
    pub result: Result<String, String>,
    /// What to do about a failure.
    pub hint: Option<&'static str>,
    pub duration: Duration,
}

impl PortalClient {
    /// Runs the steps in order, up to the first that fails. The circuit breaker counts the request like any other, and
    /// while it is open none is sent: a test that operators repeat must not press a portal that is down.
    pub async fn test_connection(&self) -> Vec<ConnectionStep> {
        let mut test = ConnectionTest { client: self, steps: Vec::new() };
        let _failed_step = test.run().await;
        test.steps
    }
}

struct ConnectionTest<'c> {
    client: &'c PortalClient,
    steps: Vec<ConnectionStep>,
}

/// Each step returns `None` if it failed, which ends the test.
impl ConnectionTest<'_> {
    async fn run(&mut self) -> Option<()> {
        let client = self.client;
        let permit = match client.circuit.acquire(Instant::now()) {
            Ok(permit) => permit,
            Err(error) => return self.refuse(&error),
        };
        let addresses = self.resolve_name().await?;
        self.connect(&addresses).await?;
        let response = self.request_vessel(permit).await?;
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let portal_time = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        self.check_key(response.status())?;
        self.read_sample(response).await?;
        self.compare_clocks(portal_time)
    }

    async fn resolve_name(&mut self) -> Option<Vec<SocketAddr>> {
        let (host, port) = self.host_and_port();
        let began = Instant::now();
        let lookup = async { Ok(lookup_host((host.as_str(), port)).await?.collect::<Vec<_>>()) };
        let addresses = within_timeout(lookup).await;
        let result = addresses
            .as_ref()
            .map(|all| format!("{host} is {}", all.first().map(|a| a.ip().to_string()).unwrap_or_default()))
            .map_err(Clone::clone);
        let hint = "Check the host name in ONBOARDING_API_URL, and this machine's name service.";
        self.add_step("name", result, hint, began)?;
        addresses.ok()
    }

    async fn connect(&mut self, addresses: &[SocketAddr]) -> Option<()> {
        let (_, port) = self.host_and_port();
        let began = Instant::now();
        let connected = within_timeout(TcpStream::connect(addresses)).await;
        let hint =
            "Nothing listens there, or a firewall is in between. Check the port in ONBOARDING_API_URL.";
        self.add_step("connect", connected.map(|_| format!("port {port} is open")), hint, began)
    }

    /// The circuit is open.
    fn refuse(&mut self, error: &PortalError) -> Option<()> {
        let wait = match error {
            PortalError::CircuitOpen { retry_in } => retry_in.as_secs().max(1),
            _ => 1,
        };
        let hint =
            "The portal failed repeatedly, so it gets no requests for a while. Test again after that time.";
        let result = Err(format!("open for another {wait} s; no request was sent"));
        self.add_step("circuit", result, hint, Instant::now())
    }

    async fn request_vessel(&mut self, permit: CircuitPermit<'_>) -> Option<Response> {
        let began = Instant::now();
        let query = ListQuery { limit: Some(1), ..ListQuery::default() };
        let answer = self.client.send(Method::GET, VesselDraft::PATH, Some(&query)).await;
        permit.record_answer(&answer, Instant::now());
        let result =
            answer.as_ref().map(|r| format!("HTTP {}", r.status().as_u16())).map_err(error_with_causes);
        let hint =
            "The port is open but HTTP fails: for https, check the certificate and that the port speaks TLS.";
        self.add_step("answer", result, hint, began)?;
        answer.ok()
    }

    fn check_key(&mut self, status: StatusCode) -> Option<()> {
        let (result, hint) = match status.as_u16() {
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
            status => {
                (Err(format!("it answers {status}")), "The portal is in trouble; its own log will say why.")
            }
        };
        self.add_step("key", result, hint, Instant::now())
    }

    async fn read_sample(&mut self, response: Response) -> Option<()> {
        let began = Instant::now();
        let page = match read_body(response, VesselDraft::PATH).await {
            Ok(body) => decode_page::<VesselDraft>(&body),
            Err(error) => Err(error),
        };
        let result = page.map(|page| match page.info.total {
            Some(total) => format!("it has {total} vessels"),
            None => "a page was read".to_owned(),
        });
        let hint = "The address answers, but not with the provider API. Compare it with the contract's OpenAPI document.";
        self.add_step("sample", result.map_err(|error| error_with_causes(&error)), hint, began)
    }

    fn compare_clocks(&mut self, portal_time: Option<DateTime<FixedOffset>>) -> Option<()> {
        let result = match portal_time.map(|time| self.client.clock.now() - time.to_utc()) {
            None => Ok("the portal does not say its time".to_owned()),
            Some(skew) if skew.abs() <= CLOCK_SKEW_LIMIT => {
                Ok(format!("{} s apart", skew.num_seconds().abs()))
            }
            Some(skew) => Err(format!("{} s apart", skew.num_seconds().abs())),
        };
        let hint = "Set both clocks by NTP: versions and signatures are compared by time.";
        self.add_step("clock", result, hint, Instant::now())
    }

    fn host_and_port(&self) -> (String, u16) {
        let url = self.client.base_url();
        (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or(80))
    }

    fn add_step(
        &mut self,
        name: &'static str,
        result: Result<String, String>,
        hint: &'static str,
        began: Instant,
    ) -> Option<()> {
        let failed = result.is_err();
        let hint = failed.then_some(hint);
        self.steps.push(ConnectionStep { name, result, hint, duration: began.elapsed() });
        (!failed).then_some(())
    }
}

async fn within_timeout<T>(step: impl Future<Output = std::io::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(STEP_TIMEOUT, step).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", STEP_TIMEOUT.as_secs())),
    }
}

/// The error with its causes, on one line.
fn error_with_causes(error: &PortalError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
