//! An onboarding portal that plays what a test needs: lists in pages, exports, and any bytes instead. Knows no type of the
//! contract, because it must be able to break it. Start at [`Provider`].

mod fleet;
mod http;
mod list;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use http::InFlight;
pub use http::{Answer, Request};
pub use list::{Cursors, List, Slices};
use list::{Listing, position, problem};

/// The provider. Its records and its behaviour can be changed at any time. Clones are the same provider.
///
/// An answer is, in this order: the one that [`Provider::answer_next`] or [`Provider::answer_page`] has scripted, the
/// failure of all lists, the failure of this list, the page. Page numbers count from zero, as in `sync_queue`.
#[derive(Clone)]
pub struct Provider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    in_flight: Arc<InFlight>,
}

struct State {
    lists: BTreeMap<List, Listing>,
    /// What is said of slices; none: the portal does not know the question.
    slices: Option<u32>,
    /// Null leaves it out.
    as_of: Value,
    scripted: Vec<Scripted>,
    changes: Vec<Change>,
    failure: Option<u16>,
    failures: BTreeMap<List, u16>,
    retry_after: Option<u64>,
    delay: Duration,
    delays: BTreeMap<List, Duration>,
    requests: Vec<Request>,
}

struct Scripted {
    list: List,
    /// Any page, if none is given.
    page: Option<usize>,
    answer: Answer,
}

struct Change {
    list: List,
    page: usize,
    apply: Box<dyn FnOnce(&Provider) + Send>,
}

impl Provider {
    /// A provider without records, on a port of its own, until the test's runtime ends.
    pub async fn start() -> anyhow::Result<Self> {
        let state = State {
            lists: BTreeMap::new(),
            slices: None,
            as_of: "2026-05-01T00:00:00Z".into(),
            scripted: Vec::new(),
            changes: Vec::new(),
            failure: None,
            failures: BTreeMap::new(),
            retry_after: None,
            delay: Duration::ZERO,
            delays: BTreeMap::new(),
            requests: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let in_flight = Arc::new(InFlight::default());
        let address = http::listen(Arc::clone(&in_flight), {
            let (state, in_flight) = (Arc::clone(&state), Arc::clone(&in_flight));
            move |address, request| {
                Provider { address, state: Arc::clone(&state), in_flight: Arc::clone(&in_flight) }
                    .respond(request)
            }
        })
        .await?;
        Ok(Self { address, state, in_flight })
    }

    /// The base of the API, for `ONBOARDING_API_URL`.
    pub fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// One company, three vessels, five pieces of equipment, three users.
    pub fn small_fleet(&self) {
        for (id, imo) in [("v-1", "9074729"), ("v-2", "9619907"), ("v-3", "9321483")] {
            self.put_vessel(id, json!({"imoNumber": imo}));
        }
        for (id, vessel) in
            [("e-1a", "v-1"), ("e-1b", "v-1"), ("e-2a", "v-2"), ("e-2b", "v-2"), ("e-3a", "v-3")]
        {
            self.put_equipment(id, vessel, json!({}));
        }
        for n in 1..=3 {
            self.put_user(&format!("u-{n}"), json!({"email": format!("user{n}@example.com")}));
        }
    }

    /// Changes fields of a vessel, or adds a vessel that differs in them from one that passes validation.
    pub fn put_vessel(&self, id: &str, differences: Value) {
        self.put(List::Vessels, id, fleet::vessel(id), differences);
    }

    /// Like [`Self::put_vessel`]. The equipment belongs to the vessel from now on.
    pub fn put_equipment(&self, id: &str, vessel: &str, differences: Value) {
        let differences = merged(json!({"vesselId": vessel}), differences);
        self.put(List::Equipment, id, fleet::equipment(id), differences);
    }

    /// Like [`Self::put_vessel`].
    pub fn put_user(&self, id: &str, differences: Value) {
        self.put(List::Users, id, fleet::user(id), differences);
    }

    /// Lists these bytes as the record of this id, which decides about its place and about `ids`. In an export list, they are
    /// the whole body of this vessel's export.
    pub fn put_raw(&self, list: List, id: &str, bytes: impl Into<Vec<u8>>) {
        self.state().list(list).insert(id, bytes.into());
    }

    /// A record, byte for byte as a page lists it.
    pub fn listed(&self, list: List, id: &str) -> Option<Vec<u8>> {
        self.state().list(list).bytes(id).map(<[u8]>::to_vec)
    }

    /// Removes the record of this id from all lists, as if it had never been approved.
    pub fn forget(&self, id: &str) {
        self.state().lists.values_mut().for_each(|list| list.remove(id));
    }

    /// Lists the records of these ids first, in this order. Others follow by their ids.
    pub fn order(&self, list: List, ids: &[&str]) {
        self.state().list(list).order = ids.iter().map(|id| (*id).to_owned()).collect();
    }

    /// Announces this as the list's `total`, whatever it is. Null leaves it out.
    pub fn announce(&self, list: List, total: impl Into<Value>) {
        self.state().list(list).total = Some(total.into());
    }

    /// Announces this as `totalCompanies`, whatever it is. Null leaves it out.
    pub fn announce_companies(&self, total: impl Into<Value>) {
        self.state().list(List::Vessels).total_companies = Some(total.into());
    }

    /// Says this as `asOf`, which need be no time.
    pub fn set_as_of(&self, as_of: Option<&str>) {
        self.state().as_of = as_of.into();
    }

    /// Lists at most so many records per page, whatever is asked for.
    pub fn page_size(&self, list: List, records: usize) {
        self.state().list(list).page_size = records;
    }

    /// How the list's pages lead to each other.
    pub fn cursors(&self, list: List, cursors: Cursors) {
        self.state().list(list).cursors = cursors;
    }

    /// Says that lists can be asked for in so many slices at most.
    pub fn announce_slices(&self, slices: u32) {
        self.state().slices = Some(slices);
    }

    /// How the list is served in slices.
    pub fn slices(&self, list: List, slices: Slices) {
        self.state().list(list).slices = slices;
    }

    /// Gives this answer to the next request for the list that has no other scripted answer. Answers of repeated calls are
    /// given in their order, each once.
    pub fn answer_next(&self, list: List, answer: Answer) {
        self.state().scripted.push(Scripted { list, page: None, answer });
    }

    /// Like [`Self::answer_next`], for one page.
    pub fn answer_page(&self, list: List, page: usize, answer: Answer) {
        self.state().scripted.push(Scripted { list, page: Some(page), answer });
    }

    /// Answers everything with this status, or as it should.
    pub fn fail_with(&self, status: Option<u16>) {
        self.state().failure = status;
    }

    /// Answers one list with this status, or as it should.
    pub fn fail_list(&self, list: List, status: Option<u16>) {
        let failures = &mut self.state().failures;
        match status {
            Some(status) => failures.insert(list, status),
            None => failures.remove(&list),
        };
    }

    /// `Retry-After` of the failures, in seconds.
    pub fn retry_after(&self, seconds: Option<u64>) {
        self.state().retry_after = seconds;
    }

    /// Sends every answer that is not scripted so long after its request.
    pub fn answer_after(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// Like [`Self::answer_after`], for one list, instead of the delay of all.
    pub fn answer_list_after(&self, list: List, delay: Duration) {
        self.state().delays.insert(list, delay);
    }

    /// Applies a change once, when the page has been read for an answer and before that is sent: the page shows the state
    /// before the change, the next one the state after it.
    pub fn after_page(&self, list: List, page: usize, change: impl FnOnce(&Provider) + Send + 'static) {
        self.state().changes.push(Change { list, page, apply: Box::new(change) });
    }

    /// The most requests that were ever in flight at once.
    pub fn most_in_flight(&self) -> usize {
        self.in_flight.most()
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// The requests for a list so far, in the order of arrival.
    pub fn requests_for(&self, list: List) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| List::of(request).is_some_and(|(asked, _)| asked == list));
        requests
    }

    fn put(&self, list: List, id: &str, template: Value, differences: Value) {
        let mut state = self.state();
        let listing = state.list(list);
        let known = listing.json(id).cloned().unwrap_or(template);
        listing.insert(id, merged(known, differences).to_string().into_bytes());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, request: Request) -> Answer {
        let (answer, changes) = self.state().respond(request);
        changes.into_iter().for_each(|change| (change.apply)(self));
        answer
    }
}

impl State {
    fn list(&mut self, list: List) -> &mut Listing {
        self.lists.entry(list).or_default()
    }

