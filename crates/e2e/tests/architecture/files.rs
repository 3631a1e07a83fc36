//! The arrows between the files of each crate.

use std::path::{Path, PathBuf};

use super::imports::{ModulePath, circles, imports_between_files};

/// The floors of the store, from the lowest up.
const STORE_FLOORS: [&str; 6] = ["db", "ledger", "settings", "records", "engine", "views"];

pub(super) fn sources() -> Vec<(String, PathBuf)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = std::fs::read_dir(crates).expect("the crates' folder is readable");
    let source = |folder: PathBuf| {
        let name = folder.file_name()?.to_string_lossy().into_owned();
        Some((name, folder.join("src"))).filter(|(_, src)| src.is_dir())
    };
    folders.filter_map(|folder| source(folder.expect("an entry of a folder is readable").path())).collect()
}

fn display(module: &ModulePath) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("::") }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for (name, src) in sources() {
        for circle in circles(&imports_between_files(&src)) {
            let files: Vec<String> = circle.iter().map(display).collect();
            found.push(format!("{name}: {}", files.join(", ")));
        }
    }
    assert!(found.is_empty(), "files that import each other:\n{}", found.join("\n"));
}

#[test]
fn no_floor_of_the_store_imports_a_higher_one() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/src");
    let floor = |module: &ModulePath| {
        let name = module.first()?;
        let floor = STORE_FLOORS.iter().position(|floor| floor == name);
        Some(
            floor
                .unwrap_or_else(|| panic!("{} stands on no floor: decide where it belongs", display(module))),
        )
    };
    let mut found = Vec::new();
    for (module, imported) in imports_between_files(&src) {
        for other in imported {
            if let (Some(own), Some(its)) = (floor(&module), floor(&other))
                && its > own
            {
                found.push(format!("{} imports {}", display(&module), display(&other)));
            }
        }
    }
    assert!(found.is_empty(), "a lower floor imports a higher one:\n{}", found.join("\n"));
}
