//! A status service in a world of its own, with records that a sync has brought. Every answer is compared with the OpenAPI
//! document: a status that it does not name fails the test that met it.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use chassis::{
    auth::{OperatorKeys, Role},
    config::Secret,
    health::Health,
    http::Options,
    shutdown::Shutdown,
};
use chrono::{DateTime, Utc};
use contracts::provider::{EquipmentDraft, UserDraft, VesselDraft};
use domain::{
    Cause, Mode, RecordType, Rules, Scope, SyncId,
    clock::{Clock, SystemClock},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use store::{
    Store,
    engine::lifecycle::sync_finish,
    ledger::{
        syncs::{NewSync, sync_begin},
        tallies::{tallies_add, tally_changes},
    },
    records::{
        AppliedRecord, NewPassword, WriteStamp, companies_apply, equipment_apply, users_apply, vessels_apply,
    },
};
use testbed::World;

use crate::request::Request;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) address: SocketAddr,
    client: Client,
    pub(crate) keys: OperatorKeys,
    shutdown: Shutdown,
}

impl Scene {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::with_config(|_config| {}).await
    }

    /// With a config that differs from the usual one.
    pub(crate) async fn with_config(change: impl FnOnce(&mut Value)) -> anyhow::Result<Self> {
        chassis::install_tls();
        let world = World::empty().await?;
        let store = Store::connect(&world.database_url, 4).await?;
        store.migrate().await?;
        let mut config = json!({
            "server": {"bind": "127.0.0.1:0"},
            "database": {"url": world.database_url_of("sms_status").await?, "pool_size": 4},
            "broker": {"url": world.amqp_url().await?},
            "onboarding": {"url": "http://127.0.0.1:9/api", "api_key": "key", "ca_file": "", "timeout_seconds": 1, "circuit_failures": 5, "circuit_open_ms": 30_000},
            "operators": {"jwt_secret": SECRET, "jwt_secrets": "", "token_max_lifetime_hours": 1, "rate_per_second": 0,
                          "rate_burst": 1, "issuer": "", "audience": "sms-sync", "role_claim": "role", "jwks_url": "",
                          "jwks_file": ""},
            "passwords": {"seal_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "seal_keys": ""},
            "updates": {"clients": 10, "clients_per_operator": 4, "backlog": 64, "resume_limit": 300}
        });
        change(&mut config);
        let config: status::Config = serde_json::from_value(config)?;
        let (shutdown, health) = (Shutdown::manual(), Health::new());
        let service = status::start(&config, &shutdown, &health).await?;
        let listener = chassis::http::listen("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let options = Options { workers: 1, drain: Duration::ZERO, ..Options::default() };
        let serving =
            chassis::http::serve_with(options, listener, shutdown.clone(), health, service.routes());
        shutdown.supervise("http", serving);
        let keys = OperatorKeys::from_secret(&Secret::from(SECRET))?;
        let client = Client::builder().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { world, store, address, client, keys, shutdown })
    }

    /// A token of the operator anna.
    pub(crate) fn token(&self, role: Role, ttl: Duration) -> String {
        self.token_of("anna", role, ttl)
    }

    pub(crate) fn token_of(&self, subject: &str, role: Role, ttl: Duration) -> String {
        self.keys.mint(subject, role, ttl).expect("a token can be signed")
    }

    /// `jti` of a token of this scene.
    pub(crate) fn token_id(&self, token: &str) -> String {
        let operator = self.keys.verify(token).expect("the token is valid");
        operator.token_id().expect("a token of ours has an id").to_owned()
    }

    /// A request by an operator of that role.
    pub(crate) fn request(&self, role: Role, method: Method, path: &str) -> Request {
        self.request_with(&self.token(role, Duration::from_secs(600)), method, path)
    }

    pub(crate) fn request_with(&self, token: &str, method: Method, path: &str) -> Request {
        Request::new(&self.client, self.address, method, path).bearer_auth(token)
    }

    /// A request without a token.
    pub(crate) fn stranger(&self, path: &str) -> Request {
        Request::new(&self.client, self.address, Method::GET, path)
    }

    /// A request without a token that may change something.
    pub(crate) fn stranger_with(&self, method: Method, path: &str) -> Request {
        Request::new(&self.client, self.address, method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request(Role::Viewer, Method::GET, path)
    }

    /// The JSON of an answer that must have this status.
    pub(crate) async fn json(&self, request: Request, status: u16) -> Value {
        let response = request.send().await.expect("the service answers");
        let got = response.status();
        let text = response.text().await.expect("the answer is text");
        assert_eq!(got, StatusCode::from_u16(status).expect("a status"), "{text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Value> {
        self.world.query_json(sql).await.expect("the query is sound")
    }

    /// Brings records as a worker does, in one sync that has ended then.
    pub(crate) async fn sync(&self, records: &Records) -> anyhow::Result<(SyncId, Vec<AppliedRecord>)> {
        let sync = NewSync {
            id: SyncId::new(),
            cause: Cause::Manual,
            mode: Mode::Selective,
            scope: Scope::default(),
            dry_run: false,
            requested_by: "test".to_owned(),
            reason: None,
            retry_of: None,
            trace_context: json!({}),
        };
        let now = SystemClock.now();
        let rules = Rules::at(now);
        let stamp = WriteStamp { sync_id: sync.id, fetched_at: now, notes_fetches: false, now };
        let mut tx = self.store.begin().await?;
        let _begun = sync_begin(&mut tx, &sync, now).await?;
        let mut all = Vec::new();
        let mut counts = BTreeMap::new();
        let mut tally = |kind: RecordType, applied: Vec<AppliedRecord>| {
            counts.insert(kind, store::records::counts_of(&applied));
            all.extend(applied);
        };
        if !records.vessels.is_empty() {
            let (mut companies, mut vessels) = (Vec::new(), Vec::new());
            for draft in &records.vessels {
                let draft: VesselDraft = serde_json::from_value(draft.clone())?;
                companies.push(draft.company.clone().accept(&rules).expect("the company is sound"));
                vessels.push(draft.accept(&rules).expect("the vessel is sound"));
            }
            tally(RecordType::Company, companies_apply(&mut tx, stamp, &companies).await?);
            tally(RecordType::Vessel, vessels_apply(&mut tx, stamp, &vessels).await?);
        }
        if !records.equipment.is_empty() {
            let drafts = records.equipment.iter().map(|draft| {
                let draft: EquipmentDraft = serde_json::from_value(draft.clone()).expect("a draft");
                draft.accept(&rules).expect("the equipment is sound")
            });
            let accepted: Vec<_> = drafts.collect();
            tally(RecordType::Equipment, equipment_apply(&mut tx, stamp, &accepted, None).await?);
        }
        if !records.users.is_empty() {
            let drafts = records.users.iter().map(|draft| {
                let draft: UserDraft = serde_json::from_value(draft.clone()).expect("a draft");
                draft.accept(&rules).expect("the user is sound")
            });
            let accepted: Vec<_> = drafts.collect();
            let applied = users_apply(&mut tx, stamp, &accepted, &records.passwords).await?;
            tally(RecordType::User, applied);
        }
        tallies_add(&mut tx, sync.id, &tally_changes(&counts, [])).await?;
        let _state = sync_finish(&mut tx, sync.id, now).await?;
        tx.commit().await?;
        Ok((sync.id, all))
    }

    pub(crate) async fn end(self) {
        self.shutdown.request("the test is over");
        self.shutdown.finished().await;
    }
}

/// What a sync brings.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) vessels: Vec<Value>,
    pub(crate) equipment: Vec<Value>,
    pub(crate) users: Vec<Value>,
    pub(crate) passwords: Vec<NewPassword>,
}

pub(crate) fn day(day: u32) -> DateTime<Utc> {
    format!("2026-05-{day:02}T00:00:00Z").parse().expect("a day of May")
}

pub(crate) fn vessel(id: &str, imo: &str, name: &str) -> Value {
    json!({
        "id": id, "imoNumber": imo, "name": name, "flag": "NO", "vesselType": "bulk_carrier",
        "serviceStatus": "in_service", "updatedAt": day(1),
        "company": {"id": "c-1", "name": "Nordic Bulk AS", "country": "NO", "updatedAt": day(1)}
    })
}

pub(crate) fn equipment(id: &str, vessel: &str, differences: Value) -> Value {
    merged(
        json!({
            "id": id, "vesselId": vessel, "code": "601.001", "unitNumber": 1, "name": "Main engine",
            "isCritical": true, "criticalityBasis": "ism_10_3", "isStandby": false,
            "serviceStatus": "in_service", "updatedAt": day(1)
        }),
        differences,
    )
}

pub(crate) fn merged(mut record: Value, differences: Value) -> Value {
    let fields = record.as_object_mut().expect("a record is an object");
    fields.extend(differences.as_object().cloned().unwrap_or_default());
    record
}
