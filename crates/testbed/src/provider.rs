//! An onboarding portal that plays what a test needs: lists in pages, the export, and answers that are errors.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use wiremock::{Match, Mock, MockServer, Request, Respond, ResponseTemplate};

type Records = BTreeMap<String, Value>;

#[derive(Default)]
struct State {
    vessels: Records,
    equipment: Records,
    users: Records,
    failure: Option<u16>,
    failures: BTreeMap<String, u16>,
    retry_after: Option<u64>,
    delay: Duration,
    circle: bool,
}

/// The provider; its records can be changed at any time.
pub struct Provider {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

struct Answer(Arc<Mutex<State>>);

struct Anything;
impl Match for Anything {
    fn matches(&self, _: &Request) -> bool {
        true
    }
}

impl Respond for Answer {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let state = self.0.lock().expect("no test panics with the lock");
        let path = request.url.path().trim_start_matches("/api/sync/");
        if let Some(status) = state.failure.or_else(|| state.failures.get(path).copied()) {
            let answer = ResponseTemplate::new(status);
            return match state.retry_after {
                Some(seconds) => answer.insert_header("retry-after", seconds.to_string().as_str()),
                None => answer,
            };
        }
        state.answer(request, path).set_delay(state.delay)
    }
}

impl State {
    fn answer(&self, request: &Request, path: &str) -> ResponseTemplate {
        if let Some(vessel) = path.strip_prefix("export/") {
            return self.export(vessel);
        }
        match path {
            "vessels" => page(request, &self.vessels, false),
            "equipment" => page(request, &self.equipment, self.circle),
            "users" => page(request, &self.users, false),
            _ => ResponseTemplate::new(404),
        }
    }

    fn export(&self, id: &str) -> ResponseTemplate {
        let Some(vessel) = self.vessels.get(id) else { return ResponseTemplate::new(404) };
        let equipment: Vec<_> = self.equipment.values().filter(|it| it["vesselId"] == id).collect();
        let of_vessel =
            |user: &&Value| user["vesselIds"].as_array().is_some_and(|ids| ids.contains(&json!(id)));
        let users: Vec<_> = self.users.values().filter(of_vessel).collect();
        ResponseTemplate::new(200).set_body_json(
            json!({"vessel": vessel, "equipment": equipment, "users": users, "asOf": "2026-05-01T00:00:00Z"}),
        )
    }
}

/// By a cursor that is an offset; real ones are not, and nobody can tell.
fn page(request: &Request, records: &Records, circle: bool) -> ResponseTemplate {
    let asked: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
    let ids: Option<Vec<&str>> = asked.get("ids").map(|ids| ids.split(',').collect());
    let is_of_vessel = |record: &Value, vessel: &String| {
        record["vesselId"] == json!(vessel)
            || record["vesselIds"].as_array().is_some_and(|ids| ids.contains(&json!(vessel)))
    };
    // Times in the tests are all of one form, so that their order is that of their texts.
    let is_asked_for = |(id, record): &(&String, &Value)| {
        ids.as_ref().is_none_or(|ids| ids.contains(&id.as_str()))
            && asked.get("vesselId").is_none_or(|vessel| is_of_vessel(record, vessel))
            && asked.get("companyId").is_none_or(|company| record["company"]["id"] == json!(company))
            && asked.get("updatedSince").is_none_or(|since| record["updatedAt"].as_str() >= Some(since))
    };
    let found: Vec<&Value> = records.iter().filter(is_asked_for).map(|(_, record)| record).collect();
    let from: usize = asked.get("cursor").map_or(0, |cursor| cursor.parse().expect("a cursor of ours"));
    let limit: usize = asked.get("limit").map_or(100, |limit| limit.parse().expect("a number"));
    let data: Vec<_> = found.iter().skip(from).take(limit).collect();
    let mut info = json!({"limit": limit, "asOf": "2026-05-01T00:00:00Z"});
    if from + data.len() < found.len() {
        info["nextCursor"] = (from + data.len()).to_string().into();
    } else if circle {
        info["nextCursor"] = limit.to_string().into();
    }
    if from == 0 {
        info["total"] = found.len().into();
        let companies: std::collections::BTreeSet<_> =
            found.iter().filter_map(|it| it["company"]["id"].as_str()).collect();
        if !companies.is_empty() {
            info["totalCompanies"] = companies.len().into();
        }
    }
    ResponseTemplate::new(200).set_body_json(json!({"data": data, "page": info}))
}

