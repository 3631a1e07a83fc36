//! The provider contract: the OpenAPI document describes what is sent, and SMS Sync reads all of it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use contracts::{
    provider::{Capabilities, CompanyDraft, EquipmentDraft, PageInfo, UserDraft, VesselDraft},
    webhook::{EventType, WebhookBody, WebhookData},
};
use domain::{Accepted, Finding, Rejection, Rules, Severity, role_mapping::RoleMapping, user::User};
use onboarding_portal::{
    Kind, State,
    fleet::{Detail, Entry, Fleet, Size, flaws},
    openapi,
};
use serde_json::{Map, Value, json};

#[test]
fn committed_openapi_document_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto-schemas/onboarding-api.openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == openapi::json(),
        "proto-schemas/onboarding-api.openapi.json is not what the handlers say; write it anew with\n  \
         cargo run -p onboarding-portal -- openapi --to proto-schemas/onboarding-api.openapi.json"
    );
}

fn document() -> Value {
    serde_json::from_str(&openapi::json()).unwrap()
}

/// The names of a schema's properties, with those of the schemas that it refers to.
fn properties(document: &Value, schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        names.extend(properties(document, document.pointer(pointer).expect("references are resolvable")));
    }
    names.extend(schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned());
    for part in schema["allOf"].as_array().into_iter().flatten() {
        names.extend(properties(document, part));
    }
    names
}

fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "schema {name} does not exist");
    schema
}

fn fields(value: &impl serde::Serialize) -> BTreeSet<String> {
    let value = serde_json::to_value(value).unwrap();
    value.as_object().into_iter().flat_map(Map::keys).cloned().collect()
}

