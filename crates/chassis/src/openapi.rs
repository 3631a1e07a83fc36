//! Completes OpenAPI documents: the responses that many operations share stand in one table of the service, not at every
//! handler, and every response has a description, which the specification requires.

use std::collections::BTreeMap;

use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, Response, Schema,
    header::Header,
    path::{Operation, PathItem},
    schema::AdditionalProperties,
};

use crate::problem;

/// A problem that operations of one kind answer.
pub struct SharedResponse {
    /// Name among the components of the document.
    pub name: &'static str,
    pub status: &'static str,
    pub description: &'static str,
    /// Name and description of a header.
    pub header: Option<(&'static str, &'static str)>,
    /// Whether an operation with this path answers it.
    pub applies: fn(&str, &Operation) -> bool,
}

/// Makes a document from what the handlers say of themselves.
pub fn complete(document: &mut OpenApi, shared: &[SharedResponse]) {
    complete_responses(document, shared);
    open_composed_parts(document);
}

/// A schema that allows no other properties is closed where it stands alone, as the body of a request. As a part of a larger
/// one it would refuse the properties of the other parts: JSON Schema knows no inheritance.
fn open_composed_parts(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    let closed: BTreeMap<String, Schema> = components
        .schemas
        .iter()
        .filter_map(|(name, schema)| match schema {
            RefOr::T(schema) => Some((name.clone(), opened(schema)?)),
            RefOr::Ref(_) => None,
        })
        .collect();
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::AllOf(composed)) = schema else { continue };
        for part in &mut composed.items {
            let open = match &*part {
                RefOr::T(schema) => opened(schema),
                RefOr::Ref(it) => {
                    it.ref_location.rsplit('/').next().and_then(|name| closed.get(name)).cloned()
                }
            };
            if let Some(open) = open {
                *part = RefOr::T(open);
            }
        }
    }
}

/// The schema without its refusal of other properties. None if it refuses none.
fn opened(schema: &Schema) -> Option<Schema> {
    let Schema::Object(object) = schema else { return None };
    let is_closed =
        matches!(object.additional_properties.as_deref(), Some(AdditionalProperties::FreeForm(false)));
    is_closed.then(|| {
        let mut open = object.clone();
        open.additional_properties = None;
        Schema::Object(open)
    })
}

/// Adds the shared responses; what a handler says of a status stays. Describes a response without a description by its
/// schema.
fn complete_responses(document: &mut OpenApi, shared: &[SharedResponse]) {
    let schemas = document.components.iter().flat_map(|it| &it.schemas);
    let described: Vec<(String, String)> = schemas
        .filter_map(|(name, schema)| Some((name.clone(), first_sentence(description(schema)?))))
        .collect();
    let components = document.components.get_or_insert_default();
    components.responses.extend(shared.iter().map(|it| (it.name.to_owned(), RefOr::T(it.response()))));
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                    && let Some(name) = schema_name(response)
                    && let Some((_, text)) = described.iter().find(|(of, _)| of == name)
                {
                    response.description.clone_from(text);
                }
            }
            let applying = shared.iter().filter(|it| (it.applies)(path, operation));
            for it in applying.collect::<Vec<_>>() {
                let responses = &mut operation.responses.responses;
                responses.entry(it.status.to_owned()).or_insert_with(|| RefOr::Ref(it.reference()));
            }
        }
    }
}

impl SharedResponse {
    fn reference(&self) -> Ref {
        let mut reference = Ref::from_response_name(self.name);
        reference.description = self.description.to_owned();
        reference
    }

    fn response(&self) -> Response {
        let mut response = Response::new(self.description);
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        response.content.insert(problem::CONTENT_TYPE.to_owned(), content.into());
        if let Some((name, description)) = self.header {
            let mut header = Header::default();
            header.description = Some(description.to_owned());
            response.headers.insert(name.to_owned(), RefOr::T(header));
        }
        response
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().filter_map(Option::as_mut)
}

fn schema_name(response: &Response) -> Option<&str> {
    let (_, RefOr::T(content)) = response.content.first()? else { return None };
    let Some(RefOr::Ref(reference)) = &content.schema else { return None };
    reference.ref_location.rsplit('/').next()
}

fn description(schema: &RefOr<Schema>) -> Option<&str> {
    let RefOr::T(schema) = schema else { return None };
    match schema {
        Schema::Object(it) => it.description.as_deref(),
        Schema::Array(it) => it.description.as_deref(),
        Schema::AllOf(it) => it.description.as_deref(),
        _ => None,
    }
}

fn first_sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    text.split_once(". ").map_or(text.as_str(), |(first, _)| first).trim_end_matches('.').to_owned()
}
