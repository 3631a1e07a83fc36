//! Which files of a crate import which, read from their syntax: `use` trees, and paths in the code that begin with `crate`,
//! `self` or `super`. Test modules do not count. An item that a parent module re-exports is imported from the file that
//! defines it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{Attribute, File, ItemMod, ItemUse, UseTree, Visibility, visit::Visit};

/// A module's path within its crate; empty: the crate's root.
pub(crate) type ModulePath = Vec<String>;

/// The files of a crate, by module, with the modules that each imports.
pub(crate) type Imports = BTreeMap<ModulePath, BTreeSet<ModulePath>>;

/// Reads the imports between the files below a crate's `src`.
pub(crate) fn imports_between_files(src: &Path) -> Imports {
    let files: BTreeMap<ModulePath, FileImports> = rust_files(src)
        .into_iter()
        .map(|path| {
            let module = module_path(src, &path);
            let text = fs::read_to_string(&path).expect("a source file is readable");
            let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (module.clone(), FileImports::read(module, &syntax))
        })
        .collect();
    let reexports: BTreeMap<ModulePath, ModulePath> =
        files.values().flat_map(|file| file.reexports.iter().cloned()).collect();
    let modules: BTreeSet<&ModulePath> = files.keys().collect();
    files
        .iter()
        .map(|(module, file)| {
            let targets = file.paths.iter().filter_map(|path| defining_module(path, &reexports, &modules));
            (module.clone(), targets.filter(|target| target != module).collect())
        })
        .collect()
}

/// Files that import each other in a circle, however long; each file stands in at most one of the groups.
pub(crate) fn circles(imports: &Imports) -> Vec<BTreeSet<ModulePath>> {
    let reached: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
        imports.keys().map(|module| (module, reachable(module, imports))).collect();
    let mut circles: Vec<BTreeSet<ModulePath>> = Vec::new();
    for (module, reachable) in &reached {
        if !reachable.contains(module) || circles.iter().any(|circle| circle.contains(*module)) {
            continue;
        }
        let circle = reachable.iter().filter(|other| reached[**other].contains(module));
        circles.push(circle.map(|module| (*module).clone()).collect());
    }
    circles
}

fn reachable<'a>(from: &ModulePath, imports: &'a Imports) -> BTreeSet<&'a ModulePath> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&ModulePath> = imports[from].iter().collect();
    while let Some(module) = open.pop() {
        if let Some((module, next)) = imports.get_key_value(module)
            && reached.insert(module)
        {
            open.extend(next);
        }
    }
    reached
}

/// The file that defines what a path names.
fn defining_module(
    path: &ModulePath,
    reexports: &BTreeMap<ModulePath, ModulePath>,
    modules: &BTreeSet<&ModulePath>,
) -> Option<ModulePath> {
    let mut path = path.clone();
    // A path that leads through more re-exports than this leads in a circle.
    for _ in 0..8 {
        let through = (1..=path.len()).rev().find_map(|n| Some((n, reexports.get(&path[..n])?)));
        let Some((n, target)) = through else { break };
        path = target.iter().chain(&path[n..]).cloned().collect();
    }
    (0..=path.len()).rev().map(|n| path[..n].to_vec()).find(|module| modules.contains(module))
}

pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("an entry of a folder is readable").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn module_path(src: &Path, file: &Path) -> ModulePath {
    let within = file.strip_prefix(src).expect("the file lies below src").with_extension("");
    let names: ModulePath = within.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names == ["lib"] || names == ["main"] { Vec::new() } else { names }
}

#[derive(Default)]
struct FileImports {
    module: ModulePath,
    /// What the file names, as paths from the crate's root.
    paths: BTreeSet<ModulePath>,
    /// Names that the file makes available under its own path, with what they stand for.
    reexports: Vec<(ModulePath, ModulePath)>,
    /// Modules that the file declares.
    children: BTreeSet<String>,
}

impl FileImports {
    fn read(module: ModulePath, file: &File) -> Self {
        let children = file.items.iter().filter_map(|item| match item {
            syn::Item::Mod(child) => Some(child.ident.to_string()),
            _ => None,
        });
        let mut imports = Self { module, children: children.collect(), ..Self::default() };
        imports.visit_file(file);
        imports
    }

    /// The path from the crate's root; none for paths that lead out of the crate.
    fn path_from_root(&self, path: &[String]) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some(self.module.iter().chain(rest).cloned().collect()),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let parent = &self.module[..self.module.len().checked_sub(ups)?];
                Some(parent.iter().chain(&path[ups..]).cloned().collect())
            }
            child if self.children.contains(child) => Some(self.module.iter().chain(path).cloned().collect()),
            _ => None,
        }
    }
}

impl<'ast> Visit<'ast> for FileImports {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !module.attrs.iter().any(is_for_tests) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_public = !matches!(item.vis, Visibility::Inherited);
        for (name, path) in leaves(&item.tree) {
            let Some(target) = self.path_from_root(&path) else { continue };
            let is_child = target.len() > self.module.len() && target.starts_with(&self.module);
            if is_public {
                let alias = self.module.iter().cloned().chain([name]).collect();
                self.reexports.push((alias, target.clone()));
            }
            // A parent that only passes on its children's names does not depend on them.
            if !(is_public && is_child) {
                self.paths.insert(target);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1
            && matches!(names[0].as_str(), "crate" | "self" | "super")
            && let Some(target) = self.path_from_root(&names)
        {
            self.paths.insert(target);
        }
        syn::visit::visit_path(self, path);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
}

/// The names that a `use` brings in, each with its path.
fn leaves(tree: &UseTree) -> Vec<(String, Vec<String>)> {
    let below = |first: &syn::Ident, tree: &UseTree| {
        let prefix = |(name, path): (String, Vec<String>)| {
            let name = if name == "self" { first.to_string() } else { name };
            let path = path.into_iter().filter(|part| part != "self");
            (name, [first.to_string()].into_iter().chain(path).collect())
        };
        leaves(tree).into_iter().map(prefix).collect()
    };
    match tree {
        UseTree::Path(path) => below(&path.ident, &path.tree),
        UseTree::Name(name) => vec![(name.ident.to_string(), vec![name.ident.to_string()])],
        UseTree::Rename(rename) => vec![(rename.rename.to_string(), vec![rename.ident.to_string()])],
        UseTree::Glob(_) => vec![(String::new(), Vec::new())],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}
