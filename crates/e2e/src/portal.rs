//! The onboarding portal, as its own people and the sync see it.

use std::fmt;

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Daemon;
use crate::daemon::output_of;
use crate::environment::{ONBOARDING_ADMIN_KEY, ONBOARDING_API_KEY, http};

/// A kind of record, by its place in the portal's paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `companies`
    Companies,
    /// `vessels`
    Vessels,
    /// `equipment`
    Equipment,
    /// `users`
    Users,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Companies => "companies",
            Self::Vessels => "vessels",
            Self::Equipment => "equipment",
            Self::Users => "users",
        })
    }
}

/// The portal, running.
#[derive(Debug)]
pub struct Portal {
    /// Its process.
    pub daemon: Daemon,
    /// Its database.
    pub database_url: String,
}

impl Portal {
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request = http()?
            .request(method.clone(), format!("{}/api/{path}", self.daemon.url))
            .header("x-api-key", ONBOARDING_ADMIN_KEY);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let said = answer.text().await?;
        anyhow::ensure!(status.is_success(), "the portal answered {status} to {method} {path}: {said}");
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        serde_json::from_str(&said).with_context(|| said)
    }

    /// Enters a draft.
    pub async fn enter(&self, kind: Kind, record: Value) -> anyhow::Result<()> {
        self.ask(Method::POST, &kind.to_string(), Some(&record)).await.map(drop)
    }

    /// Enters a record and approves it.
    pub async fn enter_approved(&self, kind: Kind, record: Value) -> anyhow::Result<()> {
        let id = record["id"].as_str().context("a record has an id")?.to_owned();
        self.enter(kind, record).await?;
        self.approve(kind, &id).await.map(drop)
    }

    /// Approves a record; what the portal says about it: `updatedAt`, and the id of the webhook that tells of it.
    pub async fn approve(&self, kind: Kind, id: &str) -> anyhow::Result<Value> {
        self.ask(Method::POST, &format!("{kind}/{id}/approve"), None).await
    }

    /// Withdraws an approval.
    pub async fn withdraw(&self, kind: Kind, id: &str) -> anyhow::Result<Value> {
        self.ask(Method::POST, &format!("{kind}/{id}/withdraw"), None).await
    }

    /// Changes fields of a record.
    pub async fn change(&self, kind: Kind, id: &str, fields: Value) -> anyhow::Result<Value> {
        self.ask(Method::PATCH, &format!("{kind}/{id}"), Some(&fields)).await
    }

    /// The ids of the first records of a kind that are in a state, in the order in which pages list them.
    pub async fn ids(&self, kind: Kind, state: &str) -> anyhow::Result<Vec<String>> {
        let kind = kind.to_string();
        let kind = kind.strip_suffix('s').map_or(kind.clone(), |one| one.replace("companie", "company"));
        let rows = testbed::World::query_json_at(
            &self.database_url,
            &format!(
                "SELECT id FROM records WHERE kind = '{kind}' AND state = '{state}' ORDER BY updated_at, id"
            ),
        )
        .await?;
        rows.iter().map(|row| Ok(row["id"].as_str().context("an id is text")?.to_owned())).collect()
    }

    /// The company of a vessel.
    pub async fn company_of(&self, vessel: &str) -> anyhow::Result<String> {
        let sql = format!("SELECT company_id FROM records WHERE kind = 'vessel' AND id = '{vessel}'");
        let rows = testbed::World::query_json_at(&self.database_url, &sql).await?;
        let row = rows.first().with_context(|| format!("there is no vessel {vessel}"))?;
        Ok(row["company_id"].as_str().context("a vessel has a company")?.to_owned())
    }

    /// What the portal announces as the size of a list.
    pub async fn total(&self, kind: Kind) -> anyhow::Result<i64> {
        let (list, name) = match kind {
            Kind::Companies => (Kind::Vessels, "totalCompanies"),
            other => (other, "total"),
        };
        let page = self.ask(Method::GET, &format!("sync/{list}?limit=1"), None).await?;
        page["page"][name].as_i64().with_context(|| format!("{page}"))
    }

    /// Lets the provider API fail, as `PUT /api/faults` takes it; until [`Portal::recover`], or as the fault says.
    pub async fn fail(&self, fault: Value) -> anyhow::Result<()> {
        self.ask(Method::PUT, "faults", Some(&fault)).await.map(drop)
    }

    /// Ends all faults.
    pub async fn recover(&self) -> anyhow::Result<()> {
        self.ask(Method::DELETE, "faults", None).await.map(drop)
    }

    /// What `sms-sync portal check` says of it, and its exit code.
    pub async fn check(&self) -> anyhow::Result<(Option<i32>, Value)> {
        let url = format!("{}/api", self.daemon.url);
        let arguments = ["portal", "check", &url, "--page-size", "5", "--output", "json"];
        let environment = [("ONBOARDING_API_KEY".to_owned(), ONBOARDING_API_KEY.to_owned())].into();
        let output = output_of("sms-sync", &arguments, &environment).await?;
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.code(), serde_json::from_slice(&output.stdout).with_context(|| complained)?))
    }

    /// A vessel that is right, of the company `c-1`, unless the differences say otherwise.
    pub fn vessel(id: &str, imo_number: &str, differences: Value) -> Value {
        merged(
            json!({
                "id": id, "companyId": "c-1", "imoNumber": imo_number, "name": format!("Vessel {id}"), "flag": "NO",
                "vesselType": "bulk_carrier", "serviceStatus": "in_service"
            }),
            differences,
        )
    }

    /// A piece of equipment that is right, unless the differences say otherwise.
    pub fn equipment(id: &str, vessel: &str, differences: Value) -> Value {
        merged(
            json!({
                "id": id, "vesselId": vessel, "code": "601.001", "unitNumber": 1, "name": "Main engine",
                "specs": {"powerKw": 9480}, "isCritical": true, "criticalityBasis": "ism_10_3", "isStandby": false,
                "serviceStatus": "in_service",
                "criticalParts": [{"id": format!("p-{id}"), "partNumber": "90401-12", "name": "Exhaust valve",
                                   "unit": "pcs", "minimumStock": 2, "isCritical": true}],
                "maintenanceSchedules": [{"id": format!("s-{id}"), "jobCode": "ME-001", "title": "Inspect",
                                          "kind": "preventive", "everyHours": 4000}]
            }),
            differences,
        )
    }

    /// A user that is right, unless the differences say otherwise.
    pub fn user(id: &str, differences: Value) -> Value {
        merged(
            json!({
                "id": id, "email": format!("{id}@example.com"), "familyName": "Nordmann", "rank": "2nd Engineer",
                "workplace": "ship", "vesselIds": [], "active": true
            }),
            differences,
        )
    }
}

fn merged(mut record: Value, differences: Value) -> Value {
    if let (Some(fields), Value::Object(differences)) = (record.as_object_mut(), differences) {
        fields.extend(differences);
    }
    record
}
