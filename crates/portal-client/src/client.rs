//! The client: one request, one answer. Start reading here.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use contracts::provider::{Capabilities, ListQuery};
use domain::{SourceId, clock::Clock};
use opentelemetry::{global, propagation::Injector};
use reqwest::{
    Certificate, Method, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    ListedRecord, PortalError,
    body::{decode_body, read_body},
    circuit::{Circuit, CircuitOptions, CircuitState},
    outcome::RequestOutcome,
    page::{DecodedPage, RawPage, VesselRecords, decode_vessel_export},
};

const CAPABILITIES_PATH: &str = "sync/capabilities";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Characters of a problem's text that an error keeps.
const DETAIL_LIMIT: usize = 200;

#[derive(Debug, Clone)]
pub struct PortalOptions {
    /// Base URL of the API: `http://localhost:3001/api`.
    pub url: String,
    pub api_key: SecretString,
    /// Certificates in PEM, of authorities that are accepted beside the platform's.
    pub ca_file: Option<PathBuf>,
    /// From sending a request to the end of its answer.
    pub timeout: Duration,
    pub circuit: CircuitOptions,
}

/// The onboarding portal. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PortalClient {
    http: reqwest::Client,
    base_url: Url,
    pub(crate) circuit: Circuit,
    last_outcome: Arc<watch::Sender<Option<RequestOutcome>>>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The certificates of a file in PEM.
fn certificates(path: &Path) -> Result<Vec<Certificate>, PortalError> {
    let unusable =
        |what: String| PortalError::Unusable(format!("the certificates in {}: {what}", path.display()));
    let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if certificates.is_empty() => Err(unusable("there are none".to_owned())),
        read => read.map_err(|error| unusable(error.to_string())),
    }
}

