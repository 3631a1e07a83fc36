//! Checks a query against the parameters that an operation takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use url::form_urlencoded;

use super::schema::{Schemas, child};
use crate::problem::FieldError;

/// A parameter of the query, with one value.
pub(super) struct Parameter {
    schema: Value,
    is_required: bool,
}

/// The parameters of the query, of all parameters of an operation.
pub(super) fn parameters(all: &Value) -> BTreeMap<String, Parameter> {
    let of_query = all.as_array().into_iter().flatten().filter(|it| it["in"] == "query");
    of_query
        .filter_map(|it| {
            let parameter = Parameter { schema: it["schema"].clone(), is_required: it["required"] == true };
            Some((it["name"].as_str()?.to_owned(), parameter))
        })
        .collect()
}

pub(super) fn errors(query: &str, known: &BTreeMap<String, Parameter>, schemas: &Schemas) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let pointer = child("#", &name);
        let is_first = seen.insert(name.clone());
        match known.get(&*name) {
            None if is_first => errors.push(unknown(pointer, known)),
            Some(parameter) if is_first => {
                errors.extend(schemas.errors_of_text(&parameter.schema, &text, &pointer))
            }
            // A reader would take the first or the last, and the sender cannot know which.
            _ => errors.push(FieldError::new(pointer, "repeated", "must be given only once")),
        }
    }
    let missing = known.iter().filter(|(name, it)| it.is_required && !seen.contains(name.as_str()));
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
            ("#/status", "is no parameter of this operation, which takes cron, limit, state"),
            ("#/limit", "must be from 1 to 200, is 0"),
            ("#/state", "must be one of open, resolved, is \"failed\""),
            ("#/limit", "must be given only once"),
            ("#/cron", "must be given"),
        ]);
        assert_eq!(errors_of("status=failed&limit=0&state=failed&limit=5"), expected);
    }

    #[test]
    fn text_that_is_no_number_is_refused_in_words() {
        assert_eq!(errors_of("cron=x&limit=many"), owned(&[("#/limit", "must be an integer, is \"many\"")]));
    }
}
