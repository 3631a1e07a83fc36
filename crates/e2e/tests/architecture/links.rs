//! Links in the documentation lead somewhere, and a link whose text is an identifier leads to a file that contains it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The text and the target of every link `[text](target)` outside of code blocks.
fn links(markdown: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for block in markdown.split("```").step_by(2) {
        for (at, _) in block.match_indices("](") {
            let target = block[at + 2..].split(')').next().unwrap_or_default();
            let text = block[..at].rsplit('[').next().unwrap_or_default();
            found.push((text.to_owned(), target.to_owned()));
        }
    }
    found
}

fn documents(root: &Path) -> Vec<PathBuf> {
    let in_folder = |folder: PathBuf| {
        let entries = fs::read_dir(folder).expect("a folder of documents is readable");
        entries.map(|entry| entry.expect("an entry is readable").path()).collect::<Vec<_>>()
    };
    let readmes = in_folder(root.join("crates")).into_iter().map(|folder| folder.join("README.md"));
    in_folder(root.to_path_buf())
        .into_iter()
        .chain(in_folder(root.join("docs")))
        .chain(in_folder(root.join("docs/runbooks")))
        .chain(readmes)
        .filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

#[test]
fn links_in_documents_lead_to_files_that_contain_what_they_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut broken = Vec::new();
    for document in documents(&root) {
        let markdown = fs::read_to_string(&document).expect("a document is readable");
        let folder = document.parent().expect("a document lies in a folder");
        for (text, target) in links(&markdown) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || !path.contains(['/', '.']) {
                continue; // elsewhere, within the page, or an item that rustdoc resolves
            }
            let target = folder.join(path);
            let name = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
            let is_identifier = |name: &&str| {
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && path.ends_with(".rs")
            };
            match name.filter(is_identifier) {
                _ if !target.exists() => broken.push(format!("{}: {path} is not there", document.display())),
                Some(name) if target.file_stem().is_some_and(|stem| stem == name) => {}
                Some(name) if !fs::read_to_string(&target).unwrap_or_default().contains(name) => {
                    broken.push(format!("{}: {path} has no {name}", document.display()));
                }
                _ => {}
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
