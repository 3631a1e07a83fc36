//! W3C trace context in AMQP headers.

use std::collections::BTreeMap;

use lapin::types::{AMQPValue, FieldTable};
use opentelemetry::{
    Context, global,
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

/// Makes the sender of a message the parent of `span`, which processes this message alone: what one approval causes is one
/// trace. OpenTelemetry's conventions for messaging allow it for single messages.
pub(crate) fn set_parent(span: &Span, headers: &FieldTable) {
    let context = extract(headers);
    if context.span().span_context().is_valid() {
        // Fails only where no layer of OpenTelemetry is installed; then there are no traces.
        let _no_layer = span.set_parent(context);
    }
}

/// Links two spans: one batch is processed for several messages.
pub(crate) fn link(span: &Span, other: &Span) {
    let context = other.context().span().span_context().clone();
    if context.is_valid() {
        span.add_link(context);
    }
}

fn extract(headers: &FieldTable) -> Context {
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
    global::get_text_map_propagator(|propagator| propagator.extract(&Carrier(headers)))
}
