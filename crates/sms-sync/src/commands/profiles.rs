//! `sms-sync profiles`: systems by name, and the one that is used where none is named.

use std::{io::Read, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use url::Url;

use crate::{
    arguments::{GlobalOptions, OutputFormat},
    connection::{OperatorToken, explicit_token_file, explicit_url},
    output::{self, print, print_entries},
    profiles::{Profile, Profiles, TokenSource},
};

#[derive(Debug, Subcommand)]
#[command(after_help = "The profiles stand in sms-sync/config.toml below XDG_CONFIG_HOME, or ~/.config:

  current = \"north\"

  [profiles.north]
  url = \"https://sms-sync.north.example\"
  token_file = \"tokens/north\"                 # or
  token_command = [\"pass\", \"show\", \"sms-sync/north\"]

--profile and SMS_SYNC_PROFILE name another profile for a command; --url and API_URL need none.")]
pub(super) enum ProfilesCommand {
    /// List the profiles
    List,
    /// Show a profile, and whose token it has
    Show {
        /// Name of the profile [default: the current one]
        name: Option<String>,
    },
    /// Use a profile wherever none is named
    Use {
        /// Name of the profile
        name: String,
    },
    /// Add a profile, or change one: --url says where its system is, --token-file which file has the token
    Set(SetOptions),
    /// Delete a profile; a token that it kept is deleted, too
    Delete {
        /// Name of the profile
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct SetOptions {
    /// Name: letters, digits, hyphens, dots and underscores
    #[arg(value_parser = parse_name)]
    name: String,
    /// Read the operator token from standard input, and keep it beside the profiles
    #[arg(long, group = "source")]
    token_stdin: bool,
    /// Program that prints the operator token, with its arguments; last of all options
    #[arg(long, value_name = "PROGRAM", group = "source", num_args = 1.., allow_hyphen_values = true)]
    token_command: Vec<String>,
}

fn parse_name(text: &str) -> Result<String, &'static str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let allowed = starts_well && text.chars().all(is_allowed);
    allowed.then(|| text.to_owned()).ok_or("expected letters, digits, hyphens, dots and underscores")
}

pub(super) fn run(global: &GlobalOptions, command: ProfilesCommand) -> anyhow::Result<ExitCode> {
    let format = global.output;
    let mut profiles = Profiles::load()?;
    match command {
        ProfilesCommand::List => list(format, &profiles)?,
        ProfilesCommand::Show { name } => {
            let name = name.or_else(|| profiles.current().map(str::to_owned));
            let name =
                name.context("no profile is in use: name one, or choose one with `sms-sync profiles use`")?;
            show(format, &profiles, &profiles.find(&name)?);
        }
        ProfilesCommand::Use { name } => {
            let profile = profiles.find(&name)?;
            profiles.set_current(&name);
            profiles.save()?;
            print(format, &answer(&profiles, &profile), |_answer| {
                output::line(format!("commands now speak to {} ({name})", profile.url));
            });
        }
        ProfilesCommand::Set(options) => {
            let profile = set(global, &mut profiles, options)?;
            show(format, &profiles, &profile);
        }
        ProfilesCommand::Delete { name } => {
            let profile = profiles.find(&name)?;
            profiles.remove(&name);
            profiles.save()?;
            profiles.delete_token(&name)?;
            print(format, &answer(&profiles, &profile), |_answer| {
                output::line(format!("deleted the profile {name}"));
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(format: OutputFormat, profiles: &Profiles) -> anyhow::Result<()> {
    let all: Vec<Profile> =
        profiles.names().iter().map(|name| profiles.find(name)).collect::<Result<_, _>>()?;
    let answers: Vec<Value> = all.iter().map(|profile| answer(profiles, profile)).collect();
    print_entries(format, &json!({ "data": answers }), &answers, |_answers| {
        if all.is_empty() {
            output::line("no profiles; to add one: sms-sync profiles set NAME --url URL --token-stdin");
            return;
        }
        let mut table = output::table(["in use", "profile", "url", "token"]).text(["url", "token"]);
        for it in &all {
            let is_current = profiles.current() == Some(it.name.as_str());
            table.add_row([
                if is_current { "*" } else { "" }.to_owned(),
                it.name.clone(),
                it.url.clone(),
                it.token.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
            ]);
        }
        table.print();
    });
    Ok(())
}

fn answer(profiles: &Profiles, profile: &Profile) -> Value {
    let Profile { name, url, token } = profile;
    let is_current = profiles.current() == Some(name.as_str());
    json!({ "name": name, "url": url, "token": token.as_ref().map(ToString::to_string), "current": is_current })
}

fn show(format: OutputFormat, profiles: &Profiles, profile: &Profile) {
    // A token that cannot be read is part of what is shown.
    let holder = profile.token.as_ref().map(|source| match source.read() {
        Ok(secret) => OperatorToken { secret, origin: source.to_string() }.to_string(),
        Err(error) => format!("cannot be used: {error:#}"),
    });
    let mut answer = answer(profiles, profile);
    answer["holder"] = json!(holder);
    print(format, &answer, |answer| {
        let in_use = if answer["current"] == true { ", in use" } else { "" };
        output::line(format!("profile  {}{in_use}", profile.name));
        output::line(format!("url      {}", profile.url));
        output::line(format!("token    {}", holder.as_deref().unwrap_or("none")));
        output::line(format!("file     {}", profiles.path().display()));
    });
}

/// Adds or changes a profile. The first one is in use at once.
fn set(global: &GlobalOptions, profiles: &mut Profiles, options: SetOptions) -> anyhow::Result<Profile> {
    let SetOptions { name, token_stdin, token_command } = options;
    let there = profiles.find(&name).ok();
    let url = explicit_url(global).or_else(|| there.as_ref().map(|it| it.url.clone()));
    let url = url.with_context(|| format!("there is no profile {name}: name its --url to add it"))?;
    let parsed = Url::parse(&url).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    anyhow::ensure!(parsed.is_some(), "--url {url} is not an http or https URL");
    let token_file = explicit_token_file(global);
    let token = match (token_file, token_stdin, token_command.is_empty()) {
        (None, false, true) => there.and_then(|it| it.token),
        (Some(file), false, true) => {
            let file = std::path::absolute(&file)?;
            Some(TokenSource::File(file))
        }
        (None, true, true) => {
            let mut token = String::new();
            std::io::stdin().read_to_string(&mut token).context("cannot read standard input")?;
            anyhow::ensure!(!token.trim().is_empty(), "standard input holds no token");
            Some(profiles.save_token(&name, token.trim())?)
        }
        (None, false, false) => Some(TokenSource::Command(token_command)),
        _ => anyhow::bail!("name one of --token-file, --token-stdin and --token-command"),
    };
    let profile = Profile { name, url, token };
    let is_first = profiles.names().is_empty();
    profiles.insert(&profile);
    if is_first {
        profiles.set_current(&profile.name);
    }
    profiles.save()?;
    Ok(profile)
}
