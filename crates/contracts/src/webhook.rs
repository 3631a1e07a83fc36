//! The onboarding portal's webhooks: which events there are, what a body says, how it is signed.
//!
//! Standard Webhooks (<https://www.standardwebhooks.com>): thin payloads under dotted types. A body names the record
//! that changed; whoever handles it fetches the record's present state from the provider API.

pub mod signature;

use std::{convert::Infallible, fmt, str::FromStr};

use chrono::{DateTime, Utc};
use domain::RecordType;
use serde::{Deserialize, Serialize};

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

/// The body of a webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookBody {
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When it happened; not when it was sent.
    pub timestamp: DateTime<Utc>,
    /// Version of this shape: 1.
    #[serde(default = "first_version")]
    pub schema_version: u32,
    /// Whom it happened to.
    pub data: WebhookData,
}

/// The record that a webhook is about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookData {
    /// Id in the onboarding portal. Events about a record have one; `test.ping` has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The record's version at the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
    /// The vessel's IMO number, for people who read the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imo: Option<String>,
}

fn first_version() -> u32 {
    1
}

/// The answer to a webhook that was taken: 202 for a new one, 200 for a duplicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
    fn a_body_reads_as_documented_and_ignores_what_it_does_not_know() {
        let body: WebhookBody = serde_json::from_str(
            r#"{"type":"vessel.approved","timestamp":"2026-11-24T08:30:00Z","data":{"id":"v-1","imo":"9074729","more":1},"extra":[]}"#,
        )
        .unwrap();
        assert_eq!(body.event_type, EventType::VesselApproved);
        assert_eq!(body.schema_version, 1);
        assert_eq!(body.data.id.as_deref(), Some("v-1"));
    }
}