impl PortalClient {
    /// A client of the portal at `options.url`. Sends no request yet.
    ///
    /// # Errors
    /// [`PortalError::Unusable`] for options that no request could be sent with.
    pub fn new(options: &PortalOptions, clock: Arc<dyn Clock>) -> Result<Self, PortalError> {
        let unusable = |e: &dyn std::fmt::Display| PortalError::Unusable(e.to_string());
        // Without the slash, joining a path would replace the last segment of the base.
        let base_url =
            Url::parse(&format!("{}/", options.url.trim_end_matches('/'))).map_err(|e| unusable(&e))?;
        let bearer = format!("Bearer {}", options.api_key.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|e| unusable(&e))?;
        bearer.set_sensitive(true);
        let http = reqwest::Client::builder()
            .user_agent(concat!("sms-sync/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(options.timeout)
            // A redirect would send the key to another host.
            .redirect(redirect::Policy::none())
            .tls_certs_merge(options.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default())
            .build()
            .map_err(|e| unusable(&e))?;
        let (circuit, last_outcome) = (Circuit::new(options.circuit), Arc::new(watch::Sender::new(None)));
        Ok(Self { http, base_url, circuit, last_outcome, clock })
    }

    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The state of the circuit breaker, and its changes.
    pub fn circuit(&self) -> watch::Receiver<CircuitState> {
        self.circuit.subscribe()
    }

    /// The outcome of the last request that was sent, and later ones.
    pub fn last_outcome(&self) -> watch::Receiver<Option<RequestOutcome>> {
        self.last_outcome.subscribe()
    }

    pub async fn fetch_page<D: ListedRecord>(
        &self,
        query: &ListQuery,
    ) -> Result<DecodedPage<D>, PortalError> {
        let page = self.fetch_raw_page(query).await?;
        Ok(DecodedPage { records: page.decode(), info: page.info })
    }

    /// Like [`Self::fetch_page`], without decoding the records.
    pub async fn fetch_raw_page<D: ListedRecord>(
        &self,
        query: &ListQuery,
    ) -> Result<RawPage<D>, PortalError> {
        let page: RawPage<D> =
            self.request_guarded(Method::GET, D::PATH, Some(query), RawPage::from_body).await?;
        if query.cursor.is_some() && page.info.next_cursor == query.cursor {
            let what = "the next cursor is the one that was sent, so paging would never end".to_owned();
            return Err(PortalError::Contract { path: D::PATH.to_owned(), what });
        }
        // A page of the whole list for one of a slice would be brought anew by every slice; the other way round, the rest of the
        // list would not come.
        let whole = Some("0/1");
        if page.info.slice.as_deref().or(whole) != query.slice.as_deref().or(whole) {
            let said = page.info.slice.as_deref().unwrap_or("none");
            let asked_for =
                query.slice.as_ref().map_or("the whole list".to_owned(), |it| format!("slice {it}"));
            let what = format!("{asked_for} was asked for, and the page says that it is of {said}");
            return Err(PortalError::Contract { path: D::PATH.to_owned(), what });
        }
        Ok(page)
    }

    /// What the portal says about itself. A portal need not know the question: the answer says nothing about its health, so
    /// neither the circuit nor the last outcome takes notice of it.
    pub async fn fetch_capabilities(&self) -> Result<Capabilities, PortalError> {
        let body = self.request(Method::GET, CAPABILITIES_PATH, None).await?;
        let said: serde_json::Map<String, serde_json::Value> = decode_body(&body, CAPABILITIES_PATH)?;
        Ok(Capabilities::lenient(said))
    }

    /// A vessel with its equipment and users.
    pub async fn fetch_vessel_export(&self, vessel: &SourceId) -> Result<VesselRecords, PortalError> {
        // A SourceId holds only characters that are safe in a path.
        let path = format!("sync/export/{vessel}");
        self.request_guarded(Method::POST, &path, None, |body| decode_vessel_export(body, &path)).await
    }

    /// Sends a request unless the circuit is open, decodes its answer, and records the result in the circuit.
    async fn request_guarded<T>(
        &self,
        method: Method,
        path: &str,
        query: Option<&ListQuery>,
        decode: impl FnOnce(&Bytes) -> Result<T, PortalError>,
    ) -> Result<T, PortalError> {
        let permit = self.circuit.acquire(Instant::now())?;
        let result = self.request(method, path, query).await.and_then(|body| decode(&body));
        permit.record_result(&result, Instant::now());
        let asks_for_one_record = query.is_none();
        if let Some(outcome) = RequestOutcome::of(&result, asks_for_one_record, self.clock.now()) {
            self.last_outcome.send_replace(Some(outcome));
        }
        result
    }

    #[tracing::instrument(skip_all, fields(otel.kind = "client", http.request.method = %method, url.path = path))]
    async fn request(
        &self,
        method: Method,
        path: &str,
        query: Option<&ListQuery>,
    ) -> Result<Bytes, PortalError> {
        let response = self.send(method, path, query).await?;
        let status = response.status();
        if status.is_success() {
            return read_body(response, path).await;
        }
        let retry_after = retry_after(response.headers(), self.clock.now());
        let problem = read_body(response, path).await.unwrap_or_default();
        Err(PortalError::Status {
            status: status.as_u16(),
            path: path.to_owned(),
            detail: problem_detail(&problem),
            retry_after,
        })
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        query: Option<&ListQuery>,
    ) -> Result<reqwest::Response, PortalError> {
        let url = self.base_url.join(path).map_err(|e| PortalError::Unusable(e.to_string()))?;
        let sent_at = Instant::now();
        let mut request = self.http.request(method, url).headers(trace_headers());
        if let Some(query) = query {
            request = request.query(query);
        }
        let answer = request.send().await;
        let class = match &answer {
            Ok(response) => format!("{}xx", response.status().as_u16() / 100),
            Err(_) => "none".to_owned(),
        };
        // Only the second segment becomes a label: the last one may be the id of a record.
        let endpoint = path.split('/').nth(1).unwrap_or_default().to_owned();
        metrics::histogram!("sms_onboarding_api_request_duration_seconds", "endpoint" => endpoint, "status_class" => class)
            .record(sent_at.elapsed().as_secs_f64());
        answer.map_err(|error| match error {
            // Nothing was sent, so it says nothing about the portal.
            unsent if unsent.is_builder() => PortalError::Unusable(unsent.without_url().to_string()),
            error => PortalError::NoAnswer(error),
        })
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    (date.to_utc() - now).to_std().ok()
}

/// The text of a problem (RFC 9457), shortened.
fn problem_detail(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = problem.get("detail").or(problem.get("title"))?.as_str()?;
    Some(text.chars().take(DETAIL_LIMIT).collect())
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
