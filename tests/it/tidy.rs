//! The house's own rules. Each has its reason; a rule that cannot be checked is only a wish.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Which packages a package may use. The core knows no other package, and nothing that sells knows what tests it.
const IMPORTS: [(&str, &[&str]); 26] = [
    ("sale", &[]),
    ("throttle", &["sale"]),
    ("wire", &["sale", "throttle"]),
    ("plan", &["wire"]),
    ("explore", &["sale", "wire", "plan"]),
    ("module", &["sale", "throttle", "wire"]),
    ("metrics", &[]),
    ("tls", &[]),
    ("vault", &["wire", "plan", "metrics", "tls"]),
    ("transport", &["wire"]),
    ("broker", &["wire", "transport", "tls"]),
    ("client", &["wire", "tls"]),
    ("worker", &[]),
    ("relay", &["wire", "plan", "metrics", "transport", "client", "worker"]),
    ("recovery", &["wire", "plan", "vault", "client", "worker", "relay"]),
    ("webhooks", &["vault", "wire", "worker"]),
    ("payments", &["vault", "client", "worker"]),
    (
        "gateway",
        &[
            "wire",
            "metrics",
            "vault",
            "transport",
            "client",
            "tls",
            "audit",
            "doctor",
            "worker",
            "relay",
            "recovery",
            "webhooks",
            "payments",
        ],
    ),
    ("syncer", &["wire", "metrics", "vault", "transport", "client"]),
    ("audit", &["wire", "vault", "client"]),
    ("doctor", &["wire", "vault", "transport", "client"]),
    ("servers", &[]),
    ("sim", &["wire", "vault", "client"]),
    (
        "cli",
        &[
            "wire",
            "metrics",
            "vault",
            "transport",
            "broker",
            "client",
            "relay",
            "recovery",
            "gateway",
            "syncer",
            "audit",
            "doctor",
            "servers",
            "sim",
            "tls",
        ],
    ),
    ("tests", &["sale", "wire", "vault", "transport", "broker", "client", "gateway", "syncer", "audit", "servers"]),
    ("benches", &["sale", "wire", "vault", "broker", "servers"]),
];
/// A file is one idea; beyond this it is two.
const FILE_LINES_MAX: usize = 400;
/// The file with all `unsafe` in it cannot be cut in two; it is held as short as the server's API lets it be.
const UNSAFE_FILE_LINES_MAX: usize = 450;
/// A function fits a screen.
const FUNCTION_LINES_MAX: usize = 70;
/// The only file that may have `unsafe` in it: it speaks Redis's C API.
const UNSAFE_FILE: &str = "module/src/api.rs";
/// The only files with SQL in them, the second a folder: a reader who asks what is written where finds it there. The
/// simulator's tables are no part of the vault.
const SQL_PLACES: [&str; 3] = ["crates/vault/src/sql.rs", "crates/vault/src/sql/", "crates/sim/src/sql.rs"];

/// The packages at the root: what people load, run and test. All others are libraries.
const ROOT_PACKAGES: [&str; 6] = ["module", "gateway", "syncer", "cli", "tests", "benches"];

/// The folder of a package, from the root.
fn folder(package: &str) -> String {
    if ROOT_PACKAGES.contains(&package) { package.to_owned() } else { format!("crates/{package}") }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file of the workspace, by its path from the root.
pub(crate) fn rust_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (package, _) in IMPORTS {
        let folder = folder(package);
        collect(&root().join(&folder), &folder, &mut files);
    }
    assert!(files.len() > 50, "the walk found the sources");
    files
}

fn collect(folder: &Path, path: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a package is a folder") {
        let entry = entry.expect("readable");
        let path = format!("{path}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("readable").is_dir() {
            collect(&entry.path(), &path, files);
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("UTF-8");
            files.push((path, text));
        }
    }
}

pub(crate) fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Fails with every breach of a rule, not only the first.
fn check(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}\n  {}", breaches.join("\n  "));
}

#[test]
fn packages_use_only_what_they_may() {
    let mut breaches = Vec::new();
    for (package, allowed) in IMPORTS {
        let manifest = read(&format!("{}/Cargo.toml", folder(package)));
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        let used = dependencies.lines().filter_map(|line| line.strip_prefix("flash-"));
        for used in used.filter_map(|line| line.split(['.', ' ', '=']).next()) {
            if !allowed.contains(&used) {
                breaches.push(format!("{package} uses {used}"));
            }
        }
    }
    check("imports have one direction, from the edges to the pure core", &breaches);
}

#[test]
fn the_table_of_imports_has_every_package() {
    let manifest = read("Cargo.toml");
    let members = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).expect("members");
    let members: BTreeSet<String> = members.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(members, IMPORTS.into_iter().map(|(package, _)| folder(package)).collect());
}

#[test]
fn every_package_obeys_the_workspace_s_lints() {
    let deaf = IMPORTS.into_iter().filter(|(package, _)| {
        let manifest = read(&format!("{}/Cargo.toml", folder(package)));
        !manifest.contains("[lints]\nworkspace = true")
    });
    let breaches: Vec<String> = deaf.map(|(package, _)| package.to_owned()).collect();
    check("the lints (missing_docs among them) hold in every package", &breaches);
}

