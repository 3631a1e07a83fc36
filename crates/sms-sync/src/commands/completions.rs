//! `sms-sync completions` and `sms-sync manual`: what shells and `man` know about the commands.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "For example:
  bash   sms-sync completions bash > ~/.local/share/bash-completion/completions/sms-sync
  zsh    sms-sync completions zsh > \"${fpath[1]}/_sms-sync\"
  fish   sms-sync completions fish > ~/.config/fish/completions/sms-sync.fish")]
pub(super) struct CompletionsOptions {
    /// Shell that reads the script
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "For example:
  sms-sync manual --to ~/.local/share/man/man1 && man sms-sync-trigger")]
pub(super) struct ManualOptions {
    /// Directory to write the pages to, one for each command; it is made where it is missing
    #[arg(long, value_name = "DIRECTORY")]
    to: PathBuf,
}

pub(super) fn complete(mut command: Command, options: &CompletionsOptions) -> ExitCode {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(options.shell, &mut command, &name, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if options.shell == Shell::Bash {
        // clap_complete 4.6.11 writes the hyphen of the program's name in two ways, so that below the first command nothing is
        // completed.
        script = script.replace(&name.replace('-', "__"), &name.replace('-', "__subcmd__"));
    }
    output::document(&script);
    ExitCode::SUCCESS
}

pub(super) fn write_manual(command: Command, options: &ManualOptions) -> anyhow::Result<ExitCode> {
    let directory = &options.to;
    let written =
        std::fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(command, directory));
    written.with_context(|| format!("cannot write to {}", directory.display()))?;
    output::line(format!("wrote the pages to {}", directory.display()));
    Ok(ExitCode::SUCCESS)
}
