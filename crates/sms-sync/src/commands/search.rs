//! `sms-sync search`: finds records, syncs, webhook events, dead letters and traces.

use std::process::ExitCode;

use clap::Args;
use contracts::operator::SearchResult;

use crate::{
    api::Api,
    arguments::{OutputFormat, query_of},
    output::{self, json_line, json_word, print},
};

#[derive(Debug, Args)]
pub(super) struct SearchOptions {
    /// Text to search for: a name, an IMO number, a tag, an SFI or QR code, any id, a trace id
    #[arg(value_name = "QUERY")]
    text: String,
}

pub(super) async fn run(api: &Api, format: OutputFormat, options: SearchOptions) -> anyhow::Result<ExitCode> {
    let query = query_of([("q", Some(options.text))]);
    let result: SearchResult = api.get(&format!("/api/search?{query}")).await?;
    if format == OutputFormat::Ndjson {
        result.groups.iter().flat_map(|group| &group.hits).for_each(json_line);
    } else {
        print(format, &result, print_result);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_result(result: &SearchResult) {
    let mut table = output::table(["kind", "id", "title", "about", "matched"])
        .text(["title", "about"])
        .optional(["matched", "about"]);
    let mut is_empty = true;
    for group in &result.groups {
        for hit in &group.hits {
            is_empty = false;
            let standing = hit.standing.map(|it| json_word(&it));
            let more: Vec<String> = standing.into_iter().chain(hit.subtitle.clone()).collect();
            table.add_row([
                json_word(&group.kind),
                hit.id.clone(),
                hit.title.clone(),
                more.join(" · "),
                json_word(&hit.matched),
            ]);
        }
    }
    if is_empty {
        output::line("nothing found");
    } else {
        table.print();
    }
    for group in result.groups.iter().filter(|it| it.more) {
        output::line(format!(
            "there are more hits of the kind {}: search for more letters",
            json_word(&group.kind)
        ));
    }
    for group in result.groups.iter().filter(|it| it.cut_short) {
        output::line(format!(
            "the search for {} was cut short: what is not listed may exist",
            json_word(&group.kind)
        ));
    }
}
