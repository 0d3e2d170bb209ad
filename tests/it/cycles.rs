//! No file imports, directly or through others, a file that imports it: each can be read after those that it names.
//!
//! A module is its file. A `use`, or a path that begins with `crate`, `super` or `self`, is an import of the file that
//! defines the name: a re-export counts as what it names, and is no import of its own. Tests may import anything.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

use crate::tidy::{is_test, rust_files};

/// A re-export may lead to another one, so often.
const REEXPORTS_MAX: usize = 8;

/// The path of a module, or of a name, from the root of its package.
type Way = Vec<String>;

/// What a file says of names.
#[derive(Debug, Default)]
struct Module {
    file: String,
    /// What it binds by `use`: the name, and the path as it is written.
    bound: BTreeMap<String, Way>,
    /// Paths that it imports.
    imports: Vec<Way>,
}

/// The modules of a package by their paths.
type Package = BTreeMap<Way, Module>;

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|of| {
        of.path().is_ident("cfg")
            && of.meta.require_list().is_ok_and(|list| {
                list.tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
            })
    })
}

impl Module {
    /// Adds the leaves of a `use`.
    fn add(&mut self, tree: &UseTree, before: &Way, is_public: bool) {
        let with = |name: String| before.iter().cloned().chain([name]).collect::<Way>();
        let (name, way) = match tree {
            UseTree::Path(path) => return self.add(&path.tree, &with(path.ident.to_string()), is_public),
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.add(tree, before, is_public)),
            UseTree::Name(name) if name.ident == "self" => (before.last().cloned().unwrap_or_default(), before.clone()),
            UseTree::Name(name) => (name.ident.to_string(), with(name.ident.to_string())),
            UseTree::Rename(rename) => (rename.rename.to_string(), with(rename.ident.to_string())),
            UseTree::Glob(_) => ("*".to_owned(), before.clone()),
        };
        self.bound.insert(name, way.clone());
        if !is_public {
            self.imports.push(way);
        }
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(of) if is_of_tests(&of.attrs) => {}
            Item::Fn(of) if is_of_tests(&of.attrs) => {}
            Item::Impl(of) if is_of_tests(&of.attrs) => {}
            Item::Use(of) if is_of_tests(&of.attrs) => {}
            Item::Use(of) => self.add(&of.tree, &Way::new(), !matches!(of.vis, syn::Visibility::Inherited)),
            item => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let way: Way = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if way.len() > 1 && ["crate", "super", "self"].contains(&way[0].as_str()) {
            self.imports.push(way);
        }
        visit::visit_path(self, path);
    }
}

/// The path of the module that a file is, from `src/`.
fn way_of(path: &str) -> Way {
    let parts = path.trim_end_matches(".rs").split('/');
    parts.filter(|part| !["lib", "main", "mod"].contains(part)).map(str::to_owned).collect()
}

/// Every package with its modules, but for those of tests.
fn packages() -> BTreeMap<String, Package> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for (path, text) in rust_files() {
        let Some((folder, within)) = path.split_once("/src/") else { continue };
        if is_test(&path) {
            continue;
        }
        let mut module = Module { file: path.clone(), ..Module::default() };
        module.visit_file(&syn::parse_file(&text).expect("it compiles"));
        packages.entry(folder.to_owned()).or_default().insert(way_of(within), module);
    }
    packages
}

/// The file that defines what `way`, as the module `at` writes it, names. None: it is not of this package.
fn defined(package: &Package, at: &Way, way: &[String], left: usize) -> Option<String> {
    let (first, rest) = way.split_first()?;
    let mut here = match first.as_str() {
        "crate" => Way::new(),
        "self" => at.clone(),
        "super" => at[..at.len().checked_sub(1)?].to_vec(),
        name => [at.as_slice(), &[name.to_owned()]].concat(),
    };
    if !["crate", "self", "super"].contains(&first.as_str()) && !package.contains_key(&here) {
        return None;
    }
    for (at, name) in rest.iter().enumerate() {
        if name == "super" {
            here.pop();
            continue;
        }
        let deeper = [here.as_slice(), std::slice::from_ref(name)].concat();
        if package.contains_key(&deeper) {
            here = deeper;
            continue;
        }
        let module = package.get(&here)?;
        let bound = module.bound.get(name).filter(|_| left > 0);
        let through = bound.and_then(|to| defined(package, &here, &[to, &rest[at + 1..]].concat(), left - 1));
        return through.or_else(|| Some(module.file.clone()));
    }
    Some(package.get(&here)?.file.clone())
}

/// Which files each file imports.
fn imports(package: &Package) -> BTreeMap<String, BTreeSet<String>> {
    let of = |(at, module): (&Way, &Module)| {
        let files = module.imports.iter().filter_map(|way| defined(package, at, way, REEXPORTS_MAX));
        (module.file.clone(), files.filter(|file| *file != module.file).collect())
    };
    package.iter().map(of).collect()
}

/// What can be reached from a file.
fn reached<'a>(imports: &'a BTreeMap<String, BTreeSet<String>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        next.extend(imports.get(file).into_iter().flatten().map(String::as_str).filter(|file| reached.insert(*file)));
    }
    reached
}

/// The groups of files that all reach each other.
fn cycles(imports: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<Vec<&str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (file.as_str(), reached(imports, file))).collect();
    let group = |file: &&str| -> Vec<&str> {
        reach[*file].iter().copied().filter(|other| reach.get(other).is_some_and(|back| back.contains(*file))).collect()
    };
    reach.keys().map(group).filter(|group| !group.is_empty()).collect()
}

#[test]
fn no_file_imports_what_imports_it() {
    let mut breaches = Vec::new();
    for (name, package) in packages() {
        let imports = imports(&package);
        let cycles = cycles(&imports);
        for files in cycles {
            let edges = files.iter().map(|file| {
                let to: Vec<&str> = imports[*file].iter().map(String::as_str).filter(|to| files.contains(to)).collect();
                format!("    {file} -> {}", to.join(", "))
            });
            breaches.extend([name.clone()].into_iter().chain(edges));
        }
    }
    assert!(breaches.is_empty(), "a file is imported by what it imports:\n  {}", breaches.join("\n  "));
}

#[test]
fn a_cycle_through_a_re_export_and_a_path_is_found() {
    let module = |way: &str, text: &str| {
        let mut module = Module { file: way.to_owned(), ..Module::default() };
        module.visit_file(&syn::parse_file(text).expect("Rust"));
        (way_of(way), module)
    };
    let package: Package = [
        module("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
        module("a.rs", "use super::b::B; #[cfg(test)] mod tests { use crate::c::C; }"),
        module("b.rs", "fn f() -> crate::A { crate::A }"),
        module("c.rs", "use crate::{A, b}; use std::fmt;"),
    ]
    .into();
    let imports = imports(&package);
    assert_eq!(cycles(&imports), [vec!["a.rs", "b.rs"]].into());
    assert_eq!(imports["c.rs"], ["a.rs", "b.rs"].map(str::to_owned).into());
}
