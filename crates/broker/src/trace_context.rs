//! W3C trace context in AMQP headers.

use std::collections::BTreeMap;

use lapin::types::{AMQPValue, FieldTable};
use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::TraceContextExt,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::headers::text_to_value;

/// The trace context of the current span, as `traceparent` and `tracestate`.
pub fn current_trace_context() -> BTreeMap<String, String> {
    struct Carrier(BTreeMap<String, String>);
    impl Injector for Carrier {
        fn set(&mut self, key: &str, value: String) {
            // OpenTelemetry injects an empty tracestate, too.
            if !value.is_empty() {
                self.0.insert(key.to_owned(), value);
            }
        }
    }
    let mut carrier = Carrier(BTreeMap::new());
    global::get_text_map_propagator(|p| p.inject_context(&Span::current().context(), &mut carrier));
    carrier.0
}

pub(crate) fn to_headers<'c>(context: impl IntoIterator<Item = (&'c String, &'c String)>) -> FieldTable {
    let mut headers = FieldTable::default();
    for (key, value) in context {
        headers.insert(key.as_str().into(), text_to_value(value));
    }
    headers
}

/// Links `span` to the context in `headers`. A link and no parent: processing a message is caused by sending it, and is not
/// a part of it.
pub(crate) fn link_span(span: &Span, headers: &FieldTable) {
    struct Carrier<'a>(&'a FieldTable);
    impl Extractor for Carrier<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            match self.0.inner().get(key)? {
                AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
                _ => None,
            }
        }
        fn keys(&self) -> Vec<&str> {
            self.0.inner().keys().map(|key| key.as_str()).collect()
        }
    }
    let context = global::get_text_map_propagator(|p| p.extract(&Carrier(headers)));
    let producer = context.span().span_context().clone();
    if producer.is_valid() {
        span.add_link(producer);
    }
}
