//! Logs as JSON lines. The library's own JSON format has no place for the trace.

use std::fmt;

use opentelemetry::trace::TraceContextExt;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// `{"timestamp","level","service","target","message",…fields,"trace_id","span_id","span":{…}}`; `span` holds the
/// fields of the spans around, the inner ones winning.
#[derive(Debug)]
pub(super) struct JsonLines {
    service: &'static str,
}

impl JsonLines {
    pub(super) fn new(service: &'static str) -> Self {
        Self { service }
    }
}

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result
    where
        JsonFields: for<'w> FormatFields<'w>,
    {
        let mut line = Line(Vec::new());
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        line.push("timestamp", timestamp);
        line.push("level", event.metadata().level().as_str());
        line.push("service", self.service);

        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let mut fields = fields.0;
        // Lines of the `log` crate arrive with their origin as fields.
        let target = fields.remove("log.target");
        if target.is_some() {
            for name in ["log.module_path", "log.file", "log.line"] {
                fields.remove(name);
            }
        }
        line.push("target", target.unwrap_or_else(|| event.metadata().target().into()));
        if let Some(message) = fields.remove("message") {
            line.push("message", message);
        }
        line.0.extend(fields);

        if let Some((trace_id, span_id)) = current_ids(context) {
            line.push("trace_id", trace_id);
            line.push("span_id", span_id);
        }
        let spans = span_fields(context);
        if !spans.is_empty() {
            line.push("span", spans);
        }
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_not_json| fmt::Error)?)
    }
}

/// The trace id and the span id of the current span.
fn current_ids<S>(context: &FmtContext<'_, S, JsonFields>) -> Option<(String, String)>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let id = context.lookup_current()?.id();
    let trace =
        tracing::dispatcher::get_default(|dispatch| tracing_opentelemetry::get_otel_context(&id, dispatch));
    let trace = trace.filter(TraceContextExt::has_active_span)?;
    let trace = trace.span().span_context().clone();
    Some((trace.trace_id().to_string(), trace.span_id().to_string()))
}

/// The fields of the spans around the event, the inner ones winning.
fn span_fields<S>(context: &FmtContext<'_, S, JsonFields>) -> Map<String, Value>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut fields = Map::new();
    for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
        let extensions = span.extensions();
        let Some(text) = extensions.get::<FormattedFields<JsonFields>>() else { continue };
        if let Ok(Value::Object(span_fields)) = serde_json::from_str(text.as_str()) {
            fields.extend(span_fields);
        }
    }
    fields
}

/// One log line. Keeps the order in which people read: when, how bad, who, what.
struct Line(Vec<(String, Value)>);

impl Line {
    fn push(&mut self, name: &str, value: impl Into<Value>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}
