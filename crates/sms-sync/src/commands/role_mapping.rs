//! `sms-sync role-mapping`: which role a user gets by rank, workplace and department.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use contracts::operator::{RoleMapping, RoleMappingChange, RoleMappingEffect, RoleRule};
use serde::Deserialize;

use crate::{
    api::Api,
    arguments::{OutputFormat, read_input},
    output::{self, confirm, print, timestamp},
};

const PATH: &str = "/api/sync/role-mapping";

#[derive(Debug, Subcommand)]
pub(super) enum RoleMappingCommand {
    /// Show the mapping: the first rule that matches a user gives the role
    Show,
    /// Show which users another mapping would give another role
    Preview(RulesOptions),
    /// Replace the mapping, after a preview (role admin)
    Set {
        #[command(flatten)]
        rules: RulesOptions,
        /// Do not ask for confirmation
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct RulesOptions {
    /// File with all rules, as `role-mapping show --output json` prints them; - for standard input
    #[arg(value_name = "FILE")]
    rules: PathBuf,
}

/// The mapping in a file: what `show` prints beside the rules may stand there, too.
#[derive(Deserialize)]
struct RulesFile {
    rules: Vec<RoleRule>,
}

impl RulesOptions {
    fn read(&self) -> anyhow::Result<RoleMappingChange> {
        let text = read_input(Some(&self.rules))?;
        let file: RulesFile = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not {{\"rules\": […]}} in JSON", self.rules.display()))?;
        Ok(RoleMappingChange { rules: file.rules })
    }
}

pub(super) async fn run(
    api: &Api,
    format: OutputFormat,
    command: RoleMappingCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        RoleMappingCommand::Show => print(format, &api.get::<RoleMapping>(PATH).await?, print_mapping),
        RoleMappingCommand::Preview(rules) => {
            print(format, &preview(api, &rules.read()?).await?, print_effect);
        }
        RoleMappingCommand::Set { rules, yes } => return set(api, format, &rules.read()?, yes).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn preview(api: &Api, change: &RoleMappingChange) -> anyhow::Result<RoleMappingEffect> {
    Ok(api.post(&format!("{PATH}/preview"), change).await?)
}

async fn set(
    api: &Api,
    format: OutputFormat,
    change: &RoleMappingChange,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    // The version first: what the preview shows is then what the change does, or the change is refused.
    let (_, version) = api.get_with_version::<RoleMapping>(PATH).await?;
    if !yes {
        let effect = preview(api, change).await?;
        if !confirm(&format!("Replace the role mapping, and give {} users another role?", effect.changed))? {
            output::line("nothing was changed");
            return Ok(ExitCode::FAILURE);
        }
    }
    let effect: RoleMappingEffect = api.put(PATH, change, Some(&version)).await?;
    print(format, &effect, print_effect);
    Ok(ExitCode::SUCCESS)
}

fn print_mapping(mapping: &RoleMapping) {
    let mut table = output::table(["rank", "workplace", "department", "role"]).text(["rank"]);
    for it in &mapping.rules {
        let department = it.department.clone().unwrap_or_else(|| "any".to_owned());
        table.add_row([it.rank.clone(), it.workplace.clone(), department, it.role.clone()]);
    }
    table.print();
    let RoleMapping { version, created_at, created_by, .. } = mapping;
    output::line(format!("version {version}, {} by {created_by}", timestamp(*created_at)));
}

fn print_effect(effect: &RoleMappingEffect) {
    if !effect.changes.is_empty() {
        let mut table = output::table(["user", "rank", "workplace", "from", "to", "kept"])
            .text(["rank"])
            .optional(["kept", "workplace", "rank"]);
        for it in &effect.changes {
            table.add_row([
                it.user_id.to_string(),
                it.rank.clone(),
                it.workplace.to_string(),
                it.from.to_string(),
                it.to.to_string(),
                if it.kept { "yes" } else { "no" }.to_owned(),
            ]);
        }
        table.print();
    }
    output::line(format!(
        "version {}: {} users get another role, {} keep the role that was set by hand",
        effect.version, effect.changed, effect.kept
    ));
}
