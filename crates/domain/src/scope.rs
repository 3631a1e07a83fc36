//! The scope of a sync: which records it looks at, and how the provider can be asked for them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{HashSlice, RecordType};

/// What a sync is to look at; the column `sync_logs.scope`. Empty: everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Scope {
    /// Only these record types; empty: all. Companies come with vessels.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub record_types: BTreeSet<RecordType>,
    /// Only this vessel with its company, equipment and users, by its id in the onboarding portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vessel_id: Option<String>,
    /// Only these vessels, the same way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vessel_ids: Vec<String>,
    /// Only this company, its vessels, and what is on board of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Only these records, by their ids in the onboarding portal. A record type without an entry is not looked at,
    /// unless the map is empty.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub source_ids: BTreeMap<RecordType, Vec<String>>,
    /// Only records changed at or after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<DateTime<Utc>>,
    /// Only records changed at or before this time. The provider cannot be asked for this: what it lists beyond is
    /// counted as skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_until: Option<DateTime<Utc>>,
}

/// Most ids that one request to the provider may name.
pub const IDS_LIMIT: usize = 500;

/// What of a list is fetched, page by page in a chain of its own. Empty: the whole list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListFilter {
    /// Only these records; at most [`IDS_LIMIT`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_ids: Vec<String>,
    /// Only what belongs to this vessel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vessel_id: Option<String>,
    /// Only vessels of this company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Only this part of the rest, by the hash of the ids.
    #[serde(skip_serializing_if = "Option::is_none", rename = "slice")]
    pub hash_slice: Option<HashSlice>,
}

impl ListFilter {
    /// Whether the provider may be asked for it in [`HashSlice`]s: it names no records, and belongs to no vessel.
    #[must_use]
    pub fn is_divisible(&self) -> bool {
        self.source_ids.is_empty() && self.vessel_id.is_none() && self.hash_slice.is_none()
    }
}

impl Scope {
    /// Whether the list of this record type is to be fetched.
    #[must_use]
    pub fn wants(&self, list: RecordType) -> bool {
        let by_type = self.record_types.is_empty()
            || self.record_types.contains(&list)
            || (list == RecordType::Vessel && self.record_types.contains(&RecordType::Company));
        let by_id = self.source_ids.is_empty() || self.source_ids.contains_key(&list);
        by_type && by_id
    }

    /// Whether whole lists are looked at.
    #[must_use]
    pub fn is_of_whole_lists(&self) -> bool {
        self.vessel_id.is_none()
            && self.vessel_ids.is_empty()
            && self.company_id.is_none()
            && self.source_ids.is_empty()
            && self.updated_until.is_none()
    }

    /// Whether a sync of this scope reads records of this type. Companies have no list of their own: they come with
    /// vessels.
    #[must_use]
    pub fn covers(&self, record_type: RecordType) -> bool {
        self.wants(if record_type == RecordType::Company { RecordType::Vessel } else { record_type })
    }

    /// The record types that a sync of this scope reads.
    pub fn tallied_types(&self) -> impl Iterator<Item = RecordType> {
        RecordType::ALL.iter().copied().filter(|record_type| self.covers(*record_type))
    }

    /// The filters by which a list is fetched, side by side. The provider can be asked for some ids, one vessel or one
    /// company at a time. `of_company`: the vessels that [`Scope::company_id`] is known to have, when their equipment and
    /// users are fetched.
    #[must_use]
    pub fn list_filters(&self, list: RecordType, of_company: &[String]) -> Vec<ListFilter> {
        let by_ids = |ids: &[String]| {
            let filter = |ids: &[String]| ListFilter { source_ids: ids.to_vec(), ..ListFilter::default() };
            ids.chunks(IDS_LIMIT).map(filter).collect()
        };
        let by_vessel = |ids: &[String]| {
            let filter = |id: &String| ListFilter { vessel_id: Some(id.clone()), ..ListFilter::default() };
            ids.iter().map(filter).collect()
        };
        let vessels = self.vessel_id.as_ref().map_or(self.vessel_ids.as_slice(), std::slice::from_ref);
        match (self.source_ids.get(&list), list) {
            (Some(ids), _) => by_ids(ids),
            (None, RecordType::Vessel) if !vessels.is_empty() => by_ids(vessels),
            (None, RecordType::Vessel) => {
                vec![ListFilter { company_id: self.company_id.clone(), ..ListFilter::default() }]
            }
            (None, _) if !vessels.is_empty() => by_vessel(vessels),
            (None, _) if self.company_id.is_some() => by_vessel(of_company),
            (None, _) => vec![ListFilter::default()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_round_trips_through_json_and_the_empty_one_is_empty() {
        assert_eq!(serde_json::to_string(&Scope::default()).unwrap(), "{}");
        let scope =
            Scope { source_ids: [(RecordType::Vessel, vec!["v-1".into()])].into(), ..Scope::default() };
        let text = serde_json::to_string(&scope).unwrap();
        assert_eq!(text, r#"{"sourceIds":{"vessel":["v-1"]}}"#);
        assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), scope);
    }

    #[test]
    fn scope_covers_companies_with_their_vessels() {
        let covered = |scope: &Scope| -> Vec<RecordType> {
            RecordType::ALL.iter().copied().filter(|it| scope.covers(*it)).collect()
        };
        assert_eq!(covered(&Scope::default()), RecordType::ALL);
        let users = Scope { record_types: [RecordType::User].into(), ..Scope::default() };
        assert_eq!(covered(&users), [RecordType::User]);
        let ids = [(RecordType::Vessel, vec!["v-1".into()])].into();
        let vessels = Scope { source_ids: ids, ..Scope::default() };
        assert_eq!(covered(&vessels), [RecordType::Company, RecordType::Vessel]);
    }

    #[test]
    fn a_list_is_fetched_in_parts_that_the_provider_can_be_asked_for() {
        let whole = Scope::default();
        assert_eq!(whole.list_filters(RecordType::User, &[]), [ListFilter::default()]);

        let vessels = Scope { vessel_ids: vec!["v-1".into(), "v-2".into()], ..Scope::default() };
        let [filter] = vessels.list_filters(RecordType::Vessel, &[]).try_into().unwrap();
        assert_eq!(filter.source_ids, ["v-1", "v-2"]);
        let of: Vec<_> =
            vessels.list_filters(RecordType::Equipment, &[]).into_iter().map(|it| it.vessel_id).collect();
        assert_eq!(of, [Some("v-1".to_owned()), Some("v-2".to_owned())]);

        let company = Scope { company_id: Some("c-1".into()), ..Scope::default() };
        assert_eq!(company.list_filters(RecordType::Vessel, &[])[0].company_id.as_deref(), Some("c-1"));
        assert_eq!(
            company.list_filters(RecordType::User, &["v-9".into()])[0].vessel_id.as_deref(),
            Some("v-9")
        );
        assert_eq!(company.list_filters(RecordType::User, &[]), []);

        let many = (0..IDS_LIMIT + 1).map(|n| n.to_string()).collect();
        let many = Scope { source_ids: [(RecordType::Equipment, many)].into(), ..Scope::default() };
        let sizes: Vec<_> = many
            .list_filters(RecordType::Equipment, &[])
            .iter()
            .map(|filter| filter.source_ids.len())
            .collect();
        assert_eq!(sizes, [IDS_LIMIT, 1]);
    }
}