#[test]
fn unsafe_is_in_one_file() {
    let mut breaches = Vec::new();
    for (path, text) in rust_files() {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        if has_unsafe(tokens) && path != UNSAFE_FILE {
            breaches.push(path.clone());
        }
        let is_crate_root = path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs");
        if is_crate_root && !path.starts_with("module/") && !text.contains("#![forbid(unsafe_code)]") {
            breaches.push(format!("{path} does not forbid it"));
        }
    }
    check("unsafe is read by eye, so it stands in one place", &breaches);
}

/// Looks at words, not at syntax, so that a macro hides nothing.
fn has_unsafe(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "unsafe",
        TokenTree::Group(group) => has_unsafe(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

#[test]
fn sql_is_in_one_place() {
    struct Finder(Vec<String>);
    impl Visit<'_> for Finder {
        fn visit_lit_str(&mut self, literal: &syn::LitStr) {
            const VERBS: [&str; 6] = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE ", "ALTER "];
            let text = literal.value();
            if VERBS.iter().any(|verb| text.trim_start().starts_with(verb)) {
                self.0.push(text);
            }
        }
    }
    let mut breaches = Vec::new();
    for (path, text) in rust_files() {
        // A test may ask the database what a user would ask; `servers` makes databases and roles, not data.
        let is_its_place = SQL_PLACES.iter().any(|place| path.starts_with(place));
        if is_its_place || is_test(&path) || path.starts_with("crates/servers/") {
            continue;
        }
        let mut finder = Finder(Vec::new());
        finder.visit_file(&parse(&path, &text));
        breaches.extend(finder.0.into_iter().map(|sql| format!("{path}: {sql}")));
    }
    check("SQL stands in one place, so that the schema can change", &breaches);
}

#[test]
fn files_and_functions_are_short() {
    struct Finder<'a>(&'a str, Vec<String>);
    impl Finder<'_> {
        fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
            let span = block.span();
            let lines = span.end().line - span.start().line + 1;
            if lines > FUNCTION_LINES_MAX {
                self.1.push(format!("{}: {name} has {lines} lines", self.0));
            }
        }
    }
    impl Visit<'_> for Finder<'_> {
        fn visit_item_fn(&mut self, function: &syn::ItemFn) {
            self.measure(&function.sig.ident, &function.block);
            syn::visit::visit_item_fn(self, function);
        }
        fn visit_impl_item_fn(&mut self, function: &syn::ImplItemFn) {
            self.measure(&function.sig.ident, &function.block);
            syn::visit::visit_impl_item_fn(self, function);
        }
    }
    let mut breaches = Vec::new();
    for (path, text) in rust_files() {
        let lines = text.lines().count();
        if lines > if path == UNSAFE_FILE { UNSAFE_FILE_LINES_MAX } else { FILE_LINES_MAX } {
            breaches.push(format!("{path} has {lines} lines"));
        }
        let mut finder = Finder(&path, Vec::new());
        finder.visit_file(&parse(&path, &text));
        breaches.append(&mut finder.1);
    }
    check("a file is one idea, a function fits a screen", &breaches);
}

#[test]
fn tests_do_not_sleep() {
    let sleeping = rust_files().into_iter().filter(|(path, text)| {
        let calls = text.matches("sleep(").count();
        is_test(path) && path != "tests/it/tidy.rs" && calls > 0
    });
    let breaches: Vec<String> = sleeping.map(|(path, _)| path).collect();
    check("a test waits for a condition with a deadline; a sleep is too long or too short", &breaches);
}

/// `make plant-bugs` takes half an hour: an author who changes what a bug is planted in learns it here.
#[test]
fn planted_bugs_fit_the_sources() {
    let files =
        fs::read_dir(root().join("tests/faults/bugs")).expect("a folder").map(|file| file.expect("a file").path());
    let patches: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "patch")).collect();
    assert!(!patches.is_empty(), "there is no planted bug");
    let fits = |patch: &&PathBuf| {
        let output = Command::new("git").args(["apply", "--check"]).arg(patch).current_dir(root()).output();
        output.expect("git").status.success()
    };
    let breaches: Vec<_> =
        patches.iter().filter(|patch| !fits(patch)).map(|patch| patch.display().to_string()).collect();
    check("a planted bug must fit the sources", &breaches);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = read("Cargo.toml");
    let table = manifest.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next());
    let names = table.expect("a table").lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let page = read("docs/reference/dependencies.md");
    let silent = names.filter(|name| !name.starts_with("flash-") && !page.contains(&format!("| `{name}` |")));
    let breaches: Vec<String> = silent.map(str::to_owned).collect();
    check("docs/reference/dependencies.md has a row for each dependency: what for, why this one", &breaches);
}

pub(crate) fn parse(path: &str, text: &str) -> syn::File {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"))
}
