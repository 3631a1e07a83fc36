//! Secrets of the commands that ask no service: from the environment, or from the file that it names.

use std::path::Path;

use anyhow::{Context, bail};
use chassis::config::{Environment, ExposeSecret, Secret, Variable, weakness};

/// The secret `name`, or what stands in the file that `<name>_FILE` names. None: neither is set.
pub(crate) fn secret(name: &str) -> anyhow::Result<Option<Secret>> {
    let file_name = format!("{name}_FILE");
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (given(name), given(&file_name)) {
        (Some(_), Some(_)) => bail!("{name} is set and so is {file_name}: set one of the two"),
        (Some(value), None) => Ok(Some(value.into())),
        (None, Some(path)) => read_secret_file(&file_name, Path::new(&path)).map(Some),
        (None, None) => Ok(None),
    }
}

/// A secret that an option gives, or its variable `name`, or the file that `<name>_FILE` names.
pub(crate) fn option_or_file(name: &str, option: Option<Secret>) -> anyhow::Result<Option<Secret>> {
    let is_explicit = |given: &Secret| std::env::var(name).ok().as_deref() != Some(given.expose_secret());
    match option {
        Some(given) if is_explicit(&given) => Ok(Some(given)),
        // The variable, which clap has read, or its file; both are a mistake.
        _ => secret(name),
    }
}

/// The secret that webhooks are signed with, from `--secret` or the environment.
pub(crate) fn webhook_secret(option: Option<Secret>) -> anyhow::Result<Secret> {
    let secret = option_or_file("WEBHOOK_SECRET", option)?;
    secret.context("set WEBHOOK_SECRET or WEBHOOK_SECRET_FILE, or pass --secret")
}

/// What stands in a file, without the line break at its end.
pub(crate) fn read_secret_file(named_by: &str, path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("{named_by} names {}, which cannot be read", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

/// Refuses what protects nothing, as the services do, unless `SMS_ENV=development`.
pub(crate) fn refuse_weak(name: &'static str, secret: &Secret) -> anyhow::Result<()> {
    if Environment::current() == Environment::Development {
        return Ok(());
    }
    match weakness(&Variable::secret(name, ""), secret.expose_secret()) {
        Some(what) => {
            bail!("{name} {what}: set another one, or SMS_ENV=development on a developer's machine")
        }
        None => Ok(()),
    }
}
