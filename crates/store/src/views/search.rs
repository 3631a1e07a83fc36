//! Search over records, syncs, webhook events, dead letters and traces.
//!
//! Each kind is asked for by conditions that an index answers, with a limit on rows and on time, so that a search costs
//! milliseconds in tables of years. A kind that took too long says so.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    RecordType,
    record_standing::RecordStanding,
    row_status::RowStatus,
    search::{HitKind, Letters, MatchedField, SearchText},
    values::Email,
};
use tokio::time::Instant;

use crate::{
    db::{
        connection::{Db, Store, Tx},
        error::{StoreError, word},
    },
    records::table_name,
    views::record_conditions::{Search, limits_set},
};

/// Rows that one condition finds before they are put in order.
const CANDIDATES_LIMIT: i64 = 200;
/// How long a statement for a kind may take.
const KIND_TIMEOUT: Duration = Duration::from_secs(2);
/// Kinds that are not asked for within this time count as cut short.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(4);
/// Most rows of a kind that a trace is counted in.
const TRACE_COUNT_LIMIT: i64 = 100;

/// What a search has found of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitGroup {
    pub kind: HitKind,
    pub hits: Vec<Hit>,
    /// There are more than those.
    pub has_more: bool,
    /// The kind was not searched to the end: too much time went by, or the database has no index for the letters.
    pub is_cut_short: bool,
}

/// A row that a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Of a record its id in the onboarding portal.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    pub subtitle: Option<String>,
    /// The field that holds the text.
    pub matched: MatchedField,
    /// Where the record stands.
    pub standing: Option<RecordStanding>,
}

/// Searches for a text. Personal data (names and e-mail addresses of users) is searched and shown only with
/// `in_personal_data`: a search would reveal masked addresses letter by letter. Of each kind at most `limit`.
pub async fn search(
    store: &Store,
    text: &SearchText,
    in_personal_data: bool,
    limit: u32,
) -> Result<Vec<HitGroup>, StoreError> {
    let began = Instant::now();
    let mut groups = Vec::new();
    // One transaction, but after a kind that took too long: its statement has ended the transaction.
    let mut open: Option<(Tx, Letters)> = None;
    for kind in HitKind::ALL {
        let mut hits = Vec::new();
        let mut is_cut_short = began.elapsed() >= SEARCH_TIMEOUT;
        if !is_cut_short {
            let (mut tx, letters) = match open.take() {
                Some(open) => open,
                None => {
                    let mut tx = store.begin().await?;
                    let letters = limits_set(&mut tx, KIND_TIMEOUT).await?;
                    (tx, letters)
                }
            };
            let search = Search { text, letters, in_personal_data };
            match kind_search(&mut tx, *kind, search, limit).await {
                Ok(found) => {
                    (hits, is_cut_short) = found;
                    open = Some((tx, letters));
                }
                Err(error) if error.is_statement_timeout() => {
                    is_cut_short = true;
                    tx.rollback().await;
                }
                Err(error) => return Err(error),
            }
        }
        let has_more = hits.len() > limit as usize;
        hits.truncate(limit as usize);
        groups.push(HitGroup { kind: *kind, hits, has_more, is_cut_short });
    }
    if let Some((tx, _)) = open {
        tx.rollback().await;
    }
    Ok(groups)
}

/// The hits of a kind, at most one more than `limit`, and whether names were left out.
async fn kind_search(
    db: &mut Db,
    kind: HitKind,
    search: Search<'_>,
    limit: u32,
) -> Result<(Vec<Hit>, bool), StoreError> {
    let record_type = match kind {
        HitKind::Vessel => RecordType::Vessel,
        HitKind::Equipment => RecordType::Equipment,
        HitKind::User => RecordType::User,
        HitKind::Company => RecordType::Company,
        HitKind::Sync => return Ok((syncs_search(db, search, limit).await?, false)),
        HitKind::Webhook => return Ok((webhooks_search(db, search, limit).await?, false)),
        HitKind::DeadLetter => return Ok((dead_letters_search(db, search, limit).await?, false)),
        HitKind::Trace => return Ok((trace_search(db, search).await?, false)),
    };
    let mut hits = records_search(db, record_type, search, limit).await?;
    if hits.len() <= limit as usize {
        hits.extend(rejected_search(db, record_type, search, limit).await?);
    }
    let has_names = record_type != RecordType::User || search.in_personal_data;
    Ok((hits, has_names && search.skips_names()))
}

