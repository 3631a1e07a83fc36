//! Diagnoses: from what an operator sees to its cause, and what to do. Rows and the broker are asked; nothing is changed.

use broker::Queue;
use chassis::error_chain::ErrorChain;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use contracts::operator::{Diagnosis, DoctorQuestion};
use domain::{
    RecordType, Severity, SyncId, TaskState, record_standing::RecordStanding, row_status::RowStatus,
};
use store::{
    Db, StoreError, Window,
    ledger::{
        attempts::attempt_list,
        circuits::circuits_open,
        portal_slots::portal_pause_find,
        syncs::{StoredSync, syncs_active},
    },
    views::{
        data_quality::{Subject, quality_records},
        gauges::{gauges, standing},
        overview::task_counts,
        records::{RecordDetail, record_find},
        timeline::timeline,
    },
};

use crate::app_state::AppState;

/// Without a sign of life for this long, work is stuck: a page takes seconds.
const STUCK_AFTER: TimeDelta = TimeDelta::minutes(1);
/// How long the report of an open circuit counts, as in the overview.
const CIRCUIT_REPORT_TIMEOUT: TimeDelta = TimeDelta::minutes(2);
/// How many records a cause is followed through: equipment, its vessel, that vessel's company.
const CAUSES_LIMIT: usize = 3;

fn diagnosis(question: DoctorQuestion, ok: bool, title: impl Into<String>) -> Diagnosis {
    Diagnosis {
        question,
        ok,
        title: title.into(),
        causes: Vec::new(),
        fix: None,
        sync_id: None,
        record_type: None,
        source_id: None,
    }
}

/// Whether this service reaches database, broker and onboarding portal.
pub(crate) async fn diagnose_connection(app: &AppState) -> Diagnosis {
    let question = DoctorQuestion::Connection;
    if let Err(error) = app.broker.ping().await {
        return Diagnosis {
            causes: vec![ErrorChain(&error).to_string()],
            fix: Some(
                "Start RabbitMQ, and check AMQP_URL. What was accepted is published once it answers."
                    .to_owned(),
            ),
            ..diagnosis(question, false, "RabbitMQ does not answer")
        };
    }
    let tested = app.connection_tester.test(&app.portal, &*app.clock).await;
    match tested.steps.iter().find_map(|step| Some((step.name, step.result.as_ref().err()?, step.hint))) {
        None => diagnosis(question, true, "Database, RabbitMQ and the onboarding portal answer"),
        Some((step, failure, hint)) => Diagnosis {
            causes: vec![format!("The step {step} of the connection test failed: {failure}")],
            fix: hint.map(str::to_owned),
            ..diagnosis(question, false, "The onboarding portal cannot be used")
        },
    }
}

/// Syncs and approvals that do not move.
pub(crate) async fn diagnose_stuck(app: &AppState, now: DateTime<Utc>) -> Result<Vec<Diagnosis>, StoreError> {
    let mut db = app.store.db().await?;
    let (active, standing) = (syncs_active(&mut db).await?, standing(&mut db).await?);
    let is_old = |since: DateTime<Utc>| now - since > STUCK_AFTER;
    let stuck: Vec<&StoredSync> = active.iter().filter(|sync| is_old(sync.heartbeat_at)).collect();
    let mut found = Vec::new();
    for sync in stuck {
        let title = format!(
            "The {} sync {} has shown no sign of life since {}",
            sync.mode,
            sync.id,
            time(sync.heartbeat_at)
        );
        let (cause, fix) = cause_of_standstill(app, &mut db, Some(sync.id), now).await?;
        found.push(Diagnosis {
            causes: [cause].into_iter().chain(sync.detail.clone()).collect(),
            fix: Some(fix),
            sync_id: Some(sync.id.as_uuid()),
            ..diagnosis(DoctorQuestion::Stuck, false, title)
        });
    }
    if let Some(since) = standing.events_since.filter(|since| is_old(*since)) {
        let title =
            format!("{} approval events wait, the oldest since {}", standing.events_waiting, time(since));
        let (cause, fix) = cause_of_standstill(app, &mut db, None, now).await?;
        found.push(Diagnosis {
            causes: vec![cause],
            fix: Some(fix),
            ..diagnosis(DoctorQuestion::Stuck, false, title)
        });
    }
    if found.is_empty() {
        let title = match active.len() {
            0 => "No sync is active, and no approval waits".to_owned(),
            1 => "1 sync is active, and moves".to_owned(),
            n => format!("{n} syncs are active, and move"),
        };
        found.push(diagnosis(DoctorQuestion::Stuck, true, title));
    }
    Ok(found)
}

