//! What `onboarding-portal` does besides to serve.

use std::path::PathBuf;

use anyhow::Context;
use chassis::Daemon;

use crate::{
    config::DatabaseOnly,
    database::Database,
    fleet::{Detail, Fleet, Size},
    openapi, seeding,
    seeding::Seeded,
};

/// A command.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Bring the schema of the portal's database up to date
    Migrate,
    /// Enter a fleet, the same each time
    ///
    /// Without options, the demo fleet: some 40 vessels, 6,000 pieces of equipment and 500 users, drafts to be approved,
    /// and a handful of records that are wrong as records of real fleets are. With options, a larger fleet of the given
    /// size for measurements, all of it approved and right. A fleet that is there already stays as it is; a second,
    /// different fleet is refused.
    Seed(Seed),
    /// Write the OpenAPI document of the portal's API
    Openapi {
        /// The file; without it, standard output
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

/// How large a fleet.
#[derive(Debug, clap::Args)]
pub struct Seed {
    /// Vessels [default: one for 150 pieces of equipment, at least 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    vessels: Option<u32>,
    /// Pieces of equipment [default: 150 for each vessel]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=50_000_000))]
    equipment: Option<u32>,
    /// Users [default: 12 for each vessel]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=5_000_000))]
    users: Option<u32>,
    /// How much is said of each piece of equipment of a fleet of a given size
    #[arg(long, value_enum, default_value_t = Detail::Plain)]
    detail: Detail,
}

impl Seed {
    fn fleet(&self) -> Fleet {
        let Self { vessels, equipment, users, detail } = *self;
        if let (None, None, None) = (vessels, equipment, users) {
            return Fleet::demo();
        }
        let vessels = vessels.unwrap_or_else(|| equipment.unwrap_or_default().div_ceil(150).max(10));
        let size = Size {
            vessels,
            equipment: equipment.unwrap_or(vessels * 150),
            users: users.unwrap_or(vessels * 12),
        };
        Fleet::of_size(size, detail)
    }
}

/// Does one.
///
/// # Errors
/// If it cannot be done.
pub async fn execute(daemon: Daemon, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Migrate => {
            let ran = database(daemon)?.migrate().await?;
            for migration in &ran {
                line(format!("ran {migration}"));
            }
            line(if ran.is_empty() { "the schema was up to date" } else { "the schema is up to date" });
        }
        Command::Seed(seed) => {
            let fleet = seed.fleet();
            let database = database(daemon)?;
            database.ready().await?;
            match seeding::seed(&database, &fleet, seeding::Progress::Bar).await? {
                Seeded::New(counts) => line(format!("seeded {counts}")),
                Seeded::Already => line(format!("{} is there already; nothing was changed", fleet.name())),
            }
        }
        Command::Openapi { to: None } => line(openapi::json().trim_end()),
        Command::Openapi { to: Some(file) } => {
            std::fs::write(&file, openapi::json())
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(())
}

fn database(daemon: Daemon) -> anyhow::Result<Database> {
    let config: DatabaseOnly = daemon.config()?;
    Ok(Database::new(&config.database.url, config.database.pool_size)?)
}

#[expect(clippy::print_stdout, reason = "this is the command line")]
fn line(text: impl std::fmt::Display) {
    println!("{text}");
}
