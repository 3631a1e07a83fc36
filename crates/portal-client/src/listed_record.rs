//! The kinds of records that the portal lists, each with its path. A new kind of record is added here.

use contracts::provider::{EquipmentDraft, UserDraft, VesselDraft};
use serde::de::DeserializeOwned;

/// A kind of record that the portal lists.
pub trait ListedRecord: DeserializeOwned + Send {
    /// Path under the base URL.
    const PATH: &'static str;
    /// Whether records describe a person: their values are then kept out of findings.
    const IS_PERSON: bool = false;
}

impl ListedRecord for VesselDraft {
    const PATH: &'static str = "sync/vessels";
}
impl ListedRecord for EquipmentDraft {
    const PATH: &'static str = "sync/equipment";
}
impl ListedRecord for UserDraft {
    const PATH: &'static str = "sync/users";
    const IS_PERSON: bool = true;
}