/// Why work does not go on, and what to do: the first that is found on its way from the row to the worker.
async fn cause_of_standstill(
    app: &AppState,
    db: &mut Db,
    sync: Option<SyncId>,
    now: DateTime<Utc>,
) -> Result<(String, String), StoreError> {
    let text = |cause: String, fix: &str| Ok((cause, fix.to_owned()));
    if let Err(error) = app.broker.ping().await {
        return text(
            format!("RabbitMQ does not answer: {}", ErrorChain(&error)),
            "Start RabbitMQ, and check AMQP_URL.",
        );
    }
    let open = gauges(db).await?;
    if let Some(since) = open.unpublished_since.filter(|since| now - *since > STUCK_AFTER) {
        let cause =
            format!("{} messages wait to be published, the oldest since {}", open.unpublished, time(since));
        return text(
            cause,
            "Start a scheduler: its relay publishes what is left. Its log says what keeps it.",
        );
    }
    if let Some((until, reason)) = portal_pause_find(db).await? {
        let cause = format!("all workers leave the onboarding portal alone until {}: {reason}", time(until));
        return text(cause, "Wait: the portal has asked for it. Its owner knows why.");
    }
    if let Some(circuit) = circuits_open(db, now - CIRCUIT_REPORT_TIMEOUT).await?.into_iter().next() {
        let cause =
            format!("the onboarding portal failed repeatedly, and gets no requests: {}", circuit.failure);
        return text(cause, "Bring the portal back: `sms-sync test-connection` shows which step fails.");
    }
    if let Some(sync) = sync {
        let retrying =
            task_counts(db, sync).await?.into_iter().any(|(state, n)| state == TaskState::Retrying && n > 0);
        let last = attempt_list(db, sync, 1).await?.into_iter().next();
        if let Some(attempt) = last.filter(|_| retrying) {
            let next = attempt.next_attempt_at.map(|at| format!(", and is tried again at {}", time(at)));
            let cause = format!("the last attempt failed: {}{}", attempt.failure, next.unwrap_or_default());
            return text(cause, "Wait for the next attempt, or mend what it names.");
        }
    }
    let mut waiting = Vec::new();
    for queue in [Queue::Commands, Queue::Tasks, Queue::Events] {
        if let Ok(length @ 1..) = app.outbox.queue_length(queue).await {
            waiting.push(format!("{length} in {}", queue.name()));
        }
    }
    if !waiting.is_empty() {
        let cause = format!("messages wait that no worker takes: {}", waiting.join(", "));
        return text(cause, "Start workers, or more of them (`docker compose up -d --scale worker=4`).");
    }
    text(
        "a worker has taken its work, and shows no sign of life".to_owned(),
        "Wait: the scheduler has lost work published again within minutes. The workers' logs say what happened.",
    )
}

/// Whether records are missing in the fleet.
pub(crate) async fn diagnose_fleet(db: &mut Db) -> Result<Diagnosis, StoreError> {
    let question = DoctorQuestion::Missing;
    let quality = quality_records(db, &Subject::Fleet).await?;
    let rejected: Vec<String> = quality
        .iter()
        .filter(|it| it.with_errors > 0)
        .map(|it| format!("{} of the type {}", it.with_errors, it.record_type))
        .collect();
    if rejected.is_empty() {
        return Ok(diagnosis(question, true, "No record stands rejected"));
    }
    Ok(Diagnosis {
        causes: vec![format!("The newest state was rejected: {}", rejected.join(", "))],
        fix: Some(
            "Correct the records in the onboarding portal. `sms-sync records list TYPE --status rejected` names them, and \
             `sms-sync doctor TYPE ID` says why one is missing."
                .to_owned(),
        ),
        ..diagnosis(question, false, "Records are missing or outdated")
    })
}

