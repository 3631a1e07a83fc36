//! `sms-sync openapi`: the OpenAPI document of the operator API, as its handlers describe themselves.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;

use crate::output;

#[derive(Debug, Args)]
pub(super) struct OpenapiOptions {
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(super) fn run(options: &OpenapiOptions) -> anyhow::Result<ExitCode> {
    let document = ::status::openapi::json();
    match &options.to {
        Some(file) => {
            std::fs::write(file, document).with_context(|| format!("cannot write {}", file.display()))?
        }
        None => output::document(&document),
    }
    Ok(ExitCode::SUCCESS)
}
