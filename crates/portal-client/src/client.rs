//! The client: one request, one answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use contracts::provider::{EquipmentDraft, ListQuery, UserDraft, VesselDraft};
use domain::SourceId;
use opentelemetry::{global, propagation::Injector};
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, watch};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    PortalError,
    circuit::{Circuit, CircuitOptions, CircuitState},
    page::{self as answer, RecordsPage, UnreadPage, VesselRecords},
};

/// How to reach the onboarding portal.
#[derive(Debug, Clone)]
pub struct PortalOptions {
    /// Base of its API: `http://localhost:3001/api`.
    pub url: String,
    /// Its key for us.
    pub api_key: SecretString,
    /// For a whole answer.
    pub timeout: Duration,
    /// Requests at a time, over all tasks of the process.
    pub concurrency: usize,
    /// When a portal that fails is left alone.
    pub circuit: CircuitOptions,
}

/// A kind of record that the portal lists.
pub trait ListedRecord: DeserializeOwned + Send {
    /// Its path under the base.
    const PATH: &'static str;
    /// Whether it is about a person, whose data is kept out of findings.
    const IS_PERSON: bool = false;
}

impl ListedRecord for VesselDraft {
    const PATH: &'static str = "sync/vessels";
}
impl ListedRecord for EquipmentDraft {
    const PATH: &'static str = "sync/equipment";
}
impl ListedRecord for UserDraft {
    const PATH: &'static str = "sync/users";
    const IS_PERSON: bool = true;
}

/// The onboarding portal. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PortalClient {
    http: reqwest::Client,
    base: Url,
    permits: Arc<Semaphore>,
    circuit: Circuit,
}

impl PortalClient {
    /// A client of the portal at `options.url`. Sends nothing yet.
    pub fn new(options: &PortalOptions) -> Result<Self, PortalError> {
        let unusable = |e: &dyn std::fmt::Display| PortalError::Unusable(e.to_string());
        // Without the slash, joining a path would replace the last segment of the base.
        let base =
            Url::parse(&format!("{}/", options.url.trim_end_matches('/'))).map_err(|e| unusable(&e))?;
        let bearer = format!("Bearer {}", options.api_key.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|e| unusable(&e))?;
        bearer.set_sensitive(true);
        let http = reqwest::Client::builder()
            .user_agent(concat!("sms-sync/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
            .connect_timeout(Duration::from_secs(5))
            .timeout(options.timeout)
            // The key must not follow a redirect to somebody else.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|e| unusable(&e))?;
        let permits = Arc::new(Semaphore::new(options.concurrency));
        Ok(Self { http, base, permits, circuit: Circuit::new(options.circuit) })
    }

    /// The address of the portal's API.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The circuit towards the portal, and whenever it changes.
    pub fn circuit(&self) -> watch::Receiver<CircuitState> {
        self.circuit.watch()
    }

    /// One page of a list.
    pub async fn page<D: ListedRecord>(&self, query: &ListQuery) -> Result<RecordsPage<D>, PortalError> {
        let page = self.unread_page(query).await?;
        Ok(RecordsPage { records: page.read(), info: page.info })
    }

    /// One page of a list, whose records are still to be read.
    pub async fn unread_page<D: ListedRecord>(
        &self,
        query: &ListQuery,
    ) -> Result<UnreadPage<D>, PortalError> {
        let page =
            self.asked(Method::GET, D::PATH, Some(query), |body| answer::unread_page(body, D::PATH)).await?;
        if query.cursor.is_some() && page.info.next_cursor == query.cursor {
            let what = "the next cursor is the one that was sent, so paging would never end".to_owned();
            return Err(PortalError::Contract { path: D::PATH.to_owned(), what });
        }
        Ok(page)
    }

    /// A vessel with all that belongs to it.
    pub async fn vessel_export(&self, vessel: &SourceId) -> Result<VesselRecords, PortalError> {
        // Safe in a path: that is what a SourceId promises.
        let path = format!("sync/export/{vessel}");
        self.asked(Method::POST, &path, None, |body| answer::vessel_export(body, &path)).await
    }

    /// Asks, unless the circuit is open, and reads the answer; how that went is the circuit's to know.
    async fn asked<T>(
        &self,
        method: Method,
        path: &str,
        query: Option<&ListQuery>,
        read: impl FnOnce(&Bytes) -> Result<T, PortalError>,
    ) -> Result<T, PortalError> {
        let leave = self.circuit.enter(Instant::now())?;
        let result = self.ask(method, path, query).await.and_then(|body| read(&body));
        leave.settle(&result, Instant::now());
        result
    }

    #[tracing::instrument(skip_all, fields(otel.kind = "client", http.request.method = %method, url.path = path))]
    async fn ask(&self, method: Method, path: &str, query: Option<&ListQuery>) -> Result<Bytes, PortalError> {
        let response = self.send(method, path, query).await?;
        let status = response.status();
        if status.is_success() {
            return answer::body(response, path).await;
        }
        let retry_after = retry_after(response.headers());
        let problem = answer::body(response, path).await.unwrap_or_default();
        Err(PortalError::Status {
            status: status.as_u16(),
            path: path.to_owned(),
            detail: detail(&problem),
            retry_after,
        })
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        query: Option<&ListQuery>,
    ) -> Result<reqwest::Response, PortalError> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let url = self.base.join(path).map_err(|e| PortalError::Unusable(e.to_string()))?;
        let began = Instant::now();
        let mut request = self.http.request(method, url).headers(trace_headers());
        if let Some(query) = query {
            request = request.query(query);
        }
        let answer = request.send().await;
        let class = match &answer {
            Ok(response) => format!("{}xx", response.status().as_u16() / 100),
            Err(_) => "none".to_owned(),
        };
        // The path's last part may be a record's id, which must not become a label.
        let endpoint = path.split('/').nth(1).unwrap_or_default().to_owned();
        metrics::histogram!("sms_onboarding_api_request_duration_seconds", "endpoint" => endpoint, "status_class" => class)
            .record(began.elapsed().as_secs_f64());
        answer.map_err(PortalError::NoAnswer)
    }
}

/// `Retry-After` in seconds, or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    use domain::clock::Clock;
    (date.to_utc() - domain::clock::SystemClock.now()).to_std().ok()
}

/// What a problem (RFC 9457) says for itself; a few words of it.
fn detail(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = problem.get("detail").or(problem.get("title"))?.as_str()?;
    Some(text.chars().take(200).collect())
}

fn trace_headers() -> HeaderMap {
    struct Carrier(HeaderMap);
    impl Injector for Carrier {
        fn set(&mut self, key: &str, value: String) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value))
                && !value.is_empty()
            {
                self.0.insert(name, value);
            }
        }
    }
    let mut carrier = Carrier(HeaderMap::new());
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&Span::current().context(), &mut carrier)
    });
    carrier.0
}
