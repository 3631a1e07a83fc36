use std::{convert::Infallible, error::Error as _, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{HttpResponse, web};
use chassis::{
    auth::{Admin, OperatorKeys, Role, Viewer},
    config::Secret,
    health::Health,
    http::{JsonBody, Options},
    problem::{FieldError, Problem},
    shutdown::{Shutdown, ShutdownResult},
};
use futures_util::{StreamExt, stream};
use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

struct Server {
    address: SocketAddr,
    client: Client,
    shutdown: Shutdown,
    keys: OperatorKeys,
    /// Lets the answer to `/slow` go.
    gate: Arc<Notify>,
    /// Says that `/slow` was entered.
    entered: Arc<Notify>,
}

#[derive(Deserialize)]
struct Body {
    #[expect(dead_code, reason = "only its shape matters")]
    name: String,
}

#[derive(Deserialize)]
struct Page {
    #[expect(dead_code, reason = "only its shape matters")]
    limit: u32,
}

async fn boom() -> Result<HttpResponse, Problem> {
    let inner = std::io::Error::other("password=hunter2");
    Err(Problem::internal(inner))
}

async fn events(shutdown: web::Data<Shutdown>) -> HttpResponse {
    let first = stream::once(async { Ok::<_, Infallible>(web::Bytes::from("data: 1\n\n")) });
    let end = shutdown.soft().clone();
    let rest = stream::pending().take_until(end.cancelled_owned());
    HttpResponse::Ok().content_type("text/event-stream; charset=utf-8").streaming(first.chain(rest))
}

impl Server {
    fn start() -> Self {
        Self::start_with(Duration::ZERO)
    }

    fn start_with(drain: Duration) -> Self {
        chassis::install_tls();
        // The result is the same for every test of this process.
        let _telemetry = chassis::telemetry::init("test", "0");
        chassis::metrics::install();
        chassis::metrics::set_build_info("test", "0");
        let shutdown = Shutdown::manual();
        let listener = chassis::http::listen("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let keys = OperatorKeys::from_secret(&Secret::from("0123456789abcdef0123456789abcdef")).unwrap();
        let (gate, entered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let routes = {
            let data = (keys.clone(), shutdown.clone(), gate.clone(), entered.clone());
            move |app: &mut web::ServiceConfig| {
                let (keys, shutdown, gate, entered) = data.clone();
                app.app_data(web::Data::new(keys)).app_data(web::Data::new(shutdown));
                app.route("/things", web::post().to(|_: JsonBody<Body>| async { "stored" }))
                    .service(
                        web::resource("/things/{id}")
                            .route(web::get().to(|id: web::Path<u32>| async move { id.to_string() })),
                    )
                    .route("/pages", web::get().to(|_: web::Query<Page>| async { "a page" }))
                    .route("/boom", web::get().to(boom))
                    .route("/text", web::get().to(|| async { "sea ".repeat(1000) }))
                    .route("/events", web::get().to(events))
                    .route("/look", web::get().to(|who: Viewer| async move { who.subject().to_owned() }))
                    .route("/reveal", web::get().to(|_: Admin| async { "revealed" }))
                    .route(
                        "/invalid",
                        web::get().to(|| async {
                            let error = FieldError::new("#/scheduleCron", "cron", "has six fields");
                            Err::<HttpResponse, _>(Problem::invalid("Not a schedule.", vec![error]))
                        }),
                    )
                    .route(
                        "/busy",
                        web::get().to(|| async {
                            Err::<HttpResponse, _>(Problem::too_many_requests(Duration::from_millis(1500)))
                        }),
                    )
                    .route(
                        "/slow",
                        web::get().to(move || {
                            let (gate, entered) = (gate.clone(), entered.clone());
                            async move {
                                entered.notify_one();
                                gate.notified().await;
                                "at last"
                            }
                        }),
                    );
            }
        };
        let options = Options { workers: 1, body_limit: 1024, drain, ..Default::default() };
        let server = chassis::http::serve_with(options, listener, shutdown.clone(), Health::new(), routes);
        shutdown.supervise("http", server);
        let client = Client::builder().timeout(Duration::from_secs(20)).gzip(false).build().unwrap();
        Self { address, client, shutdown, keys, gate, entered }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }

    async fn stop(self) {
        self.shutdown.request("the test is over");
        assert_eq!(self.shutdown.finished().await, ShutdownResult::Clean);
    }
}

async fn problem(request: RequestBuilder, status: u16, code: &str) -> Value {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), status);
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    let request_id = header(&response, "x-request-id").to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["requestId"], request_id);
    assert_eq!(body["traceId"].as_str().map(str::len), Some(32), "{body}");
    assert_eq!(body["type"], "about:blank");
    body
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn framework_errors_are_answered_as_problems() {
    let server = Server::start();
    let missing = problem(server.get("/nowhere?token=x"), 404, "not_found").await;
    assert_eq!(missing["instance"], "/nowhere");
    problem(server.get("/things/abc"), 404, "not_found").await;
    problem(server.post("/things/1"), 405, "method_not_allowed").await;
    problem(server.get("/pages?limit=many"), 400, "invalid_query").await;
    problem(server.post("/things").body("{}"), 415, "unsupported_media_type").await;
    let json = |body: String| server.post("/things").header("content-type", "application/json").body(body);
    problem(json("{".into()), 400, "malformed_json").await;
    let shape = problem(json("{\"nom\":1}".into()), 422, "validation_failed").await;
    assert_eq!(shape["errors"][0]["pointer"], "#");
    problem(json(json!({ "name": "x".repeat(2000) }).to_string()), 413, "payload_too_large").await;
    server.stop().await;
}

#[tokio::test]
async fn problem_of_a_handler_carries_its_fields_and_retry_after() {
    let server = Server::start();
    let invalid = problem(server.get("/invalid"), 422, "validation_failed").await;
    assert_eq!(
        invalid["errors"],
        json!([{ "pointer": "#/scheduleCron", "code": "cron", "detail": "has six fields" }])
    );
    let response = server.get("/busy").send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (429, "2"));
    assert_eq!(response.json::<Value>().await.unwrap()["retryAfter"], 2);
    server.stop().await;
}

