//! Queue `sync.events`: fetches and writes the records that the onboarding portal's webhooks named.
//!
//! **What arrives**: batches of `ApprovalEvent`s that waited together. An event names a record; its present state is
//! fetched, so the order of events does not matter, and many events about one record cost one fetch.
//!
//! **What it changes**: events are grouped by what must be fetched ([`FetchPlan`]). Each group becomes one sync, recorded
//! in the very transaction that writes its records and marks its events processed.
//!
//! **Why twice is harmless**: an event that is processed is acknowledged and forgotten; two workers with one event meet
//! at its row's lock. A fetch that fails puts only its own events back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use crate::{
    attempts::{Subject, settle},
    batch::ValidatedBatch,
    context::{Context, EVENT_GROUPS},
    failure::WorkError,
    fault::{self, Point},
    portal_limiter::Traffic,
    transform,
    write::{batch_write, count_outcomes, tally_of},
};
use broker::{Delivery, Disposition, Queue};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::{
    messages::{ApprovalEvent, WebhookNotice},
    provider::{EquipmentDraft, ListQuery, PAGE_SIZE_LIMIT, UserDraft, VesselDraft},
    webhook::EventType,
};
use domain::{
    Cause, FailureClass, Mode, RecordCounts, RecordType, Rules, Scope, SourceId, SyncId, WebhookEventId,
    WebhookState,
    list_walk::{EndlessList, ListWalk},
};
use futures_util::{StreamExt, stream};
use portal_client::{ListedRecord, PortalError};
use serde_json::json;
use store::{
    Db, StoreError,
    engine::lifecycle::sync_finish,
    ledger::{
        syncs::{NewSync, sync_begin},
        tallies::tallies_add,
        webhook_events::{
            webhook_events_in_hand_note, webhook_events_lock_open, webhook_events_mark_processed,
        },
    },
    records::{NewPassword, WriteStamp, company_has_vessels, vessel_ids_known},
};

/// What is fetched for a group of events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum FetchPlan {
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
    /// `updatedAt` of the record by the event.
    record_updated_at: Option<DateTime<Utc>>,
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
            record_updated_at: message.record_updated_at.and_then(|at| at.try_into().ok()),
        })
    }

    /// Why the event is not done with what the onboarding portal lists, if so: its lists may lag behind its events.
    /// `listed`: the ids of the answer; `times`: when its records changed.
    fn unanswered(
        &self,
        listed: Option<&BTreeSet<String>>,
        times: &HashMap<&str, Option<DateTime<Utc>>>,
        now: DateTime<Utc>,
    ) -> Option<WorkError> {
        let record = || format!("{} {}", self.record_type, self.source_id);
        let source_id = self.source_id.as_str();
        if listed.is_some_and(|listed| !listed.contains(source_id)) {
            return Some(WorkError::NotListed(record()));
        }
        let announced = self.record_updated_at.filter(|at| *at <= now + Rules::at(now).future_tolerance)?;
        let listed = (*times.get(source_id)?)?;
        (listed + CLOCK_STEP < announced).then(|| WorkError::Lagging { record: record(), listed, announced })
    }

    fn plan(&self) -> FetchPlan {
        match (EventType::from(self.event_type.clone()), self.record_type) {
            (EventType::VesselApproved, _) => FetchPlan::Export(self.source_id.clone()),
            (_, RecordType::Company) => FetchPlan::Company(self.source_id.clone()),
            (_, list) => FetchPlan::Records(list),
        }
    }
}

