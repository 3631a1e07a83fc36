//! `sms-sync labels`: labels with QR codes for equipment.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use crate::{
    api::Api,
    arguments::{path_segment, query_of},
    output::{self, save_bytes},
};

/// Label positions on a sheet that are already used, at most.
const USED_LIMIT: i64 = 20;

#[derive(Debug, Subcommand)]
pub(super) enum LabelsCommand {
    /// Write the label of a piece of equipment as a picture: SVG, or PNG for label printers
    Equipment {
        /// Id of the equipment in either portal
        id: String,
        /// File to write; its name ends in .svg or .png
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Write the labels of all equipment of a vessel as HTML sheets to print
    Vessel {
        /// IMO number of the vessel, or its id in either portal
        id: String,
        /// File to write; its name ends in .html
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Number of labels that are gone from the first sheet
        #[arg(long, value_parser = clap::value_parser!(i64).range(0..=USED_LIMIT))]
        used: Option<i64>,
    },
}

pub(super) async fn run(api: &Api, command: LabelsCommand) -> anyhow::Result<ExitCode> {
    let (path, to) = match command {
        LabelsCommand::Equipment { id, to } => {
            let picture = match to.extension().and_then(|it| it.to_str()) {
                Some("svg") => "qr.svg",
                Some("png") => "qr.png",
                _ => {
                    anyhow::bail!("the name in --to must end in .svg or .png: it says which picture to write")
                }
            };
            (format!("/api/equipment/{}/{picture}", path_segment(&id)), to)
        }
        LabelsCommand::Vessel { id, to, used } => {
            let query = query_of([("used", used.map(|it| it.to_string()))]);
            (format!("/api/vessels/{}/labels.html?{query}", path_segment(&id)), to)
        }
    };
    save_bytes(&api.get_bytes(&path).await?, Some(&to))?;
    output::line(format!("wrote {}", to.display()));
    Ok(ExitCode::SUCCESS)
}