#[tokio::test]
async fn internal_error_keeps_its_cause_from_the_caller() {
    let server = Server::start();
    let body = problem(server.get("/boom"), 500, "internal_error").await;
    assert!(!body.to_string().contains("hunter2"));
    let inside = Problem::internal(std::io::Error::other("password=hunter2"));
    assert!(inside.source().is_some_and(|source| source.to_string().contains("hunter2")), "the log has it");
    server.stop().await;
}

#[tokio::test]
async fn request_id_and_trace_of_the_caller_are_continued() {
    let server = Server::start();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = server.get("/nowhere").header("x-request-id", "caller-1");
    let body =
        problem(request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01")), 404, "not_found")
            .await;
    assert_eq!((body["requestId"].as_str(), body["traceId"].as_str()), (Some("caller-1"), Some(trace)));
    let response = server.get("/text").header("x-request-id", "<script>").send().await.unwrap();
    assert_eq!(header(&response, "x-request-id").len(), 36, "a harmful one is replaced");
    server.stop().await;
}

#[tokio::test]
async fn answers_have_security_headers_and_only_streams_are_uncompressed() {
    let server = Server::start();
    let response = server.get("/text").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&response, "content-encoding"), "gzip");
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert!(header(&response, "content-security-policy").contains("default-src 'none'"));

    let response = server.get("/events").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&response, "content-encoding"), "");
    let first = response.bytes_stream().next().await.unwrap().unwrap();
    assert_eq!(first, "data: 1\n\n");
    server.stop().await;
}

#[tokio::test]
async fn handler_admits_sufficient_roles_and_names_them_otherwise() {
    let server = Server::start();
    let token = |role| server.keys.mint("ann", role, Duration::from_secs(60)).unwrap();
    let response = server.get("/look").send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "www-authenticate")), (401, "Bearer"));
    problem(server.get("/look").bearer_auth("x.y.z"), 401, "invalid_token").await;
    problem(server.get("/look").basic_auth("ann", Some("x")), 401, "token_missing").await;
    let response = server.get("/look").bearer_auth(token(Role::Viewer)).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "ann");
    let refused =
        problem(server.get("/reveal").bearer_auth(token(Role::Operator)), 403, "role_too_low").await;
    assert_eq!(refused["detail"], "You are operator; this can be done by an admin.");
    assert_eq!(server.get("/reveal").bearer_auth(token(Role::Admin)).send().await.unwrap().status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn probes_and_scrapes_are_answered() {
    let server = Server::start();
    for path in ["/livez", "/readyz", "/healthz", "/version"] {
        assert_eq!(server.get(path).send().await.unwrap().status(), 200, "{path}");
    }
    let verbose: Value = server.get("/readyz?verbose").send().await.unwrap().json().await.unwrap();
    assert_eq!(verbose, json!({ "status": "ready", "checks": [] }));
    server.get("/things/7").send().await.unwrap();
    let metrics = server.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("sms_build_info{service=\"test\",version=\"0\"} 1"), "{metrics}");
    assert!(metrics.contains("http_route=\"/things/{id}\",http_response_status_code=\"200\""), "{metrics}");
    assert!(!metrics.contains("/things/7"), "a label holds the route, not the path");
    chassis::check_ready(&server.address.to_string(), false).unwrap();
    server.stop().await;
}

#[tokio::test]
async fn shutdown_drains_then_finishes_requests_in_hand() {
    let server = Server::start_with(Duration::from_secs(2));
    let slow = tokio::spawn(server.get("/slow").send());
    let mut events = server.get("/events").send().await.unwrap().bytes_stream();
    events.next().await.unwrap().unwrap();
    server.entered.notified().await;

    server.shutdown.request("a test");
    // While it drains it still answers, and says that it is not ready.
    loop {
        let response = server.get("/readyz").send().await.unwrap();
        if response.status() == 503 {
            assert_eq!(response.headers()["connection"], "close");
            assert_eq!(response.json::<Value>().await.unwrap()["status"], "draining");
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(events.next().await.is_none(), "the stream of events ended with the soft stage");
    server.gate.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().text().await.unwrap(), "at last");
    assert_eq!(server.shutdown.finished().await, ShutdownResult::Clean);
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err(), "the port is closed");
}

#[test]
fn problem_has_one_schema_in_the_openapi_document() {
    #[utoipa::path(get, path = "/x", responses((status = 401, body = Problem)))]
    #[expect(dead_code, reason = "only its description matters")]
    async fn handler() {}
    #[derive(utoipa::OpenApi)]
    #[openapi(paths(handler))]
    struct Document;
    let document = serde_json::to_value(<Document as utoipa::OpenApi>::openapi()).unwrap();
    let reference = document.pointer("/paths/~1x/get/responses/401/content/application~1json/schema/$ref");
    assert_eq!(reference, Some(&json!("#/components/schemas/Problem")), "{document:#}");
    assert!(document.pointer("/components/schemas/Problem/properties/traceId").is_some(), "{document:#}");
    assert!(document.pointer("/components/schemas/FieldError").is_some(), "{document:#}");
}
