//! The client against a provider that misbehaves.
#![expect(clippy::disallowed_types, reason = "tests hand in the machine's clock")]

use std::{sync::Arc, time::Duration};

use contracts::provider::{EquipmentDraft, ListQuery, VesselDraft};
use domain::{FailureClass, clock::SystemClock};
use portal_client::{CircuitOptions, CircuitState, PortalClient, PortalError, PortalOptions};
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path, query_param},
};

async fn portal(answer: ResponseTemplate) -> (MockServer, PortalClient) {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(header("authorization", "Bearer key"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let client = client(&format!("{}/api", server.uri()));
    (server, client)
}

fn client(url: &str) -> PortalClient {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = PortalOptions {
        url: url.to_owned(),
        api_key: "key".to_owned().into(),
        timeout: Duration::from_millis(500),
        concurrency: 4,
        circuit: CircuitOptions { failures: 3, open_for: Duration::from_millis(100) },
    };
    PortalClient::new(&options, Arc::new(SystemClock)).expect("valid options")
}

async fn failure(answer: ResponseTemplate) -> PortalError {
    let (_server, client) = portal(answer).await;
    client.fetch_page::<VesselDraft>(&ListQuery::default()).await.expect_err("the portal misbehaves")
}

#[tokio::test]
async fn a_query_is_sent_with_the_contracts_parameter_names() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/api/sync/equipment"))
        .and(query_param("limit", "7"))
        .and(query_param("updatedSince", "2026-11-24T00:00:00Z"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({"data": [], "page": {"limit": 7, "total": 0}})),
        )
        .expect(1)
        .mount(&server)
        .await;
    let query = ListQuery {
        limit: Some(7),
        updated_since: Some("2026-11-24T00:00:00Z".parse().unwrap()),
        ..ListQuery::default()
    };
    let page = client(&format!("{}/api/", server.uri())).fetch_page::<EquipmentDraft>(&query).await.unwrap();
    assert_eq!(page.info.total, Some(0));
}

#[tokio::test]
async fn a_server_error_is_transient_and_quotes_the_problem() {
    let answer =
        ResponseTemplate::new(500).set_body_json(json!({"title": "Internal error", "detail": "disk full"}));
    let error = failure(answer).await;
    assert_eq!(error.class(), FailureClass::Transient);
    assert_eq!(error.to_string(), "the onboarding portal answered 500 to sync/vessels: disk full");
}

#[tokio::test]
async fn too_many_requests_carries_retry_after() {
    let error = failure(ResponseTemplate::new(429).insert_header("Retry-After", "17")).await;
    assert_eq!(
        (error.class(), error.retry_after()),
        (FailureClass::Transient, Some(Duration::from_secs(17)))
    );
}

#[tokio::test]
async fn a_refused_key_is_permanent() {
    assert_eq!(failure(ResponseTemplate::new(401)).await.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn an_answer_that_was_cut_is_transient() {
    let cut = ResponseTemplate::new(200).set_body_string(r#"{"data":[{"id":"1","#);
    assert_eq!(failure(cut).await.class(), FailureClass::Transient);
}

#[tokio::test]
async fn a_timeout_is_transient() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
    let error = failure(slow).await;
    assert!(matches!(error, PortalError::NoAnswer(_)), "{error}");
    assert_eq!(error.class(), FailureClass::Transient);
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let error =
        failure(ResponseTemplate::new(302).insert_header("Location", "http://elsewhere.invalid/")).await;
    assert_eq!(error.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn a_next_cursor_equal_to_the_sent_one_breaks_the_contract() {
    let answer = ResponseTemplate::new(200)
        .set_body_json(json!({"data": [], "page": {"limit": 1, "nextCursor": "c"}}));
    let (_server, client) = portal(answer).await;
    let query = ListQuery { cursor: Some("c".into()), ..ListQuery::default() };
    let error = client.fetch_page::<VesselDraft>(&query).await.unwrap_err();
    assert!(matches!(error, PortalError::Contract { .. }), "{error}");
    assert_eq!(error.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn the_connection_test_ends_with_the_failed_step_and_a_hint() {
    let (_server, client) = portal(ResponseTemplate::new(401)).await;
    let steps = client.test_connection().await;
    let last = steps.last().unwrap();
    assert_eq!((last.name, last.result.is_err()), ("key", true));
    assert!(last.hint.unwrap().contains("ONBOARDING_API_KEY"));
}

#[tokio::test]
async fn the_connection_test_passes_every_step_of_a_healthy_portal() {
    let page =
        ResponseTemplate::new(200).set_body_json(json!({"data": [], "page": {"limit": 1, "total": 40}}));
    let (_server, client) = portal(page).await;
    let steps = client.test_connection().await;
    assert!(steps.iter().all(|step| step.result.is_ok()), "{steps:?}");
    let names: Vec<_> = steps.iter().map(|step| step.name).collect();
    assert_eq!(names, ["name", "connect", "answer", "key", "sample", "clock"]);
    assert_eq!(steps[4].result.as_deref(), Ok("it has 40 vessels"));
}

#[tokio::test]
async fn repeated_failures_open_the_circuit_until_a_request_succeeds() {
    let (server, client) = portal(ResponseTemplate::new(503)).await;
    let circuit = client.circuit();
    let query = ListQuery::default();
    for _ in 0..3 {
        assert!(matches!(client.fetch_page::<VesselDraft>(&query).await, Err(PortalError::Status { .. })));
    }
    assert!(matches!(&*circuit.borrow(), CircuitState::Open(said) if said.contains("503")));
    let Err(PortalError::CircuitOpen { retry_in }) = client.fetch_page::<VesselDraft>(&query).await else {
        panic!("the circuit is open")
    };
    assert_eq!(server.received_requests().await.map(|all| all.len()), Some(3));

    server.reset().await;
    let page = json!({"data": [], "page": {"limit": 100}});
    let healthy = ResponseTemplate::new(200).set_body_json(page);
    Mock::given(method("GET")).respond_with(healthy).mount(&server).await;
    tokio::time::sleep(retry_in).await;
    client.fetch_page::<VesselDraft>(&query).await.unwrap();
    assert_eq!(*circuit.borrow(), CircuitState::Closed);
}
