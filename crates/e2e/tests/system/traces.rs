//! Traces, as an OpenTelemetry collector receives them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use e2e::{Fleet, Kind, PATIENCE, Portal, Setup, System};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as AnyValue,
};
use prost::Message;
use serde_json::json;
use testbed::wait_until;

/// A span as it was received.
#[derive(Debug, Clone)]
struct ReceivedSpan {
    service: String,
    version: String,
    name: String,
    trace: String,
    id: String,
    parent: String,
    sync: Option<String>,
}

/// A collector that keeps what it receives.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ReceivedSpan>>>);

impl Collector {
    /// Listens on a port of its own until the test ends; its URL.
    fn start(&self) -> anyhow::Result<String> {
        let spans = self.clone();
        let server = HttpServer::new(move || {
            let limit = web::PayloadConfig::new(64 * 1024 * 1024);
            let received = async |spans: web::Data<Collector>, body: web::Bytes| {
                spans.take(&body);
                HttpResponse::Ok().content_type("application/x-protobuf").finish()
            };
            App::new()
                .app_data(web::Data::new(spans.clone()))
                .app_data(limit)
                .route("/v1/traces", web::post().to(received))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0")?;
        let address = server.addrs()[0];
        tokio::spawn(server.run());
        Ok(format!("http://{address}"))
    }

    fn take(&self, body: &[u8]) {
        let request = ExportTraceServiceRequest::decode(body).expect("spans as OTLP");
        let mut spans = self.0.lock().expect("no test panics with the lock");
        for of_process in request.resource_spans {
            let resource = attributes(of_process.resource.map(|it| it.attributes).unwrap_or_default());
            let of_resource = |name: &str| resource.get(name).cloned().unwrap_or_default();
            for span in of_process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                spans.push(ReceivedSpan {
                    service: of_resource("service.name"),
                    version: of_resource("service.version"),
                    name: span.name,
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    sync: attributes(span.attributes).remove("sms.sync.id"),
                });
            }
        }
    }

    /// The spans of the trace in which the portal's request of this name was, once one of this name is there, too.
    async fn trace_with(&self, root: &str, last: &str) -> anyhow::Result<Vec<ReceivedSpan>> {
        wait_until(format!("a trace from {root:?} to {last:?}"), PATIENCE, async || {
            let spans = self.0.lock().expect("no test panics with the lock").clone();
            let of_root = spans.iter().find(|span| span.name == root).map(|span| span.trace.clone());
            let of_trace: Vec<_> =
                spans.into_iter().filter(|span| Some(&span.trace) == of_root.as_ref()).collect();
            if of_trace.iter().any(|span| span.name == last) { Ok(of_trace) } else { Err(of_trace) }
        })
        .await
    }
}

fn attributes(list: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        AnyValue::StringValue(text) => Some(text),
        _ => None,
    };
    list.into_iter().filter_map(|it| Some((it.key, text(it.value?.value?)?))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The spans whose parent is not among them.
fn roots(spans: &[ReceivedSpan]) -> Vec<&ReceivedSpan> {
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.id).collect();
    spans.iter().filter(|span| !ids.contains(&span.parent)).collect()
}

fn environment(collector: &str) -> Vec<(&'static str, String)> {
    vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector.to_owned()), ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_one_trace_from_the_portal_to_the_row() -> anyhow::Result<()> {
    let collector = Collector::default();
    let url = collector.start()?;
    let setup =
        Setup { fleet: Fleet::Empty, webhooks: true, environment: environment(&url), ..Setup::default() };
    let system = System::start(setup).await?;
    let portal = &system.portal;
    portal.enter(Kind::Companies, json!({"id": "c-1", "name": "Nordhavn Bulk AS", "country": "NO"})).await?;
    portal.enter(Kind::Vessels, Portal::vessel("v-1", "9074729", json!({}))).await?;
    portal.approve(Kind::Vessels, "v-1").await?;
    system.wait_for_rows("the event is processed", "webhook_events WHERE state = 'processed'", 1).await?;

    let spans = collector.trace_with("POST /api/{kind}/{id}/approve", "process sync.events").await?;
    assert_eq!(roots(&spans).len(), 1, "{spans:#?}");
    let services: BTreeSet<_> = spans.iter().map(|span| span.service.as_str()).collect();
    assert_eq!(services, ["onboarding-portal", "webhook-ingest", "worker"].into(), "{spans:#?}");
    let names: BTreeSet<_> = spans.iter().map(|span| span.name.as_str()).collect();
    for name in ["send webhook", "POST /api/sync/webhook", "process sync.events"] {
        assert!(names.contains(name), "{name}: {spans:#?}");
    }
    assert!(spans.iter().all(|span| span.version == env!("CARGO_PKG_VERSION")), "{spans:#?}");
    let sync = &system.rows("SELECT sync_id FROM webhook_events").await?[0]["sync_id"];
    let processed = spans.iter().find(|span| span.name == "process sync.events").expect("it is there");
    assert_eq!(processed.sync.as_deref(), sync.as_str());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_one_trace_with_its_pages_as_children() -> anyhow::Result<()> {
    let collector = Collector::default();
    let url = collector.start()?;
    let setup = Setup { fleet: Fleet::Of(3, 30, 6), environment: environment(&url), ..Setup::default() };
    let system = System::start(setup).await?;
    let sync = system.operator.trigger().await?;
    system.operator.ended(sync).await?;
    let tasks = system.count("sync_queue").await?;
    assert!(tasks > 3, "several pages: {tasks}");

    let root = "POST /api/sync/trigger";
    let spans = wait_until("all pages are in the trace", PATIENCE, async || {
        let spans = collector.trace_with(root, "process sync.tasks").await.map_err(|_none| Vec::new())?;
        let pages = spans.iter().filter(|span| span.name == "process sync.tasks").count();
        if pages as i64 >= tasks { Ok(spans) } else { Err(spans) }
    })
    .await?;
    assert_eq!(roots(&spans).len(), 1, "{spans:#?}");
    let root = spans.iter().find(|span| span.name == root).expect("it is there");
    for span in spans.iter().filter(|span| span.name == "process sync.tasks") {
        assert_eq!((&span.parent, &span.sync), (&root.id, &Some(sync.to_string())), "{spans:#?}");
    }
    Ok(())
}
