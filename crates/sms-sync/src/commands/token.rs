//! `sms-sync token`: creates an operator token. The token is printed, and stored nowhere.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use chassis::auth::{DEFAULT_MAX_LIFETIME, OperatorKeys, Role, TokenScope, UnknownRole};
use clap::Args;
use secrecy::SecretString;
use serde_json::json;

use crate::{
    arguments::OutputFormat,
    output::{self, print},
    secrets::{refuse_weak, secret},
};

const SECRET: &str = "OPERATOR_JWT_SECRET";

#[derive(Debug, Args)]
pub(super) struct TokenOptions {
    /// Name of the operator, as the audit log shows it
    #[arg(long)]
    subject: String,
    /// viewer: read; operator: also start, cancel and replay; admin: also change settings
    #[arg(long, value_parser = parse_role, default_value = "viewer")]
    role: Role,
    /// Only for this vessel, by IMO number or id in the onboarding portal, or for several; otherwise for the whole fleet
    #[arg(long, value_delimiter = ',', value_name = "VESSEL")]
    vessel: Vec<String>,
    /// Only for this company with its vessels, by id in the onboarding portal or IMO company number, or for several
    #[arg(long, value_delimiter = ',', value_name = "COMPANY")]
    company: Vec<String>,
    /// Lifetime of the token, for example 30m, 12h or 7d
    #[arg(long, value_parser = parse_ttl, default_value = "12h")]
    ttl: Duration,
    /// Longest lifetime that the services accept
    #[arg(long, env = "OPERATOR_TOKEN_MAX_LIFETIME_HOURS", default_value_t = DEFAULT_MAX_LIFETIME.as_secs() / 3600)]
    #[arg(value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..=8_760))]
    max_lifetime_hours: u64,
    /// Secret that the services verify tokens with, at least 32 bytes; otherwise OPERATOR_JWT_SECRET, or the content of the
    /// file that OPERATOR_JWT_SECRET_FILE names
    #[arg(long)]
    secret: Option<SecretString>,
}

pub(super) fn run(format: OutputFormat, options: &TokenOptions) -> anyhow::Result<ExitCode> {
    let TokenOptions { subject, role, vessel, company, ttl, max_lifetime_hours, secret: given } = options;
    let secret = match given {
        Some(secret) => secret.clone(),
        None => secret(SECRET)?
            .context("set OPERATOR_JWT_SECRET or OPERATOR_JWT_SECRET_FILE, or pass --secret")?,
    };
    refuse_weak(SECRET, &secret)?;
    let max_lifetime = Duration::from_secs(max_lifetime_hours * 3600);
    let keys = OperatorKeys::from_secret(&secret)?.with_max_lifetime(max_lifetime);
    let scope = TokenScope {
        vessels: vessel.iter().cloned().collect(),
        companies: company.iter().cloned().collect(),
    };
    let scope = (scope != TokenScope::default()).then_some(scope);
    let token = keys.mint_for(subject, *role, *ttl, scope.as_ref())?;
    let token_id = keys.verify(&token)?.token_id().map(str::to_owned);
    let answer = json!({
        "token": token, "tokenId": token_id, "subject": subject, "role": role, "expiresInSeconds": ttl.as_secs(),
        "scope": scope,
    });
    print(format, &answer, |_answer| output::line(&token));
    Ok(ExitCode::SUCCESS)
}

fn parse_role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|error: UnknownRole| error.to_string())
}

/// `90`, `90s`, `30m`, `12h`, `7d`.
fn parse_ttl(text: &str) -> Result<Duration, String> {
    let malformed = || "expected a number with a unit: 90s, 30m, 12h or 7d".to_owned();
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let seconds_per_unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(malformed()),
    };
    let number: u64 = number.parse().map_err(|_not_a_number| malformed())?;
    number
        .checked_mul(seconds_per_unit)
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
        .ok_or("expected a lifetime from 1 second to 2^64 seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_is_read_with_its_unit_or_as_seconds() {
        assert_eq!(parse_ttl("12h"), Ok(Duration::from_secs(43_200)));
        assert_eq!(parse_ttl("90"), Ok(Duration::from_secs(90)));
    }

    #[test]
    fn ttl_without_number_unknown_unit_or_out_of_range_is_refused() {
        for wrong in ["", "h", "0s", "1w", "1.5h", "-1h", "99999999999999999999d"] {
            assert!(parse_ttl(wrong).is_err(), "{wrong:?}");
        }
    }
}
