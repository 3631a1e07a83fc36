//! `sms-sync conflicts`: lists and resolves conflicts between the two portals.

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use contracts::operator::{
    Conflict, List, PAGE_SIZE_LIMIT, Resolution, ResolveManyRequest, ResolveRequest, ResolvedMany, Side,
};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions},
    output::{self, confirm, json_word, list_footer, print, timestamp},
};

const PATH: &str = "/api/sync/conflicts";
/// Most withdrawals that are named before the question.
const EFFECT_LIMIT: usize = 10;

#[derive(Debug, Subcommand)]
pub(super) enum ConflictsCommand {
    /// List open conflicts, newest first
    List(ListOptions),
    /// Show a conflict with the values of both portals
    Show {
        /// Id of the conflict
        id: Uuid,
    },
    /// Resolve conflicts: for one portal, field by field, or by keeping the record as it is
    Resolve(ResolveOptions),
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Include resolved conflicts
    #[arg(long)]
    all: bool,
    /// Only this record type: company, vessel, equipment or user [default: all]
    #[arg(long, value_name = "TYPE")]
    record_type: Option<String>,
    /// Only conflicts that this sync found
    #[arg(long)]
    sync_id: Option<Uuid>,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("selection").required(true).multiple(false))]
#[command(group = ArgGroup::new("decision").required(true).multiple(false))]
pub(super) struct ResolveOptions {
    /// Ids of conflicts
    #[arg(group = "selection")]
    ids: Vec<Uuid>,
    /// All open conflicts that this sync found
    #[arg(long, group = "selection", conflicts_with = "fields")]
    sync_id: Option<Uuid>,
    /// Which values to use for every field
    #[arg(long, value_enum, group = "decision")]
    by: Option<By>,
    /// Which values to use field by field, for one conflict, for example name=local,flag=source
    #[arg(long, value_delimiter = ',', value_parser = parse_field, group = "decision", value_name = "FIELD=SIDE")]
    fields: Vec<(String, Side)>,
    /// Do not ask for confirmation where the decision withdraws records
    #[arg(long, short)]
    yes: bool,
}

/// Whose values resolve a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// Values of the onboarding portal
    Source,
    /// Values of the maintenance portal
    Local,
    /// The record as it is now
    Keep,
}

impl From<By> for Resolution {
    fn from(by: By) -> Self {
        match by {
            By::Source => Self::Source,
            By::Local => Self::Local,
            By::Keep => Self::Keep,
        }
    }
}

/// `name=local`, `flag=source`.
fn parse_field(text: &str) -> Result<(String, Side), String> {
    match text.split_once('=') {
        Some((name, "local")) => Ok((name.to_owned(), Side::Local)),
        Some((name, "source")) => Ok((name.to_owned(), Side::Source)),
        _ => Err("expected FIELD=local or FIELD=source".to_owned()),
    }
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    command: ConflictsCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        ConflictsCommand::List(options) => list(api, format, &options).await,
        ConflictsCommand::Show { id } => {
            let conflict: Conflict = api.get(&format!("{PATH}/{id}")).await?;
            print(format, &conflict, print_conflict);
            Ok(ExitCode::SUCCESS)
        }
        ConflictsCommand::Resolve(options) => resolve(api, format, options).await,
    }
}

async fn list(api: &Api, format: OutputFormat, options: &ListOptions) -> anyhow::Result<ExitCode> {
    let mut path = format!("{PATH}?{}", options.page.query());
    if !options.all {
        path.push_str("&state=open");
    }
    if let Some(record_type) = &options.record_type {
        path = format!("{path}&recordType={record_type}");
    }
    if let Some(id) = options.sync_id {
        path = format!("{path}&syncId={id}");
    }
    let list: List<Conflict> = api.get(&path).await?;
    print(format, &list, print_list);
    Ok(ExitCode::SUCCESS)
}

