//! `sms-sync revocations`: revokes operators' tokens.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use contracts::operator::{List, TokenRevocation, TokenRevocationRequest};

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions},
    listing::Listing,
    output::{self, print, time, timestamp},
};

const PATH: &str = "/api/sync/token-revocations";

#[derive(Debug, Subcommand)]
pub(super) enum RevocationsCommand {
    /// Revoke a token, or all tokens of an operator; takes effect within seconds (role admin)
    Add(AddOptions),
    /// List revoked tokens, newest first (role admin)
    List(PageOptions),
}

#[derive(Debug, Args)]
pub(super) struct AddOptions {
    #[command(flatten)]
    tokens: Tokens,
    /// Reason, kept in the audit log
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Tokens {
    /// Revoke one token, by its `jti`; `sms-sync token --output json` shows it
    #[arg(long, value_name = "JTI")]
    token_id: Option<String>,
    /// Revoke all tokens of this operator that were issued until now; the subject of an API key is `api-key:NAME`
    #[arg(long)]
    subject: Option<String>,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    command: RevocationsCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        RevocationsCommand::Add(AddOptions { tokens: Tokens { token_id, subject }, reason }) => {
            let request = TokenRevocationRequest { token_id, subject, reason };
            let revocation: TokenRevocation = api.post(PATH, &request).await?;
            print(format, &revocation, |it| output::line(format!("revoked {}", tokens_text(it))));
        }
        RevocationsCommand::List(page) => {
            Listing::at(PATH).show(api, format, &page, print_list).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_list(list: &List<TokenRevocation>) {
    let mut table = output::table(["revoked (UTC)", "tokens", "by", "reason"]).text(["tokens", "reason"]);
    for it in &list.data {
        table.add_row([
            time(it.revoked_at),
            tokens_text(it),
            it.revoked_by.clone(),
            it.reason.clone().unwrap_or_default(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no revoked tokens");
}

fn tokens_text(it: &TokenRevocation) -> String {
    match (&it.token_id, &it.subject) {
        (Some(id), _) => format!("token {id}"),
        (None, subject) => format!(
            "tokens of {} issued until {}",
            subject.as_deref().unwrap_or_default(),
            timestamp(it.issued_until)
        ),
    }
}
