//! A page of one of the provider's lists: what is asked for, and where in the list. The column `sync_queue.page_request`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{HashSlice, ListFilter, RecordType, Scope, list_walk::ListWalk};

/// Most records that one page may hold.
pub const PAGE_SIZE_LIMIT: u32 = 1000;

/// What a page task asks the provider for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The list. Vessels bring their companies, which have no list of their own.
    pub record_type: RecordType,
    /// Which of the chains that fetch the list side by side, from 0.
    pub chain: u32,
    /// The place in the chain, from 0; from 1 in a slice, which goes on after the list's first page.
    pub number: u32,
    /// The rest, which the ledger keeps as one value.
    pub query: PageQuery,
}

/// What the provider is asked for a page: the part of a [`PageRequest`] that the ledger keeps as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PageQuery {
    /// The provider's opaque cursor; none for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Records per page, 1 to [`PAGE_SIZE_LIMIT`].
    pub limit: u32,
    /// Only records changed at or after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<DateTime<Utc>>,
    /// What of the list.
    #[serde(flatten)]
    pub filter: ListFilter,
    /// When the provider read the first page of the list: records newer than this have changed since. None on that page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DateTime<Utc>>,
    /// Set if the chain looks at records once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_look: Option<SecondLook>,
    /// What the pages before this one have shown of the list.
    #[serde(skip_serializing_if = "is_default")]
    pub walk: ListWalk,
}

fn is_default(walk: &ListWalk) -> bool {
    *walk == ListWalk::default()
}

/// Why a chain looks at records by their ids when the lists of its phase are read. A phase has one second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SecondLook {
    /// The sync has rejected them for a key that was taken, or for a record that was not there: either may have changed
    /// with a later page. The new outcome replaces the earlier one.
    Rejected,
    /// They stand rejected by earlier syncs, and were on no list of this sync.
    Standing,
}

impl SecondLook {
    /// Codes of the findings that a later page of the same phase may mend.
    pub const RETRIED_CODES: &'static [&'static str] =
        &["duplicate_email", "duplicate_imo_number", "duplicate_qr_code", "company_rejected", "orphan"];
    /// Most records of a type that a second look takes, for either reason.
    pub const RECORDS_LIMIT: u32 = 2_000;
    /// Most companies that stand rejected and whose vessels are listed for them: each is a chain of its own.
    pub const COMPANIES_LIMIT: u32 = 20;
}

impl PageRequest {
    /// The first page of a chain.
    #[must_use]
    pub fn first(
        record_type: RecordType,
        scope: &Scope,
        filter: ListFilter,
        chain: u32,
        page_size: u32,
    ) -> Self {
        let query = PageQuery {
            cursor: None,
            limit: page_size.clamp(1, PAGE_SIZE_LIMIT),
            updated_since: scope.updated_since,
            filter,
            as_of: None,
            second_look: None,
            walk: ListWalk::default(),
        };
        Self { record_type, chain, number: 0, query }
    }

    /// The first page of a chain that looks at records once more, whenever they have changed.
    #[must_use]
    pub fn again(
        record_type: RecordType,
        second_look: SecondLook,
        filter: ListFilter,
        chain: u32,
        page_size: u32,
    ) -> Self {
        let mut request = Self::first(record_type, &Scope::default(), filter, chain, page_size);
        request.query.second_look = Some(second_look);
        request
    }

    /// The page after this one, at the cursor that this one showed. `as_of`: when the provider read this page. `walk`: what
    /// the list has shown, this page included.
    #[must_use]
    pub fn next(&self, cursor: String, as_of: Option<DateTime<Utc>>, walk: ListWalk) -> Self {
        let as_of = self.query.as_of.or(as_of);
        let query = PageQuery { cursor: Some(cursor), as_of, walk, ..self.query.clone() };
        Self { number: self.number + 1, query, ..*self }
    }

    /// The pages after this one as first pages of as many chains as there are slices, each a part of the rest of the list: a
    /// cursor is a place in the order of the records, which is the same in every slice.
    pub fn divide(
        &self,
        cursor: &str,
        as_of: Option<DateTime<Utc>>,
        walk: ListWalk,
        slices: impl ExactSizeIterator<Item = HashSlice>,
    ) -> impl Iterator<Item = Self> {
        let walk = walk.of_part(slices.len() as u64);
        slices.map(move |slice| {
            let mut next = self.next(cursor.to_owned(), as_of, walk);
            next.chain = u32::from(slice.index()) + 1;
            next.query.filter.hash_slice = Some(slice);
            next
        })
    }

