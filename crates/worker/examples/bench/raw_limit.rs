//! What PostgreSQL does with the same rows by itself: COPY into a staging table, and one merge from there.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use testbed::World;

/// The rows of `equipment`, ready to be loaded.
pub(crate) struct RawRows {
    database_url: String,
    file: PathBuf,
    columns: Vec<String>,
}

impl RawRows {
    /// Writes the rows that a sync has made to a file.
    pub(crate) async fn of_equipment(world: &World, directory: &Path) -> anyhow::Result<Self> {
        let columns = world
            .query_json(
                "SELECT column_name FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name = 'equipment' ORDER BY ordinal_position",
            )
            .await?;
        let columns: Vec<String> =
            columns.iter().filter_map(|it| Some(it["column_name"].as_str()?.to_owned())).collect();
        let rows = Self {
            database_url: world.database_url.clone(),
            file: directory.join("equipment.copy"),
            columns,
        };
        rows.psql(&format!("\\copy equipment ({}) TO '{}'", rows.columns.join(", "), rows.file.display()))?;
        Ok(rows)
    }

    /// How long psql takes to load and merge them into an empty table with the same columns, keys and indexes.
    pub(crate) fn load_and_merge(&self) -> anyhow::Result<Duration> {
        let columns = self.columns.join(", ");
        let excluded: Vec<String> = self.columns.iter().map(|name| format!("excluded.{name}")).collect();
        self.psql(
            "DROP TABLE IF EXISTS raw_equipment; CREATE TABLE raw_equipment (LIKE equipment INCLUDING ALL)",
        )?;
        let began = Instant::now();
        self.psql(&format!(
            "CREATE TEMPORARY TABLE staging (LIKE equipment);
\\copy staging ({columns}) FROM '{}'
INSERT INTO raw_equipment ({columns}) SELECT {columns} FROM staging
ON CONFLICT (source_id) DO UPDATE SET ({columns}) = ({});",
            self.file.display(),
            excluded.join(", ")
        ))?;
        Ok(began.elapsed())
    }

    fn psql(&self, script: &str) -> anyhow::Result<()> {
        use std::io::Write;
        let mut psql = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", &self.database_url])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .context("psql cannot be started")?;
        psql.stdin.take().context("psql reads")?.write_all(script.as_bytes())?;
        ensure!(psql.wait()?.success(), "psql failed");
        Ok(())
    }
}
