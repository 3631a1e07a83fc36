//! The onboarding portal's webhooks: which events there are, what a body says, how it is signed.
//!
//! Standard Webhooks (<https://www.standardwebhooks.com>): thin payloads under dotted types. A body names the record
//! that changed; whoever handles it fetches the record's present state from the provider API.

pub mod description;
#[cfg(test)]
mod garbage;
pub mod signature;

use std::{convert::Infallible, fmt, str::FromStr};

use chrono::{DateTime, Datelike, Utc};
use domain::{RecordType, SourceId, WebhookRefusal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Under the operator API's base URL.
pub const WEBHOOK_PATH: &str = "/api/sync/webhook";

/// What happened in the onboarding portal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum EventType {
    /// `company.approved`
    CompanyApproved,
    /// `vessel.approved`: brings the vessel with all that belongs to it.
    VesselApproved,
    /// `vessel.updated`
    VesselUpdated,
    /// `vessel.withdrawn`
    VesselWithdrawn,
    /// `equipment.approved`
    EquipmentApproved,
    /// `equipment.updated`
    EquipmentUpdated,
    /// `equipment.retired`
    EquipmentRetired,
    /// `user.approved`
    UserApproved,
    /// `user.updated`
    UserUpdated,
    /// `user.deactivated`
    UserDeactivated,
    /// `test.ping`: proves that the endpoint is reached and the secret agreed; changes nothing.
    TestPing,
    /// A type that this version does not know: recorded as ignored, never refused, or the sender would try for days.
    Unknown(String),
}

impl EventType {
    /// Every type that this version knows.
    pub const KNOWN: [Self; 11] = [
        Self::CompanyApproved,
        Self::VesselApproved,
        Self::VesselUpdated,
        Self::VesselWithdrawn,
        Self::EquipmentApproved,
        Self::EquipmentUpdated,
        Self::EquipmentRetired,
        Self::UserApproved,
        Self::UserUpdated,
        Self::UserDeactivated,
        Self::TestPing,
    ];

    /// The dotted name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::CompanyApproved => "company.approved",
            Self::VesselApproved => "vessel.approved",
            Self::VesselUpdated => "vessel.updated",
            Self::VesselWithdrawn => "vessel.withdrawn",
            Self::EquipmentApproved => "equipment.approved",
            Self::EquipmentUpdated => "equipment.updated",
            Self::EquipmentRetired => "equipment.retired",
            Self::UserApproved => "user.approved",
            Self::UserUpdated => "user.updated",
            Self::UserDeactivated => "user.deactivated",
            Self::TestPing => "test.ping",
            Self::Unknown(name) => name,
        }
    }

    /// The kind of record to fetch; none if there is nothing to sync.
    pub fn record_type(&self) -> Option<RecordType> {
        match self {
            Self::CompanyApproved => Some(RecordType::Company),
            Self::VesselApproved | Self::VesselUpdated | Self::VesselWithdrawn => Some(RecordType::Vessel),
            Self::EquipmentApproved | Self::EquipmentUpdated | Self::EquipmentRetired => {
                Some(RecordType::Equipment)
            }
            Self::UserApproved | Self::UserUpdated | Self::UserDeactivated => Some(RecordType::User),
            Self::TestPing | Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<String> for EventType {
    fn from(name: String) -> Self {
        Self::KNOWN.into_iter().find(|known| known.as_str() == name).unwrap_or(Self::Unknown(name))
    }
}

impl From<EventType> for String {
    fn from(it: EventType) -> Self {
        it.as_str().to_owned()
    }
}

impl FromStr for EventType {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(name.to_owned().into())
    }
}

/// The body of a webhook. It only names the record; the receiver fetches the record's present state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookBody {
    /// Event type.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "vessel.approved")]
    pub event_type: EventType,
    /// When the event happened, not when the webhook was sent.
    pub timestamp: DateTime<Utc>,
    /// Version of this schema: 1.
    #[serde(default = "first_version")]
    pub schema_version: u32,
    pub data: WebhookData,
}

