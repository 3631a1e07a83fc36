//! Pages of records and exports of vessels. Records are decoded one by one, so that a malformed record rejects only itself.

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use contracts::provider::{EquipmentDraft, Page, PageInfo, UserDraft, VesselDraft, VesselExport};
use serde_json::value::RawValue;

use crate::{
    ListedRecord, PortalError,
    body::decode_body,
    record::{Decoded, decode_record, record_id},
};

/// A page whose records are decoded.
#[derive(Debug)]
pub struct DecodedPage<D> {
    /// In the provider's order.
    pub records: Vec<Decoded<D>>,
    pub info: PageInfo,
}

/// A page whose records are not decoded yet. `info` names the next page, which can be requested meanwhile.
#[derive(Debug)]
pub struct RawPage<D> {
    pub info: PageInfo,
    /// The JSON of each record, as a slice of the answer.
    records: Vec<Bytes>,
    of: PhantomData<fn() -> D>,
}

/// A record of a [`RawPage`].
#[derive(Debug)]
pub struct RawRecord<'p, D> {
    json: &'p str,
    of: PhantomData<fn() -> D>,
}

/// A vessel with its equipment and users, decoded record by record.
pub type VesselRecords = VesselExport<Decoded<VesselDraft>, Decoded<EquipmentDraft>, Decoded<UserDraft>>;

impl<D: ListedRecord> RawPage<D> {
    pub(crate) fn from_body(body: &Bytes) -> Result<Self, PortalError> {
        let Page { data, page } = decode_body::<Page<&RawValue>>(body, D::PATH)?;
        let records = data.into_iter().map(|raw| body.slice_ref(raw.get().as_bytes())).collect();
        Ok(Self { info: page, records, of: PhantomData })
    }

    /// The records, in the provider's order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RawRecord<'_, D>> {
        self.records.iter().map(|json| RawRecord {
            json: str::from_utf8(json).expect("JSON that was decoded is UTF-8"),
            of: PhantomData,
        })
    }

    /// Decodes the records, in the provider's order. A large page keeps a core busy for some milliseconds.
    #[must_use]
    pub fn decode(&self) -> Vec<Decoded<D>> {
        self.records().map(|record| record.decode()).collect()
    }
}

impl<'p, D: ListedRecord> RawRecord<'p, D> {
    /// The record's `id`, if it has one; other fields are skipped.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'p, str>> {
        record_id(self.json)
    }

    /// The JSON, byte for byte as it was sent.
    #[must_use]
    pub const fn bytes(&self) -> &'p [u8] {
        self.json.as_bytes()
    }

    pub fn decode(&self) -> Decoded<D> {
        decode_record(self.json)
    }
}

pub(crate) fn decode_page<D: ListedRecord>(body: &Bytes) -> Result<DecodedPage<D>, PortalError> {
    let page = RawPage::from_body(body)?;
    Ok(DecodedPage { records: page.decode(), info: page.info })
}

pub(crate) fn decode_vessel_export(body: &[u8], path: &str) -> Result<VesselRecords, PortalError> {
    let VesselExport { vessel, equipment, users, as_of } =
        decode_body::<VesselExport<&RawValue, &RawValue, &RawValue>>(body, path)?;
    Ok(VesselExport {
        vessel: decode_record(vessel.get()),
        equipment: equipment.into_iter().map(|raw| decode_record(raw.get())).collect(),
        users: users.into_iter().map(|raw| decode_record(raw.get())).collect(),
        as_of,
    })
}

#[cfg(test)]
mod tests {
    use domain::FailureClass;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Tank {
        id: String,
    }
    impl ListedRecord for Tank {
        const PATH: &'static str = "tanks";
    }

    #[test]
    fn a_malformed_record_is_rejected_without_its_page() {
        let body = br#"{"data":[{"id":"a"},{"id":7}],"page":{"limit":2}}"#;
        let page = decode_page::<Tank>(&Bytes::from_static(body)).unwrap();
        assert_eq!(page.records[0], Ok(Tank { id: "a".into() }));
        assert!(page.records[1].is_err());
    }

    #[test]
    fn an_answer_that_was_cut_is_a_transient_failure() {
        let cut = decode_page::<Tank>(&Bytes::from_static(br#"{"data":[{"id":"a","#)).unwrap_err();
        assert_eq!(cut.class(), FailureClass::Transient);
    }

    #[test]
    fn an_answer_of_another_shape_is_a_permanent_failure() {
        let other = decode_page::<Tank>(&Bytes::from_static(br#"{"items":[]}"#)).unwrap_err();
        assert_eq!(other.class(), FailureClass::Permanent);
    }
}
