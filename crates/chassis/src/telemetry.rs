//! Logs and traces of a process.
//!
//! Logs go to stdout, a JSON object per line (`LOG_FORMAT=text` for people), filtered by `RUST_LOG` (default `info`,
//! without the web server's own chatter).
//! Every line carries the `trace_id` and `span_id` it belongs to. Traces are exported by OTLP where the standard
//! variables name an endpoint (`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`); elsewhere they
//! are recorded all the same, so that trace ids exist in logs and problems. Trace context crosses process boundaries in
//! W3C form (`traceparent`).

mod format;

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use opentelemetry::{
    KeyValue, global,
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

/// How long a collector that hangs may delay the end of the process.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The telemetry of this process. [`Telemetry::shutdown`] ends it; a drop does nothing.
#[derive(Debug, Clone)]
#[must_use = "spans that are not yet exported are lost without a shutdown"]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

/// lapin logs a channel that the broker has closed as an error, before whoever used the channel can say what it means.
const DEFAULT_FILTER: &str = "info,actix_server=warn,lapin::channel=off";

/// Starts logs and traces. Later calls (several services in one process, tests) return what the first one started.
pub fn init(service: &'static str, version: &'static str) -> Telemetry {
    let provider = PROVIDER.get_or_init(|| start(service, version)).clone();
    Telemetry { provider }
}

fn start(service: &'static str, version: &'static str) -> SdkTracerProvider {
    global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ]));
    let (provider, export_error) = trace_provider(service, version);
    global::set_tracer_provider(provider.clone());

    let wanted_filter = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.is_empty());
    let filter =
        wanted_filter.as_deref().map_or_else(|| Ok(EnvFilter::new(DEFAULT_FILTER)), EnvFilter::try_new);
    let (filter, filter_error) = match filter {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT_FILTER), Some(error)),
    };
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer(service));
    let logs = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("text") => tracing_subscriber::fmt::layer().with_target(false).boxed(),
        _ => tracing_subscriber::fmt::layer()
            .fmt_fields(tracing_subscriber::fmt::format::JsonFields::new())
            .event_format(format::JsonLines::new(service))
            .boxed(),
    };
    // A subscriber that is installed already (a test's) stays.
    let installed = tracing_subscriber::registry().with(filter).with(traces).with(logs).try_init();
    if let Some(error) = export_error.filter(|_| installed.is_ok()) {
        tracing::warn!(error, "traces are not exported");
    }
    if let Some(error) = filter_error {
        tracing::warn!(%error, filter = wanted_filter, default = DEFAULT_FILTER, "RUST_LOG cannot be read; the default is used");
    }
    provider
}

/// A provider with an exporter where the standard variables ask for one; and why there is none. A wrong endpoint does
/// not keep the process from starting.
fn trace_provider(service: &'static str, version: &'static str) -> (SdkTracerProvider, Option<String>) {
    let mut resource = Resource::builder().with_attribute(KeyValue::new("service.version", version));
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(service);
    }
    let builder = SdkTracerProvider::builder().with_resource(resource.build());
    if !is_export_wanted() {
        return (builder.build(), None);
    }
    if let Some((name, protocol)) = unsupported_protocol() {
        let error = format!("{name} is {protocol}, and only http/protobuf is supported");
        return (builder.build(), Some(error));
    }
    match SpanExporter::builder().with_http().build() {
        Ok(exporter) => (builder.with_batch_exporter(exporter).build(), None),
        Err(error) => (builder.build(), Some(error.to_string())),
    }
}

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The variable that asks for another protocol than the one that is built in, and what it asks for.
fn unsupported_protocol() -> Option<(&'static str, String)> {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
    let (name, protocol) = names.into_iter().find_map(|name| Some((name, set(name)?)))?;
    (protocol != "http/protobuf").then_some((name, protocol))
}

fn is_export_wanted() -> bool {
    let off = set("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|text| text == "none");
    let endpoint = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT"));
    !off && endpoint.is_some()
}

impl Telemetry {
    /// Exports the remaining spans, for at most five seconds.
    pub async fn shutdown(self) {
        let provider = self.provider;
        // The flush blocks, so it must not run on a worker of the runtime.
        let flush = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT));
        match tokio::time::timeout(FLUSH_TIMEOUT + Duration::from_secs(1), flush).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last traces were not exported"),
            Ok(Err(error)) => tracing::warn!(%error, "the last traces were not exported"),
            Err(_elapsed) => tracing::warn!("the last traces were not exported in time"),
        }
    }
}

/// The trace id of the current span, 32 hex digits; none outside spans and before [`init`].
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

/// Makes the span in `carrier` (see [`current_context`]) the parent of `span`.
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
    set_remote_parent(span, &Map(carrier));
}

/// Makes the remote span in `carrier`, if there is one, the parent of `span`.
pub(crate) fn set_remote_parent(span: &Span, carrier: &dyn Extractor) {
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(carrier));
    if parent.span().span_context().is_valid() {
        // Fails only where no layer of ours is installed; then there are no traces.
        let _no_layer = span.set_parent(parent);
    }
}
