//! The audit log: who did what, was refused what, and read what of personal data; and whether it is as it was written.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{ContentDisposition, DispositionParam, DispositionType},
    web,
};
use actix_web_lab::extract::Query;
use chassis::{
    auth::Admin,
    problem::{FieldError, Problem, ProblemBody},
};
use chrono::{DateTime, Utc};
use contracts::operator::{AuditAction, AuditChain, AuditEntry, List};
use futures_util::stream;
use serde::Deserialize;
use store::{
    Store, StoreError,
    ledger::{
        audit::{self, AuditFilter, audit_list, audit_walk},
        audit_chain::{ChainPlace, ChainVerdict, NoChainPlace, audit_verify},
    },
};
use utoipa::IntoParams;

use super::paging::CursorPaging;
use crate::{app_state::AppState, problems::OrProblem};

/// Entries that are read at a time for an export.
const EXPORT_BATCH: u32 = 500;
/// How long a verification may take.
const VERIFICATION_TIMEOUT: Duration = Duration::from_secs(60);
const VERIFICATION_RETRY_DELAY: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only what this operator did, or one of these.
    #[serde(default)]
    actor: Vec<String>,
    /// Only this action, or these.
    #[serde(default)]
    action: Vec<AuditAction>,
    /// Only what was done to this.
    subject: Option<String>,
    /// Only what this request did.
    request_id: Option<String>,
    /// Only what this trace did.
    trace_id: Option<String>,
    /// Only entries at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only entries before this time.
    to: Option<DateTime<Utc>>,
}

impl AuditQuery {
    fn into_filter(self) -> AuditFilter {
        AuditFilter {
            actors: self.actor,
            actions: self.action.into_iter().map(Into::into).collect(),
            subject: self.subject,
            request_id: self.request_id,
            trace_id: self.trace_id,
            from: self.from,
            until: self.to,
        }
    }
}

/// List the audit log
#[utoipa::path(
    operation_id = "listAudit", tag = "audit", security(("bearer" = ["admin"])),
    params(CursorPaging, AuditQuery),
    responses((status = 200, body = List<AuditEntry>, headers(("Link", description = "`rel=\"next\"`: the next page, if there is one"))))
)]
#[get("/api/sync/audit")]
pub(crate) async fn list_audit(
    app: web::Data<AppState>,
    _admin: Admin,
    request: HttpRequest,
    paging: Query<CursorPaging>,
    query: Query<AuditQuery>,
) -> Result<HttpResponse, Problem> {
    let window = paging.window("audit")?;
    let mut db = app.store.db().await.or_problem()?;
    let page = audit_list(&mut db, &query.into_inner().into_filter(), window).await.or_problem()?;
    Ok(paging.list(&request, "audit", page, |row| row.id, view))
}

/// Export the audit log, oldest first
///
/// One JSON object per line (NDJSON), as many as there are. An answer that breaks off is not the whole log: its last line is
/// `{"complete": true}` otherwise.
#[utoipa::path(
    operation_id = "exportAudit", tag = "audit", security(("bearer" = ["admin"])),
    params(AuditQuery),
    responses((status = 200, body = AuditEntry, content_type = "application/x-ndjson"))
)]
#[get("/api/sync/audit/export")]
pub(crate) async fn export_audit(
    app: web::Data<AppState>,
    _admin: Admin,
    query: Query<AuditQuery>,
) -> Result<HttpResponse, Problem> {
    let filter = query.into_inner().into_filter();
    // A fault that shows at once is an answer of its own.
    let first = batch(&app.store, &filter, 0).await.or_problem()?;
    let export = Export { store: app.store.clone(), filter, next: Some(first) };
    let lines = stream::try_unfold(export, |mut export| async move {
        Ok::<_, StoreError>(export.lines().await?.map(|lines| (lines, export)))
    });
    let parameters = vec![DispositionParam::Filename("audit.ndjson".to_owned())];
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header(ContentDisposition { disposition: DispositionType::Attachment, parameters })
        .streaming(Box::pin(lines)))
}

/// The rest of an export: read batch by batch, as its reader takes them.
struct Export {
    store: Store,
    filter: AuditFilter,
    /// The next batch; none: the end was sent.
    next: Option<Vec<audit::AuditEntry>>,
}

