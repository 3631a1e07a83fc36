//! Logs and traces of a process.
//!
//! Logs go to stdout, a JSON object per line (`LOG_FORMAT=text` for people), filtered by `RUST_LOG` (default `info`,
//! without the web server's own chatter).
//! Every line carries the `trace_id` and `span_id` it belongs to. Traces are exported by OTLP where the standard
//! variables name an endpoint (`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`); elsewhere they
//! are made all the same, so that trace ids exist in logs and problems. Trace context crosses process boundaries in
//! W3C form (`traceparent`).

mod format;

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use opentelemetry::{
    global,
    propagation::{Extractor, TextMapCompositePropagator},
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    propagation::{BaggagePropagator, TraceContextPropagator},
    trace::SdkTracerProvider,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// A collector that hangs must not hang the end of the process for longer.
const FLUSH: Duration = Duration::from_secs(5);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The telemetry of this process. Dropping it does nothing; call [`Telemetry::shutdown`].
#[derive(Debug, Clone)]
#[must_use = "spans that are not yet exported are lost without a shutdown"]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

/// Starts logs and traces. The first call decides; later ones (several services in one process, tests) give the same.
pub fn init(service: &'static str) -> Telemetry {
    let provider = PROVIDER.get_or_init(|| start(service)).clone();
    Telemetry { provider }
}

fn start(service: &'static str) -> SdkTracerProvider {
    global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ]));
    let (provider, trouble) = provider(service);
    global::set_tracer_provider(provider.clone());

    let filter = EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_unset_or_wrong| EnvFilter::new("info,actix_server=warn"));
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer(service));
    let logs = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("text") => tracing_subscriber::fmt::layer().with_target(false).boxed(),
        _ => tracing_subscriber::fmt::layer()
            .fmt_fields(tracing_subscriber::fmt::format::JsonFields::new())
            .event_format(format::JsonLines::new(service))
            .boxed(),
    };
    // Someone else's subscriber (a test's) may be there already; it stays.
    let installed = tracing_subscriber::registry().with(filter).with(traces).with(logs).try_init();
    if let Some(error) = trouble.filter(|_| installed.is_ok()) {
        tracing::warn!(error, "traces are not exported");
    }
    provider
}

/// With an exporter where the standard variables ask for one. A wrong endpoint is no reason not to start.
fn provider(service: &'static str) -> (SdkTracerProvider, Option<String>) {
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(service);
    }
    let builder = SdkTracerProvider::builder().with_resource(resource.build());
    if !is_export_wanted() {
        return (builder.build(), None);
    }
    match SpanExporter::builder().with_http().build() {
        Ok(exporter) => (builder.with_batch_exporter(exporter).build(), None),
        Err(error) => (builder.build(), Some(error.to_string())),
    }
}

fn is_export_wanted() -> bool {
    let set = |name| std::env::var(name).ok().filter(|text: &String| !text.is_empty());
    let off = set("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|text| text == "none");
    let endpoint = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT"));
    !off && endpoint.is_some()
}

impl Telemetry {
    /// Sends what is not yet sent, for at most five seconds.
    pub async fn shutdown(self) {
        let provider = self.provider;
        // Blocks, and so must not be on a worker of the runtime.
        let flush = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH));
        match tokio::time::timeout(FLUSH + Duration::from_secs(1), flush).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last traces were not exported"),
            Ok(Err(error)) => tracing::warn!(%error, "the last traces were not exported"),
            Err(_elapsed) => tracing::warn!("the last traces were not exported in time"),
        }
    }
}

/// The trace the current span belongs to, 32 hex digits; none outside spans and before [`init`].
#[must_use]
pub fn current_trace_id() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// The current span as W3C headers (`traceparent`, `tracestate`), to be carried in messages, rows and requests.
#[must_use]
pub fn current_context() -> BTreeMap<String, String> {
    let mut carrier = std::collections::HashMap::new();
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut carrier));
    carrier.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// Makes what `carrier` holds (see [`current_context`]) the parent of `span`.
pub fn set_parent(span: &Span, carrier: &BTreeMap<String, String>) {
    struct Map<'a>(&'a BTreeMap<String, String>);
    impl Extractor for Map<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key).map(String::as_str)
        }
        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(String::as_str).collect()
        }
    }
    adopt(span, &Map(carrier));
}

/// Makes the remote span in `carrier`, if there is one, the parent of `span`.
pub(crate) fn adopt(span: &Span, carrier: &dyn Extractor) {
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(carrier));
    if parent.span().span_context().is_valid() {
        // Fails only where no layer of ours is installed; then there are no traces to join.
        let _no_layer = span.set_parent(parent);
    }
}
