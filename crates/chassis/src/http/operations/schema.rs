//! Checks JSON against the schemas that utoipa writes, and says what is wrong in words for people, all at once.
//!
//! Only what those schemas hold is checked. What a schema cannot say is left to whoever reads the value.

use chrono::{DateTime, Datelike, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::problem::FieldError;

/// Longest part of a wrong text that an error repeats, in characters.
const QUOTED_LENGTH_LIMIT: usize = 40;

/// The named schemas of a document.
pub(super) struct Schemas(Map<String, Value>);

impl Schemas {
    pub(super) fn new(named: Value) -> Self {
        Self(if let Value::Object(schemas) = named { schemas } else { Map::new() })
    }

    /// What is wrong with a value.
    pub(super) fn errors(&self, schema: &Value, value: &Value) -> Vec<FieldError> {
        let mut check = Check { schemas: self, errors: Vec::new() };
        check.value(schema, value, "#");
        check.errors
    }

    /// What is wrong with a text, such as a parameter's, that stands for a value of the schema.
    pub(super) fn errors_of_text(&self, schema: &Value, text: &str, pointer: &str) -> Vec<FieldError> {
        let schema = self.resolve(schema);
        let parsed = match schema["type"].as_str() {
            Some("integer") => text.parse::<i64>().ok().map(Value::from),
            Some("boolean") => text.parse::<bool>().ok().map(Value::from),
            _ => None,
        };
        let mut check = Check { schemas: self, errors: Vec::new() };
        check.value(schema, &parsed.unwrap_or_else(|| text.into()), pointer);
        check.errors
    }

    /// The schema, or the one that it refers to. Of a choice, which is how utoipa writes an optional value, the one that is
    /// not null.
    fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        loop {
            let name = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/components/schemas/"));
            let choices = schema["oneOf"].as_array();
            let chosen = choices.and_then(|of| of.iter().find(|it| it["type"] != "null"));
            match name.and_then(|name| self.0.get(name)).or(chosen) {
                Some(next) => schema = next,
                None => return schema,
            }
        }
    }

    fn allows_null(&self, schema: &Value) -> bool {
        let is_null = |it: &Value| it["type"] == "null";
        schema["oneOf"].as_array().is_some_and(|of| of.iter().any(is_null))
            || schema["type"].as_array().is_some_and(|types| types.contains(&"null".into()))
    }
}

/// The pointer of a field or an entry.
pub(in crate::http) fn child(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

struct Check<'a> {
    schemas: &'a Schemas,
    errors: Vec<FieldError>,
}

impl Check<'_> {
    fn value(&mut self, schema: &Value, value: &Value, pointer: &str) {
        if value.is_null() && self.schemas.allows_null(schema) {
            return;
        }
        let schema = self.schemas.resolve(schema);
        let Some(expected) = type_of(schema) else { return };
        match (expected, value) {
            ("object", Value::Object(fields)) => self.object(schema, fields, pointer),
            ("array", Value::Array(entries)) => {
                for (at, entry) in entries.iter().enumerate() {
                    self.value(&schema["items"], entry, &child(pointer, &at.to_string()));
                }
            }
            ("string", Value::String(text)) => self.text(schema, text, pointer),
            ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => {
                self.integer(schema, number, pointer);
            }
            ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => {}
            _ => {
                let detail = format!("must be {}, is {}", in_words(expected), describe(value));
                self.add(pointer, "wrong_type", detail);
            }
        }
    }

    fn object(&mut self, schema: &Value, fields: &Map<String, Value>, pointer: &str) {
        let known = &schema["properties"];
        for (name, value) in fields {
            let pointer = child(pointer, name);
            match (known.get(name), &schema["additionalProperties"]) {
                (Some(of_field), _) => self.value(of_field, value, &pointer),
                (None, Value::Bool(false)) => {
                    let names: Vec<_> = known.as_object().into_iter().flat_map(Map::keys).cloned().collect();
                    let detail = format!("is unknown; known are {}", names.join(", "));
                    self.add(&pointer, "unknown_field", detail);
                }
                (None, of_others) => self.value(of_others, value, &pointer),
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !fields.contains_key(*name)) {
            self.add(&child(pointer, name), "missing", "must be given".to_owned());
        }
    }

    fn text(&mut self, schema: &Value, text: &str, pointer: &str) {
        let is = || describe(&text.into());
        if let Some(words) = schema["enum"].as_array() {
            if !words.iter().any(|word| word == text) {
                let words = words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
                self.add(pointer, "unknown_word", format!("must be one of {words}, is {}", is()));
            }
            return;
        }
        match schema["format"].as_str() {
            Some("uuid") if text.parse::<Uuid>().is_err() => {
                self.add(pointer, "wrong_format", format!("must be a UUID, is {}", is()));
            }
            Some("date-time") if !is_time(text) => {
                let detail = format!("must be a time such as 2026-01-31T12:00:00Z, is {}", is());
                self.add(pointer, "wrong_format", detail);
            }
            _ => {}
        }
        let length = text.chars().count() as u64;
        let least = schema["minLength"].as_u64().unwrap_or_default();
        if length < least {
            self.add(pointer, "too_short", format!("must have at least {least} characters, has {length}"));
        }
        if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
            self.add(pointer, "too_long", format!("must have at most {most} characters, has {length}"));
        }
    }

    fn integer(&mut self, schema: &Value, number: &serde_json::Number, pointer: &str) {
        let range = match schema["format"].as_str() {
            Some("int32") => i64::from(i32::MIN)..=i64::from(i32::MAX),
            _ => i64::MIN..=i64::MAX,
        };
        let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
        let range = least.unwrap_or(*range.start())..=most.unwrap_or(*range.end());
        if !number.as_i64().is_some_and(|it| range.contains(&it)) {
            let detail = format!("must be from {} to {}, is {number}", range.start(), range.end());
            self.add(pointer, "out_of_range", detail);
        }
    }

    fn add(&mut self, pointer: &str, code: &'static str, detail: String) {
        self.errors.push(FieldError::new(pointer, code, detail));
    }
}

