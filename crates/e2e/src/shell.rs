//! A shell of an operator who works with the command line alone.

use std::path::Path;

use anyhow::Context;
use tokio::process::Command;

use crate::System;
use crate::daemon::program;
use crate::environment::{OPERATOR_JWT_SECRET, WEBHOOK_SECRET};

/// Columns of the operator's terminal.
const WIDTH: &str = "100";

impl System {
    /// What a line prints in the operator's shell, and its exit code. The shell has a home directory and the secrets of the
    /// services; it does not know where the system is.
    pub async fn shell(&self, home: &Path, line: &str) -> anyhow::Result<(String, Option<i32>)> {
        let program = program("sms-sync").await?;
        let programs = program.parent().context("a program lies in a directory")?;
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
        let mut command = Command::new("bash");
        command.args(["-c", &format!("exec 2>&1; {line}")]).env_clear().current_dir(home).kill_on_drop(true);
        command.env("PATH", path).env("HOME", home).env("COLUMNS", WIDTH).env("SMS_ENV", "development");
        command.env("OPERATOR_JWT_SECRET", OPERATOR_JWT_SECRET).env("WEBHOOK_SECRET", WEBHOOK_SECRET);
        let output = command.output().await.with_context(|| format!("cannot run {line}"))?;
        Ok((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code()))
    }
}