/// Handles a batch; the answers stand in the order of the deliveries.
pub(crate) async fn handle(context: &Context, deliveries: Vec<Delivery>) -> Vec<Disposition> {
    context.page_turns.note_event();
    let began = context.clock.now();
    let mut results: Vec<Option<Result<(), WorkError>>> = Vec::with_capacity(deliveries.len());
    let mut groups: BTreeMap<FetchPlan, Vec<Event>> = BTreeMap::new();
    let mut ids = Vec::with_capacity(deliveries.len());
    for (place, delivery) in deliveries.iter().enumerate() {
        match Event::read(place, delivery) {
            Ok(event) => {
                ids.push(event.id);
                groups.entry(event.plan()).or_default().push(event);
                results.push(None);
            }
            Err(error) => results.push(Some(Err(error))),
        }
    }
    // Side by side: a fetch that takes long delays its own events alone.
    let processing = groups.into_iter().map(|(plan, events)| {
        let deliveries = &deliveries;
        async move { process_events(context, deliveries, &plan, events).await }
    });
    let processed = stream::iter(processing).buffer_unordered(EVENT_GROUPS).concat();
    for (place, result) in while_in_hand(context, &ids, Box::pin(processed)).await {
        results[place] = Some(result);
    }
    let subject = Subject { queue: Queue::Events, sync: None, task: None };
    let mut dispositions = Vec::with_capacity(deliveries.len());
    for (delivery, result) in deliveries.iter().zip(results) {
        let result = result.expect("every delivery was read or belongs to a group");
        dispositions.push(settle(context, delivery, subject, began, result).await);
    }
    fault::point(Point::EventSettled).await;
    dispositions
}

/// How often events that are in hand for long show a sign of life, so that nobody takes them for lost.
const SIGN_OF_LIFE_INTERVAL: Duration = Duration::from_secs(5);

/// Runs `work` on events, which are not lost while it lasts.
async fn while_in_hand<T>(context: &Context, events: &[WebhookEventId], work: impl Future<Output = T>) -> T {
    let signs_of_life = async {
        loop {
            tokio::time::sleep(SIGN_OF_LIFE_INTERVAL).await;
            let now = context.clock.now();
            let noted =
                async { webhook_events_in_hand_note(&mut *context.store.db().await?, events, now).await };
            if let Err(error) = noted.await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "that events are in hand could not be noted"
                );
            }
        }
    };
    tokio::select! {
        result = work => result,
        never = signs_of_life => never,
    }
}

/// Two times of one change differ by less: one of them may be cut to whole seconds.
const CLOCK_STEP: TimeDelta = TimeDelta::seconds(1);

/// Processes the events of a group; the result of each. If the provider refuses the group for good, each record is asked for
/// alone: one that it cannot stand must not cost the others.
async fn process_events(
    context: &Context,
    deliveries: &[Delivery],
    plan: &FetchPlan,
    events: Vec<Event>,
) -> Vec<(usize, Result<(), WorkError>)> {
    let places = |events: &[Event]| events.iter().map(|event| event.place).collect();
    let result = process_group(context, deliveries, plan, events.clone()).await;
    let is_refused =
        matches!(&result, Err(WorkError::Portal(error)) if error.class() == FailureClass::Permanent);
    let mut by_record: BTreeMap<SourceId, Vec<Event>> = BTreeMap::new();
    if !is_refused || events.iter().all(|event| event.source_id == events[0].source_id) {
        return result_of_each(places(&events), result);
    }
    for event in events {
        by_record.entry(event.source_id.clone()).or_default().push(event);
    }
    let mut results = Vec::new();
    for events in by_record.into_values() {
        let places = places(&events);
        results.extend(result_of_each(places, process_group(context, deliveries, plan, events).await));
    }
    results
}

/// The result of a group, for each of its events.
fn result_of_each(
    places: Vec<usize>,
    result: Result<BTreeMap<usize, WorkError>, WorkError>,
) -> Vec<(usize, Result<(), WorkError>)> {
    match result {
        Ok(mut unanswered) => {
            places.into_iter().map(|place| (place, unanswered.remove(&place).map_or(Ok(()), Err))).collect()
        }
        Err(error) => {
            // The first event keeps the error with its causes, the others its text.
            let shared = error.another();
            let errors = std::iter::once(error).chain(std::iter::repeat_with(move || shared.another()));
            places.into_iter().zip(errors.map(Err)).collect()
        }
    }
}

