//! Conflicts: list, look, resolve.

use std::process::ExitCode;

use contracts::operator::{
    Conflict, List, Resolution, ResolveManyRequest, ResolveRequest, ResolvedMany, Side,
};

use crate::{
    api::Api,
    arguments::{Conflicts, Output},
    output,
};

pub(crate) async fn run(api: &Api, output: Output, command: Conflicts) -> anyhow::Result<ExitCode> {
    match command {
        Conflicts::List { page, all, record_type, sync_id } => {
            let mut path = format!("/api/sync/conflicts?limit={}&offset={}", page.limit, page.offset);
            if !all {
                path.push_str("&state=open");
            }
            if let Some(kind) = record_type {
                path = format!("{path}&recordType={kind}");
            }
            if let Some(id) = sync_id {
                path = format!("{path}&syncId={id}");
            }
            let list: List<Conflict> = api.get(&path).await?;
            output::either(output, &list, table);
        }
        Conflicts::Show { id } => {
            let conflict: Conflict = api.get(&format!("/api/sync/conflicts/{id}")).await?;
            output::either(output, &conflict, show);
        }
        Conflicts::Resolve { ids, sync_id, by, fields } => {
            if let ([id], false) = (ids.as_slice(), fields.is_empty()) {
                let request =
                    ResolveRequest { resolution: Resolution::Fields, fields: fields.into_iter().collect() };
                let path = format!("/api/sync/conflicts/{id}/resolve");
                let conflict: Conflict = api.post(&path, Some(&request)).await?;
                output::either(output, &conflict, show);
                return Ok(ExitCode::SUCCESS);
            }
            let resolution = by.map_or(Resolution::Keep, Into::into);
            let request = ResolveManyRequest { resolution, ids, record_type: None, kind: None, sync_id };
            let done: ResolvedMany = api.post("/api/sync/conflicts/resolve", Some(&request)).await?;
            output::either(output, &done, |it| {
                output::line(format!("{} resolved", it.resolved));
                for refused in &it.refused {
                    output::line(format!("{} refused: {}", refused.id, refused.code));
                }
            });
            if !done.refused.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

fn table(list: &List<Conflict>) {
    if list.data.is_empty() {
        output::line("no conflicts");
        return;
    }
    let mut table = output::table(["conflict", "opened", "record", "kind", "stands", "state", "fields"]);
    for it in &list.data {
        table.add_row([
            it.id.to_string(),
            output::time(it.opened_at),
            format!("{} {}", word(&it.record_type), it.label.as_ref().unwrap_or(&it.source_id)),
            word(&it.kind),
            word(&it.winner),
            word(&it.state),
            it.fields.keys().cloned().collect::<Vec<_>>().join(", "),
        ]);
    }
    output::line(table);
    output::line(format!("{} of {}", list.data.len(), list.pagination.total));
}

fn show(it: &Conflict) {
    let record = it.label.as_ref().unwrap_or(&it.source_id);
    output::line(format!("{}  {} of {} {record}", it.id, word(&it.kind), word(&it.record_type)));
    output::line(format!("  {} stood by the policy {}", word(&it.winner), word(&it.policy)));
    if let (Some(at), Some(by), Some(how)) = (it.resolved_at, &it.resolved_by, &it.resolution) {
        output::line(format!("  resolved by {by}, {}: {}", output::time(at), word(how)));
    }
    let local = format!("local ({}, {})", it.local_writer, output::time(it.local_at));
    let source = format!("source ({})", output::time(it.source_at));
    let mut table = output::table(["field", local.as_str(), source.as_str()]);
    for (name, field) in &it.fields {
        table.add_row([name.clone(), field.local.to_string(), field.source.to_string()]);
    }
    output::line(table);
}

/// `name=local`, `flag=source`.
pub(crate) fn parse_field(text: &str) -> Result<(String, Side), String> {
    match text.split_once('=') {
        Some((name, "local")) => Ok((name.to_owned(), Side::Local)),
        Some((name, "source")) => Ok((name.to_owned(), Side::Source)),
        _ => Err("write it like name=local or flag=source".to_owned()),
    }
}