/// The record that a webhook is about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookData {
    /// Id of the record in the onboarding portal; absent for `test.ping`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Version of the record when the event happened. One that cannot be read counts as none: nothing depends on it but how
    /// soon the record is fetched again.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "time_if_readable")]
    pub updated_at: Option<DateTime<Utc>>,
    /// IMO number of the vessel, for people who read logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imo: Option<String>,
}

fn first_version() -> u32 {
    1
}

fn time_if_readable<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(serde_json::Value::deserialize(value)?.as_str().and_then(|text| text.parse().ok()))
}

/// Longest name of an event type.
pub const LONGEST_TYPE: usize = 100;

/// What was read of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// What happened.
    pub event_type: EventType,
    /// When it happened; an event of a type that is not known need not say.
    pub occurred_at: Option<DateTime<Utc>>,
    /// What to look at; none if there is nothing to sync.
    pub entity: Option<(RecordType, SourceId)>,
    /// The record's version at the time, if the body says so.
    pub record_updated_at: Option<DateTime<Utc>>,
}

impl WebhookBody {
    /// Reads a body, of which nothing is assumed, and checks what its type promises. Of a type that is not known, only
    /// the name is asked for: whoever sends it will not stop because we do not know it.
    ///
    /// # Errors
    /// If it is no JSON, has no type, is not of the shape that its type has, or names no record though it is about one.
    pub fn read(raw: &[u8]) -> Result<Read, UnreadableBody> {
        let body: Self = match serde_json::from_slice(raw) {
            Ok(body) => body,
            Err(error) => {
                return match serde_json::from_slice::<OnlyType>(raw)?.event_type {
                    unknown @ EventType::Unknown(_) => Ok(Read {
                        event_type: checked(unknown)?,
                        occurred_at: None,
                        entity: None,
                        record_updated_at: None,
                    }),
                    _known => Err(error.into()),
                };
            }
        };
        let event_type = checked(body.event_type)?;
        if !(1970..=9999).contains(&body.timestamp.year()) {
            return Err(UnreadableBody::Timestamp);
        }
        let entity = match (event_type.record_type(), &body.data.id) {
            (None, _) => None,
            (Some(record_type), Some(id)) => {
                Some((record_type, id.parse().map_err(|_malformed| UnreadableBody::Id)?))
            }
            (Some(_), None) => return Err(UnreadableBody::NoId),
        };
        let record_updated_at = body.data.updated_at.filter(|at| (1970..=9999).contains(&at.year()));
        Ok(Read { event_type, occurred_at: Some(body.timestamp), entity, record_updated_at })
    }
}

/// As much as every body has.
#[derive(Deserialize)]
struct OnlyType {
    #[serde(rename = "type")]
    event_type: EventType,
}

fn checked(event_type: EventType) -> Result<EventType, UnreadableBody> {
    let name = event_type.as_str();
    let is_dotted_word = (1..=LONGEST_TYPE).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    if is_dotted_word { Ok(event_type) } else { Err(UnreadableBody::Type) }
}

/// Why a body is no webhook.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableBody {
    /// No JSON, or not of this shape.
    #[error("the body is not a webhook: {0}")]
    Json(#[from] serde_json::Error),
    /// The type is no dotted word.
    #[error("type is 1 to {LONGEST_TYPE} letters, digits, dots and underscores")]
    Type,
    /// Not of this era.
    #[error("timestamp is a time between the years 1970 and 9999")]
    Timestamp,
    /// It is about a record, and does not say which.
    #[error("an event of this type names its record in data.id")]
    NoId,
    /// What it names cannot be a record.
    #[error("data.id is 1 to 200 letters, digits and any of -._~:@+=")]
    Id,
}

impl UnreadableBody {
    /// The word for metrics, logs and the list of refused requests.
    pub fn reason(&self) -> WebhookRefusal {
        match self {
            Self::Json(error) if !error.is_data() => WebhookRefusal::UnparsableJson,
            _ => WebhookRefusal::SchemaInvalid,
        }
    }

