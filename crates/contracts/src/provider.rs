//! The onboarding portal's data API (port 3001): what it answers.
//!
//! The records themselves are `domain`'s drafts: unparsed, exactly as they travel. They stand there once, beside the
//! rules that accept or reject them, instead of twice.

use chrono::{DateTime, Utc};
pub use domain::{
    HashSlice,
    company::CompanyDraft,
    equipment::{CriticalPartDraft, EquipmentDraft, MaintenanceScheduleDraft},
    page_request::PAGE_SIZE_LIMIT,
    scope::IDS_LIMIT,
    user::UserDraft,
    vessel::VesselDraft,
};
use serde::{Deserialize, Serialize};

/// Records of a page, unless asked otherwise.
pub const DEFAULT_PAGE_SIZE: u32 = 100;

/// A page of records, ordered by (`updatedAt`, `id`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The records: approved ones, and tombstones of those that were.
    pub data: Vec<T>,
    /// Where this page stands.
    pub page: PageInfo,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// Records asked for.
    pub limit: u32,
    /// Opaque; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Records of the whole list: on the first page, and with `include=total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Different companies of the whole list of vessels; there, beside `total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_companies: Option<u64>,
    /// The provider's time when it read the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DateTime<Utc>>,
    /// The slice that the page is of, as it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
}

/// What a portal can do beyond the least: the answer of `GET /api/sync/capabilities`. A portal without that path can do none
/// of it, and what is absent is so as well. The sync heeds `slices`; the rest is for people: a portal may answer a `limit` that is too
/// high for it with fewer records, and takes the 500 ids of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Capabilities {
    /// Most slices of a list ([`ListQuery::slice`]), a power of two up to [`HashSlice::COUNT_LIMIT`]; 1: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slices: Option<u32>,
    /// Most records of a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u32>,
    /// Most ids of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<u32>,
    /// Whether vessels can be exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<bool>,
    /// Encodings in which answers can be compressed, as `Accept-Encoding` names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compression: Vec<String>,
}

impl Capabilities {
    /// Of an answer in which some values are not of their types: those are as if they were absent.
    #[must_use]
    pub fn lenient(said: serde_json::Map<String, serde_json::Value>) -> Self {
        let mut capabilities = Self::default();
        for (name, value) in said {
            match name.as_str() {
                "slices" => capabilities.slices = serde_json::from_value(value).unwrap_or_default(),
                "pageSize" => capabilities.page_size = serde_json::from_value(value).unwrap_or_default(),
                "ids" => capabilities.ids = serde_json::from_value(value).unwrap_or_default(),
                "export" => capabilities.export = serde_json::from_value(value).unwrap_or_default(),
                "compression" => capabilities.compression = serde_json::from_value(value).unwrap_or_default(),
                _ => {}
            }
        }
        capabilities
    }
}

/// What a list may be asked for; the query of `GET /api/sync/vessels|equipment|users`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListQuery {
    /// Records per page, at most [`PAGE_SIZE_LIMIT`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `nextCursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only records changed at this time or later; vessels also if their company was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<DateTime<Utc>>,
    /// Only these, separated by commas, at most [`IDS_LIMIT`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<String>,
    /// Only what belongs to this vessel (equipment, users).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vessel_id: Option<String>,
    /// Only vessels of this company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// `k/n`: only the records whose id belongs to part k of n by a stable hash. A cursor is a place in the order of the
    /// records, and so leads on in any slice of its list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// `total`: say the totals on any page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<String>,
}

/// The answer of `POST /api/sync/export/{vesselId}`: a vessel with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VesselExport<V, E, U> {
    /// The vessel, with its company.
    pub vessel: V,
    /// Its equipment, with parts and schedules.
    pub equipment: Vec<E>,
    /// The users that are assigned to it.
    pub users: Vec<U>,
    /// The provider's time when it read them.
    pub as_of: DateTime<Utc>,
}
