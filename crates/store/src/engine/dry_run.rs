//! Dry runs: a page is written as ever and taken back, and what it would have done is recorded.
//!
//! The very statements of a real sync do the work, inside a savepoint, so that what they would do is seen and not guessed.
//! Pages of one sync build on each other: equipment needs its vessel, and of two pieces with one label the second is
//! refused. So every page first raises what earlier pages would have written, out of their recorded rows, and pages of
//! one list take turns.

use std::collections::{BTreeMap, HashMap};

use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{Outcome, RecordType, SyncId, values::Email};
use serde_json::{Map, Value, json};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::Page,
        statement::statement,
    },
    records::{table_name, table_schema},
};

/// A record that a page speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// Its natural key: IMO number, QR code, e-mail address.
    pub key: Option<String>,
    /// What a person calls it.
    pub label: Option<String>,
}

/// What a page speaks of, by record type.
pub type Speech = BTreeMap<RecordType, Vec<Spoken>>;

/// What would become of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Grows.
    pub id: u64,
    /// What kind of record.
    pub record_type: RecordType,
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// Created, updated, rejected, or in conflict.
    pub outcome: Outcome,
    /// `[{field, old, new}]`: JSON pointers, as the provider names the fields.
    pub fields: Value,
    /// `{kind, winner, fields}`, of a conflict.
    pub conflict: Option<Value>,
}

/// Which changes; what is absent does not filter.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeFilter {
    /// Of this kind of record.
    pub record_type: Option<RecordType>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
}

/// A page that is being tried.
#[derive(Debug)]
pub struct DryRunPage {
    speech: Speech,
    before: BTreeMap<RecordType, HashMap<String, Held>>,
    findings_before: i64,
}

#[derive(Debug, Clone, PartialEq, QueryableByName)]
struct Held {
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    /// The row as it is, for later pages.
    #[diesel(sql_type = Jsonb)]
    whole: Value,
    /// What belongs to it and stands elsewhere, for people.
    #[diesel(sql_type = Jsonb)]
    beside: Value,
}

/// Columns that are ours and no value of the record; and references, which stand under [`beside`] by name.
const BOOKKEEPING: &[&str] = &[
    "id",
    "source_id",
    "source_updated_at",
    "content_hash",
    "arrived_as",
    "version_at",
    "last_writer",
    "synced_at",
    "created_at",
    "updated_at",
    "company_id",
    "vessel_id",
    "equipment_id",
    "role_mapping_version",
    "synced_by",
    "must_change_password",
];

/// Fields of a user that say who it is.
const OF_A_PERSON: &[&str] = &["/email", "/givenName", "/familyName", "/employeeNumber"];

/// Lets this page go before others of the same lists of the sync, until the transaction ends; and then tries it: from here
/// on nothing happens, until [`dry_run_page_end`]. In the transaction of the task.
///
/// # Errors
///
/// If the database fails.
pub async fn dry_run_page_begin(
    db: &mut Db,
    sync_id: SyncId,
    speech: Speech,
) -> Result<DryRunPage, StoreError> {
    for record_type in speech.keys() {
        statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<Text, _>(format!("dry run {sync_id} {record_type}"))
            .execute(db)
            .await?;
    }
    statement("SAVEPOINT rehearsal").execute(db).await?;
    raise(db, sync_id, &speech).await?;
    let mut before = BTreeMap::new();
    for (record_type, spoken) in &speech {
        before.insert(*record_type, held(db, *record_type, spoken).await?);
    }
    let findings_before = statement("SELECT coalesce(max(id), 0) FROM findings WHERE sync_id = $1")
        .bind::<Uuid, _>(sync_id.as_uuid())
        .returning::<Int8>()
        .get_result(db)
        .await?;
    Ok(DryRunPage { speech, before, findings_before })
}

