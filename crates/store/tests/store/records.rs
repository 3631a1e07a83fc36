//! Records as the onboarding portal lists them.

use chrono::{DateTime, Utc};
use domain::{PageQuery, RecordType};
use serde_json::{Value, json};

/// Records of the onboarding portal, in the order in which it lists them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    pub(crate) vessels: Vec<Value>,
    pub(crate) equipment: Vec<Value>,
    pub(crate) users: Vec<Value>,
}

impl Records {
    /// One company, three vessels, five pieces of critical equipment, three users.
    pub(crate) fn small_fleet() -> Self {
        let mut fleet = Self::default();
        for (id, imo_number) in [("v-1", "9074729"), ("v-2", "9619907"), ("v-3", "9321483")] {
            fleet.put_vessel(id, json!({"imoNumber": imo_number}));
        }
        for (id, vessel) in
            [("e-1a", "v-1"), ("e-1b", "v-1"), ("e-2a", "v-2"), ("e-2b", "v-2"), ("e-3a", "v-3")]
        {
            fleet.put_equipment(id, vessel, json!({}));
        }
        for n in 1..=3 {
            fleet.put_user(&format!("u-{n}"), json!({"email": format!("user{n}@example.com")}));
        }
        fleet
    }

    pub(crate) fn of_vessels(vessels: impl IntoIterator<Item = Value>) -> Self {
        Self { vessels: vessels.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn of_equipment(equipment: impl IntoIterator<Item = Value>) -> Self {
        Self { equipment: equipment.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn of_users(users: impl IntoIterator<Item = Value>) -> Self {
        Self { users: users.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn put_vessel(&mut self, id: &str, differences: Value) {
        put(&mut self.vessels, vessel(id, differences));
    }

    pub(crate) fn put_equipment(&mut self, id: &str, vessel: &str, differences: Value) {
        put(&mut self.equipment, equipment(id, vessel, differences));
    }

    pub(crate) fn put_user(&mut self, id: &str, differences: Value) {
        put(&mut self.users, user(id, differences));
    }

    /// The same without a record, as if it had never been approved.
    pub(crate) fn without(&self, id: &str) -> Self {
        let mut rest = self.clone();
        for list in [&mut rest.vessels, &mut rest.equipment, &mut rest.users] {
            list.retain(|it| it["id"] != id);
        }
        rest
    }

    /// The ids of a list.
    pub(crate) fn ids(&self, list: RecordType) -> Vec<String> {
        let list = match list {
            RecordType::Company => return Vec::new(),
            RecordType::Vessel => &self.vessels,
            RecordType::Equipment => &self.equipment,
            RecordType::User => &self.users,
        };
        list.iter().filter_map(|it| Some(it["id"].as_str()?.to_owned())).collect()
    }

    /// What the portal lists when it is asked this; all on one page.
    pub(crate) fn listed(&self, list: RecordType, query: &PageQuery) -> Self {
        let slice = &query.filter;
        let is_asked_for = |it: &Value| {
            let since = query.updated_since.is_none_or(|since| {
                let updated_at: DateTime<Utc> =
                    it["updatedAt"].as_str().expect("a time").parse().expect("a time");
                updated_at >= since
            });
            let by_id =
                slice.source_ids.is_empty() || slice.source_ids.iter().any(|id| it["id"] == id.as_str());
            let of_vessel = slice.vessel_id.as_ref().is_none_or(|vessel| {
                it["vesselId"] == vessel.as_str()
                    || it["vesselIds"].as_array().is_some_and(|all| all.contains(&json!(vessel)))
            });
            let of_company =
                slice.company_id.as_ref().is_none_or(|company| it["company"]["id"] == company.as_str());
            since && by_id && of_vessel && of_company
        };
        let mut listed = Self::default();
        let (from, to) = match list {
            RecordType::Company => return listed,
            RecordType::Vessel => (&self.vessels, &mut listed.vessels),
            RecordType::Equipment => (&self.equipment, &mut listed.equipment),
            RecordType::User => (&self.users, &mut listed.users),
        };
        to.extend(from.iter().filter(|it| is_asked_for(it)).cloned());
        listed
    }
}

fn put(list: &mut Vec<Value>, record: Value) {
    match list.iter_mut().find(|it| it["id"] == record["id"]) {
        Some(known) => *known = record,
        None => list.push(record),
    }
}

/// A day of the month in which the portal's records change; before any time of a test.
pub(crate) fn day(day: u32) -> DateTime<Utc> {
    format!("2024-05-{day:02}T00:00:00Z").parse().expect("a day of May")
}

pub(crate) fn vessel(id: &str, differences: Value) -> Value {
    let vessel = json!({
        "id": id, "imoNumber": "9074729", "name": format!("Vessel {id}"), "flag": "NO", "vesselType": "bulk_carrier",
        "serviceStatus": "in_service", "updatedAt": day(1),
        "company": {"id": "c-1", "name": "Nordic Bulk AS", "country": "NO", "updatedAt": day(1)}
    });
    merged(vessel, differences)
}

/// A piece of critical equipment.
pub(crate) fn equipment(id: &str, vessel: &str, differences: Value) -> Value {
    let equipment = json!({
        "id": id, "vesselId": vessel, "code": "601.001", "unitNumber": 1, "name": "Main engine",
        "isCritical": true, "criticalityBasis": "ism_10_3", "isStandby": false, "serviceStatus": "in_service",
        "updatedAt": day(1)
    });
    merged(equipment, differences)
}

pub(crate) fn user(id: &str, differences: Value) -> Value {
    let user = json!({
        "id": id, "email": format!("{id}@example.com"), "familyName": "Nordmann", "rank": "2nd Engineer",
        "workplace": "ship", "vesselIds": ["v-1"], "active": true, "updatedAt": day(1)
    });
    merged(user, differences)
}

pub(crate) fn merged(mut record: Value, differences: Value) -> Value {
    let fields = record.as_object_mut().expect("a record is an object");
    fields.extend(differences.as_object().cloned().unwrap_or_default());
    record
}
