//! Figures as JSON: a name, a value and its unit, as `make bench` writes them.

use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(crate) struct Figures(pub(crate) Vec<Value>);

impl Figures {
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, unit: &str) {
        let rounded = (value * 1_000.0).round() / 1_000.0;
        self.0.push(json!({"name": name.into(), "value": rounded, "unit": unit}));
    }
}
