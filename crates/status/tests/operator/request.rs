//! Requests of the tests, and the OpenAPI document that their answers must keep to.

use std::{net::SocketAddr, sync::LazyLock};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde_json::Value;

pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(status::openapi::document()).expect("the document is JSON"));

/// An operation of the document that the service status answers.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) described: &'static Value,
}

/// All operations but the webhook's, which another service answers.
pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    let paths = DOCUMENT["paths"].as_object().into_iter().flatten();
    paths.filter(|(path, _)| *path != contracts::webhook::WEBHOOK_PATH).flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, described)| Operation {
            method: method.to_uppercase().parse().expect("a method"),
            path,
            described,
        })
    })
}

impl Operation {
    /// A path whose parameters name nothing that is there; a type of records is one that there is.
    pub(crate) fn path_of_nothing(&self) -> String {
        path_with(&self.path.replace("{recordType}", "vessel"), "00000000-0000-7000-8000-000000000000")
    }

    fn fits(&self, path: &str) -> bool {
        let (mut here, mut there) = (self.path.split('/'), path.split('/'));
        loop {
            match (here.next(), there.next()) {
                (None, None) => return true,
                (Some(part), Some(given)) if part.starts_with('{') || part == given => {}
                _ => return false,
            }
        }
    }
}

/// The response, or the shared one that it refers to.
fn resolve(response: &'static Value) -> &'static Value {
    let pointer = response["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    pointer.and_then(|pointer| DOCUMENT.pointer(pointer)).unwrap_or(response)
}

fn path_with(path: &str, value: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { value } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// A request whose answer must be one that the document names for the operation.
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    path: String,
    builder: RequestBuilder,
}

impl Request {
    pub(crate) fn new(client: &Client, address: SocketAddr, method: Method, path: &str) -> Self {
        let builder = client.request(method.clone(), format!("http://{address}{path}"));
        Self { method, path: path.split('?').next().unwrap_or_default().to_owned(), builder }
    }

    fn map(self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self { builder: change(self.builder), ..self }
    }

    pub(crate) fn bearer_auth(self, token: &str) -> Self {
        self.map(|it| it.bearer_auth(token))
    }

    pub(crate) fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.map(|it| it.header(name, value.as_ref()))
    }

    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        self.map(|it| it.json(body))
    }

    pub(crate) fn body(self, content_type: &str, body: &'static str) -> Self {
        self.map(|it| it.header("content-type", content_type).body(body))
    }

    pub(crate) async fn send(self) -> reqwest::Result<Response> {
        let response = self.builder.send().await?;
        // A fixed path comes before one with a parameter, as in the service.
        let fitting: Vec<_> = operations().filter(|it| it.fits(&self.path)).collect();
        let path = fitting.iter().map(|it| it.path).min_by_key(|path| path.matches('{').count());
        if let Some(operation) = fitting.iter().find(|it| Some(it.path) == path && it.method == self.method) {
            let (status, responses) = (response.status(), &operation.described["responses"]);
            let response_of_status = resolve(&responses[status.as_str()]);
            assert!(
                response_of_status.is_object(),
                "{} {} answered {status}, which its description does not name",
                operation.method,
                operation.path
            );
            let header = response.headers().get("content-type").and_then(|value| value.to_str().ok());
            let content_type = header.unwrap_or_default().split(';').next().unwrap_or_default();
            let has_no_body = matches!(status.as_u16(), 204 | 304);
            assert!(
                has_no_body || response_of_status["content"].get(content_type).is_some(),
                "{} {} answered {status} as {content_type:?}, which its description does not name",
                operation.method,
                operation.path
            );
        }
        Ok(response)
    }
}
