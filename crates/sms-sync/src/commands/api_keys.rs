//! `sms-sync api-keys`: keys of services that use the operator API.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use contracts::operator::{ApiKey, ApiKeyRequest, ApiKeyRotation, List, NewApiKey, OperatorRole};
use reqwest::Method;
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions, words},
    listing::Listing,
    output::{self, json_word, print, time, timestamp},
};

const PATH: &str = "/api/sync/api-keys";

#[derive(Debug, Subcommand)]
pub(super) enum ApiKeysCommand {
    /// List API keys, by name (role admin)
    List(PageOptions),
    /// Make a key for a service, and print its secret, which is shown this once (role admin)
    Create(CreateOptions),
    /// Replace a key by a new one, and print its secret; the old one is accepted for a while (role admin)
    Rotate(RotateOptions),
    /// End a key at once (role admin)
    Revoke {
        /// Id of the key
        id: Uuid,
    },
}

#[derive(Debug, Args)]
pub(super) struct CreateOptions {
    /// Name of the service, as the audit log shows it behind `api-key:`
    name: String,
    /// What the service may do
    #[arg(long, value_parser = words(OperatorRole::ALL, OperatorRole::as_str), default_value = "viewer")]
    role: OperatorRole,
    /// Days after which the key ends, at most 366
    #[arg(long, default_value_t = 90, value_name = "DAYS")]
    valid_days: u32,
    /// Reason, kept in the audit log
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RotateOptions {
    /// Id of the old key
    id: Uuid,
    /// Hours for which the old key is accepted beside the new one, at most 168; 0 ends it at once
    #[arg(long, default_value_t = 24, value_name = "HOURS")]
    overlap_hours: u32,
    /// Days after which the new key ends, at most 366
    #[arg(long, default_value_t = 90, value_name = "DAYS")]
    valid_days: u32,
    /// Reason, kept in the audit log
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    command: ApiKeysCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        ApiKeysCommand::List(page) => Listing::at(PATH).show(api, format, &page, print_list).await?,
        ApiKeysCommand::Create(CreateOptions { name, role, valid_days, reason }) => {
            let request = ApiKeyRequest { name, role, valid_days, reason };
            let new: NewApiKey = api.post(PATH, &request).await?;
            print(format, &new, print_new);
        }
        ApiKeysCommand::Rotate(RotateOptions { id, overlap_hours, valid_days, reason }) => {
            let request = ApiKeyRotation { overlap_hours, valid_days, reason };
            let new: NewApiKey = api.post(&format!("{PATH}/{id}/rotate"), &request).await?;
            print(format, &new, print_new);
        }
        ApiKeysCommand::Revoke { id } => {
            let path = format!("{PATH}/{id}");
            let answer = api.send(api.request(Method::DELETE, &path), &path).await?;
            let key: ApiKey = answer.json().await?;
            print(format, &key, |key| output::line(format!("revoked {} of {}", key.id, key.name)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The secret alone on standard output, for programs; what goes with it beside.
fn print_new(new: &NewApiKey) {
    let NewApiKey { key, secret } = new;
    output::note(format_args!(
        "key {} of {} ({}) until {}; its secret is shown this once:",
        key.id,
        key.name,
        json_word(&key.role),
        timestamp(key.expires_at)
    ));
    output::line(secret);
}

fn print_list(list: &List<ApiKey>) {
    let header = ["name", "role", "state", "id", "ends (UTC)", "last used (UTC)", "made by"];
    let mut table = output::table(header).text(["name"]).optional(["made by"]);
    for it in &list.data {
        table.add_row([
            it.name.clone(),
            json_word(&it.role),
            json_word(&it.state),
            it.id.to_string(),
            time(it.revoked_at.unwrap_or(it.expires_at)),
            it.last_used_at.map_or_else(|| "never".to_owned(), time),
            it.created_by.clone(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no API keys");
}