    /// What is wrong and where, without quoting the body: it may name people.
    pub fn without_values(&self) -> String {
        match self {
            Self::Json(error) => {
                let what = if error.is_data() { "not of the shape of a webhook" } else { "no JSON" };
                format!("{what}, at line {} column {}", error.line(), error.column())
            }
            other => other.to_string(),
        }
    }
}

/// The answer to a webhook that was taken: 202 for a new one, 200 for a duplicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookReceipt {
    /// Our id of the event: a row of `webhook_events`.
    pub event_id: uuid::Uuid,
    /// This `webhook-id` was taken before; nothing more will come of this delivery.
    pub duplicate: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_type_reads_back_from_its_name() {
        for known in EventType::KNOWN {
            assert_eq!(EventType::from(known.as_str().to_owned()), known);
        }
        let later = EventType::from("certificate.approved".to_owned());
        assert_eq!(later, EventType::Unknown("certificate.approved".into()));
        assert_eq!(later.record_type(), None);
    }

    #[test]
    fn what_is_no_webhook_is_told_apart_without_quoting_it() {
        let body = |kind: &str, time: &str, data: &str| {
            format!(r#"{{"type":"{kind}","timestamp":"{time}","data":{data}}}"#).into_bytes()
        };
        let now = "2026-11-24T08:30:00Z";
        for (raw, reason) in [
            (b"".to_vec(), WebhookRefusal::UnparsableJson),
            (br#"{"type":"#.to_vec(), WebhookRefusal::UnparsableJson),
            (b"\xff{}".to_vec(), WebhookRefusal::UnparsableJson),
            (b"[]".to_vec(), WebhookRefusal::SchemaInvalid),
            (body("vessel.approved", "Ola Nordmann", r#"{"id":"v-1"}"#), WebhookRefusal::SchemaInvalid),
            (body("vessel.approved", now, "{}"), WebhookRefusal::SchemaInvalid),
            (body("vessel.approved", now, r#"{"id":"../v"}"#), WebhookRefusal::SchemaInvalid),
            (body("", now, "{}"), WebhookRefusal::SchemaInvalid),
            (body("a b", now, "{}"), WebhookRefusal::SchemaInvalid),
            (body("\\u0000", now, "{}"), WebhookRefusal::SchemaInvalid),
            (body(&"x".repeat(101), now, "{}"), WebhookRefusal::SchemaInvalid),
            (body("test.ping", "1969-12-31T00:00:00Z", "{}"), WebhookRefusal::SchemaInvalid),
        ] {
            let error = WebhookBody::read(&raw).expect_err("is no webhook");
            assert_eq!(error.reason(), reason, "{error}");
            assert!(!error.without_values().contains("Ola"), "{}", error.without_values());
        }
        let read = WebhookBody::read(&body("test.ping", now, "{}")).unwrap();
        assert_eq!(read.entity, None);
    }

    #[test]
    fn of_a_type_that_is_not_known_nothing_is_asked_but_its_name() {
        for raw in [
            r#"{"type":"certificate.approved","timestamp":"2026-11-24T08:30:00Z","data":{"id":"c-1"}}"#,
            r#"{"type":"certificate.approved","data":{"id":7,"more":[]}}"#,
            r#"{"type":"certificate.approved"}"#,
        ] {
            let read = WebhookBody::read(raw.as_bytes()).unwrap();
            assert_eq!(read.event_type, EventType::Unknown("certificate.approved".into()));
            assert_eq!(read.entity, None);
        }
    }

    #[test]
    fn a_body_reads_as_documented_and_ignores_what_it_does_not_know() {
        let body: WebhookBody = serde_json::from_str(
            r#"{"type":"vessel.approved","timestamp":"2026-11-24T08:30:00Z","data":{"id":"v-1","imo":"9074729","more":1},"extra":[]}"#,
        )
        .unwrap();
        assert_eq!(body.event_type, EventType::VesselApproved);
        assert_eq!(body.schema_version, 1);
        assert_eq!(body.data.id.as_deref(), Some("v-1"));
    }

    /// What the published schema asks of some types.
    struct Rule {
        types: Vec<String>,
        required: Vec<String>,
        of_data: Vec<String>,
    }

    fn schema() -> (serde_json::Value, Vec<Rule>) {
        let text = include_str!("../../../proto-schemas/webhook-event.schema.json");
        let schema: serde_json::Value = serde_json::from_str(text).unwrap();
        let words = |list: &serde_json::Value| -> Vec<String> {
            let words = list.as_array().into_iter().flatten();
            words.map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let rules = schema["allOf"].as_array().unwrap().iter().map(|rule| {
            let (when, then) = (&rule["if"]["properties"]["type"]["enum"], &rule["then"]);
            Rule {
                types: words(when),
                required: words(&then["required"]),
                of_data: words(&then["properties"]["data"]["required"]),
            }
        });
        let rules = rules.collect();
        (schema, rules)
    }

    #[test]
    fn the_published_schema_knows_the_types_that_the_code_knows() {
        let (schema, rules) = schema();
        let mut known = 0;
        for Rule { types, of_data, .. } in &rules {
            for name in types {
                let event_type = EventType::from(name.clone());
                assert!(!matches!(event_type, EventType::Unknown(_)), "{name}");
                assert_eq!(event_type.record_type().is_some(), of_data.contains(&"id".to_owned()), "{name}");
                known += 1;
            }
        }
        assert_eq!(known, EventType::KNOWN.len());
        let pattern = format!("^[A-Za-z0-9_.]{{1,{LONGEST_TYPE}}}$");
        assert_eq!(schema["properties"]["type"]["pattern"], pattern);
        for example in schema["examples"].as_array().unwrap() {
            assert!(WebhookBody::read(example.to_string().as_bytes()).is_ok(), "{example}");
        }
    }

    #[test]
    fn what_the_published_schema_requires_the_code_requires_and_nothing_else() {
        let (schema, rules) = schema();
        for Rule { types, required, of_data } in rules {
            for name in types {
                let now = "2026-11-24T08:30:00Z";
                let whole = WebhookBody {
                    event_type: name.clone().into(),
                    timestamp: now.parse().unwrap(),
                    schema_version: 1,
                    data: WebhookData {
                        id: Some("v-1".into()),
                        updated_at: now.parse().ok(),
                        imo: Some("9074729".into()),
                    },
                };
                let whole = serde_json::to_value(whole).unwrap();
                for field in whole.as_object().unwrap().keys().filter(|field| *field != "type") {
                    assert!(schema["properties"].get(field).is_some(), "{field} is documented");
                    let mut without = whole.clone();
                    without.as_object_mut().unwrap().remove(field);
                    let refused = WebhookBody::read(without.to_string().as_bytes()).is_err();
                    assert_eq!(refused, required.contains(field), "{name} without {field}");
                }
                for field in whole["data"].as_object().unwrap().keys() {
                    assert!(
                        schema["$defs"]["data"]["properties"].get(field).is_some(),
                        "{field} is documented"
                    );
                    let mut without = whole.clone();
                    without["data"].as_object_mut().unwrap().remove(field);
                    let refused = WebhookBody::read(without.to_string().as_bytes()).is_err();
                    assert_eq!(refused, of_data.contains(field), "{name} without data.{field}");
                }
            }
        }
        let named = |id: &str| {
            format!(
                r#"{{"type":"vessel.approved","timestamp":"2026-11-24T08:30:00Z","data":{{"id":"{id}"}}}}"#
            )
        };
        for (id, fits) in [("A-z0.9_~:@+=", true), ("a/b", false), ("a b", false), ("..", false), ("", false)]
        {
            assert_eq!(WebhookBody::read(named(id).as_bytes()).is_ok(), fits, "{id:?}");
        }
    }
}
