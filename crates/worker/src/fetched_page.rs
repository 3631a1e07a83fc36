//! A page of one list as the provider answered, and how its records are read.
//!
//! Equipment is most of a fleet, and most of it comes byte for byte as it came before: such records are not decoded again.

use std::borrow::Cow;

use contracts::provider::{EquipmentDraft, ListQuery, PageInfo, UserDraft, VesselDraft};
use domain::{PageRequest, RecordType, Rules};
use portal_client::{PortalClient, PortalError, RawPage};
use store::{Store, records::equipment_snapshot_read};

use crate::{batch::ValidatedBatch, failure::WorkError, transform};

/// A page whose records are not decoded yet.
pub(crate) enum FetchedPage {
    Vessels(RawPage<VesselDraft>),
    Equipment(RawPage<EquipmentDraft>),
    Users(RawPage<UserDraft>),
}

impl FetchedPage {
    /// Asks the provider for a page.
    pub(crate) async fn fetch(portal: &PortalClient, request: &PageRequest) -> Result<Self, PortalError> {
        let query = list_query(request);
        Ok(match request.record_type {
            // Companies have no list of their own: they come with vessels.
            RecordType::Vessel | RecordType::Company => Self::Vessels(portal.fetch_raw_page(&query).await?),
            RecordType::Equipment => Self::Equipment(portal.fetch_raw_page(&query).await?),
            RecordType::User => Self::Users(portal.fetch_raw_page(&query).await?),
        })
    }

    pub(crate) fn record_count(&self) -> usize {
        match self {
            Self::Vessels(page) => page.records().len(),
            Self::Equipment(page) => page.records().len(),
            Self::Users(page) => page.records().len(),
        }
    }

    pub(crate) const fn info(&self) -> &PageInfo {
        match self {
            Self::Vessels(page) => &page.info,
            Self::Equipment(page) => &page.info,
            Self::Users(page) => &page.info,
        }
    }

    /// Decodes and validates the records, on a blocking thread; equipment that stands byte for byte as it came is left
    /// undecoded.
    pub(crate) async fn validate(self, store: &Store, rules: Rules) -> Result<ValidatedBatch, WorkError> {
        let Self::Equipment(page) = self else { return self.validate_all(rules).await };
        let (page, ids) = on_blocking_thread(move || {
            let ids: Vec<_> = page.records().map(|record| record.id().map(Cow::into_owned)).collect();
            (page, ids)
        })
        .await?;
        let known_ids: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
        let snapshot = equipment_snapshot_read(&mut *store.db().await?, &known_ids).await?;
        on_blocking_thread(move || {
            let equipment = transform::equipment_page(&page, &ids, &snapshot, &rules);
            ValidatedBatch { equipment, snapshot: Some(snapshot), ..ValidatedBatch::default() }
        })
        .await
    }

    /// Decodes and validates every record, on a blocking thread.
    pub(crate) async fn validate_all(self, rules: Rules) -> Result<ValidatedBatch, WorkError> {
        on_blocking_thread(move || match self {
            Self::Vessels(page) => {
                let (companies, vessels) = transform::vessels(page.decode(), &rules);
                ValidatedBatch { companies, vessels, ..ValidatedBatch::default() }
            }
            Self::Equipment(page) => {
                let equipment = transform::equipment(page.decode(), &rules);
                ValidatedBatch { equipment, ..ValidatedBatch::default() }
            }
            Self::Users(page) => {
                ValidatedBatch { users: transform::users(page.decode(), &rules), ..ValidatedBatch::default() }
            }
        })
        .await
    }
}

fn list_query(request: &PageRequest) -> ListQuery {
    let query = &request.query;
    let filter = &query.filter;
    ListQuery {
        limit: Some(query.limit),
        cursor: query.cursor.clone(),
        updated_since: query.updated_since,
        ids: (!filter.source_ids.is_empty()).then(|| filter.source_ids.join(",")),
        vessel_id: filter.vessel_id.clone(),
        company_id: filter.company_id.clone(),
        slice: filter.hash_slice.map(String::from),
        ..ListQuery::default()
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, WorkError> {
    tokio::task::spawn_blocking(work).await.map_err(|panicked| WorkError::Broken(panicked.to_string()))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::Scope;

    use super::*;

    fn first_page(scope: &Scope, record_type: RecordType) -> ListQuery {
        let [slice] = scope.list_filters(record_type, &[]).try_into().expect("one chain");
        list_query(&PageRequest::first(record_type, scope, slice, 0, 500))
    }

    #[test]
    fn vessel_of_the_scope_is_asked_for_by_id_in_its_list_and_by_vessel_in_the_others() {
        let scope = Scope { vessel_id: Some("v-1".into()), ..Scope::default() };
        let vessels = first_page(&scope, RecordType::Vessel);
        assert_eq!((vessels.ids.as_deref(), vessels.vessel_id), (Some("v-1"), None));
        let users = first_page(&scope, RecordType::User);
        assert_eq!((users.ids, users.vessel_id.as_deref()), (None, Some("v-1")));
    }

    #[test]
    fn company_limit_and_time_of_the_scope_are_asked_for() {
        let since = Some(DateTime::UNIX_EPOCH);
        let scope = Scope { company_id: Some("c-1".into()), updated_since: since, ..Scope::default() };
        let vessels = first_page(&scope, RecordType::Vessel);
        assert_eq!((vessels.company_id.as_deref(), vessels.cursor), (Some("c-1"), None));
        assert_eq!((vessels.updated_since, vessels.limit), (since, Some(500)));
    }
}
