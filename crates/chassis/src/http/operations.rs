//! The operations of an OpenAPI document. Requests are checked against them: what the document does not name is refused.
//!
//! An app that has `web::Data<Operations>` checks its requests; one without it does not.

mod query;
mod schema;

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use serde_json::Value;

pub(super) use self::schema::child;
use self::{query::Parameter, schema::Schemas};
use crate::problem::{FieldError, Problem};

/// What each operation takes.
pub struct Operations {
    /// By path and method.
    by_path: BTreeMap<String, BTreeMap<String, Operation>>,
    schemas: Schemas,
}

struct Operation {
    query: BTreeMap<String, Parameter>,
    /// Schema of the JSON body.
    body: Option<Value>,
}

impl Operations {
    /// The operations of the document.
    #[must_use]
    pub fn new(document: &utoipa::openapi::OpenApi) -> Self {
        let mut document = serde_json::to_value(document).expect("the document is plain JSON");
        let schemas = Schemas::new(document["components"]["schemas"].take());
        let operation = |described: &Value| Operation {
            query: query::parameters(&described["parameters"]),
            body: described.pointer("/requestBody/content/application~1json/schema").cloned(),
        };
        let by_method = |item: &Value| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(|(method, described)| (method.to_uppercase(), operation(described))).collect()
        };
        let paths = document["paths"].as_object().into_iter().flatten();
        let by_path = paths.map(|(path, item)| (path.clone(), by_method(item))).collect();
        Self { by_path, schemas }
    }

    fn find(&self, request: &HttpRequest) -> Option<&Operation> {
        self.by_path.get(&request.match_pattern()?)?.get(request.method().as_str())
    }
}

/// Refuses a query with a parameter that the operation does not take, that stands there twice, or whose value is wrong.
pub fn check_query(request: &HttpRequest) -> Result<(), Problem> {
    let Some((operations, operation)) = find_operation(request) else { return Ok(()) };
    let errors = query::errors(request.query_string(), &operation.query, &operations.schemas);
    refuse_if_any(errors, "Parameters of the query are wrong; `errors` names each.")
}

/// Refuses a body that is not what the operation takes.
pub(super) fn check_body(request: &HttpRequest, body: &Value) -> Result<(), Problem> {
    let Some((operations, operation)) = find_operation(request) else { return Ok(()) };
    let Some(schema) = &operation.body else { return Ok(()) };
    let errors = operations.schemas.errors(schema, body);
    refuse_if_any(errors, "Values of the body are wrong; `errors` names each.")
}

/// Refuses a method that a known path does not have.
pub(super) fn check_method(request: &HttpRequest) -> Result<(), Problem> {
    let operations = request.app_data::<web::Data<Operations>>();
    // The first pattern that fits the path, and not that of the route: `/conflicts/resolve` fits `/conflicts/{id}`, too.
    let pattern = request.resource_map().match_pattern(request.path()).unwrap_or_default();
    match operations.and_then(|operations| operations.by_path.get(&pattern)) {
        Some(methods) if !methods.contains_key(request.method().as_str()) => {
            let methods: Vec<_> = methods.keys().map(String::as_str).collect();
            Err(Problem::method_not_allowed(methods.join(", ")))
        }
        _ => Ok(()),
    }
}

fn find_operation(request: &HttpRequest) -> Option<(&Operations, &Operation)> {
    let operations = request.app_data::<web::Data<Operations>>()?;
    Some((operations, operations.find(request)?))
}

fn refuse_if_any(errors: Vec<FieldError>, detail: &str) -> Result<(), Problem> {
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(detail, errors)) }
}
