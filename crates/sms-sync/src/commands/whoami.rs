//! `sms-sync whoami`: the system that commands speak to, and the operator that it takes the token for.

use std::process::ExitCode;

use contracts::operator::Identity;
use serde_json::json;

use crate::{
    api::Api,
    arguments::OutputFormat,
    connection::Target,
    output::{self, print},
};

pub(super) async fn run(api: &Api, format: OutputFormat, target: &Target) -> anyhow::Result<ExitCode> {
    let identity: Identity = api.get("/api/sync/me").await?;
    let Target { url, token, profile } = target;
    let token = token.as_ref().map(ToString::to_string);
    let answer = json!({
        "subject": identity.subject, "role": identity.role, "url": url, "profile": profile, "token": token,
    });
    print(format, &answer, |_answer| {
        output::line(format!("{} ({}) at {url}", identity.subject, identity.role));
        if let Some(name) = profile {
            output::line(format!("profile  {name}"));
        }
        if let Some(token) = token {
            output::line(format!("token    {token}"));
        }
    });
    Ok(ExitCode::SUCCESS)
}
