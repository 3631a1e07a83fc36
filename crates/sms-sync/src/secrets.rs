//! Secrets of the commands that ask no service: from the environment, or from the file that it names.

use anyhow::{Context, bail};
use chassis::config::{Environment, ExposeSecret, Secret, Variable, weakness};

/// The secret `name`, or what stands in the file that `<name>_FILE` names. None: neither is set.
pub(crate) fn secret(name: &str) -> anyhow::Result<Option<Secret>> {
    let file_name = format!("{name}_FILE");
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (given(name), given(&file_name)) {
        (Some(_), Some(_)) => bail!("{name} is set and so is {file_name}: set one of the two"),
        (Some(value), None) => Ok(Some(value.into())),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path);
            let text = text.with_context(|| format!("{file_name} names {path}, which cannot be read"))?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).into()))
        }
        (None, None) => Ok(None),
    }
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
