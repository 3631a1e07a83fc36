//! Names of template databases: a name must change with what the migrations do, or tests run on an old schema.

use sha2::{Digest, Sha256};

/// `<prefix>_<digest>`, where the digest is that of all `up.sql` under `migrations/<folder>`.
pub fn template_name(prefix: &str, folder: &str) -> anyhow::Result<String> {
    let folder = crate::workspace_root().join("migrations").join(folder);
    let mut files = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path().join("up.sql")))
        .collect::<anyhow::Result<Vec<_>>>()?;
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(std::fs::read(file)?);
    }
    Ok(format!("{prefix}_{}", hex::encode(&digest.finalize()[..6])))
}