#[derive(Default)]
struct FetchedRecords {
    /// When the request for them began.
    fetched_at: DateTime<Utc>,
    batch: ValidatedBatch,
    expected: BTreeMap<RecordType, u64>,
    /// The ids that the provider listed; none: the plan asked for no ids.
    listed: Option<BTreeSet<String>>,
}

/// Fetches and writes the records of a group of events; returns those that what the provider lists does not answer, by their
/// places.
async fn process_group(
    context: &Context,
    deliveries: &[Delivery],
    plan: &FetchPlan,
    events: Vec<Event>,
) -> Result<BTreeMap<usize, WorkError>, WorkError> {
    let _in_hand = context.event_groups.acquire().await.expect("the semaphore is never closed");
    let ids: BTreeSet<SourceId> = events.iter().map(|event| event.source_id.clone()).collect();
    let fetched_at = context.clock.now();
    let fetched = FetchedRecords { fetched_at, ..fetch(context, plan, &ids).await? };
    let unanswered: BTreeMap<usize, WorkError> = {
        let (times, now) = (fetched.batch.times_of(events[0].record_type), context.clock.now());
        let of = |it: &Event| Some((it.place, it.unanswered(fetched.listed.as_ref(), &times, now)?));
        events.iter().filter_map(of).collect()
    };
    let mut events = events;
    events.retain(|event| !unanswered.contains_key(&event.place));
    if events.is_empty() {
        return Ok(unanswered);
    }
    let new_users = context.new_users(&fetched.batch).await?;
    let passwords = context.password_maker.make(&new_users, context.clock.now()).await;
    let _permit = context.event_writes.acquire().await.expect("the semaphore is never closed");
    let sync = sync_of(plan, events[0].record_type, &ids);
    tracing::Span::current().record("sms.sync.id", sync.id.to_string());
    let mut tx = context.store.begin().await?;
    match write_group_in(context, &mut tx, deliveries, &events, &sync, fetched, &passwords).await {
        Ok(ended) => {
            fault::point(Point::EventWritten).await;
            tx.commit().await?;
            if let Some(counts) = ended {
                count_outcomes(&counts);
                context.sync_ended(sync.id).await;
                events.iter().for_each(|event| context.progress.webhook(notice(event)));
            }
            record_lags(&events, context.clock.now());
            Ok(unanswered)
        }
        Err(error) => {
            tx.rollback().await;
            Err(error.into())
        }
    }
}

/// The sync that a group of events becomes.
fn sync_of(plan: &FetchPlan, record_type: RecordType, ids: &BTreeSet<SourceId>) -> NewSync {
    let scope = match plan {
        FetchPlan::Export(vessel) => Scope { vessel_id: Some(vessel.to_string()), ..Scope::default() },
        FetchPlan::Company(_) | FetchPlan::Records(_) => Scope {
            source_ids: [(record_type, ids.iter().map(ToString::to_string).collect())].into(),
            ..Scope::default()
        },
    };
    NewSync {
        id: SyncId::new(),
        cause: Cause::Webhook,
        mode: Mode::Selective,
        scope,
        dry_run: false,
        requested_by: "webhook".to_owned(),
        reason: None,
        retry_of: None,
        trace_context: json!(chassis::telemetry::current_context()),
    }
}

/// The one transaction of a group; none if other deliveries have processed all of its events.
async fn write_group_in(
    context: &Context,
    tx: &mut Db,
    deliveries: &[Delivery],
    events: &[Event],
    sync: &NewSync,
    fetched: FetchedRecords,
    passwords: &[NewPassword],
) -> Result<Option<BTreeMap<RecordType, RecordCounts>>, StoreError> {
    let now = context.clock.now();
    let ids: Vec<_> = events.iter().map(|event| event.id).collect();
    let open = webhook_events_lock_open(tx, &ids).await?;
    for event in events {
        context.note_replay_succeeded_in(tx, &deliveries[event.place], now).await?;
    }
    if open.is_empty() {
        return Ok(None);
    }
    let fetched_at = fetched.fetched_at;
    let _created = sync_begin(tx, sync, fetched_at).await?;
    let stamp = WriteStamp { sync_id: sync.id, fetched_at, notes_fetches: true, now };
    let written = batch_write(tx, stamp, &fetched.batch, passwords).await?;
    let (mut changes, _) = tally_of(tx, sync.id, &written, fetched.expected).await?;
    for record_type in sync.scope.tallied_types() {
        changes.entry(record_type).or_default();
    }
    tallies_add(tx, sync.id, &changes).await?;
    let written_at = context.clock.now();
    let _state = sync_finish(tx, sync.id, written_at).await?;
    webhook_events_mark_processed(tx, &open, sync.id, written_at).await?;
    Ok(Some(written.counts))
}

