//! `sms-sync users`: temporary passwords of users.

use std::process::ExitCode;

use clap::Subcommand;
use contracts::operator::TemporaryPasswordReissue;
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::OutputFormat,
    output::{self, print},
};

#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// Remove a user's password and have a new temporary one made, which the dashboard then shows once (role admin)
    ReissuePassword {
        /// Id of the user in the maintenance portal
        user_id: Uuid,
    },
}

pub(super) async fn run(api: &Api, format: OutputFormat, command: UsersCommand) -> anyhow::Result<ExitCode> {
    let UsersCommand::ReissuePassword { user_id } = command;
    let path = format!("/api/sync/users/{user_id}/temporary-password/reissue");
    let reissue: TemporaryPasswordReissue = api.post_without_body(&path).await?;
    print(format, &reissue, |it| {
        output::line(format!("the password of user {} is removed; a worker makes a new one", it.user_id));
    });
    Ok(ExitCode::SUCCESS)
}
