//! The client against a provider that misbehaves.
#![expect(clippy::disallowed_types, reason = "tests hand in the machine's clock")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use contracts::provider::{EquipmentDraft, ListQuery, VesselDraft};
use domain::{FailureClass, clock::SystemClock};
use portal_client::{CircuitOptions, CircuitState, PortalClient, PortalError, PortalOptions};
use serde_json::json;
use testbed::{Answer, Cursors, Greeting, List, Provider, TlsFront};

async fn portal() -> (Provider, PortalClient) {
    let provider = Provider::start().await.expect("a port is free");
    let client = client(&provider.url());
    (provider, client)
}

fn client(url: &str) -> PortalClient {
    client_with_authority(url, None).expect("valid options")
}

fn client_with_authority(url: &str, ca_file: Option<PathBuf>) -> Result<PortalClient, PortalError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = PortalOptions {
        url: url.to_owned(),
        api_key: "key".to_owned().into(),
        ca_file,
        timeout: Duration::from_millis(500),
        circuit: CircuitOptions { failures: 3, open_for: Duration::from_millis(100) },
    };
    PortalClient::new(&options, Arc::new(SystemClock))
}

async fn failure(answer: Answer) -> PortalError {
    let (provider, client) = portal().await;
    provider.answer_next(List::Vessels, answer);
    client.fetch_page::<VesselDraft>(&ListQuery::default()).await.expect_err("the portal misbehaves")
}

#[tokio::test]
async fn a_query_is_sent_with_the_key_and_the_contracts_parameter_names() {
    let (provider, _) = portal().await;
    let query = ListQuery {
        limit: Some(7),
        updated_since: Some("2026-11-24T00:00:00Z".parse().unwrap()),
        ..ListQuery::default()
    };
    let page = client(&format!("{}/", provider.url())).fetch_page::<EquipmentDraft>(&query).await.unwrap();
    assert_eq!(page.info.total, Some(0));
    let requests = provider.requests();
    let [request] = &requests[..] else { panic!("one request: {requests:?}") };
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/api/sync/equipment"));
    assert_eq!(request.headers["authorization"], "Bearer key");
    let sent: Vec<_> = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent, [("limit", "7"), ("updatedSince", "2026-11-24T00:00:00Z")]);
}

#[tokio::test]
async fn a_server_error_is_transient_and_quotes_the_problem() {
    let problem = json!({"title": "Internal error", "detail": "disk full"});
    let error = failure(Answer::status(500).body(problem.to_string())).await;
    assert_eq!(error.class(), FailureClass::Transient);
    assert_eq!(error.to_string(), "the onboarding portal answered 500 to sync/vessels: disk full");
}

#[tokio::test]
async fn too_many_requests_carries_retry_after() {
    let error = failure(Answer::status(429).header("Retry-After", 17)).await;
    assert_eq!(
        (error.class(), error.retry_after()),
        (FailureClass::Transient, Some(Duration::from_secs(17)))
    );
}

