//! `sms-sync conflicts`: lists and resolves conflicts between the two portals.

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use contracts::operator::{
    Conflict, ConflictKind, ConflictPolicies, ConflictPoliciesChange, ConflictPolicy, List, Resolution,
    ResolveManyRequest, ResolveRequest, ResolvedMany, Side,
};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{EntryLimit, OutputFormat, PageOptions, RecordType, words},
    listing::Listing,
    output::{self, confirm, counted, json_word, print, time, timestamp},
};

const PATH: &str = "/api/sync/conflicts";
const POLICIES: &str = "/api/sync/conflicts/policies";
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
    /// Show the policies: who wins a conflict, for each record type
    Policies,
    /// Change policies; a record type that is not named keeps its own (role admin)
    SetPolicies(PolicyOptions),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct PolicyOptions {
    /// Policy for companies
    #[arg(long, value_parser = words(ConflictPolicy::ALL, ConflictPolicy::as_str), value_name = "POLICY")]
    company: Option<ConflictPolicy>,
    /// Policy for vessels
    #[arg(long, value_parser = words(ConflictPolicy::ALL, ConflictPolicy::as_str), value_name = "POLICY")]
    vessel: Option<ConflictPolicy>,
    /// Policy for equipment
    #[arg(long, value_parser = words(ConflictPolicy::ALL, ConflictPolicy::as_str), value_name = "POLICY")]
    equipment: Option<ConflictPolicy>,
    /// Policy for users
    #[arg(long, value_parser = words(ConflictPolicy::ALL, ConflictPolicy::as_str), value_name = "POLICY")]
    user: Option<ConflictPolicy>,
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    #[command(flatten)]
    page: PageOptions,
    /// Include resolved conflicts
    #[arg(long)]
    all: bool,
    /// Only conflicts about the record with this id in the onboarding portal
    #[arg(long, value_name = "ID")]
    source_id: Option<String>,
    #[command(flatten)]
    filter: ConflictFilter,
}

/// What the list and a decision about many conflicts can be limited to.
#[derive(Debug, Default, Args)]
struct ConflictFilter {
    /// Only this record type
    #[arg(long, value_enum, value_name = "TYPE")]
    record_type: Option<RecordType>,
    /// Only conflicts of this kind
    #[arg(long, value_parser = words(ConflictKind::ALL, ConflictKind::as_str))]
    kind: Option<ConflictKind>,
    /// Only conflicts that this sync found
    #[arg(long, value_name = "ID")]
    sync_id: Option<Uuid>,
}

impl ConflictFilter {
    fn given(&self) -> [(&'static str, Option<String>); 3] {
        [
            (
                "recordType",
                self.record_type.map(contracts::operator::RecordType::from).map(|it| it.to_string()),
            ),
            ("kind", self.kind.map(|it| it.to_string())),
            ("syncId", self.sync_id.map(|it| it.to_string())),
        ]
    }
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("selection").required(true).multiple(true)
    .args(["ids", "record_type", "kind", "sync_id"]))]
