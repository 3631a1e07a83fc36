//! `sms-sync syncs`: control of one sync.

use std::process::ExitCode;

use clap::Subcommand;
use contracts::operator::{
    AcceptOlderRequest, Attempt, Change, ChangeOutcome, ConfirmAccepted, ConfirmRequest, Finding, List,
    OlderAccepted, OlderRecords, ResumeAccepted, RetryAccepted, RetryRequest, SyncDetail, SyncSummary, Task,
    TaskState, Undo,
};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{MissingPolicy, OutputFormat, PageOptions, RecordType, words},
    listing::Listing,
    output::{self, Cell, counted, json_word, print, right_aligned, timestamp},
    sync_report::finding_table,
};

/// Most fields of a change that the table shows.
const FIELD_LIMIT: usize = 6;

#[derive(Debug, Subcommand)]
pub(super) enum SyncsCommand {
    /// Cancel a sync; records that it has written stay
    Cancel {
        /// Id of the sync
        sync_id: Uuid,
    },
    /// Resume a sync that failed, stalled or was cancelled, from where it stopped
    Resume {
        /// Id of the sync
        sync_id: Uuid,
    },
    /// Retry what failed in a sync: its dead tasks and its rejected records
    Retry {
        /// Id of the sync
        sync_id: Uuid,
        /// Reason, kept with the new sync and in the audit log
        #[arg(long)]
        reason: Option<String>,
    },
    /// List what a sync changed, or what a dry run would change
    Changes {
        /// Id of the sync
        sync_id: Uuid,
        /// Only changes of this record type
        #[arg(long, value_enum, value_name = "TYPE")]
        record_type: Option<RecordType>,
        /// Only records with this outcome
        #[arg(long, value_parser = words(ChangeOutcome::ALL, ChangeOutcome::as_str))]
        outcome: Option<ChangeOutcome>,
        #[command(flatten)]
        page: PageOptions,
    },
    /// List the tasks of a sync, each a page of a list of the onboarding portal
    Tasks {
        /// Id of the sync
        sync_id: Uuid,
        /// Only tasks in this state
        #[arg(long, value_parser = words(TaskState::ALL, TaskState::as_str))]
        state: Option<TaskState>,
        /// Only tasks of the list of this record type
        #[arg(long, value_enum, value_name = "TYPE")]
        record_type: Option<RecordType>,
        #[command(flatten)]
        page: PageOptions,
    },
    /// List the failed attempts of a sync, newest first
    Attempts {
        /// Id of the sync
        sync_id: Uuid,
        #[command(flatten)]
        page: PageOptions,
    },
    /// List what a sync has found about records: why they were rejected, and warnings
    Findings {
        /// Id of the sync
        sync_id: Uuid,
        /// Only findings with this code
        #[arg(long)]
        code: Option<String>,
        /// Only findings about records of this type
        #[arg(long, value_enum, value_name = "TYPE")]
        record_type: Option<RecordType>,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Undo a sync: updated records get their earlier values back, created ones are withdrawn (role admin)
    Undo {
        /// Id of the sync
        sync_id: Uuid,
        /// Only show what the undo would do now
        #[arg(long, conflicts_with = "yes")]
        plan: bool,
        /// Do not ask for confirmation
        #[arg(long, short)]
        yes: bool,
    },
    /// Show what became of each record when a sync was undone
    Undone {
        /// Id of the sync
        sync_id: Uuid,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Answer a full sync that asks whether to deactivate the records it no longer found
    Confirm {
        /// Id of the full sync
        sync_id: Uuid,
        /// What to do with the records
        #[arg(value_enum)]
        decision: MissingPolicy,
        /// Reason, kept in the audit log
        #[arg(long)]
        reason: Option<String>,
    },
    /// Accept the onboarding portal's state where it is older than the one here, as after the restore of a backup
    AcceptOlder {
        /// Id of the sync that rejected the records as older
        sync_id: Uuid,
        /// Do not ask for confirmation
        #[arg(long, short)]
        yes: bool,
        /// Reason, kept with the new sync and in the audit log
        #[arg(long)]
        reason: Option<String>,
    },
}

pub(super) async fn run(api: &Api, format: OutputFormat, command: SyncsCommand) -> anyhow::Result<ExitCode> {
    match command {
        SyncsCommand::Cancel { sync_id } => cancel(api, format, sync_id).await?,
        SyncsCommand::Resume { sync_id } => resume(api, format, sync_id).await?,
        SyncsCommand::Retry { sync_id, reason } => retry(api, format, sync_id, reason).await?,
        SyncsCommand::Changes { sync_id, record_type, outcome, page } => {
            let record_type = record_type.map(contracts::operator::RecordType::from);
            let filters = [
                ("recordType", record_type.map(|it| it.to_string())),
                ("outcome", outcome.map(|it| it.to_string())),
            ];
            let changes = Listing::with(format!("/api/sync/status/{sync_id}/changes"), filters);
            changes.show(api, format, &page, print_changes).await?;
        }
        SyncsCommand::Tasks { sync_id, state, record_type, page } => {
            let record_type = record_type.map(contracts::operator::RecordType::from);
            let filters = [
                ("state", state.map(|it| it.to_string())),
                ("recordType", record_type.map(|it| it.to_string())),
            ];
            let tasks = Listing::with(format!("/api/sync/syncs/{sync_id}/tasks"), filters);
            tasks.show(api, format, &page, print_tasks).await?;
        }
        SyncsCommand::Attempts { sync_id, page } => {
            let attempts = Listing::at(format!("/api/sync/syncs/{sync_id}/attempts"));
            let print_attempts = |list: &List<Attempt>| {
                output::print_attempts(&list.data);
                if list.data.is_empty() {
                    output::line("no failed attempts");
                }
            };
            attempts.show(api, format, &page, print_attempts).await?;
        }
        SyncsCommand::Findings { sync_id, code, record_type, page } => {
            let record_type = record_type.map(contracts::operator::RecordType::from);
            let filters = [("code", code), ("recordType", record_type.map(|it| it.to_string()))];
            let findings = Listing::with(format!("/api/sync/syncs/{sync_id}/findings"), filters);
            let print_findings = |list: &List<Finding>| {
                output::print_list(&finding_table(&list.data), &list.pagination, "no findings");
            };
            findings.show(api, format, &page, print_findings).await?;
        }
        SyncsCommand::Undo { sync_id, plan: true, .. } => {
            let plan: Undo = api.post_without_body(&format!("/api/sync/status/{sync_id}/undo/plan")).await?;
            print(format, &plan, |it| {
                output::line("nothing was undone; an undo would do this now");
                print_undone_records(it);
            });
        }
        SyncsCommand::Undo { sync_id, yes, .. } => return undo(api, format, sync_id, yes).await,
        SyncsCommand::Undone { sync_id, page } => {
            let undone = Listing::at(format!("/api/sync/status/{sync_id}/undo"));
            undone.show(api, format, &page, print_undo).await?;
        }
        SyncsCommand::Confirm { sync_id, decision, reason } => {
            confirm(api, format, sync_id, decision, reason).await?;
        }
        SyncsCommand::AcceptOlder { sync_id, yes, reason } => {
            return accept_older(api, format, sync_id, yes, reason).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn cancel(api: &Api, format: OutputFormat, sync_id: Uuid) -> anyhow::Result<()> {
    let sync: SyncSummary = api.post_without_body(&format!("/api/sync/syncs/{sync_id}/cancel")).await?;
    print(format, &sync, |sync| output::line(format!("{} {}", sync.sync_id, json_word(&sync.state))));
    Ok(())
}

async fn resume(api: &Api, format: OutputFormat, sync_id: Uuid) -> anyhow::Result<()> {
    let resumed: ResumeAccepted = api.post_without_body(&format!("/api/sync/syncs/{sync_id}/resume")).await?;
    print(format, &resumed, |it| {
        output::line(format!("{} {}: {} tasks reopened", it.sync_id, json_word(&it.state), it.tasks));
    });
    Ok(())
}

async fn retry(api: &Api, format: OutputFormat, sync_id: Uuid, reason: Option<String>) -> anyhow::Result<()> {
    let path = format!("/api/sync/syncs/{sync_id}/retry");
    let retried: RetryAccepted = api.post_once(&path, Some(&RetryRequest { reason })).await?;
    print(format, &retried, |it| {
        output::line(format!("{}: {} tasks reopened", it.sync_id, it.tasks));
        if let Some(new_sync) = it.retry_sync_id {
            output::line(format!("{new_sync}: retries {} rejected records", it.records));
        }
    });
    Ok(())
}

/// Undoes a sync, after a question that says which one.
async fn undo(api: &Api, format: OutputFormat, sync_id: Uuid, yes: bool) -> anyhow::Result<ExitCode> {
    let path = format!("/api/sync/status/{sync_id}");
    if !yes {
        let detail: SyncDetail = api.get(&path).await?;
        let it = &detail.summary;
        let created: i64 = it.counts.iter().map(|counts| counts.created).sum();
        let updated: i64 = it.counts.iter().map(|counts| counts.updated).sum();
        let question = format!(
            "Undo the {} sync of {} by {}: withdraw {}, and give {} earlier values?",
            json_word(&it.mode),
            timestamp(it.started_at),
            it.requested_by,
            counted(created, "created record"),
            counted(updated, "updated record"),
        );
        if !output::confirm(&question)? {
            output::line("nothing was undone");
            return Ok(ExitCode::FAILURE);
        }
    }
    let undo: Undo = api.post_once(&format!("{path}/undo"), None::<&()>).await?;
    print(format, &undo, print_undo);
    Ok(ExitCode::SUCCESS)
}

fn print_undo(it: &Undo) {
    output::line(format!("{} undone by {}, {}", it.sync_id, it.undone_by, timestamp(it.undone_at)));
    print_undone_records(it);
}

fn print_undone_records(it: &Undo) {
    output::line(format!("{} restored, {} withdrawn, {} skipped", it.restored, it.withdrawn, it.skipped));
    let mut table = output::table(["record type", "id", "result", "why skipped"]).text(["id"]);
    for record in &it.records {
        table.add_row([
            record.record_type.to_string(),
            record.source_id.clone(),
            record.result.to_string(),
            record.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        ]);
    }
    output::print_list(&table, &it.pagination, "no records");
}

fn print_tasks(list: &List<Task>) {
    let mut table = output::table(["record type", "chain", "page", "state", "failed", "last failure", "id"])
        .text(["last failure"])
        .optional(["id", "chain"]);
    for it in &list.data {
        table.add_row([
            Cell::new(it.record_type),
            right_aligned(it.chain),
            right_aligned(it.page),
            Cell::new(it.state),
            right_aligned(it.failed_attempts),
            Cell::new(it.last_failure.as_deref().unwrap_or_default()),
            Cell::new(it.id),
        ]);
    }
    output::print_list(&table, &list.pagination, "no tasks");
}

fn print_changes(list: &List<Change>) {
    let mut table = output::table(["record", "id", "outcome", "fields"])
        .text(["record", "fields"])
        .optional(["fields", "record"]);
    for it in &list.data {
        let mut fields: Vec<String> = it
            .fields
            .iter()
            .take(FIELD_LIMIT)
            .map(|field| format!("{}: {} -> {}", field.field, field.old, field.new))
            .collect();
        if it.fields.len() > FIELD_LIMIT {
            fields.push(format!("and {} more", it.fields.len() - FIELD_LIMIT));
        }
        let label = it.label.clone().unwrap_or_default();
        table.add_row([
            format!("{} {label}", json_word(&it.record_type)),
            it.source_id.clone(),
            json_word(&it.outcome),
            fields.join("; "),
        ]);
    }
    output::print_list(&table, &list.pagination, "no changes");
}

async fn confirm(
    api: &Api,
    format: OutputFormat,
    sync_id: Uuid,
    decision: MissingPolicy,
    reason: Option<String>,
) -> anyhow::Result<()> {
    let path = format!("/api/sync/syncs/{sync_id}/confirm");
    let request = ConfirmRequest { decision: decision.into(), reason };
    let confirmed: ConfirmAccepted = api.post(&path, &request).await?;
    print(format, &confirmed, |it| output::line(format!("{} records deactivated", it.deactivated)));
    Ok(())
}

async fn accept_older(
    api: &Api,
    format: OutputFormat,
    sync_id: Uuid,
    yes: bool,
    reason: Option<String>,
) -> anyhow::Result<ExitCode> {
    let path = format!("/api/sync/syncs/{sync_id}/accept-older");
    let found: OlderRecords = api.get(&path).await?;
    if found.records == 0 {
        print(format, &found, |_found| output::line("no record is rejected as older than here"));
        return Ok(ExitCode::SUCCESS);
    }
    for it in &found.by_type {
        output::note(format_args!("{} {}", it.records, json_word(&it.record_type)));
    }
    let question = format!("Accept the older state of {} records from the onboarding portal?", found.records);
    if !yes && !output::confirm(&question)? {
        output::line("nothing was accepted");
        return Ok(ExitCode::FAILURE);
    }
    let request = AcceptOlderRequest { expected_records: found.records, reason };
    let accepted: OlderAccepted = api.post(&path, &request).await?;
    print(format, &accepted, |it| {
        output::line(format!("{}: reads {} records again", it.retry_sync_id, it.records));
        if it.left > 0 {
            output::line(format!("{} records are left: repeat the command", it.left));
        }
    });
    Ok(ExitCode::SUCCESS)
}
