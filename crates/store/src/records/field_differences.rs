//! Differences between two states of a record, field by field, under the provider's names.

use std::collections::BTreeSet;

use domain::{RecordType, values::Email};
use serde_json::{Map, Value};

/// Columns that are no values of the record. References are compared by the source ids of their rows instead.
const BOOKKEEPING_COLUMNS: &[&str] = &[
    "id",
    "source_id",
    "source_updated_at",
    "content_hash",
    "arrived_as",
    "version_at",
    "last_writer",
    "synced_at",
    "fetched_at",
    "missing_since",
    "created_at",
    "updated_at",
    "fetched_at",
    "missing_since",
    "company_id",
    "company_source_id",
    "vessel_id",
    "equipment_id",
    "role_mapping_version",
    "synced_by",
    "must_change_password",
];

/// Columns that hold what belongs to the record in other tables, by id.
const PART_COLUMNS: &[&str] =
    &["criticalParts", "maintenanceSchedules", "critical_parts", "maintenance_schedules"];

/// Fields that identify a user.
const PERSONAL_FIELDS: &[&str] = &["/email", "/givenName", "/familyName", "/employeeNumber"];

/// A row in the provider's form: without bookkeeping columns, names in camelCase.
pub(crate) fn provider_form(row: &Value) -> Value {
    let Value::Object(columns) = row else { return row.clone() };
    let values = columns.iter().filter(|(name, _)| !BOOKKEEPING_COLUMNS.contains(&name.as_str()));
    let fields = values.map(|(name, value)| {
        let holds_parts = PART_COLUMNS.contains(&name.as_str());
        let value = match value {
            Value::Object(parts) if holds_parts => {
                parts.iter().map(|(id, part)| (id.clone(), provider_form(part))).collect()
            }
            other => other.clone(),
        };
        (camel_case(name), value)
    });
    fields.collect::<Map<_, _>>().into()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// A field with its two values. The field is a JSON pointer.
pub(crate) type FieldDifference = (String, Value, Value);

/// The fields in which two records in the provider's form differ, down to single values. Personal data is masked.
pub(crate) fn field_differences(record_type: RecordType, old: &Value, new: &Value) -> Vec<FieldDifference> {
    let mut differences = Vec::new();
    differences_collect(String::new(), old, new, &mut differences);
    if record_type == RecordType::User {
        for (field, old, new) in &mut differences {
            if PERSONAL_FIELDS.contains(&field.as_str()) {
                mask(old);
                mask(new);
            }
        }
    }
    differences
}

fn mask(value: &mut Value) {
    if let Value::String(text) = value {
        *text = Email::mask(text);
    }
}

fn differences_collect(pointer: String, old: &Value, new: &Value, differences: &mut Vec<FieldDifference>) {
    let empty = Map::new();
    let objects = match (old, new) {
        (Value::Object(old), Value::Object(new)) => Some((old, new)),
        (Value::Object(old), Value::Null) => Some((old, &empty)),
        (Value::Null, Value::Object(new)) => Some((&empty, new)),
        _ => None,
    };
    match objects {
        Some((old, new)) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let token = name.replace('~', "~0").replace('/', "~1");
                let value = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                differences_collect(format!("{pointer}/{token}"), &value(old), &value(new), differences);
            }
        }
        None if old != new => differences.push((pointer, old.clone(), new.clone())),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn field_differences_go_down_to_single_values_under_the_names_of_the_provider() {
        let before =
            json!({"id": 1, "running_hours": 5, "specs": {"power/kW": 1, "kept": true}, "maker": null});
        let after =
            json!({"id": 2, "running_hours": 5, "specs": {"power/kW": 2, "kept": true}, "maker": "MAN"});
        let fields =
            field_differences(RecordType::Equipment, &provider_form(&before), &provider_form(&after));
        assert_eq!(
            fields,
            [
                ("/maker".to_owned(), json!(null), json!("MAN")),
                ("/specs/power~1kW".to_owned(), json!(1), json!(2)),
            ]
        );
        let created = field_differences(RecordType::Equipment, &Value::Null, &provider_form(&after));
        assert_eq!(created.len(), 4, "{created:?}");
    }

    #[test]
    fn field_differences_mask_personal_data() {
        let after = json!({"email": "ola.nordmann@example.com", "family_name": "Nordmann", "rank": "Master"});
        let fields = field_differences(RecordType::User, &Value::Null, &provider_form(&after));
        let new: Vec<_> = fields.into_iter().map(|(_, _, new)| new).collect();
        assert_eq!(new, [json!("o***@e***.com"), json!("N***"), json!("Master")]);
    }
}
