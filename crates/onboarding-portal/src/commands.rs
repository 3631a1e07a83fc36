//! The commands of `onboarding-portal` beside `serve`: they prepare its database, and describe its API.

use std::path::PathBuf;

use anyhow::Context;
use chassis::{Daemon, terminal::print_line};

use crate::{
    clock::Clock,
    config::DatabaseOnly,
    database::Database,
    fleet::{Detail, Fleet, Size},
    openapi, seeding,
    seeding::Seeded,
};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Bring the schema of the portal's database up to date
    Migrate,
    /// Insert a fleet, the same each time
    ///
    /// Without options, the demo fleet: some 40 vessels, 6,000 pieces of equipment and 500 users, some drafts to
    /// approve, and a handful of invalid records, as real fleets have them. With options, a fleet of the given size for
    /// measurements, in which all records are approved and valid. A fleet that is there already stays as it is; a
    /// different fleet is refused.
    Seed(SeedOptions),
    /// Write the OpenAPI document of the portal's API
    Openapi {
        /// File to write [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
pub struct SeedOptions {
    /// Number of vessels [default: one per 150 pieces of equipment, at least 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    vessels: Option<u32>,
    /// Number of pieces of equipment [default: 150 per vessel]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=50_000_000))]
    equipment: Option<u32>,
    /// Number of users [default: 12 per vessel]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=5_000_000))]
    users: Option<u32>,
    /// Detail of each piece of equipment, for a fleet of a given size
    #[arg(long, value_enum, default_value_t = Detail::Plain)]
    detail: Detail,
}

impl SeedOptions {
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

pub async fn execute(daemon: Daemon, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Migrate => {
            let ran = database(daemon)?.migrate().await?;
            for migration in &ran {
                print_line(format!("ran {migration}"));
            }
            print_line(if ran.is_empty() { "the schema was up to date" } else { "the schema is up to date" });
        }
        Command::Seed(options) => {
            let fleet = options.fleet();
            let database = database(daemon)?;
            database.ready().await?;
            match seeding::seed(&database, &fleet, seeding::Progress::Bar, &Clock::system()).await? {
                Seeded::Inserted(counts) => print_line(format!("seeded {counts}")),
                Seeded::AlreadyThere => {
                    print_line(format!("{} is there already; nothing changed", fleet.name()))
                }
            }
        }
        Command::Openapi { to: None } => print_line(openapi::json().trim_end()),
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