async fn fetch(
    context: &Context,
    plan: &FetchPlan,
    ids: &BTreeSet<SourceId>,
) -> Result<FetchedRecords, WorkError> {
    let rules = Rules::at(context.clock.now());
    match plan {
        FetchPlan::Export(vessel) => {
            let request = context.portal.fetch_vessel_export(vessel);
            let export = context.portal_limiter.run(Traffic::Events, request).await;
            let export = export.map_err(|error| match error {
                // Its exports may lag behind its events, as its lists do.
                WorkError::Portal(PortalError::Status { status: 404, .. }) => {
                    WorkError::NotListed(format!("vessel {vessel}"))
                }
                error => error,
            })?;
            let mut expected: BTreeMap<_, _> = [
                (RecordType::Vessel, 1),
                (RecordType::Equipment, export.equipment.len() as u64),
                (RecordType::User, export.users.len() as u64),
            ]
            .into();
            if export.vessel.is_ok() {
                expected.insert(RecordType::Company, 1);
            }
            // An export of another vessel says nothing about this one. One without a readable id is rejected for it.
            let of = match &export.vessel {
                Ok(draft) => draft.id.clone(),
                Err(undecodable) => undecodable.source_id().to_owned(),
            };
            if !of.is_empty() && of != vessel.as_str() {
                return Err(WorkError::NotListed(format!("vessel {vessel}")));
            }
            let (companies, vessels) = transform::vessels(vec![export.vessel], &rules);
            let equipment = transform::equipment(export.equipment, &rules);
            let users = transform::users(export.users, &rules);
            Ok(FetchedRecords {
                batch: ValidatedBatch { companies, vessels, equipment, users, snapshot: None },
                expected,
                ..FetchedRecords::default()
            })
        }
        FetchPlan::Company(company) => {
            let query = ListQuery { company_id: Some(company.to_string()), ..ListQuery::default() };
            let listed = all_pages::<VesselDraft>(context, query).await?;
            let is_listed = listed.records.iter().any(|record| match record {
                Ok(draft) => draft.company.id == company.as_str(),
                // Whose it is cannot be read.
                Err(_undecodable) => true,
            });
            // A company that has no vessels yet is not listed, and will come with its first.
            let has_vessels = async || company_has_vessels(&mut *context.store.db().await?, company).await;
            if !is_listed && (!listed.records.is_empty() || has_vessels().await?) {
                return Err(WorkError::NotListed(format!("company {company}")));
            }
            let (companies, vessels) = transform::vessels(listed.records, &rules);
            let batch = ValidatedBatch { companies, vessels, ..ValidatedBatch::default() };
            let mut expected: BTreeMap<_, _> =
                listed.total.map(|n| (RecordType::Vessel, n)).into_iter().collect();
            expected.extend(listed.total_companies.map(|n| (RecordType::Company, n)));
            Ok(FetchedRecords { batch, expected, ..FetchedRecords::default() })
        }
        FetchPlan::Records(record_type) => records(context, *record_type, ids, &rules).await,
    }
}