/// Takes back what the page has done, and records what that was. `outcomes`: of every record that it has tried, by record
/// type.
///
/// # Errors
///
/// If the database fails.
pub async fn dry_run_page_end(
    db: &mut Db,
    sync_id: SyncId,
    rehearsal: DryRunPage,
    outcomes: &BTreeMap<RecordType, Vec<(String, Outcome)>>,
) -> Result<(), StoreError> {
    let mut changes: Vec<(Value, Option<Held>)> = Vec::new();
    let nothing = HashMap::new();
    for (record_type, outcomes) in outcomes {
        let spoken = rehearsal.speech.get(record_type).map(Vec::as_slice).unwrap_or_default();
        let labels: HashMap<&str, &Spoken> = spoken.iter().map(|it| (it.source_id.as_str(), it)).collect();
        let before = rehearsal.before.get(record_type).unwrap_or(&nothing);
        let mut after = held(db, *record_type, spoken).await?;
        let mut conflicts = conflicts(db, sync_id, *record_type, spoken).await?;
        for (source_id, outcome) in outcomes {
            let before = before.get(source_id);
            let after = after.remove(source_id);
            let moved = before != after.as_ref();
            let says = matches!(
                outcome,
                Outcome::Created | Outcome::Updated | Outcome::Conflict | Outcome::Rejected
            );
            if !moved && !says {
                continue;
            }
            let fields = if moved { differences(*record_type, before, after.as_ref()) } else { json!([]) };
            changes.push((
                json!({
                    "record_type": record_type,
                    "source_id": source_id,
                    "label": labels.get(source_id.as_str()).and_then(|it| it.label.clone()),
                    "outcome": outcome,
                    "fields": fields,
                    "conflict": conflicts.remove(source_id),
                    "row_before": before.filter(|_| moved).map(|it| &it.whole),
                    "key_before": before.filter(|_| moved).and_then(|it| it.key.as_ref()),
                }),
                after.filter(|_| moved),
            ));
        }
    }
    let found: Value = statement(
        "SELECT coalesce(jsonb_agg(to_jsonb(f) - 'id' ORDER BY id), '[]') FROM findings f
         WHERE sync_id = $1 AND id > $2 AND record_type = ANY($3)",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Int8, _>(rehearsal.findings_before)
    .bind::<Array<Text>, _>(rehearsal.speech.keys().map(|it| it.as_str()).collect::<Vec<_>>())
    .returning::<Jsonb>()
    .get_result(db)
    .await?;
    statement("ROLLBACK TO SAVEPOINT rehearsal").execute(db).await?;
    statement("RELEASE SAVEPOINT rehearsal").execute(db).await?;

    // As the page writes them: what is new goes in when what was there has let go of its natural key.
    changes.sort_by_key(|(change, _)| change["row_before"].is_null());
    let rows: Vec<Value> = changes
        .into_iter()
        .map(|(mut change, after)| {
            if let (Some(after), Some(fields)) = (after, change.as_object_mut()) {
                fields.insert("row_after".to_owned(), after.whole);
                fields.insert("key_after".to_owned(), json!(after.key));
            }
            change
        })
        .collect();
    if !rows.is_empty() {
        statement(
            "INSERT INTO sync_changes (sync_id, record_type, source_id, label, outcome, fields, conflict, row_before,
                 row_after, key_before, key_after)
             SELECT $1, record_type, source_id, label, outcome, fields, nullif(conflict, 'null'),
                 nullif(row_before, 'null'), nullif(row_after, 'null'), key_before, key_after
             FROM jsonb_populate_recordset(NULL::sync_changes, $2)",
        )
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Jsonb, _>(Value::Array(rows))
        .execute(db)
        .await?;
    }
    if let Some(Value::Object(first)) = found.get(0) {
        let columns = columns_of(first);
        let text = format!(
            "INSERT INTO findings ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::findings, $1)"
        );
        statement(&text).bind::<Jsonb, _>(&found).execute(db).await?;
    }
    Ok(())
}