impl Export {
    /// The lines of the next batch; none at the end.
    async fn lines(&mut self) -> Result<Option<web::Bytes>, StoreError> {
        let Some(entries) = self.next.take() else { return Ok(None) };
        let Some(last) = entries.last().map(|entry| entry.id) else {
            return Ok(Some(web::Bytes::from_static(b"{\"complete\":true}\n")));
        };
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, &view(entry)).expect("an entry is JSON");
            lines.push(b'\n');
        }
        self.next = Some(batch(&self.store, &self.filter, last).await?);
        Ok(Some(lines.into()))
    }
}

async fn batch(
    store: &Store,
    filter: &AuditFilter,
    after: u64,
) -> Result<Vec<audit::AuditEntry>, StoreError> {
    audit_walk(&mut *store.db().await?, filter, after, EXPORT_BATCH).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChainQuery {
    /// The `end` of an earlier answer: finds out if the whole chain was written anew since.
    #[param(pattern = "^[0-9]+:[0-9a-fA-F]{64}$")]
    expect: Option<String>,
}

/// Verify that no row of the audit log was changed, added or deleted
///
/// Reads the whole log, one request at a time. The service vouches for itself here: `sms-sync audit verify` computes the same on the
/// database.
#[utoipa::path(
    operation_id = "verifyAudit", tag = "audit", security(("bearer" = ["admin"])),
    params(ChainQuery),
    responses(
        (status = 200, body = AuditChain),
        (status = 503, body = ProblemBody, content_type = "application/problem+json",
            description = "Another request is verifying (`verification_running`), or it takes longer than a request may \
                           (`verification_too_long`)"),
    )
)]
#[get("/api/sync/audit/chain")]
pub(crate) async fn verify_audit(
    app: web::Data<AppState>,
    _admin: Admin,
    query: web::Query<ChainQuery>,
) -> Result<web::Json<AuditChain>, Problem> {
    let expect: Option<ChainPlace> =
        query.into_inner().expect.map(|text| text.parse()).transpose().map_err(|error: NoChainPlace| {
            let errors = vec![FieldError::new("#/expect", "invalid_place", error.to_string())];
            Problem::invalid("The expected place of the chain cannot be read.", errors)
        })?;
    let Ok(_turn) = app.audit_verification.try_lock() else {
        let detail = "The audit log is being verified for another request. Try again when that has ended.";
        return Err(Problem::unavailable("verification_running", detail, VERIFICATION_RETRY_DELAY));
    };
    let verifying =
        app.store.transaction::<_, StoreError, _>(async |tx| audit_verify(tx, expect.as_ref()).await);
    let Ok(verdict) = tokio::time::timeout(VERIFICATION_TIMEOUT, verifying).await else {
        let detail =
            "The audit log is too long to be verified within a request. Use `sms-sync audit verify`.";
        return Err(Problem::unavailable("verification_too_long", detail, VERIFICATION_RETRY_DELAY));
    };
    Ok(web::Json(chain_view(verdict.or_problem()?, app.clock.now())))
}

fn chain_view(verdict: ChainVerdict, checked_at: DateTime<Utc>) -> AuditChain {
    let broken =
        AuditChain { intact: false, rows: None, purged_until: None, end: None, problem: None, checked_at };
    match verdict {
        ChainVerdict::Intact { rows, anchor, end } => AuditChain {
            intact: true,
            rows: Some(rows),
            purged_until: Some(anchor.position),
            end: Some(end.to_string()),
            ..broken
        },
        ChainVerdict::Broken(at) => AuditChain { problem: Some(at.to_string()), ..broken },
        ChainVerdict::NotedPlacePurged { anchor } => AuditChain {
            intact: true,
            purged_until: Some(anchor.position),
            problem: Some("the expected place was purged".to_owned()),
            ..broken
        },
    }
}

fn view(entry: audit::AuditEntry) -> AuditEntry {
    AuditEntry {
        id: entry.id,
        at: entry.at,
        actor: entry.actor,
        action: entry.action.into(),
        subject: entry.subject,
        detail: entry.detail,
        trace_id: entry.trace_id,
        request_id: entry.request_id,
        position: entry.position,
    }
}