/// Why a record is missing, through the records that it depends on.
pub(crate) async fn diagnose_record(
    db: &mut Db,
    record_type: RecordType,
    source_id: &str,
) -> Result<Diagnosis, StoreError> {
    let (mut record_type, mut source_id) = (record_type, source_id.to_owned());
    let mut found: Option<Diagnosis> = None;
    for _ in 0..CAUSES_LIMIT {
        let detail = record_find(db, record_type, &source_id).await?;
        let seen = diagnose_one(db, record_type, &source_id, &detail).await?;
        let next = parent_of(record_type, &detail);
        found = Some(match found {
            None => seen,
            Some(first) => {
                let because = format!("because {}", seen.title);
                Diagnosis {
                    causes: first.causes.into_iter().chain([because]).chain(seen.causes).collect(),
                    fix: seen.fix.or(first.fix),
                    record_type: seen.record_type,
                    source_id: seen.source_id,
                    ..first
                }
            }
        });
        let Some((parent_type, parent)) = next else { break };
        (record_type, source_id) = (parent_type, parent);
    }
    Ok(found.expect("at least one record is looked at"))
}

/// The record on whose account a record was rejected.
fn parent_of(record_type: RecordType, detail: &RecordDetail) -> Option<(RecordType, String)> {
    let finding =
        detail.findings.iter().find(|it| matches!(it.code.as_str(), "orphan" | "company_rejected"))?;
    let parent = match record_type {
        RecordType::Equipment => RecordType::Vessel,
        RecordType::Vessel => RecordType::Company,
        RecordType::Company | RecordType::User => return None,
    };
    Some((parent, finding.value.clone()?))
}

async fn diagnose_one(
    db: &mut Db,
    record_type: RecordType,
    source_id: &str,
    detail: &RecordDetail,
) -> Result<Diagnosis, StoreError> {
    let record = &detail.record;
    let name = format!("the {record_type} {source_id}");
    let of = |ok, title: String, causes, fix: Option<&str>| Diagnosis {
        causes,
        fix: fix.map(str::to_owned),
        record_type: Some(record_type.into()),
        source_id: Some(source_id.to_owned()),
        ..diagnosis(DoctorQuestion::Missing, ok, title)
    };
    Ok(match (record.standing, &record.row) {
        (RecordStanding::Active, Some(row)) => {
            let text = format!(
                "the newest state that came is of {}, written at {}",
                time(row.source_updated_at),
                time(row.synced_at)
            );
            of(true, format!("{name} is in sync"), vec![text], None)
        }
        (RecordStanding::Withdrawn, Some(row)) => {
            let cause = match row.missing_since {
                Some(since) => format!(
                    "a full sync did not find it in the onboarding portal any more, at {}",
                    time(since)
                ),
                None => {
                    format!("its approval was withdrawn, by the state of {}", time(row.source_updated_at))
                }
            };
            let fix = "Approve it again in the onboarding portal, if that was not meant.";
            of(false, format!("{name} is withdrawn"), vec![cause], Some(fix))
        }
        (RecordStanding::Rejected, row) => {
            let errors = detail.findings.iter().filter(|it| it.severity == Severity::Error);
            let causes = errors.map(|it| {
                let value = it.value.as_ref().map(|value| format!(", is {value}")).unwrap_or_default();
                format!("{} {}{value} ({})", it.pointer, it.message, it.code)
            });
            let title = match row.as_ref().map(|row| row.status) {
                None => format!("{name} was rejected, and never written"),
                Some(RowStatus::Active) => {
                    format!("the newest state of {name} was rejected: an older one stands")
                }
                Some(RowStatus::Withdrawn) => {
                    format!("the newest state of {name} was rejected, and its row is withdrawn")
                }
            };
            let fix =
                "Correct it in the onboarding portal: the change comes by webhook, or with the next sync.";
            of(false, title, causes.collect(), Some(fix))
        }
        (RecordStanding::NeverCame, _) | (_, None) => {
            let window = Window { limit: 1, ..Window::default() };
            let known = timeline(db, record_type, source_id, false, window).await?;
            let (cause, fix) = match known.rows.first() {
                None => (
                    "no webhook and no sync has told of it".to_owned(),
                    "Approve it in the onboarding portal; if it is approved, start a full sync, and check the id.",
                ),
                Some(entry) => (
                    format!("the last that is known of it: {} at {}", entry.kind, time(entry.at)),
                    "See its timeline (`sms-sync records timeline TYPE ID`), and start a full sync.",
                ),
            };
            of(false, format!("{name} never came"), vec![cause], Some(fix))
        }
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
