//! What the client makes of a provider that misbehaves.

use std::time::Duration;

use contracts::provider::{EquipmentDraft, ListQuery, VesselDraft};
use domain::FailureClass;
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
    PortalClient::new(&options).expect("the options are sound")
}

async fn failure(answer: ResponseTemplate) -> PortalError {
    let (_server, client) = portal(answer).await;
    client.page::<VesselDraft>(&ListQuery::default()).await.expect_err("the portal misbehaves")
}

#[tokio::test]
async fn an_empty_page_is_read_and_the_query_is_sent_as_the_contract_says() {
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
    let page = client(&format!("{}/api/", server.uri())).page::<EquipmentDraft>(&query).await.unwrap();
    assert_eq!(page.info.total, Some(0));
}

#[tokio::test]
async fn a_server_error_is_transient_and_says_what_the_portal_said() {
    let answer =
        ResponseTemplate::new(500).set_body_json(json!({"title": "Internal error", "detail": "disk full"}));
    let error = failure(answer).await;
    assert_eq!(error.class(), FailureClass::Transient);
    assert_eq!(error.to_string(), "the onboarding portal answered 500 to sync/vessels: disk full");
}

#[tokio::test]
async fn too_many_requests_carries_the_time_that_the_portal_asks_for() {
    let error = failure(ResponseTemplate::new(429).insert_header("Retry-After", "17")).await;
    assert_eq!(
        (error.class(), error.retry_after()),
        (FailureClass::Transient, Some(Duration::from_secs(17)))
    );
}

#[tokio::test]
async fn a_wrong_key_is_permanent() {
    assert_eq!(failure(ResponseTemplate::new(401)).await.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_transient() {
    let cut = ResponseTemplate::new(200).set_body_string(r#"{"data":[{"id":"1","#);
    assert_eq!(failure(cut).await.class(), FailureClass::Transient);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_transient() {
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
async fn a_cursor_that_leads_to_itself_breaks_the_contract() {
    let answer = ResponseTemplate::new(200)
        .set_body_json(json!({"data": [], "page": {"limit": 1, "nextCursor": "c"}}));
    let (_server, client) = portal(answer).await;
    let query = ListQuery { cursor: Some("c".into()), ..ListQuery::default() };
    let error = client.page::<VesselDraft>(&query).await.unwrap_err();
    assert!(matches!(error, PortalError::Contract { .. }), "{error}");
    assert_eq!(error.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn the_connection_test_ends_with_the_step_that_fails_and_a_hint() {
    let (_server, refused) = portal(ResponseTemplate::new(401)).await;
    let steps = refused.test_connection().await;
    let last = steps.last().unwrap();
    assert_eq!((last.name, last.seen.is_err()), ("key", true));
    assert!(last.hint.unwrap().contains("ONBOARDING_API_KEY"));

    let good =
        ResponseTemplate::new(200).set_body_json(json!({"data": [], "page": {"limit": 1, "total": 40}}));
    let (_server, client) = portal(good).await;
    let steps = client.test_connection().await;
    assert!(steps.iter().all(|step| step.seen.is_ok()), "{steps:?}");
    assert_eq!(steps[4].seen.as_deref(), Ok("it has 40 vessels"));
}

#[tokio::test]
async fn a_portal_that_fails_again_and_again_is_left_alone_and_then_tried_with_one_request() {
    let (server, client) = portal(ResponseTemplate::new(503)).await;
    let circuit = client.circuit();
    let query = ListQuery::default();
    for _ in 0..3 {
        assert!(matches!(client.page::<VesselDraft>(&query).await, Err(PortalError::Status { .. })));
    }
    assert!(matches!(&*circuit.borrow(), CircuitState::Open(said) if said.contains("503")));
    let Err(PortalError::CircuitOpen { retry_in }) = client.page::<VesselDraft>(&query).await else {
        panic!("it is not asked")
    };
    assert_eq!(server.received_requests().await.map(|all| all.len()), Some(3));

    server.reset().await;
    let page = json!({"data": [], "page": {"limit": 100}});
    let well = ResponseTemplate::new(200).set_body_json(page);
    Mock::given(method("GET")).respond_with(well).mount(&server).await;
    tokio::time::sleep(retry_in).await;
    client.page::<VesselDraft>(&query).await.unwrap();
    assert_eq!(*circuit.borrow(), CircuitState::Closed);
}