#[tokio::test]
async fn a_refused_key_is_permanent() {
    assert_eq!(failure(Answer::status(401)).await.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn an_answer_that_ends_within_its_json_is_transient() {
    let error = failure(Answer::ok(r#"{"data":[{"id":"1","#)).await;
    assert!(matches!(error, PortalError::Unreadable { .. }), "{error}");
    assert_eq!(error.class(), FailureClass::Transient);
}

#[tokio::test]
async fn an_answer_whose_connection_was_cut_is_transient() {
    let page = r#"{"data":[],"page":{"limit":1}}"#;
    for cut in [Answer::disconnect(), Answer::ok(page).cut_after(0), Answer::ok(page).cut_after(12)] {
        let error = failure(cut).await;
        assert!(matches!(error, PortalError::NoAnswer(_)), "{error}");
        assert_eq!(error.class(), FailureClass::Transient);
    }
}

#[tokio::test]
async fn a_timeout_is_transient() {
    let error = failure(Answer::status(200).delay(Duration::from_secs(5))).await;
    assert!(matches!(error, PortalError::NoAnswer(_)), "{error}");
    assert_eq!(error.class(), FailureClass::Transient);
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let error = failure(Answer::status(302).header("Location", "http://elsewhere.invalid/")).await;
    assert_eq!(error.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn a_next_cursor_equal_to_the_sent_one_breaks_the_contract() {
    let (provider, client) = portal().await;
    provider.small_fleet();
    provider.cursors(List::Vessels, Cursors::Stuck);
    let query = ListQuery { limit: Some(1), ..ListQuery::default() };
    let first = client.fetch_page::<VesselDraft>(&query).await.unwrap();
    let query = ListQuery { cursor: first.info.next_cursor, ..query };
    let error = client.fetch_page::<VesselDraft>(&query).await.unwrap_err();
    assert!(matches!(error, PortalError::Contract { .. }), "{error}");
    assert_eq!(error.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn the_connection_test_ends_with_the_failed_step_and_a_hint() {
    let (provider, client) = portal().await;
    provider.fail_with(Some(401));
    let steps = client.test_connection().await;
    let last = steps.last().unwrap();
    assert_eq!((last.name, last.result.is_err()), ("key", true));
    assert!(last.hint.unwrap().contains("ONBOARDING_API_KEY"));
}

#[tokio::test]
async fn the_connection_test_passes_every_step_of_a_healthy_portal() {
    let (provider, client) = portal().await;
    provider.announce(List::Vessels, 40);
    let steps = client.test_connection().await;
    assert!(steps.iter().all(|step| step.result.is_ok()), "{steps:?}");
    let names: Vec<_> = steps.iter().map(|step| step.name).collect();
    assert_eq!(names, ["name", "connect", "answer", "key", "sample", "clock"]);
    assert_eq!(steps[4].result.as_deref(), Ok("it has 40 vessels"));
}

#[tokio::test]
async fn repeated_failures_open_the_circuit_until_a_request_succeeds() {
    let (provider, client) = portal().await;
    provider.fail_with(Some(503));
    let circuit = client.circuit();
    let query = ListQuery::default();
    for _ in 0..3 {
        assert!(matches!(client.fetch_page::<VesselDraft>(&query).await, Err(PortalError::Status { .. })));
    }
    assert!(matches!(&*circuit.borrow(), CircuitState::Open(said) if said.contains("503")));
    let Err(PortalError::CircuitOpen { retry_in }) = client.fetch_page::<VesselDraft>(&query).await else {
        panic!("the circuit is open")
    };
    assert_eq!(provider.requests().len(), 3);

    provider.fail_with(None);
    tokio::time::sleep(retry_in).await;
    client.fetch_page::<VesselDraft>(&query).await.unwrap();
    assert_eq!(*circuit.borrow(), CircuitState::Closed);
}

#[tokio::test]
async fn connection_test_counts_for_the_circuit_and_sends_nothing_while_it_is_open() {
    let (provider, client) = portal().await;
    provider.fail_with(Some(503));
    for _ in 0..3 {
        assert_eq!(client.test_connection().await.last().unwrap().name, "key");
    }
    assert!(matches!(&*client.circuit().borrow(), CircuitState::Open(said) if said.contains("503")));
    let steps = client.test_connection().await;
    let [step] = steps.as_slice() else { panic!("{steps:?}") };
    assert_eq!((step.name, step.result.is_err()), ("circuit", true));
    assert_eq!(provider.requests().len(), 3);
}

#[tokio::test]
async fn portal_with_a_private_authority_is_reached_only_by_who_names_it() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    let behind = provider.url().parse::<reqwest::Url>()?;
    let behind = behind.socket_addrs(|| None)?[0];
    let front = TlsFront::start(behind, "localhost", Greeting::None).await?;
    let url = format!("https://localhost:{}/api", front.address.port());
    let list = async |client: PortalClient| client.fetch_page::<VesselDraft>(&ListQuery::default()).await;

    let with = client_with_authority(&url, Some(front.authority.clone()))?;
    assert_eq!(list(with).await?.info.total, Some(0));
    let without = list(client(&url)).await.expect_err("an unknown authority");
    assert!(format!("{:#}", anyhow::Error::from(without)).contains("certificate"));

    let missing = client_with_authority(&url, Some("/nowhere/ca.pem".into())).expect_err("no such file");
    assert!(missing.to_string().contains("/nowhere/ca.pem"), "{missing}");
    Ok(())
}