/// What a dry run would change, in the order in which it found it.
///
/// # Errors
///
/// If the database fails.
pub async fn change_list(
    db: &mut Db,
    sync_id: SyncId,
    filter: ChangeFilter,
    limit: u32,
    offset: u32,
) -> Result<Page<Change>, StoreError> {
    type Row = (i64, String, String, Option<String>, String, Value, Option<Value>);
    const FILTER: &str = "sync_id = $1 AND outcome IN ('created', 'updated', 'conflict', 'rejected')
        AND ($2 IS NULL OR record_type = $2) AND ($3 IS NULL OR outcome = $3)";
    let text = format!(
        "SELECT id, record_type, source_id, label, outcome, fields, conflict FROM sync_changes WHERE {FILTER}
         ORDER BY id LIMIT $4 OFFSET $5"
    );
    let rows: Vec<Row> = statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Nullable<Text>, _>(filter.record_type.map(RecordType::as_str))
        .bind::<Nullable<Text>, _>(filter.outcome.map(Outcome::as_str))
        .bind::<Int8, _>(i64::from(limit) + 1)
        .bind::<Int8, _>(i64::from(offset))
        .returning::<(Int8, Text, Text, Nullable<Text>, Text, Jsonb, Nullable<Jsonb>)>()
        .load(db)
        .await?;
    let text = format!("SELECT count(*) FROM sync_changes WHERE {FILTER}");
    let total: i64 = statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Nullable<Text>, _>(filter.record_type.map(RecordType::as_str))
        .bind::<Nullable<Text>, _>(filter.outcome.map(Outcome::as_str))
        .returning::<Int8>()
        .get_result(db)
        .await?;
    let changes = rows
        .into_iter()
        .map(|(id, record_type, source_id, label, outcome, fields, conflict)| {
            Ok(Change {
                id: count(id),
                record_type: word("sync_changes", "record_type", id, &record_type)?,
                source_id,
                label,
                outcome: word("sync_changes", "outcome", id, &outcome)?,
                fields,
                conflict,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(Page::of(changes, limit, total))
}

/// Makes it look as if earlier pages of the sync had been written, as far as this one can tell: every company and vessel
/// that would be new; and of what it speaks of itself, by id or by natural key, the last state.
async fn raise(db: &mut Db, sync_id: SyncId, speech: &Speech) -> Result<(), StoreError> {
    let nothing = Vec::new();
    for record_type in RecordType::ALL {
        let spoken = speech.get(record_type).unwrap_or(&nothing);
        let referred_to = matches!(record_type, RecordType::Company | RecordType::Vessel);
        if spoken.is_empty() && !referred_to {
            continue;
        }
        let rows: Vec<Value> = statement(
            "SELECT row_after FROM sync_changes
             WHERE sync_id = $1 AND record_type = $2 AND row_after IS NOT NULL AND
                 (source_id = ANY($3) OR key_before = ANY($4) OR key_after = ANY($4)
                  OR ($5 AND (row_before IS NULL OR key_before IS DISTINCT FROM key_after)))
             ORDER BY id",
        )
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Array<Text>, _>(spoken.iter().map(|it| it.source_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(spoken.iter().filter_map(|it| it.key.as_deref()).collect::<Vec<_>>())
        .bind::<Bool, _>(referred_to)
        .returning::<Jsonb>()
        .load(db)
        .await?;
        let [Value::Object(first), ..] = rows.as_slice() else { continue };
        let (table, columns) = (table_name(*record_type), columns_of(first));
        let own = first.keys().filter(|name| !matches!(name.as_str(), "id" | "source_id"));
        let sets: Vec<String> = own.map(|name| format!("{name} = excluded.{name}")).collect();
        let text = format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, $1)
             ON CONFLICT (source_id) DO UPDATE SET {}",
            sets.join(", ")
        );
        // One by one, in the order in which they would have been written: natural keys may have passed from one to another.
        for row in rows {
            statement(&text).bind::<Jsonb, _>(row).execute(db).await?;
        }
    }
    Ok(())
}

/// The names of columns, which `to_jsonb` has made of them.
fn columns_of(row: &Map<String, Value>) -> String {
    row.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

async fn held(
    db: &mut Db,
    record_type: RecordType,
    spoken: &[Spoken],
) -> Result<HashMap<String, Held>, StoreError> {
    let part = |table: &str| {
        format!(
            "(SELECT coalesce(jsonb_object_agg(p.source_id, to_jsonb(p)), '{{}}') FROM {table} p
              WHERE p.equipment_id = t.id AND p.status = 'active')"
        )
    };
    let key = table_schema(record_type).natural_key.map_or_else(|| "NULL::text".to_owned(), |key| key("t"));
    let beside = match record_type {
        RecordType::Company => "'{}'::jsonb".to_owned(),
        RecordType::Vessel | RecordType::User => format!("jsonb_build_object('companyId', {COMPANY})"),
        RecordType::Equipment => format!(
            "jsonb_build_object('vesselId', (SELECT v.source_id FROM vessels v WHERE v.id = t.vessel_id),
                 'criticalParts', {}, 'maintenanceSchedules', {})",
            part("critical_parts"),
            part("maintenance_schedules")
        ),
    };
    const COMPANY: &str = "(SELECT c.source_id FROM companies c WHERE c.id = t.company_id)";
    let text = format!(
        "SELECT t.source_id, {key} AS key, {beside} AS beside,
             to_jsonb(t) - '{{password_hash,sealed_password,password_expires_at,password_claimed_at}}'::text[] AS whole
         FROM {} t WHERE t.source_id = ANY($1)",
        table_name(record_type)
    );
    let ids: Vec<&str> = spoken.iter().map(|it| it.source_id.as_str()).collect();
    let rows: Vec<Held> = statement(&text).bind::<Array<Text>, _>(ids).load(db).await?;
    Ok(rows.into_iter().map(|it| (it.source_id.clone(), it)).collect())
}

/// The conflicts that the page has opened.
async fn conflicts(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    spoken: &[Spoken],
) -> Result<HashMap<String, Value>, StoreError> {
    let rows: Vec<(String, String, String, Value, Value)> = statement(
        "SELECT source_id, kind, winner, local_value, source_value FROM conflicts
         WHERE sync_id = $1 AND record_type = $2 AND source_id = ANY($3)",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Text, _>(record_type.as_str())
    .bind::<Array<Text>, _>(spoken.iter().map(|it| it.source_id.as_str()).collect::<Vec<_>>())
    .returning::<(Text, Text, Text, Jsonb, Jsonb)>()
    .load(db)
    .await?;
    let of = |(source_id, kind, winner, local, source): (String, String, String, Value, Value)| {
        let fields: Vec<Value> = compared(record_type, &presented(&local), &presented(&source))
            .into_iter()
            .map(|(field, local, source)| json!({ "field": field, "local": local, "source": source }))
            .collect();
        (source_id, json!({ "kind": kind, "winner": winner, "fields": fields }))
    };
    Ok(rows.into_iter().map(of).collect())
}

fn differences(record_type: RecordType, before: Option<&Held>, after: Option<&Held>) -> Value {
    let whole = |held: Option<&Held>| {
        let mut whole = held.map_or(Value::Null, |it| presented(&it.whole));
        if let (Some(held), Value::Object(fields)) = (held, &mut whole) {
            fields.extend(presented(&held.beside).as_object().cloned().unwrap_or_default());
        }
        whole
    };
    compared(record_type, &whole(before), &whole(after))
        .into_iter()
        .map(|(field, old, new)| json!({ "field": field, "old": old, "new": new }))
        .collect()
}

/// A row as the provider would say it: names in camelCase, without what is ours.
fn presented(row: &Value) -> Value {
    let Value::Object(fields) = row else { return row.clone() };
    let own = fields.iter().filter(|(name, _)| !BOOKKEEPING.contains(&name.as_str()));
    own.map(|(name, value)| {
        let inside = matches!(name.as_str(), "criticalParts" | "maintenanceSchedules");
        let value = match value {
            Value::Object(parts) if inside => {
                parts.iter().map(|(id, part)| (id.clone(), presented(part))).collect()
            }
            other => other.clone(),
        };
        (camel_case(name), value)
    })
    .collect::<Map<_, _>>()
    .into()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|it| it.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// The fields in which two values differ, down to those that hold no other; persons' data masked.
fn compared(record_type: RecordType, old: &Value, new: &Value) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    compare(String::new(), old, new, &mut found);
    if record_type == RecordType::User {
        for (field, old, new) in &mut found {
            if OF_A_PERSON.contains(&field.as_str()) {
                for value in [old, new] {
                    if let Value::String(text) = value {
                        *text = Email::mask(text);
                    }
                }
            }
        }
    }
    found
}

fn compare(pointer: String, old: &Value, new: &Value, found: &mut Vec<(String, Value, Value)>) {
    let nothing = Map::new();
    let sides = match (old, new) {
        (Value::Object(old), Value::Object(new)) => Some((old, new)),
        (Value::Object(old), Value::Null) => Some((old, &nothing)),
        (Value::Null, Value::Object(new)) => Some((&nothing, new)),
        _ => None,
    };
    match sides {
        Some((old, new)) => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let token = name.replace('~', "~0").replace('/', "~1");
                let of = |side: &Map<String, Value>| side.get(name).cloned().unwrap_or_default();
                compare(format!("{pointer}/{token}"), &of(old), &of(new), found);
            }
        }
        None if old != new => found.push((pointer, old.clone(), new.clone())),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_compared_down_to_their_values_under_the_names_of_the_provider() {
        let before =
            json!({"id": 1, "running_hours": 5, "specs": {"power/kW": 1, "kept": true}, "maker": null});
        let after =
            json!({"id": 2, "running_hours": 5, "specs": {"power/kW": 2, "kept": true}, "maker": "MAN"});
        let fields = compared(RecordType::Equipment, &presented(&before), &presented(&after));
        assert_eq!(
            fields,
            [
                ("/maker".to_owned(), json!(null), json!("MAN")),
                ("/specs/power~1kW".to_owned(), json!(1), json!(2)),
            ]
        );
        let created = compared(RecordType::Equipment, &Value::Null, &presented(&after));
        assert_eq!(created.len(), 4, "{created:?}");
    }

    #[test]
    fn what_says_who_a_person_is_is_masked() {
        let after = json!({"email": "ola.nordmann@example.com", "family_name": "Nordmann", "rank": "Master"});
        let fields = compared(RecordType::User, &Value::Null, &presented(&after));
        let new: Vec<_> = fields.into_iter().map(|(_, _, new)| new).collect();
        assert_eq!(new, [json!("o***@e***.com"), json!("N***"), json!("Master")]);
    }
}
