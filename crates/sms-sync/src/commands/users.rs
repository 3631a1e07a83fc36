//! `sms-sync users`: users of the maintenance portal, and their temporary passwords.

use std::process::ExitCode;

use clap::Subcommand;
use contracts::operator::{List, TemporaryPassword, TemporaryPasswordReissue, User};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{OutputFormat, PageOptions},
    listing::Listing,
    output::{self, print, timestamp},
};

const PATH: &str = "/api/sync/users";

#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// List users with their roles and the state of their temporary passwords
    List {
        #[command(flatten)]
        page: PageOptions,
        /// Only users whose e-mail address, rank or id holds this text
        #[arg(long, short = 's', value_name = "TEXT")]
        search: Option<String>,
    },
    /// Claim a user's temporary password, which is shown once (role admin)
    ClaimPassword {
        /// Id of the user in the maintenance portal
        user_id: Uuid,
    },
    /// Remove a user's password and have a new temporary one made, to be claimed once (role admin)
    ReissuePassword {
        /// Id of the user in the maintenance portal
        user_id: Uuid,
    },
}

pub(super) async fn run(api: &Api, format: OutputFormat, command: UsersCommand) -> anyhow::Result<ExitCode> {
    match command {
        UsersCommand::List { page, search } => {
            Listing::with(PATH, [("search", search)]).show(api, format, &page, print_list).await?;
        }
        UsersCommand::ClaimPassword { user_id } => {
            let path = format!("{PATH}/{user_id}/temporary-password");
            let password: TemporaryPassword = api.post_without_body(&path).await?;
            print(format, &password, |it| {
                output::line(&it.password);
                output::note(format_args!(
                    "valid until {}, and shown only this once",
                    timestamp(it.expires_at)
                ));
            });
        }
        UsersCommand::ReissuePassword { user_id } => {
            let path = format!("{PATH}/{user_id}/temporary-password/reissue");
            let reissue: TemporaryPasswordReissue = api.post_without_body(&path).await?;
            print(format, &reissue, |it| {
                let id = it.user_id;
                output::line(format!("the password of user {id} is removed; a worker makes a new one"));
                output::line(format!("to see it: sms-sync users claim-password {id}"));
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_list(list: &List<User>) {
    let mut table = output::table(["user", "e-mail", "rank", "role", "sign-in", "password"])
        .text(["e-mail", "rank"])
        .optional(["rank", "sign-in", "password"]);
    for it in &list.data {
        table.add_row([
            it.id.to_string(),
            it.email.clone(),
            it.rank.clone(),
            it.role.to_string(),
            it.locked_because.map_or_else(|| "yes".to_owned(), |reason| format!("no: {reason}")),
            it.password.to_string(),
        ]);
    }
    output::print_list(&table, &list.pagination, "no users");
}