/// What the hit of a record shows, as expressions over `t`: title, subtitle, and what the order goes by.
const fn shown(record_type: RecordType) -> (&'static str, &'static str, &'static str) {
    match record_type {
        RecordType::Company => {
            ("t.name", "concat_ws(' · ', t.country, 'IMO ' || t.imo_company_number)", "t.name")
        }
        RecordType::Vessel => (
            "t.name || ' · IMO ' || t.imo_number",
            "concat_ws(' · ', (SELECT c.name FROM companies c WHERE c.id = t.company_id), t.vessel_type, t.flag)",
            "t.name",
        ),
        RecordType::Equipment => (
            "t.code || '/' || t.unit_number || ' ' || t.name",
            "concat_ws(' · ', (SELECT v.name || ' · IMO ' || v.imo_number FROM vessels v WHERE v.id = t.vessel_id), t.qr_code)",
            "t.name",
        ),
        RecordType::User => ("t.email", "concat_ws(' · ', t.rank, t.department, t.workplace)", "t.source_id"),
    }
}

async fn records_search(
    db: &mut Db,
    record_type: RecordType,
    search: Search<'_>,
    limit: u32,
) -> Result<Vec<Hit>, StoreError> {
    type Row = (i32, String, String, String, String, bool);
    let (table, (title, subtitle, order)) = (table_name(record_type), shown(record_type));
    let conditions = search.conditions(record_type);
    let branches = conditions.iter().enumerate().map(|(rank, (_, condition))| {
        format!("(SELECT {rank} AS rank, t.id FROM {table} t WHERE {condition} LIMIT $10)")
    });
    // Whatever begins with the text comes before what holds it elsewhere.
    let text = format!(
        "WITH found AS MATERIALIZED ({})
         SELECT f.rank, t.source_id, {title}, {subtitle}, t.status,
             EXISTS (SELECT FROM record_findings r WHERE r.record_type = '{record_type}'
                 AND r.source_id = t.source_id AND r.severity = 'error')
         FROM (SELECT id, min(rank) AS rank FROM found GROUP BY id) AS f JOIN {table} t ON t.id = f.id
         ORDER BY f.rank, starts_with(lower({order}), lower($1)) DESC, t.status, {order}, t.source_id LIMIT $11",
        branches.collect::<Vec<_>>().join(" UNION ALL ")
    );
    let rows: Vec<Row> = search
        .bind(&text)
        .bind::<Int8, _>(CANDIDATES_LIMIT)
        .bind::<Int8, _>(i64::from(limit) + 1)
        .returning::<(Int4, Text, Text, Text, Text, Bool)>()
        .load(db)
        .await?;
    let hit = |(rank, id, title, subtitle, status, is_rejected): Row| {
        let status: RowStatus = word(table, "status", &id, &status)?;
        let matched = usize::try_from(rank).ok().and_then(|rank| conditions.get(rank));
        let is_masked = record_type == RecordType::User && !search.in_personal_data;
        Ok(Hit {
            id,
            title: if is_masked { Email::mask(&title) } else { title },
            subtitle: Some(subtitle).filter(|it| !it.is_empty()),
            matched: matched.map_or(MatchedField::Id, |(matched, _)| *matched),
            standing: Some(match status {
                _ if is_rejected => RecordStanding::Rejected,
                RowStatus::Active => RecordStanding::Active,
                RowStatus::Withdrawn => RecordStanding::Withdrawn,
            }),
        })
    };
    rows.into_iter().map(hit).collect()
}

/// Records without a row whose state was rejected.
async fn rejected_search(
    db: &mut Db,
    record_type: RecordType,
    search: Search<'_>,
    limit: u32,
) -> Result<Vec<Hit>, StoreError> {
    let conditions = search.rejected_conditions();
    let table = table_name(record_type);
    let branches = conditions.iter().enumerate().map(|(rank, (_, condition))| {
        format!(
            "(SELECT {rank} AS rank, f.source_id, f.label FROM record_findings f
              WHERE f.severity = 'error' AND f.record_type = '{record_type}' AND {condition} LIMIT $10)"
        )
    });
    let text = format!(
        "WITH found AS MATERIALIZED ({})
         SELECT min(f.rank), f.source_id, min(f.label) FROM found f
         WHERE NOT EXISTS (SELECT FROM {table} t WHERE t.source_id = f.source_id)
         GROUP BY f.source_id ORDER BY 1, 3, 2 LIMIT $11",
        branches.collect::<Vec<_>>().join(" UNION ALL ")
    );
    let rows: Vec<(i32, String, Option<String>)> = search
        .bind(&text)
        .bind::<Int8, _>(CANDIDATES_LIMIT)
        .bind::<Int8, _>(i64::from(limit) + 1)
        .returning::<(Int4, Text, Nullable<Text>)>()
        .load(db)
        .await?;
    let hit = |(rank, id, label): (i32, String, Option<String>)| Hit {
        title: label.unwrap_or_else(|| id.clone()),
        id,
        subtitle: None,
        matched: if rank == 0 { MatchedField::SourceId } else { MatchedField::Label },
        standing: Some(RecordStanding::Rejected),
    };
    Ok(rows.into_iter().map(hit).collect())
}