async fn resolve(api: &Api, format: OutputFormat, options: ResolveOptions) -> anyhow::Result<ExitCode> {
    let ResolveOptions { ids, sync_id, by, fields, yes } = options;
    if !fields.is_empty() {
        let [id] = ids.as_slice() else {
            anyhow::bail!("--fields resolves one conflict: name exactly one id");
        };
        let request = ResolveRequest { resolution: Resolution::Fields, fields: fields.into_iter().collect() };
        let conflict: Conflict = api.post(&format!("{PATH}/{id}/resolve"), &request).await?;
        print(format, &conflict, print_conflict);
        return Ok(ExitCode::SUCCESS);
    }
    let resolution = by.map_or(Resolution::Keep, Into::into);
    let request = ResolveManyRequest { resolution, ids, record_type: None, kind: None, sync_id };
    let effects = effects_of(api, &request).await?;
    if !yes && !confirm_effects(&effects)? {
        output::line("nothing was resolved");
        return Ok(ExitCode::FAILURE);
    }
    let resolved: ResolvedMany = api.post(&format!("{PATH}/resolve"), &request).await?;
    print(format, &resolved, |it| {
        output::line(format!("{} resolved", it.resolved));
        for refused in &it.refused {
            output::line(format!("{} refused: {}", refused.id, refused.code));
        }
    });
    Ok(if resolved.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Which withdrawals a decision carries out: the effect on each record that one side has taken away.
async fn effects_of(api: &Api, request: &ResolveManyRequest) -> anyhow::Result<Vec<String>> {
    let side = match request.resolution {
        Resolution::Source => Side::Source,
        Resolution::Local => Side::Local,
        Resolution::Fields | Resolution::Keep => return Ok(Vec::new()),
    };
    let mut conflicts: Vec<Conflict> = Vec::new();
    for id in &request.ids {
        conflicts.push(api.get(&format!("{PATH}/{id}")).await?);
    }
    while let Some(id) = request.sync_id {
        let path =
            format!("{PATH}?state=open&syncId={id}&limit={PAGE_SIZE_LIMIT}&offset={}", conflicts.len());
        let list: List<Conflict> = api.get(&path).await?;
        let is_last = list.data.is_empty();
        conflicts.extend(list.data);
        if is_last {
            break;
        }
    }
    let withdrawn = conflicts.iter().filter(|it| it.withdrawal.is_some_and(|it| it.side == side));
    let effect = |it: &Conflict| {
        let effect = if side == Side::Source { &it.source_effect } else { &it.local_effect };
        let record = it.label.as_ref().unwrap_or(&it.source_id);
        format!("{} {record}: {}", json_word(&it.record_type), effect.as_deref().unwrap_or_default())
    };
    Ok(withdrawn.map(effect).collect())
}

/// Names the records that are about to be withdrawn, and asks on a terminal. Elsewhere nobody can answer, so `--yes` is
/// required.
fn confirm_effects(effects: &[String]) -> anyhow::Result<bool> {
    if effects.is_empty() {
        return Ok(true);
    }
    for effect in effects.iter().take(EFFECT_LIMIT) {
        output::note(format_args!("{effect}"));
    }
    if effects.len() > EFFECT_LIMIT {
        output::note(format_args!("and {} more", effects.len() - EFFECT_LIMIT));
    }
    confirm(&format!("Withdraw {} records?", effects.len()))
}

fn print_list(list: &List<Conflict>) {
    if list.data.is_empty() {
        output::line("no conflicts");
        return;
    }
    let mut table = output::table(["conflict", "opened", "record", "kind", "winner", "state", "fields"]);
    for it in &list.data {
        table.add_row([
            it.id.to_string(),
            timestamp(it.opened_at),
            format!("{} {}", json_word(&it.record_type), it.label.as_ref().unwrap_or(&it.source_id)),
            kind_text(it),
            json_word(&it.winner),
            json_word(&it.state),
            it.fields.keys().cloned().collect::<Vec<_>>().join(", "),
        ]);
    }
    table.print();
    list_footer(list);
}

/// The kind of a conflict; a withdrawal says whose it is.
fn kind_text(it: &Conflict) -> String {
    match it.withdrawal {
        Some(withdrawal) => format!("withdrawn by {}", json_word(&withdrawal.side)),
        None => json_word(&it.kind),
    }
}

fn print_conflict(it: &Conflict) {
    let record = it.label.as_ref().unwrap_or(&it.source_id);
    output::line(format!("{}  {} of {} {record}", it.id, json_word(&it.kind), json_word(&it.record_type)));
    output::line(format!("  {}", it.summary));
    let effects = [("source", &it.source_effect), ("local", &it.local_effect)];
    for (side, effect) in effects {
        if let Some(effect) = effect {
            output::line(format!("  resolving by {side}: {effect}"));
        }
    }
    output::line(format!("  winner {}, policy {}", json_word(&it.winner), json_word(&it.policy)));
    if let (Some(at), Some(by), Some(resolution)) = (it.resolved_at, &it.resolved_by, &it.resolution) {
        output::line(format!("  resolved by {by}, {}: {}", timestamp(at), json_word(resolution)));
    }
    let local = format!("local ({}, {})", it.local_writer, timestamp(it.local_at));
    let source = format!("source ({})", timestamp(it.source_at));
    let mut table = output::table(["field", local.as_str(), source.as_str()]);
    for (name, field) in &it.fields {
        table.add_row([name.clone(), field.local.to_string(), field.source.to_string()]);
    }
    table.print();
}