#[test]
fn every_event_is_documented_with_its_headers_and_body() {
    let document = document();
    let described: BTreeSet<&str> =
        document["webhooks"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(described, EventType::KNOWN.iter().map(EventType::as_str).collect());
    for event in document["webhooks"].as_object().unwrap().values() {
        let headers: Vec<_> =
            event["post"]["parameters"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(headers, ["webhook-id", "webhook-timestamp", "webhook-signature"]);
    }
    let time = "2026-11-24T12:00:00Z".parse().unwrap();
    let data = WebhookData { id: Some("v-1".into()), updated_at: Some(time), imo: Some("9074729".into()) };
    let sent =
        WebhookBody { event_type: EventType::VesselApproved, timestamp: time, schema_version: 1, data };
    assert_eq!(properties(&document, schema(&document, "WebhookBody")), fields(&sent));
    assert_eq!(properties(&document, schema(&document, "WebhookData")), fields(&sent.data));
}

#[test]
fn page_info_is_documented_as_it_is_written() {
    let document = document();
    let time = "2026-11-24T12:00:00Z".parse().unwrap();
    let written = PageInfo {
        limit: 1,
        next_cursor: Some("x".into()),
        total: Some(1),
        total_companies: Some(1),
        as_of: Some(time),
        slice: Some("0/2".into()),
    };
    assert_eq!(properties(&document, schema(&document, "Page")), fields(&written));
    let written = Capabilities {
        slices: Some(2),
        page_size: Some(1),
        ids: Some(1),
        export: Some(true),
        compression: vec!["gzip".into()],
    };
    assert_eq!(properties(&document, schema(&document, "Capabilities")), fields(&written));
}

/// A record of the demo fleet as the provider API serves it.
fn served(entry: &Entry, companies: &BTreeMap<String, Value>) -> Value {
    let mut record: Value = serde_json::from_str(entry.json()).unwrap();
    record["updatedAt"] = json!(entry.updated_at());
    if entry.kind() == Kind::Vessel {
        record["company"] = companies[record["companyId"].as_str().unwrap()].clone();
    }
    record
}

#[test]
fn every_field_of_the_demo_fleet_is_documented_and_read_by_sms_sync() {
    let document = document();
    let entries: Vec<Entry> = Fleet::demo().entries().collect();
    let companies = companies(&entries);
    let mut read: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for entry in &entries {
        let record = served(entry, &companies);
        let (name, understood) = match entry.kind() {
            Kind::Company => {
                ("Company", fields(&serde_json::from_value::<CompanyDraft>(record.clone()).unwrap()))
            }
            Kind::Vessel => {
                ("Vessel", fields(&serde_json::from_value::<VesselDraft>(record.clone()).unwrap()))
            }
            Kind::Equipment => {
                ("Equipment", fields(&serde_json::from_value::<EquipmentDraft>(record.clone()).unwrap()))
            }
            Kind::User => ("User", fields(&serde_json::from_value::<UserDraft>(record.clone()).unwrap())),
        };
        let mut written = fields(&record);
        // SMS Sync reads the company itself, not its id.
        if entry.kind() == Kind::Vessel {
            assert!(written.remove("companyId"));
        }
        assert_eq!(written, understood, "{record}");
        read.entry(name).or_default().extend(written);
    }
    for (name, mut written) in read {
        let mut described = properties(&document, schema(&document, &format!("Served_{name}")));
        // The demo fleet has every field except that of tombstones and the sign-off date, which would pass.
        assert!(described.remove("withdrawnAt"));
        described.remove("signOff");
        for beside in ["companyId", "company"] {
            if name == "Vessel" {
                written.remove(beside);
                described.remove(beside);
            }
        }
        assert_eq!(written, described, "{name}");
    }
}

fn companies(entries: &[Entry]) -> BTreeMap<String, Value> {
    let of_companies = entries.iter().filter(|entry| entry.kind() == Kind::Company);
    of_companies
        .map(|entry| {
            let record = served(entry, &BTreeMap::new());
            (record["id"].as_str().unwrap().to_owned(), record)
        })
        .collect()
}

/// The errors and warnings that SMS Sync finds in a single record.
fn findings(kind: Kind, record: Value) -> Vec<(Severity, String)> {
    fn of<T>(result: Result<Accepted<T>, Rejection>) -> Vec<Finding> {
        result.map_or_else(|rejection| rejection.findings, |accepted| accepted.warnings)
    }
    let rules = Rules::at("2026-11-24T12:00:00Z".parse().unwrap());
    let findings = match kind {
        Kind::Company => of(serde_json::from_value::<CompanyDraft>(record).unwrap().accept(&rules)),
        Kind::Vessel => of(serde_json::from_value::<VesselDraft>(record).unwrap().accept(&rules)),
        Kind::Equipment => of(serde_json::from_value::<EquipmentDraft>(record).unwrap().accept(&rules)),
        Kind::User => user_findings(serde_json::from_value::<UserDraft>(record).unwrap().accept(&rules)),
    };
    findings.into_iter().map(|finding| (finding.severity, finding.code.to_owned())).collect()
}

/// Adds the warning of an unknown rank, by the role mapping of a new installation.
fn user_findings(verdict: Result<Accepted<User>, Rejection>) -> Vec<Finding> {
    match verdict {
        Err(rejection) => rejection.findings,
        Ok(Accepted { record, mut warnings, .. }) => {
            let mapped =
                RoleMapping::standard().map(&record.rank, record.department.as_deref(), record.workplace);
            if !mapped.rank_known {
                warnings.push(Finding::warning("unknown_rank", "/rank", "no rule names it"));
            }
            warnings
        }
    }
}

#[test]
fn sms_sync_accepts_the_demo_fleet_except_its_flaws() -> anyhow::Result<()> {
    let entries: Vec<Entry> = Fleet::demo().entries().collect();
    let companies = companies(&entries);
    let flaws: BTreeMap<String, _> = flaws().into_iter().map(|flaw| (flaw.id.clone(), flaw)).collect();
    // The other two show only in the whole fleet.
    let shows_alone = |code: &str| !matches!(code, "orphan" | "duplicate_qr_code");
    for entry in &entries {
        let record = served(entry, &companies);
        let id = record["id"].as_str().context("an id")?.to_owned();
        let expected = flaws.get(&id).filter(|flaw| shows_alone(flaw.code)).map(|flaw| {
            let severity = if flaw.rejected { Severity::Error } else { Severity::Warning };
            (severity, flaw.code.to_owned())
        });
        assert_eq!(
            findings(entry.kind(), record.clone()),
            expected.into_iter().collect::<Vec<_>>(),
            "{record}"
        );
    }
    Ok(())
}

#[test]
fn demo_fleet_has_valid_references_and_unique_natural_keys() -> anyhow::Result<()> {
    let entries: Vec<Entry> = Fleet::demo().entries().collect();
    let records: Vec<(Kind, State, Value)> = entries
        .iter()
        .map(|entry| Ok((entry.kind(), entry.state(), serde_json::from_str(entry.json())?)))
        .collect::<anyhow::Result<_>>()?;
    let flaws: BTreeMap<String, _> = flaws().into_iter().map(|flaw| (flaw.id.clone(), flaw)).collect();
    let states: BTreeMap<&str, State> = records
        .iter()
        .map(|(_, state, record)| (record["id"].as_str().unwrap_or_default(), *state))
        .collect();
    let (mut unique, mut duplicates) = (BTreeSet::new(), Vec::new());
    for (kind, state, record) in &records {
        let id = record["id"].as_str().context("an id")?;
        let code = flaws.get(id).map_or("", |flaw| flaw.code);
        let vessels = record["vesselIds"].as_array().into_iter().flatten().chain(record.get("vesselId"));
        for other in vessels.chain(record.get("companyId")).filter_map(Value::as_str) {
            match states.get(other) {
                // A draft may refer to an approved record, not the other way round.
                Some(of_other) => assert!(*of_other == State::Approved || *state == State::Draft, "{record}"),
                None => assert_eq!(code, "orphan", "{record}"),
            }
        }
        for name in ["imoNumber", "imoCompanyNumber", "mmsi", "callSign", "email", "qrCode", "employeeNumber"]
        {
            if let Some(value) = record[name].as_str()
                && !unique.insert((name, value.to_lowercase()))
            {
                duplicates.push((name, code));
            }
        }
        if *kind == Kind::Equipment {
            let key = format!("{} {} {}", record["vesselId"], record["code"], record["unitNumber"]);
            assert!(unique.insert(("key", key)), "{record}");
        }
    }
    assert_eq!(duplicates, [("qrCode", "duplicate_qr_code")]);
    Ok(())
}

#[test]
fn sms_sync_accepts_sized_fleets_without_findings() {
    for detail in [Detail::Plain, Detail::Full] {
        let fleet = Fleet::of_size(Size { vessels: 45, equipment: 1500, users: 300 }, detail);
        let entries: Vec<Entry> = fleet.entries().collect();
        let companies = companies(&entries);
        for entry in &entries {
            let record = served(entry, &companies);
            assert_eq!(findings(entry.kind(), record.clone()), [], "{record}");
        }
    }
}