async fn records(
    context: &Context,
    record_type: RecordType,
    ids: &BTreeSet<SourceId>,
    rules: &Rules,
) -> Result<FetchedRecords, WorkError> {
    let query = ListQuery { ids: Some(joined(ids)), ..ListQuery::default() };
    let mut fetched = FetchedRecords::default();
    match record_type {
        RecordType::Vessel | RecordType::Company => {
            let page = all_pages::<VesselDraft>(context, query).await?;
            fetched.listed = Some(ids_of(&page.records, |draft| &draft.id));
            fetched.expected.extend(page.total.map(|n| (RecordType::Vessel, n)));
            fetched.expected.extend(page.total_companies.map(|n| (RecordType::Company, n)));
            (fetched.batch.companies, fetched.batch.vessels) = transform::vessels(page.records, rules);
        }
        RecordType::Equipment => {
            let page = all_pages::<EquipmentDraft>(context, query).await?;
            fetched.listed = Some(ids_of(&page.records, |draft| &draft.id));
            fetched.expected.extend(page.total.map(|n| (RecordType::Equipment, n)));
            fetched.batch.equipment = transform::equipment(page.records, rules);
            // Its vessel's own event may still be on its way: then the vessel is fetched along.
            let mut vessels: Vec<SourceId> = fetched
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
                fetched.expected.extend(page.total.map(|n| (RecordType::Vessel, n)));
                fetched.expected.extend(page.total_companies.map(|n| (RecordType::Company, n)));
                (fetched.batch.companies, fetched.batch.vessels) = transform::vessels(page.records, rules);
            }
        }
        RecordType::User => {
            let page = all_pages::<UserDraft>(context, query).await?;
            fetched.listed = Some(ids_of(&page.records, |draft| &draft.id));
            fetched.expected.extend(page.total.map(|n| (RecordType::User, n)));
            fetched.batch.users = transform::users(page.records, rules);
        }
    }
    Ok(fetched)
}

/// A list to its end: the records that some events named are few.
struct Listed<D> {
    records: Vec<portal_client::Decoded<D>>,
    total: Option<u64>,
    total_companies: Option<u64>,
}

/// Most records that are fetched for a group of events.
const RECORDS_LIMIT: usize = 5_000;

async fn all_pages<D: ListedRecord>(context: &Context, mut query: ListQuery) -> Result<Listed<D>, WorkError> {
    query.limit = Some(PAGE_SIZE_LIMIT);
    let mut listed = Listed { records: Vec::new(), total: None, total_companies: None };
    let (mut walk, mut cursors) = (ListWalk::default(), HashSet::new());
    loop {
        let request = context.portal.fetch_page::<D>(&query);
        let page = context.portal_limiter.run(Traffic::Events, request).await?;
        walk = walk.after_page(page.records.len(), page.info.total);
        listed.records.extend(page.records);
        listed.total = listed.total.or(page.info.total);
        listed.total_companies = listed.total_companies.or(page.info.total_companies);
        let Some(cursor) = page.info.next_cursor else { return Ok(listed) };
        walk.may_go_on()?;
        if listed.records.len() > RECORDS_LIMIT {
            return Err(WorkError::TooManyRecords(RECORDS_LIMIT));
        }
        if !cursors.insert(cursor.clone()) {
            return Err(EndlessList::Circle.into());
        }
        query.cursor = Some(cursor);
    }
}

/// The ids that were listed, of records that cannot be read too.
fn ids_of<D>(records: &[portal_client::Decoded<D>], id: fn(&D) -> &String) -> BTreeSet<String> {
    records
        .iter()
        .map(|record| match record {
            Ok(draft) => id(draft).clone(),
            Err(undecodable) => undecodable.source_id().to_owned(),
        })
        .collect()
}

fn joined(ids: &BTreeSet<SourceId>) -> String {
    ids.iter().map(SourceId::as_str).collect::<Vec<_>>().join(",")
}

fn record_lags(events: &[Event], now: DateTime<Utc>) {
    for changed_at in events.iter().filter_map(|event| event.record_updated_at) {
        metrics::histogram!("sms_approval_lag_seconds").record((now - changed_at).as_seconds_f64().max(0.0));
    }
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
