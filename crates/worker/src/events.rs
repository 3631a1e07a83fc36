//! Queue `sync.events`: brings the records that the onboarding portal's webhooks named.
//!
//! **What arrives**: batches of `ApprovalEvent`s that waited together. An event names a record; its present state is
//! fetched, so the order of events does not matter, and many events about one record cost one fetch.
//!
//! **What it changes**: events are grouped by what must be fetched ([`Errand`]). Each group becomes one sync, recorded in
//! the very transaction that writes its records and marks its events processed.
//!
//! **Why twice is harmless**: an event that is processed is acknowledged and forgotten; two workers with one event meet
//! at its row's lock. An errand that fails puts only its own events back.

use std::collections::{BTreeMap, BTreeSet};

use broker::{Delivery, Disposition};
use contracts::{
    messages::{ApprovalEvent, WebhookNotice},
    provider::{EquipmentDraft, LARGEST_PAGE, ListQuery, UserDraft, VesselDraft},
    webhook::EventType,
};
use domain::{Cause, Mode, RecordType, Rules, Scope, SourceId, SyncId, WebhookEventId, WebhookState};
use portal_client::ListedRecord;
use serde_json::json;
use store::{
    StoreError,
    engine::lifecycle::sync_finish,
    ledger::{
        syncs::{NewSync, sync_begin},
        tallies::{tallies_add, tally_changes},
        webhook_events::{webhook_events_lock_open, webhook_events_mark_processed},
    },
    records::vessel_ids_known,
};

use crate::{
    attempts::{Subject, settle},
    batch::ValidatedBatch,
    context::Context,
    failure::WorkError,
    fault::{self, Point},
    transform,
    write::{count_outcomes, write_in},
};

/// What must be fetched for some events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    /// A vessel with its company, equipment and users.
    Export(SourceId),
    /// A company, with its vessels.
    Company(SourceId),
    /// These records of one list.
    Records(RecordType),
}

/// An event as it was read.
#[derive(Debug, Clone)]
struct Event {
    /// Its place in the batch.
    place: usize,
    id: WebhookEventId,
    event_type: String,
    record_type: RecordType,
    source_id: SourceId,
}

impl Event {
    fn read(place: usize, delivery: &Delivery) -> Result<Self, WorkError> {
        let message = delivery.decode::<ApprovalEvent>()?;
        let id = message.webhook_event_id.parse();
        let source_id = message.source_id.parse();
        Ok(Self {
            place,
            id: id.map_err(|_not_an_id| WorkError::Id(message.webhook_event_id.clone()))?,
            record_type: message.record_type().try_into()?,
            source_id: source_id.map_err(|_not_an_id| WorkError::Id(message.source_id.clone()))?,
            event_type: message.event_type,
        })
    }

    fn errand(&self) -> Errand {
        match (EventType::from(self.event_type.clone()), self.record_type) {
            (EventType::VesselApproved, _) => Errand::Export(self.source_id.clone()),
            (_, RecordType::Company) => Errand::Company(self.source_id.clone()),
            (_, list) => Errand::Records(list),
        }
    }
}

/// Handles a batch; the answers stand in the order of the deliveries.
pub(crate) async fn handle(context: &Context, deliveries: Vec<Delivery>) -> Vec<Disposition> {
    context.page_turns.event_came();
    let began = context.clock.now();
    let mut results: Vec<Option<Result<(), WorkError>>> = Vec::with_capacity(deliveries.len());
    let mut errands: BTreeMap<Errand, Vec<Event>> = BTreeMap::new();
    for (place, delivery) in deliveries.iter().enumerate() {
        match Event::read(place, delivery) {
            Ok(event) => {
                errands.entry(event.errand()).or_default().push(event);
                results.push(None);
            }
            Err(error) => results.push(Some(Err(error))),
        }
    }
    for (errand, events) in errands {
        let places: Vec<usize> = events.iter().map(|event| event.place).collect();
        match Box::pin(run(context, &deliveries, &errand, events)).await {
            Ok(not_listed) => {
                for place in places {
                    let missing = not_listed.iter().find(|event| event.place == place);
                    results[place] = Some(missing.map_or(Ok(()), |event| {
                        Err(WorkError::NotListed(format!("{} {}", event.record_type, event.source_id)))
                    }));
                }
            }
            Err(error) => {
                // The first to know keeps the error with its causes, the others what it said.
                let (said, class, after, snooze) =
                    (error.chain(), error.class(), error.retry_after(), error.snooze());
                let mut error = Some(error);
                for place in places {
                    let error = error.take().unwrap_or_else(|| WorkError::Shared {
                        said: said.clone(),
                        class,
                        after,
                        snooze,
                    });
                    results[place] = Some(Err(error));
                }
            }
        }
    }
    let mut dispositions = Vec::with_capacity(deliveries.len());
    for (delivery, result) in deliveries.iter().zip(results) {
        let result = result.expect("every delivery was read or belongs to an errand");
        dispositions.push(settle(context, delivery, Subject::default(), began, result).await);
    }
    fault::point(Point::EventSettled).await;
    dispositions
}

