//! Search.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RecordStanding;

words! {
    /// What a search finds.
    HitKind = domain::search::HitKind {
        Vessel = "vessel",
        Equipment = "equipment",
        User = "user",
        Company = "company",
        Sync = "sync",
        /// A webhook event.
        Webhook = "webhook",
        DeadLetter = "dead_letter",
        /// A trace: all that one request has caused.
        Trace = "trace",
    }
}
words! {
    /// Field that holds the text of a search.
    MatchedField = domain::search::MatchedField {
        /// IMO number of a vessel or a company.
        ImoNumber = "imoNumber",
        Mmsi = "mmsi",
        /// Name; of users only for admins.
        Name = "name",
        /// SFI code and unit of equipment, such as `601.001/1`.
        Tag = "tag",
        SfiCode = "sfiCode",
        QrCode = "qrCode",
        /// E-mail address of a user; only for admins.
        Email = "email",
        /// Id in the onboarding portal.
        SourceId = "sourceId",
        /// Id in the maintenance portal, or of a sync, a webhook event or a dead letter.
        Id = "id",
        /// Name of a record that was rejected and never written.
        Label = "label",
        /// Value of the header `webhook-id`.
        WebhookId = "webhookId",
        /// Id of the message that became a dead letter.
        MessageId = "messageId",
        /// Id of a task of the sync.
        TaskId = "taskId",
        TraceId = "traceId",
    }
}

/// Result of a search, by kind. Kinds without hits are absent unless they were cut short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// Text that was searched for, without white space at its ends.
    pub query: String,
    /// Hits by kind.
    pub groups: Vec<SearchGroup>,
    /// Whether a kind was cut short: then what is not listed may exist.
    pub cut_short: bool,
}

/// Hits of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchGroup {
    /// Kind of the hits.
    pub kind: HitKind,
    /// The best hits, at most 10.
    pub hits: Vec<SearchHit>,
    /// Whether there are more hits than these.
    pub more: bool,
    /// Whether the search of this kind was not completed: it took too long, or the database has no index for these letters.
    pub cut_short: bool,
}

/// A hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    /// Id; of a record the one in the onboarding portal.
    pub id: String,
    /// Name for people. E-mail addresses are masked except for admins.
    pub title: String,
    /// What tells it from others with that name.
    pub subtitle: Option<String>,
    /// Why it is a hit.
    pub matched: MatchedField,
    /// Where the record stands; absent for what is no record.
    pub standing: Option<RecordStanding>,
    /// Path of the API.
    pub link: String,
}
