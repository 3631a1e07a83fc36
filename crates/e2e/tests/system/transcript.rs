//! `docs/cli.md`: an hour at the command line. Its commands are run for real, and what they print must be what the page shows.
//! `UPDATE_DOCS=1` writes what they print into the page.

mod masks;

use std::path::{Path, PathBuf};

use anyhow::Context;
use e2e::{Fleet, Kind, Setup, System};
use serde_json::json;

use self::masks::Masks;

/// What others do meanwhile stands in the page as a comment of this shape.
const ACT_START: &str = "<!-- meanwhile: ";
const BLOCK_START: &str = "```console";
const BLOCK_END: &str = "```";
const PROMPT: &str = "$ ";

/// The pump that is renamed on both sides.
async fn rename_a_pump_on_both_sides(system: &System) -> anyhow::Result<()> {
    let rows = system
        .rows("SELECT source_id FROM equipment WHERE status = 'active' AND name LIKE '%pump%' ORDER BY source_id LIMIT 1")
        .await?;
    let pump = rows[0]["source_id"].as_str().expect("the fleet has a pump");
    system.portal.change(Kind::Equipment, pump, json!({"name": "Bilge pump, as approved"})).await?;
    let edit = format!("UPDATE equipment SET name = 'Bilge pump no. 2, aft' WHERE source_id = '{pump}'");
    system.world.execute(&edit).await
}

async fn rename_a_vessel_by_mistake(system: &System) -> anyhow::Result<()> {
    let rows = system.rows("SELECT source_id FROM vessels WHERE name = 'Nordhavn Aurora'").await?;
    let vessel = rows[0]["source_id"].as_str().expect("the fleet has the vessel");
    system.portal.change(Kind::Vessels, vessel, json!({"name": "Nordhavn Aurora TEST"})).await.map(drop)
}

async fn act(system: &System, what: &str) -> anyhow::Result<()> {
    match what {
        "a pump is renamed on both sides" => rename_a_pump_on_both_sides(system).await,
        "a vessel is renamed by mistake" => rename_a_vessel_by_mistake(system).await,
        "the onboarding portal fails" => system.portal.fail(json!({"kind": "serverError"})).await,
        "the onboarding portal works again" => system.portal.recover().await,
        "the dead letter is there" => {
            system.wait_for_rows(what, "dead_letters WHERE state = 'dead'", 1).await
        }
        "the replay has ended" => {
            system.wait_for_rows(what, "dead_letters WHERE state = 'succeeded'", 1).await
        }
        other => anyhow::bail!("nobody knows how to do: {other}"),
    }
}

/// Writes the page with what its commands print now.
async fn replay(page: &str, system: &System, home: &Path, shown: &mut String) -> anyhow::Result<()> {
    let mut masks = Masks::of([
        (system.operator.url.as_str(), "http://localhost:3005"),
        (system.portal.daemon.url.as_str(), "http://localhost:3001"),
        (&home.display().to_string(), "/home/anna"),
    ]);
    let mut in_block = false;
    for line in page.lines() {
        if let Some(what) = line.strip_prefix(ACT_START).and_then(|rest| rest.strip_suffix(" -->")) {
            act(system, what).await?;
        }
        in_block = if in_block { line != BLOCK_END } else { line == BLOCK_START };
        match line.strip_prefix(PROMPT).filter(|_| in_block) {
            Some(command) => {
                let (printed, code) = system.shell(home, &masks.unmasked(command)).await?;
                *shown += &format!("{line}\n{}", masks.masked(&printed));
                if let Some(code) = code.filter(|code| *code != 0) {
                    *shown += &format!("# exit code {code}\n");
                }
            }
            // What was printed the last time.
            None if in_block && line != BLOCK_START => {}
            None => *shown += &format!("{line}\n"),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hour_at_the_command_line_is_as_the_page_shows_it() -> anyhow::Result<()> {
    let path: PathBuf = testbed::workspace_root().join("docs/cli.md");
    let page = std::fs::read_to_string(&path)?;
    let setup = Setup { fleet: Fleet::Demo, page_size: 500, one_process: true, ..Setup::default() };
    let system = System::start(setup).await?;
    let home = tempfile::tempdir()?;
    let mut shown = String::new();
    let replayed = replay(&page, &system, home.path(), &mut shown).await;
    replayed.with_context(|| format!("after\n{shown}"))?;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &shown)?;
        return Ok(());
    }
    let differs = page.lines().zip(shown.lines()).position(|(page, shown)| page != shown);
    let differs =
        differs.or_else(|| (page != shown).then(|| page.lines().count().min(shown.lines().count())));
    if let Some(at) = differs {
        let around =
            |text: &str| text.lines().skip(at.saturating_sub(3)).take(12).collect::<Vec<_>>().join("\n");
        panic!(
            "docs/cli.md:{} shows\n{}\n\nbut now it is\n{}\n\nUPDATE_DOCS=1 with this test writes the page anew",
            at + 1,
            around(&page),
            around(&shown)
        );
    }
    Ok(())
}