/// What an errand brought.
#[derive(Default)]
struct Brought {
    batch: ValidatedBatch,
    expected: BTreeMap<RecordType, u64>,
    /// The ids that the provider listed; none: the errand asked for no ids.
    listed: Option<BTreeSet<String>>,
}

/// Does an errand; returns the events whose records the provider does not list.
async fn run(
    context: &Context,
    deliveries: &[Delivery],
    errand: &Errand,
    events: Vec<Event>,
) -> Result<Vec<Event>, WorkError> {
    let ids: BTreeSet<SourceId> = events.iter().map(|event| event.source_id.clone()).collect();
    let Brought { batch, expected, listed } = fetch(context, errand, &ids).await?;
    let (events, not_listed): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| listed.as_ref().is_none_or(|listed| listed.contains(event.source_id.as_str())));
    if events.is_empty() {
        return Ok(not_listed);
    }
    let passwords = context.passwords_of_new_users(&batch).await?;
    let record_type = events[0].record_type;
    let sync = NewSync {
        id: SyncId::new(),
        cause: Cause::Webhook,
        mode: Mode::Selective,
        scope: match errand {
            Errand::Export(vessel) => Scope { vessel_id: Some(vessel.to_string()), ..Scope::default() },
            Errand::Company(_) | Errand::Records(_) => Scope {
                source_ids: [(record_type, ids.iter().map(ToString::to_string).collect())].into(),
                ..Scope::default()
            },
        },
        dry_run: false,
        requested_by: "webhook".to_owned(),
        reason: None,
        retry_of: None,
        trace_context: json!(chassis::telemetry::current_context()),
    };
    let now = context.clock.now();
    let mut tx = context.store.begin().await?;
    let written = async {
        let of_batch: Vec<_> = events.iter().map(|event| event.id).collect();
        let open = webhook_events_lock_open(&mut tx, &of_batch).await?;
        for event in &events {
            context.note_replay_succeeded_in(&mut tx, &deliveries[event.place], now).await?;
        }
        if open.is_empty() {
            return Ok(None);
        }
        let _created = sync_begin(&mut tx, &sync, now).await?;
        let counts = write_in(&mut tx, sync.id, &batch, &passwords, now).await?;
        tallies_add(&mut tx, sync.id, &tally_changes(&counts, expected)).await?;
        let state = sync_finish(&mut tx, sync.id, now).await?;
        webhook_events_mark_processed(&mut tx, &open, sync.id, now).await?;
        Ok::<_, StoreError>(Some((counts, state)))
    }
    .await;
    match written {
        Ok(ended) => {
            fault::point(Point::EventWritten).await;
            tx.commit().await?;
            if let Some((counts, state)) = ended {
                count_outcomes(&counts);
                context.sync_ended(sync.id, state);
                events.iter().for_each(|event| context.progress.webhook(notice(event)));
            }
            Ok(not_listed)
        }
        Err(error) => {
            tx.rollback().await;
            Err(error.into())
        }
    }
}

async fn fetch(context: &Context, errand: &Errand, ids: &BTreeSet<SourceId>) -> Result<Brought, WorkError> {
    let rules = Rules::at(context.clock.now());
    match errand {
        Errand::Export(vessel) => {
            let export = context.portal.vessel_export(vessel).await?;
            let mut expected: BTreeMap<_, _> = [
                (RecordType::Vessel, 1),
                (RecordType::Equipment, export.equipment.len() as u64),
                (RecordType::User, export.users.len() as u64),
            ]
            .into();
            if export.vessel.is_ok() {
                expected.insert(RecordType::Company, 1);
            }
            let (companies, vessels) = transform::vessels(vec![export.vessel], &rules);
            let equipment = transform::equipment(export.equipment, &rules);
            let users = transform::users(export.users, &rules);
            Ok(Brought {
                batch: ValidatedBatch { companies, vessels, equipment, users, snapshot: None },
                expected,
                listed: None,
            })
        }
        Errand::Company(company) => {
            let query = ListQuery { company_id: Some(company.to_string()), ..ListQuery::default() };
            let listed = all_pages::<VesselDraft>(context, query).await?;
            let (companies, vessels) = transform::vessels(listed.records, &rules);
            let batch = ValidatedBatch { companies, vessels, ..ValidatedBatch::default() };
            let mut expected: BTreeMap<_, _> =
                listed.total.map(|n| (RecordType::Vessel, n)).into_iter().collect();
            expected.extend(listed.total_companies.map(|n| (RecordType::Company, n)));
            // A company that has no vessels yet is not listed, and will come with its first.
            Ok(Brought { batch, expected, listed: None })
        }
        Errand::Records(record_type) => records(context, *record_type, ids, &rules).await,
    }
}