#[command(group = ArgGroup::new("decision").required(true).multiple(false))]
pub(super) struct ResolveOptions {
    /// Ids of conflicts; without ids: the open conflicts that the filters select
    #[arg(conflicts_with_all = ["record_type", "kind", "sync_id"])]
    ids: Vec<Uuid>,
    #[command(flatten)]
    filter: ConflictFilter,
    /// Which values to use for every field
    #[arg(long, value_enum, group = "decision")]
    by: Option<By>,
    /// Which values to use field by field, for one conflict, for example name=local,flag=source
    #[arg(long, value_delimiter = ',', value_parser = parse_field, group = "decision", value_name = "FIELD=SIDE")]
    fields: Vec<(String, Side)>,
    /// Do not ask for confirmation where filters select the conflicts, or the decision withdraws records
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
        ConflictsCommand::Policies => {
            let policies: ConflictPolicies = api.get(POLICIES).await?;
            print(format, &policies, print_policies);
            Ok(ExitCode::SUCCESS)
        }
        ConflictsCommand::SetPolicies(PolicyOptions { company, vessel, equipment, user }) => {
            let change = ConflictPoliciesChange { company, vessel, equipment, user };
            let (_, version) = api.get_with_version::<ConflictPolicies>(POLICIES).await?;
            let policies: ConflictPolicies = api.put(POLICIES, &change, Some(&version)).await?;
            print(format, &policies, print_policies);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn print_policies(it: &ConflictPolicies) {
    for (record_type, policy) in
        [("company", it.company), ("vessel", it.vessel), ("equipment", it.equipment), ("user", it.user)]
    {
        output::line(format!("{record_type:<10} {policy}"));
    }
    output::line(format!("version    {}, {} by {}", it.version, timestamp(it.updated_at), it.updated_by));
}

async fn list(api: &Api, format: OutputFormat, options: &ListOptions) -> anyhow::Result<ExitCode> {
    let state = (!options.all).then(|| "open".to_owned());
    let filters = options.filter.given().into_iter();
    let filters = filters.chain([("state", state), ("sourceId", options.source_id.clone())]);
    Listing::with(PATH, filters).show(api, format, &options.page, print_list).await?;
    Ok(ExitCode::SUCCESS)
}

async fn resolve(api: &Api, format: OutputFormat, options: ResolveOptions) -> anyhow::Result<ExitCode> {
    let ResolveOptions { ids, filter, by, fields, yes } = options;
    if !fields.is_empty() {
        let [id] = ids.as_slice() else {
            anyhow::bail!("--fields resolves one conflict: name exactly one id");
        };
        let request = ResolveRequest { resolution: Resolution::Fields, fields: fields.into_iter().collect() };
        let conflict: Conflict = api.post_once(&format!("{PATH}/{id}/resolve"), Some(&request)).await?;
        print(format, &conflict, print_conflict);
        return Ok(ExitCode::SUCCESS);
    }
    let is_filtered = ids.is_empty();
    let conflicts = selected(api, &ids, &filter).await?;
    if conflicts.is_empty() {
        let nothing = ResolvedMany { resolved: 0, refused: Vec::new() };
        print(format, &nothing, |_nothing| output::line("no open conflict matches"));
        return Ok(ExitCode::SUCCESS);
    }
    let resolution = by.map_or(Resolution::Keep, Into::into);
    let effects = effects_of(&conflicts, resolution);
    if !yes && (is_filtered || !effects.is_empty()) {
        note_first(&effects);
        let number = |entries: usize| i64::try_from(entries).unwrap_or(i64::MAX);
        let withdrawn = match effects.len() {
            0 => String::new(),
            records => format!(" and withdraw {}", counted(number(records), "record")),
        };
        let conflicts = counted(number(conflicts.len()), "conflict");
        let question = format!("Resolve {conflicts} by {}{withdrawn}?", json_word(&resolution));
        if !confirm(&question)? {
            output::line("nothing was resolved");
            return Ok(ExitCode::FAILURE);
        }
    }
    let ConflictFilter { record_type, kind, sync_id } = filter;
    let record_type = record_type.map(Into::into);
    let request = ResolveManyRequest { resolution, ids, record_type, kind, sync_id };
    let resolved: ResolvedMany = api.post_once(&format!("{PATH}/resolve"), Some(&request)).await?;
    print(format, &resolved, |it| {
        output::line(format!("{} resolved", it.resolved));
        for refused in &it.refused {
            output::line(format!("{} refused: {}", refused.id, refused.code));
        }
        // The API decides on 1000 at most in one request.
        let left =
            conflicts.len().saturating_sub(usize::try_from(it.resolved).unwrap_or(0) + it.refused.len());
        if left > 0 {
            output::line(format!("{left} conflicts are left: repeat the command"));
        }
    });
    Ok(if resolved.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The conflicts with these ids, or without ids the open ones that the filter selects.
async fn selected(api: &Api, ids: &[Uuid], filter: &ConflictFilter) -> anyhow::Result<Vec<Conflict>> {
    if ids.is_empty() {
        let open = filter.given().into_iter().chain([("state", Some("open".to_owned()))]);
        let all = PageOptions { limit: EntryLimit::All, offset: 0 };
        return Ok(Listing::with(PATH, open).load::<List<Conflict>>(api, &all).await?.data);
    }
    let mut conflicts = Vec::new();
    for id in ids {
        conflicts.push(api.get(&format!("{PATH}/{id}")).await?);
    }
    Ok(conflicts)
}

/// Which withdrawals a decision carries out: the effect on each record that one side has taken away.
fn effects_of(conflicts: &[Conflict], resolution: Resolution) -> Vec<String> {
    let side = match resolution {
        Resolution::Source => Side::Source,
        Resolution::Local => Side::Local,
        Resolution::Fields | Resolution::Keep => return Vec::new(),
    };
    let withdrawn = conflicts.iter().filter(|it| it.withdrawal.is_some_and(|it| it.side == side));
    let effect = |it: &Conflict| {
        let effect = if side == Side::Source { &it.source_effect } else { &it.local_effect };
        let record = it.label.as_ref().unwrap_or(&it.source_id);
        format!("{} {record}: {}", json_word(&it.record_type), effect.as_deref().unwrap_or_default())
    };
    withdrawn.map(effect).collect()
}

fn note_first(effects: &[String]) {
    for effect in effects.iter().take(EFFECT_LIMIT) {
        output::note(effect);
    }
    if effects.len() > EFFECT_LIMIT {
        output::note(format_args!("and {} more", effects.len() - EFFECT_LIMIT));
    }
}

fn print_list(list: &List<Conflict>) {
    let mut table =
        output::table(["conflict", "opened (UTC)", "record", "kind", "winner", "state", "fields"])
            .text(["record", "fields"])
            .optional(["opened (UTC)", "winner", "fields", "state"]);
    for it in &list.data {
        table.add_row([
            it.id.to_string(),
            time(it.opened_at),
            format!("{} {}", json_word(&it.record_type), it.label.as_ref().unwrap_or(&it.source_id)),
            kind_text(it),
            json_word(&it.winner),
            json_word(&it.state),
            it.fields.keys().cloned().collect::<Vec<_>>().join(", "),
        ]);
    }
    output::print_list(&table, &list.pagination, "no conflicts");
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
    let mut table =
        output::table(["field", local.as_str(), source.as_str()]).text([local.as_str(), source.as_str()]);
    for (name, field) in &it.fields {
        table.add_row([name.clone(), field.local.to_string(), field.source.to_string()]);
    }
    table.print();
}
