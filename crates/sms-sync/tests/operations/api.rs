//! A server that answers every request as the document of the operator API says, and knows which operations it was asked for.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What texts for people are like: long enough for a table to wrap.
const SENTENCE: &str =
    "the onboarding portal answered with status 503 to every one of four attempts within two minutes";
const ID: &str = "019ab2c4-0000-7000-8000-000000000001";
/// Until it was asked for, a sync runs: whoever watches one listens to it.
const UPDATES: &str = "streamUpdates";

pub(super) struct Api {
    pub(super) url: String,
    document: Arc<Value>,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Api {
    pub(super) async fn start() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto-schemas/operator-api.openapi.json");
        let text = std::fs::read_to_string(path).expect("the document is there");
        let document: Arc<Value> = Arc::new(serde_json::from_str(&text).expect("it is JSON"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::<Mutex<BTreeSet<String>>>::default();
        let api = Self { url, document: Arc::clone(&document), asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer(connection, Arc::clone(&document), Arc::clone(&asked)));
            }
        });
        api
    }

    /// The operations that it was asked for.
    pub(super) fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().expect("no panic").clone()
    }

    /// The operations of the document.
    pub(super) fn operations(&self) -> BTreeSet<String> {
        let paths = self.document["paths"].as_object().expect("paths");
        let operations = paths.values().flat_map(|methods| methods.as_object().expect("methods").values());
        operations.filter_map(|it| it["operationId"].as_str().map(str::to_owned)).collect()
    }
}

async fn answer(mut connection: TcpStream, document: Arc<Value>, asked: Arc<Mutex<BTreeSet<String>>>) {
    let Some((method, path)) = read_request(&mut connection).await else { return };
    let answer = match operation(&document, &method, &path) {
        Some(operation) => {
            let name = operation["operationId"].as_str().expect("an operation has an id").to_owned();
            let ended = {
                let mut asked = asked.lock().expect("no panic");
                asked.insert(name.clone());
                asked.contains(UPDATES)
            };
            let example = Example { document: &document, state: if ended { "completed" } else { "running" } };
            example.response(&name, operation)
        }
        None => response(404, "application/json", format!("{{\"no\": \"{method} {path}\"}}").as_bytes()),
    };
    connection.write_all(&answer).await.ok();
    connection.shutdown().await.ok();
}

/// Method and path, after the whole request was read: a connection that is closed too early is reset.
async fn read_request(connection: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 8192];
        let read = connection.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if bytes.len() < end + 4 + length.unwrap_or(0) {
            continue;
        }
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut words = head.split_whitespace();
        let (method, target) = (words.next()?.to_lowercase(), words.next()?);
        return Some((method, target.split('?').next()?.to_owned()));
    }
}

/// The operation at a path; a path without parameters is preferred.
fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let fits = |template: &str| {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let same = |(template, path): (&&str, &&str)| template.starts_with('{') || template == path;
        template.len() == path.len() && template.iter().zip(&path).all(same)
    };
    let paths = document["paths"].as_object()?.iter();
    let mut found: Vec<_> =
        paths.filter(|(path, methods)| fits(path) && methods.get(method).is_some()).collect();
    found.sort_by_key(|(path, _)| path.matches('{').count());
    found.first().map(|(_, methods)| &methods[method])
}

fn response(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\netag: \"1\"\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Values as the schemas of the document have them.
struct Example<'a> {
    document: &'a Value,
    /// State of syncs.
    state: &'static str,
}

impl Example<'_> {
    /// The answer of an operation that succeeds.
    fn response(&self, name: &str, operation: &Value) -> Vec<u8> {
        let responses = operation["responses"].as_object().expect("responses");
        let (status, it) = responses.iter().find(|(status, _)| status.starts_with('2')).expect("a success");
        let status: u16 = status.parse().expect("a number");
        let Some((content_type, content)) = it["content"].as_object().and_then(|it| it.iter().next()) else {
            return response(status, "text/plain", b"");
        };
        let body = match content_type.as_str() {
            _ if name == "exportAudit" => {
                format!("{}\n{{\"complete\":true}}\n", self.value("", &content["schema"]))
            }
            "application/json" => self.value("", &content["schema"]).to_string(),
            "text/event-stream" => "retry: 3000\n\n".to_owned(),
            _ => "a picture".to_owned(),
        };
        response(status, content_type, body.as_bytes())
    }

    /// A value of the property with this name.
    fn value(&self, name: &str, schema: &Value) -> Value {
        if let Some(path) = schema["$ref"].as_str() {
            let of_sync = path.ends_with("/SyncState");
            let schema = self.document.pointer(path.trim_start_matches('#')).expect("the schema is there");
            return if of_sync { json!(self.state) } else { self.value(name, schema) };
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[0].clone();
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.value(name, part));
            let fields = parts.filter_map(|part| part.as_object().cloned());
            let mut all: Map<String, Value> = fields.flatten().collect();
            all.extend(self.properties(schema));
            return Value::Object(all);
        }
        if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
            let choice = choices.iter().find(|choice| choice["type"] != "null");
            return self.value(name, choice.expect("a choice that is not null"));
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").cloned().unwrap_or_default(),
            kind => kind.clone(),
        };
        match kind.as_str() {
            // Nothing that fails.
            Some("array") if name == "refused" => json!([]),
            Some("array") => json!([self.value(name, &schema["items"])]),
            Some("boolean") => json!(true),
            Some("integer" | "number") => json!(1),
            Some("string") => json!(self.text(name, schema)),
            Some("object") => Value::Object(self.properties(schema)),
            _ => json!("anything"),
        }
    }

    fn properties(&self, schema: &Value) -> Map<String, Value> {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut fields: Map<String, Value> =
            properties.map(|(name, schema)| (name.clone(), self.value(name, schema))).collect();
        if schema["additionalProperties"].is_object() {
            fields.insert("name".to_owned(), self.value("name", &schema["additionalProperties"]));
        }
        fields
    }

    fn text(&self, name: &str, schema: &Value) -> &'static str {
        match (schema["format"].as_str(), name) {
            (Some("uuid"), _) => ID,
            (Some("date-time"), _) => "2026-11-27T12:00:00Z",
            (Some("date"), _) => "2026-11-27",
            (_, "reason" | "detail" | "details" | "summary" | "message" | "failure" | "lastFailure") => {
                SENTENCE
            }
            (_, "title" | "causes" | "fix" | "description") => SENTENCE,
            (_, "offsetBefore" | "offsetAfter") => "+01:00",
            _ => "ME-001",
        }
    }
}