    /// The answer to a request, and what changes after it.
    fn respond(&mut self, request: Request) -> (Answer, Vec<Change>) {
        self.requests.push(request.clone());
        if let ("/api/sync/capabilities", Some(slices)) = (request.path.as_str(), self.slices) {
            return (Answer::ok(json!({"slices": slices}).to_string()), Vec::new());
        }
        let Some((list, vessel)) = List::of(&request) else {
            return (problem(404, "There is no such list."), Vec::new());
        };
        let page = position(&request).map_or(0, |(page, _)| page);
        let answer = self.take_scripted(list, page).unwrap_or_else(|| {
            let delay = self.delays.get(&list).copied().unwrap_or(self.delay);
            self.answer(&request, list, vessel).delay(delay)
        });
        let is_due = |change: &mut Change| (change.list, change.page) == (list, page);
        (answer, self.changes.extract_if(.., is_due).collect())
    }

    fn take_scripted(&mut self, list: List, page: usize) -> Option<Answer> {
        let fits = |it: &Scripted| it.list == list && it.page.is_none_or(|only| only == page);
        let position = self.scripted.iter().position(fits)?;
        Some(self.scripted.remove(position).answer)
    }

    fn answer(&mut self, request: &Request, list: List, vessel: &str) -> Answer {
        if let Some(status) = self.failure.or_else(|| self.failures.get(&list).copied()) {
            let answer = Answer::status(status);
            return match self.retry_after {
                Some(seconds) => answer.header("retry-after", seconds),
                None => answer,
            };
        }
        if list == List::Export {
            return self.export(vessel);
        }
        let as_of = self.as_of.clone();
        self.list(list).page(request, &as_of).unwrap_or_else(|problem| problem)
    }

    fn export(&mut self, id: &str) -> Answer {
        if let Some(body) = self.list(List::Export).bytes(id) {
            return Answer::ok(body);
        }
        let Some(vessel) = self.list(List::Vessels).bytes(id).map(<[u8]>::to_vec) else {
            return problem(404, "There is no such vessel.");
        };
        let mut body = [br#"{"vessel":"#, &vessel[..]].concat();
        for (name, list) in [("equipment", List::Equipment), ("users", List::Users)] {
            body.extend(format!(",\"{name}\":").bytes());
            body.extend(self.list(list).array_of_vessel(id));
        }
        if !self.as_of.is_null() {
            body.extend(format!(",\"asOf\":{}", self.as_of).bytes());
        }
        body.push(b'}');
        Answer::ok(body)
    }
}

fn merged(mut record: Value, differences: Value) -> Value {
    if let (Some(fields), Value::Object(differences)) = (record.as_object_mut(), differences) {
        fields.extend(differences);
    }
    record
}
