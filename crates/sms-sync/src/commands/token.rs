//! Mints an operator's token. It is printed and kept nowhere.

use std::{process::ExitCode, time::Duration};

use chassis::auth::{OperatorKeys, Role};
use secrecy::SecretString;
use serde_json::json;

use crate::{arguments::Output, output};

pub(crate) fn run(
    output: Output,
    subject: &str,
    role: Role,
    ttl: Duration,
    secret: &SecretString,
) -> anyhow::Result<ExitCode> {
    let token = OperatorKeys::from_secret(secret)?.mint(subject, role, ttl)?;
    let answer =
        json!({ "token": token, "subject": subject, "role": role, "expiresInSeconds": ttl.as_secs() });
    output::either(output, &answer, |_answer| output::line(&token));
    Ok(ExitCode::SUCCESS)
}