/// The trace id of the row that began a trace, as its index has it.
const TRACE: &str = "(t.trace_context ->> 'traceparent') IS NOT NULL
    AND split_part(t.trace_context ->> 'traceparent', '-', 2) = $10";

type Branch = (MatchedField, String);

async fn syncs_search(db: &mut Db, search: Search<'_>, limit: u32) -> Result<Vec<Hit>, StoreError> {
    let mut branches: Vec<Branch> = Vec::new();
    if search.text.uuid_range().is_some() {
        branches.push((MatchedField::Id, "sync_logs t WHERE t.id >= $8 AND t.id <= $9".to_owned()));
        let of_task =
            "(SELECT q.sync_id AS id FROM sync_queue q WHERE q.id >= $8 AND q.id <= $9) AS t WHERE true";
        branches.push((MatchedField::TaskId, of_task.to_owned()));
    }
    if search.text.trace_id().is_some() {
        branches.push((MatchedField::TraceId, format!("sync_logs t WHERE {TRACE}")));
    }
    type Row = (i32, uuid::Uuid, String, String, String, bool, String, DateTime<Utc>);
    let columns = "t.mode, t.cause, t.state, t.dry_run, t.requested_by, t.started_at";
    let rows: Vec<Row> = match ids_statement("sync_logs", "started_at", columns, &branches) {
        None => return Ok(Vec::new()),
        Some(text) => {
            bind_ids(search, &text, limit)
                .returning::<(Int4, Uuid, Text, Text, Text, Bool, Text, Timestamptz)>()
                .load(db)
                .await?
        }
    };
    let hit = |(rank, id, mode, cause, state, dry_run, requested_by, at): Row| Hit {
        id: id.to_string(),
        title: format!("{mode} {}, {state}", if dry_run { "dry run" } else { "sync" }),
        subtitle: Some(format!("{cause}, asked for by {requested_by} · {}", time(at))),
        matched: matched_of(&branches, rank),
        standing: None,
    };
    Ok(rows.into_iter().map(hit).collect())
}

async fn webhooks_search(db: &mut Db, search: Search<'_>, limit: u32) -> Result<Vec<Hit>, StoreError> {
    let mut branches: Vec<Branch> =
        vec![(MatchedField::WebhookId, "webhook_events t WHERE t.webhook_id = $1".to_owned())];
    if search.text.uuid_range().is_some() {
        branches.push((MatchedField::Id, "webhook_events t WHERE t.id >= $8 AND t.id <= $9".to_owned()));
    }
    if search.text.trace_id().is_some() {
        branches.push((MatchedField::TraceId, format!("webhook_events t WHERE {TRACE}")));
    }
    type Row = (i32, uuid::Uuid, String, Option<String>, String, DateTime<Utc>);
    let columns = "t.event_type, t.source_id, t.state, t.received_at";
    let text = ids_statement("webhook_events", "received_at", columns, &branches).unwrap_or_default();
    let rows: Vec<Row> = bind_ids(search, &text, limit)
        .returning::<(Int4, Uuid, Text, Nullable<Text>, Text, Timestamptz)>()
        .load(db)
        .await?;
    let hit = |(rank, id, event_type, source_id, state, at): Row| Hit {
        id: id.to_string(),
        title: match source_id {
            Some(source_id) => format!("{event_type} of {source_id}"),
            None => event_type,
        },
        subtitle: Some(format!("{state} · received {}", time(at))),
        matched: matched_of(&branches, rank),
        standing: None,
    };
    Ok(rows.into_iter().map(hit).collect())
}

