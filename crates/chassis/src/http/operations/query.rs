//! Checks a query against the parameters that an operation takes.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;
use url::form_urlencoded;

use super::schema::{Schemas, child};
use crate::problem::FieldError;

/// A parameter of the query.
pub(super) struct Parameter {
    /// Of one value.
    schema: Value,
    is_required: bool,
    /// May be given several times, with a value each: `?state=failed&state=cancelled`.
    repeats: bool,
}

/// Most values of a parameter that may be given several times.
const VALUES_LIMIT: usize = 50;

/// The parameters of the query, of all parameters of an operation.
pub(super) fn parameters(all: &Value) -> BTreeMap<String, Parameter> {
    let of_query = all.as_array().into_iter().flatten().filter(|it| it["in"] == "query");
    of_query
        .filter_map(|it| {
            let (schema, is_required) = (&it["schema"], it["required"] == true);
            let repeats = schema["type"] == "array";
            let schema = if repeats { schema["items"].clone() } else { schema.clone() };
            let parameter = Parameter { schema, is_required, repeats };
            Some((it["name"].as_str()?.to_owned(), parameter))
        })
        .collect()
}

pub(super) fn errors(query: &str, known: &BTreeMap<String, Parameter>, schemas: &Schemas) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let pointer = child("#", &name);
        let times = seen.entry(name.clone()).or_default();
        *times += 1;
        let (is_first, times) = (*times == 1, *times);
        match known.get(&*name) {
            None if is_first => errors.push(unknown(pointer, known)),
            Some(parameter) if is_first || parameter.repeats && times <= VALUES_LIMIT => {
                errors.extend(schemas.errors_of_text(&parameter.schema, &text, &pointer))
            }
            Some(parameter) if parameter.repeats => {
                if times == VALUES_LIMIT + 1 {
                    let detail = format!("must be given at most {VALUES_LIMIT} times");
                    errors.push(FieldError::new(pointer, "too_many_values", detail));
                }
            }
            // A reader would take the first or the last, and the sender cannot know which.
            _ => errors.push(FieldError::new(pointer, "repeated", "must be given only once")),
        }
    }
    let missing = known.iter().filter(|(name, it)| it.is_required && !seen.contains_key(name.as_str()));
    errors.extend(missing.map(|(name, _)| FieldError::new(child("#", name), "missing", "must be given")));
    errors
}

fn unknown(pointer: String, known: &BTreeMap<String, Parameter>) -> FieldError {
    let names = known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let detail = if names.is_empty() {
        "is no parameter: this operation takes none".to_owned()
    } else {
        format!("is no parameter of this operation, which takes {names}")
    };
    FieldError::new(pointer, "unknown_parameter", detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn errors_of(query: &str) -> Vec<(String, String)> {
        let known = parameters(&json!([
            {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
            {"name": "state", "in": "query", "schema": {"$ref": "#/components/schemas/State"}},
            {"name": "cause", "in": "query", "schema": {"type": "array", "items": {"$ref": "#/components/schemas/State"}}},
            {"name": "cron", "in": "query", "required": true, "schema": {"type": "string"}},
            {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
        ]));
        let schemas = Schemas::new(json!({"State": {"type": "string", "enum": ["open", "resolved"]}}));
        errors(query, &known, &schemas).into_iter().map(|it| (it.pointer, it.detail)).collect()
    }

    fn owned(errors: &[(&str, &str)]) -> Vec<(String, String)> {
        errors.iter().map(|(pointer, detail)| ((*pointer).to_owned(), (*detail).to_owned())).collect()
    }

    #[test]
    fn query_that_the_operation_takes_has_no_errors() {
        assert_eq!(errors_of("limit=20&state=open&cron=0%202%20*%20*%20*"), []);
    }

    #[test]
    fn query_with_several_faults_is_refused_with_all_of_them() {
        let expected = owned(&[
            ("#/status", "is no parameter of this operation, which takes cause, cron, limit, state"),
            ("#/limit", "must be from 1 to 200, is 0"),
            ("#/state", "must be one of open, resolved, is \"failed\""),
            ("#/limit", "must be given only once"),
            ("#/cron", "must be given"),
        ]);
        assert_eq!(errors_of("status=failed&limit=0&state=failed&limit=5"), expected);
    }

    #[test]
    fn list_takes_each_of_its_values() {
        assert_eq!(errors_of("cron=x&cause=open&cause=resolved&cause=open"), []);
        let wrong = owned(&[("#/cause", "must be one of open, resolved, is \"gone\"")]);
        assert_eq!(errors_of("cron=x&cause=open&cause=gone"), wrong);
        let many = owned(&[("#/cause", "must be given at most 50 times")]);
        assert_eq!(errors_of(&format!("cron=x{}", "&cause=open".repeat(60))), many);
    }

    #[test]
    fn text_that_is_no_number_is_refused_in_words() {
        assert_eq!(errors_of("cron=x&limit=many"), owned(&[("#/limit", "must be an integer, is \"many\"")]));
    }
}