async fn records(
    context: &Context,
    record_type: RecordType,
    ids: &BTreeSet<SourceId>,
    rules: &Rules,
) -> Result<Brought, WorkError> {
    let query = ListQuery { ids: Some(joined(ids)), ..ListQuery::default() };
    let mut brought = Brought::default();
    match record_type {
        RecordType::Vessel | RecordType::Company => {
            let page = all_pages::<VesselDraft>(context, query).await?;
            brought.listed = Some(ids_of(&page.records, |draft| &draft.id));
            brought.expected.extend(page.total.map(|n| (RecordType::Vessel, n)));
            brought.expected.extend(page.total_companies.map(|n| (RecordType::Company, n)));
            (brought.batch.companies, brought.batch.vessels) = transform::vessels(page.records, rules);
        }
        RecordType::Equipment => {
            let page = all_pages::<EquipmentDraft>(context, query).await?;
            brought.listed = Some(ids_of(&page.records, |draft| &draft.id));
            brought.expected.extend(page.total.map(|n| (RecordType::Equipment, n)));
            brought.batch.equipment = transform::equipment(page.records, rules);
            // Its vessel's own event may still be on its way: then the vessel is fetched along.
            let mut vessels: Vec<SourceId> = brought
                .batch
                .equipment
                .accepted
                .iter()
                .map(|it| it.record.vessel_source_id.clone())
                .collect();
            vessels.sort();
            vessels.dedup();
            let known = vessel_ids_known(&mut *context.store.db().await?, &vessels).await?;
            let unknown: BTreeSet<SourceId> = vessels.into_iter().filter(|id| !known.contains(id)).collect();
            if !unknown.is_empty() {
                let query = ListQuery { ids: Some(joined(&unknown)), ..ListQuery::default() };
                let page = all_pages::<VesselDraft>(context, query).await?;
                brought.expected.extend(page.total.map(|n| (RecordType::Vessel, n)));
                brought.expected.extend(page.total_companies.map(|n| (RecordType::Company, n)));
                (brought.batch.companies, brought.batch.vessels) = transform::vessels(page.records, rules);
            }
        }
        RecordType::User => {
            let page = all_pages::<UserDraft>(context, query).await?;
            brought.listed = Some(ids_of(&page.records, |draft| &draft.id));
            brought.expected.extend(page.total.map(|n| (RecordType::User, n)));
            brought.batch.users = transform::users(page.records, rules);
        }
    }
    Ok(brought)
}

/// A list to its end: the records that some events named are few.
struct Listed<D> {
    records: Vec<portal_client::Decoded<D>>,
    total: Option<u64>,
    total_companies: Option<u64>,
}

async fn all_pages<D: ListedRecord>(context: &Context, mut query: ListQuery) -> Result<Listed<D>, WorkError> {
    query.limit = Some(LARGEST_PAGE);
    let mut listed = Listed { records: Vec::new(), total: None, total_companies: None };
    loop {
        let page = context.portal.page::<D>(&query).await?;
        listed.records.extend(page.records);
        listed.total = listed.total.or(page.info.total);
        listed.total_companies = listed.total_companies.or(page.info.total_companies);
        match page.info.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(listed),
        }
    }
}

/// The ids that were listed, of records that cannot be read too.
fn ids_of<D>(records: &[portal_client::Decoded<D>], id: fn(&D) -> &String) -> BTreeSet<String> {
    records
        .iter()
        .map(|record| match record {
            Ok(draft) => id(draft).clone(),
            Err(rejection) => rejection.source_id.clone(),
        })
        .collect()
}

fn joined(ids: &BTreeSet<SourceId>) -> String {
    ids.iter().map(SourceId::as_str).collect::<Vec<_>>().join(",")
}

fn notice(event: &Event) -> WebhookNotice {
    WebhookNotice {
        webhook_event_id: event.id.to_string(),
        event_type: event.event_type.clone(),
        record_type: contracts::messages::RecordType::from(event.record_type).into(),
        source_id: event.source_id.to_string(),
        state: WebhookState::Processed.to_string(),
    }
}
