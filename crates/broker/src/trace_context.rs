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

/// The trace context of the present span, as `traceparent` and `tracestate`.
pub fn current() -> BTreeMap<String, String> {
    struct Carrier(BTreeMap<String, String>);
    impl Injector for Carrier {
        fn set(&mut self, key: &str, value: String) {
            // An empty tracestate is injected, too.
            if !value.is_empty() {
                self.0.insert(key.to_owned(), value);
            }
        }
    }
    let mut carrier = Carrier(BTreeMap::new());
    global::get_text_map_propagator(|p| p.inject_context(&Span::current().context(), &mut carrier));
    carrier.0
}

/// A context as headers.
pub(crate) fn headers<'c>(context: impl IntoIterator<Item = (&'c String, &'c String)>) -> FieldTable {
    let mut headers = FieldTable::default();
    for (key, value) in context {
        headers.insert(key.as_str().into(), AMQPValue::LongString(value.as_str().into()));
    }
    headers
}

/// Links `span` to the context in `headers`: processing is caused by what was sent, and is not a part of it.
pub(crate) fn link(span: &Span, headers: &FieldTable) {
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
    let sent = context.span().span_context().clone();
    if sent.is_valid() {
        span.add_link(sent);
    }
}
