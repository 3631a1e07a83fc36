//! Template databases, made by our own programs.

use std::path::Path;

use sha2::{Digest, Sha256};

/// Changes with what the migrations of a folder do.
pub(crate) fn digest_of_migrations(folder: &str) -> anyhow::Result<String> {
    let folder = testbed::workspace_root().join("migrations").join(folder);
    let mut files = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path().join("up.sql")))
        .collect::<anyhow::Result<Vec<_>>>()?;
    files.sort();
    let mut digest = Sha256::new();
    for file in files.iter().map(Path::new) {
        digest.update(std::fs::read(file)?);
    }
    Ok(hex::encode(&digest.finalize()[..6]))
}