impl Provider {
    pub async fn start() -> Self {
        let (server, state) = (MockServer::start().await, Arc::new(Mutex::new(State::default())));
        Mock::given(Anything).respond_with(Answer(state.clone())).mount(&server).await;
        Self { server, state }
    }

    pub fn url(&self) -> String {
        format!("{}/api", self.server.uri())
    }

    /// Answer everything with this status, or as it should be.
    pub fn fail_with(&self, status: Option<u16>) {
        self.state.lock().expect("no test panics with the lock").failure = status;
    }

    /// Answer one list with this status, or as it should be.
    pub fn fail_list(&self, list: &str, status: Option<u16>) {
        let failures = &mut self.state.lock().expect("no test panics with the lock").failures;
        match status {
            Some(status) => failures.insert(list.to_owned(), status),
            None => failures.remove(list),
        };
    }

    /// Ask to be tried again after so many seconds, with every failure.
    pub fn retry_after(&self, seconds: Option<u64>) {
        self.state.lock().expect("no test panics with the lock").retry_after = seconds;
    }

    /// Take so long for every answer.
    pub fn answer_after(&self, delay: Duration) {
        self.state.lock().expect("no test panics with the lock").delay = delay;
    }

    /// Lead from the last page of equipment to the second.
    pub fn list_in_a_circle(&self) {
        self.state.lock().expect("no test panics with the lock").circle = true;
    }

    /// Forget a record, as if it had never been approved.
    pub fn forget(&self, id: &str) {
        let mut state = self.state.lock().expect("no test panics with the lock");
        let State { vessels, equipment, users, .. } = &mut *state;
        [vessels, equipment, users].into_iter().for_each(|records| drop(records.remove(id)));
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

    pub fn put_vessel(&self, id: &str, differences: Value) {
        let known = self.state.lock().expect("no test panics with the lock").vessels.get(id).cloned();
        let vessel = known.unwrap_or_else(|| {
            json!({
                "id": id, "imoNumber": "9074729", "name": format!("Vessel {id}"), "flag": "NO",
                "vesselType": "bulk_carrier", "serviceStatus": "in_service", "updatedAt": "2026-05-01T00:00:00Z",
                "company": {"id": "c-1", "name": "Nordic Bulk AS", "country": "NO", "updatedAt": "2026-01-01T00:00:00Z"}
            })
        });
        self.state
            .lock()
            .expect("no test panics with the lock")
            .vessels
            .insert(id.into(), merged(vessel, differences));
    }

    pub fn put_equipment(&self, id: &str, vessel: &str, differences: Value) {
        let equipment = json!({
            "id": id, "vesselId": vessel, "code": "601.001", "unitNumber": 1, "name": "Main engine",
            "specs": {"powerKw": 9480}, "isCritical": true, "criticalityBasis": "ism_10_3", "isStandby": false,
            "serviceStatus": "in_service", "updatedAt": "2026-05-01T00:00:00Z",
            "criticalParts": [{"id": format!("p-{id}"), "partNumber": "90401-12", "name": "Exhaust valve",
                               "unit": "pcs", "minimumStock": 2, "isCritical": true}],
            "maintenanceSchedules": [{"id": format!("s-{id}"), "jobCode": "ME-001", "title": "Inspect",
                                      "kind": "preventive", "everyHours": 4000}]
        });
        let mut state = self.state.lock().expect("no test panics with the lock");
        state.equipment.insert(id.into(), merged(equipment, differences));
    }

    /// A piece of equipment, byte for byte as a page lists it.
    pub fn listed_equipment(&self, id: &str) -> String {
        self.state.lock().expect("no test panics with the lock").equipment[id].to_string()
    }

    pub fn put_user(&self, id: &str, differences: Value) {
        let user = json!({
            "id": id, "email": "ola@example.com", "familyName": "Nordmann", "rank": "2nd Engineer",
            "workplace": "ship", "vesselIds": ["v-1"], "active": true, "updatedAt": "2026-05-01T00:00:00Z"
        });
        let mut state = self.state.lock().expect("no test panics with the lock");
        state.users.insert(id.into(), merged(user, differences));
    }
}

fn merged(mut record: Value, differences: Value) -> Value {
    let fields = record.as_object_mut().expect("a record is an object");
    fields.extend(differences.as_object().cloned().unwrap_or_default());
    record
}