async fn dead_letters_search(db: &mut Db, search: Search<'_>, limit: u32) -> Result<Vec<Hit>, StoreError> {
    let mut branches: Vec<Branch> =
        vec![(MatchedField::MessageId, "dead_letters t WHERE t.message_id = $1".to_owned())];
    if search.text.uuid_range().is_some() {
        branches.push((MatchedField::Id, "dead_letters t WHERE t.id >= $8 AND t.id <= $9".to_owned()));
    }
    if search.text.trace_id().is_some() {
        branches.push((MatchedField::TraceId, "dead_letters t WHERE t.trace_id = $10".to_owned()));
    }
    type Row = (i32, uuid::Uuid, String, String, String, DateTime<Utc>);
    let columns = "t.queue, t.reason, t.state, t.died_at";
    let text = ids_statement("dead_letters", "archived_at", columns, &branches).unwrap_or_default();
    let rows: Vec<Row> = bind_ids(search, &text, limit)
        .returning::<(Int4, Uuid, Text, Text, Text, Timestamptz)>()
        .load(db)
        .await?;
    let hit = |(rank, id, queue, reason, state, at): Row| Hit {
        id: id.to_string(),
        title: format!("{queue}: {reason}"),
        subtitle: Some(format!("{state} · died {}", time(at))),
        matched: matched_of(&branches, rank),
        standing: None,
    };
    Ok(rows.into_iter().map(hit).collect())
}

/// The statement over the ids that the branches find, the newest rows first. None without branches.
fn ids_statement(table: &str, newest_by: &str, columns: &str, branches: &[Branch]) -> Option<String> {
    let found = branches
        .iter()
        .enumerate()
        .map(|(rank, (_, from))| format!("(SELECT {rank} AS rank, t.id FROM {from} LIMIT $11)"));
    let found = found.collect::<Vec<_>>().join(" UNION ALL ");
    (!branches.is_empty()).then(|| {
        format!(
            "WITH found AS MATERIALIZED ({found})
             SELECT f.rank, t.id, {columns}
             FROM (SELECT id, min(rank) AS rank FROM found GROUP BY id) AS f JOIN {table} t ON t.id = f.id
             ORDER BY f.rank, t.{newest_by} DESC, t.id DESC LIMIT $12"
        )
    })
}

/// A statement of [`ids_statement`] with its parameters.
fn bind_ids<'s>(search: Search<'s>, text: &'s str, limit: u32) -> crate::db::statement::Statement<'s> {
    search
        .bind(text)
        .bind::<Nullable<Text>, _>(search.text.trace_id())
        .bind::<Int8, _>(CANDIDATES_LIMIT)
        .bind::<Int8, _>(i64::from(limit) + 1)
}

fn matched_of(branches: &[Branch], rank: i32) -> MatchedField {
    let branch = usize::try_from(rank).ok().and_then(|rank| branches.get(rank));
    branch.map_or(MatchedField::Id, |(matched, _)| *matched)
}

/// The trace itself, if anything of it is kept. Entries of the audit log count only with personal data: they are for admins.
async fn trace_search(db: &mut Db, search: Search<'_>) -> Result<Vec<Hit>, StoreError> {
    let Some(trace_id) = search.text.trace_id() else { return Ok(Vec::new()) };
    let counted = |from: &str| format!("(SELECT count(*) FROM (SELECT FROM {from} LIMIT $11) AS of_trace)");
    let text = format!(
        "SELECT {}, {}, {}, {}",
        counted(&format!("sync_logs t WHERE {TRACE}")),
        counted(&format!("webhook_events t WHERE {TRACE}")),
        counted("dead_letters t WHERE t.trace_id = $10"),
        counted("audit t WHERE t.trace_id = $10 AND $12"),
    );
    let (syncs, webhooks, dead_letters, entries): (i64, i64, i64, i64) = search
        .bind(&text)
        .bind::<Nullable<Text>, _>(Some(trace_id.as_str()))
        .bind::<Int8, _>(TRACE_COUNT_LIMIT)
        .bind::<Bool, _>(search.in_personal_data)
        .returning::<(Int8, Int8, Int8, Int8)>()
        .get_result(db)
        .await?;
    let counts = [
        (syncs, "syncs"),
        (webhooks, "webhook events"),
        (dead_letters, "dead letters"),
        (entries, "entries of the audit log"),
    ];
    let named = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| {
        let at_least = if *n == TRACE_COUNT_LIMIT { "at least " } else { "" };
        format!("{what}: {at_least}{n}")
    });
    let subtitle = named.collect::<Vec<_>>().join(", ");
    Ok(if subtitle.is_empty() {
        Vec::new()
    } else {
        vec![Hit {
            title: format!("Trace {trace_id}"),
            id: trace_id,
            subtitle: Some(subtitle),
            matched: MatchedField::TraceId,
            standing: None,
        }]
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