    /// The chain that began the list: pages of its slices are pages of one list, which names each record once.
    #[must_use]
    pub fn list_chain(&self) -> u32 {
        if self.query.filter.hash_slice.is_some() { 0 } else { self.chain }
    }

    /// Whether the pages after this one may be fetched in slices: it begins a list that is not a part of one.
    #[must_use]
    pub fn is_divisible(&self) -> bool {
        self.number == 0
            && self.chain == 0
            && self.query.second_look.is_none()
            && self.query.filter.is_divisible()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn first_page() -> PageRequest {
        let filter = ListFilter { vessel_id: Some("v-1".into()), ..ListFilter::default() };
        PageRequest::first(RecordType::User, &Scope::default(), filter, 2, 500)
    }

    #[test]
    fn first_page_asks_for_its_part_without_a_cursor() {
        let scope = Scope { updated_since: Some(DateTime::UNIX_EPOCH), ..Scope::default() };
        let page = PageRequest::first(RecordType::User, &scope, first_page().query.filter, 2, 500);
        assert_eq!((page.chain, page.number, page.query.cursor), (2, 0, None));
        assert_eq!((page.query.limit, page.query.updated_since), (500, Some(DateTime::UNIX_EPOCH)));
        assert_eq!(page.query.filter.vessel_id.as_deref(), Some("v-1"));
    }

    #[test]
    fn list_goes_on_in_slices_from_where_its_first_page_ends() {
        let scope = Scope::default();
        let first = PageRequest::first(RecordType::Equipment, &scope, ListFilter::default(), 0, 500);
        let walk = ListWalk::default().after_page(500, Some(10_500));
        let slices: Vec<_> = first.divide("c", Some(DateTime::UNIX_EPOCH), walk, HashSlice::all(4)).collect();
        assert_eq!(
            slices.iter().map(|it| (it.chain, it.number)).collect::<Vec<_>>(),
            [(1, 1), (2, 1), (3, 1), (4, 1)]
        );
        for slice in &slices {
            assert_eq!(slice.query.cursor.as_deref(), Some("c"));
            assert_eq!((slice.query.as_of, slice.list_chain()), (Some(DateTime::UNIX_EPOCH), 0));
            assert!(!slice.is_divisible());
        }
        let query = serde_json::to_value(&slices[2].query).unwrap();
        assert_eq!(query["slice"], "2/4");
        assert!(first.is_divisible() && !first_page().is_divisible());
    }

    #[test]
    fn page_size_is_held_within_what_the_provider_allows() {
        let limit =
            |size| PageRequest::first(RecordType::User, &Scope::default(), ListFilter::default(), 0, size);
        assert_eq!((limit(0).query.limit, limit(5000).query.limit), (1, PAGE_SIZE_LIMIT));
    }

    #[test]
    fn next_page_keeps_the_query_and_the_time_of_the_first_look() {
        let later = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        let second = first_page().next("a".into(), Some(DateTime::UNIX_EPOCH), ListWalk::default());
        let third = second.next("b".into(), Some(later), ListWalk::default());
        assert_eq!((third.number, third.query.cursor.as_deref()), (2, Some("b")));
        assert_eq!(third.query.as_of, Some(DateTime::UNIX_EPOCH));
        assert_eq!(third.query.filter, first_page().query.filter);
    }

    #[test]
    fn second_look_asks_for_its_records_whenever_they_have_changed_on_every_page() {
        let slice = ListFilter { source_ids: vec!["u-1".into()], ..ListFilter::default() };
        let page = PageRequest::again(RecordType::User, SecondLook::Rejected, slice, 3, 500);
        let json = serde_json::to_value(page.next("a".into(), None, ListWalk::default()).query).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "cursor": "a", "limit": 500, "sourceIds": ["u-1"], "secondLook": "rejected" })
        );
    }

    #[test]
    fn query_round_trips_through_json_without_what_is_absent() {
        let query = first_page().query;
        let json = serde_json::to_value(&query).unwrap();
        assert_eq!(json, serde_json::json!({ "limit": 500, "vesselId": "v-1" }));
        assert_eq!(serde_json::from_value::<PageQuery>(json).unwrap(), query);
    }
}
