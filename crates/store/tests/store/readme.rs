//! The tour in the crate's README, held against the code.

use std::path::Path;

/// The links of a page: text and target.
fn links(page: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    for (at, _) in page.match_indices("](") {
        let text = page[..at].rsplit_once('[').expect("a link begins").1;
        let target = page[at + 2..].split_once(')').expect("a link ends").0;
        links.push((text, target));
    }
    links
}

#[test]
fn function_that_the_readme_links_is_in_the_file_that_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README can be read");
    let links = links(&readme);
    assert!(links.len() > 50, "{links:?}");
    for (text, target) in links {
        let file = std::fs::read_to_string(root.join(target)).unwrap_or_else(|e| panic!("{target}: {e}"));
        let name = text.trim_matches('`');
        let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        if text.starts_with('`') && is_name && target.ends_with(".rs") && name.contains('_') {
            let found = [format!("fn {name}("), format!("fn {name}<")].iter().any(|it| file.contains(it));
            assert!(found, "{target} has no function {name}");
        }
    }
}