fn type_of(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|it| *it != "null"),
        one => one.as_str(),
    }
}

fn in_words(kind: &str) -> &str {
    match kind {
        "object" => "an object",
        "array" => "an array",
        "string" => "a text",
        "integer" => "an integer",
        "boolean" => "true or false",
        _ => "a number",
    }
}

/// RFC 3339 has years of four digits; the database knows no others either.
fn is_time(text: &str) -> bool {
    text.parse::<DateTime<Utc>>().is_ok_and(|time| (0..=9999).contains(&time.year()))
}

fn describe(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::String(text) if text.chars().count() > QUOTED_LENGTH_LIMIT => {
            format!("{:?}…", text.chars().take(QUOTED_LENGTH_LIMIT).collect::<String>())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schemas() -> Schemas {
        Schemas::new(json!({
            "Mode": {"type": "string", "enum": ["full", "selective"]},
            "Request": {
                "type": "object",
                "required": ["rules"],
                "properties": {
                    "rules": {"type": "array", "items": {"type": "string", "format": "uuid"}},
                    "mode": {"oneOf": [{"$ref": "#/components/schemas/Mode"}, {"type": "null"}]},
                    "pageSize": {"type": ["integer", "null"], "format": "int32"},
                    "dryRun": {"type": "boolean"},
                    "since": {"type": ["string", "null"], "format": "date-time"},
                    "sides": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Mode"}},
                    "name": {"type": "string", "minLength": 1, "maxLength": 3},
                },
                "additionalProperties": false
            }
        }))
    }

    fn errors_of(value: &Value) -> Vec<(String, String)> {
        let schema = json!({"oneOf": [{"$ref": "#/components/schemas/Request"}, {"type": "null"}]});
        schemas().errors(&schema, value).into_iter().map(|it| (it.pointer, it.detail)).collect()
    }

    fn one(pointer: &str, detail: &str) -> Vec<(String, String)> {
        vec![(pointer.to_owned(), detail.to_owned())]
    }

    #[test]
    fn value_of_the_schema_has_no_errors() {
        let whole = json!({
            "rules": ["019ab2c4-0000-7000-8000-000000000001"], "mode": "full", "pageSize": 7, "dryRun": true,
            "since": "2026-01-31T12:00:00+01:00", "sides": {"name": "full"}, "name": "abc"
        });
        assert_eq!(errors_of(&whole), []);
        assert_eq!(errors_of(&json!({"rules": [], "mode": null, "pageSize": null, "since": null})), []);
        assert_eq!(errors_of(&Value::Null), []);
    }

    #[test]
    fn array_is_no_object() {
        assert_eq!(errors_of(&json!([])), one("#", "must be an object, is an array"));
    }

    #[test]
    fn value_with_several_faults_is_refused_with_all_of_them() {
        let wrong = json!({
            "rules": ["a/b", 7], "mode": "fast", "pageSize": 3_000_000_000_i64, "dryRun": "yes", "since": "yesterday",
            "sides": {"a/b": 1}, "name": "long", "page": 7
        });
        let mut found = errors_of(&wrong);
        found.sort();
        let expected = [
            ("#/dryRun", "must be true or false, is \"yes\""),
            ("#/mode", "must be one of full, selective, is \"fast\""),
            ("#/name", "must have at most 3 characters, has 4"),
            ("#/page", "is unknown; known are dryRun, mode, name, pageSize, rules, sides, since"),
            ("#/pageSize", "must be from -2147483648 to 2147483647, is 3000000000"),
            ("#/rules/0", "must be a UUID, is \"a/b\""),
            ("#/rules/1", "must be a text, is 7"),
            ("#/sides/a~1b", "must be a text, is 1"),
            ("#/since", "must be a time such as 2026-01-31T12:00:00Z, is \"yesterday\""),
        ];
        assert_eq!(found, expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned())));
    }

    #[test]
    fn missing_field_is_named() {
        assert_eq!(errors_of(&json!({})), one("#/rules", "must be given"));
    }
}
