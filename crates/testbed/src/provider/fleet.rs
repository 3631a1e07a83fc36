//! Records that pass validation, for tests to vary.

use serde_json::{Value, json};

pub(super) fn vessel(id: &str) -> Value {
    json!({
        "id": id, "imoNumber": "9074729", "name": format!("Vessel {id}"), "flag": "NO",
        "vesselType": "bulk_carrier", "serviceStatus": "in_service", "updatedAt": "2026-05-01T00:00:00Z",
        "company": {"id": "c-1", "name": "Nordic Bulk AS", "country": "NO", "updatedAt": "2026-01-01T00:00:00Z"}
    })
}

pub(super) fn equipment(id: &str) -> Value {
    json!({
        "id": id, "code": "601.001", "unitNumber": 1, "name": "Main engine",
        "specs": {"powerKw": 9480}, "isCritical": true, "criticalityBasis": "ism_10_3", "isStandby": false,
        "serviceStatus": "in_service", "updatedAt": "2026-05-01T00:00:00Z",
        "criticalParts": [{"id": format!("p-{id}"), "partNumber": "90401-12", "name": "Exhaust valve",
                           "unit": "pcs", "minimumStock": 2, "isCritical": true}],
        "maintenanceSchedules": [{"id": format!("s-{id}"), "jobCode": "ME-001", "title": "Inspect",
                                  "kind": "preventive", "everyHours": 4000}]
    })
}

pub(super) fn user(id: &str) -> Value {
    json!({
        "id": id, "email": "ola@example.com", "familyName": "Nordmann", "rank": "2nd Engineer",
        "workplace": "ship", "vesselIds": ["v-1"], "active": true, "updatedAt": "2026-05-01T00:00:00Z"
    })
}
