//! `docs/explanation/threat-model.md` names a test for each defence, `proven.md` one for each history that broke a
//! promise, and each test that they name exists.

use std::collections::BTreeSet;

use syn::visit::Visit;

use crate::tidy::{parse, read, root, rust_files};

/// The names in backticks in the last column of each table of a page whose head ends with "test", each with the first
/// column of its row.
fn named(page: &str) -> Vec<(String, String)> {
    let mut named = Vec::new();
    let mut is_of_tests = false;
    for line in read(page).lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some(last) = cells.last().filter(|_| line.starts_with('|')) else {
            is_of_tests = false;
            continue;
        };
        if *last == "test" {
            is_of_tests = true;
        } else if is_of_tests && !last.starts_with("---") {
            let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty(), "{line} names no test");
            named.extend(names.into_iter().map(|name| (name.to_owned(), cells[0].to_owned())));
        }
    }
    named
}

/// Functions that are tests: `#[test]`, `#[tokio::test]`, and those of `proptest!`, whose bodies are tokens.
fn tests() -> BTreeSet<String> {
    struct Finder(BTreeSet<String>);
    impl Visit<'_> for Finder {
        fn visit_item_fn(&mut self, function: &syn::ItemFn) {
            let is_test = |attribute: &syn::Attribute| {
                attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
            };
            if function.attrs.iter().any(is_test) {
                self.0.insert(function.sig.ident.to_string());
            }
        }

        fn visit_macro(&mut self, call: &syn::Macro) {
            let text = call.tokens.to_string();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split([' ', '(']).next());
            self.0.extend(names.map(str::to_owned));
        }
    }
    let mut finder = Finder(BTreeSet::new());
    rust_files().iter().for_each(|(path, text)| finder.visit_file(&parse(path, text)));
    finder.0
}

/// Checks that the tests which a page names exist.
fn check(named: &[(String, String)]) {
    let tests = tests();
    let is_there = |name: &str| match name.contains('/') {
        // A scenario or a check that is not written in Rust.
        true => root().join(name).exists(),
        false => tests.contains(name),
    };
    let missing: Vec<&(String, String)> = named.iter().filter(|(name, _)| !is_there(name)).collect();
    assert_eq!(missing, Vec::<&(String, String)>::new());
}

#[test]
fn each_test_that_the_threat_model_names_exists() {
    let named = named("docs/explanation/threat-model.md");
    assert!(named.len() > 50, "the tables are found: {named:?}");
    check(&named);
}

#[test]
fn each_history_that_broke_a_promise_has_a_test_that_exists() {
    let named = named("docs/explanation/proven.md");
    let recoveries = (1..=10).map(|number| format!("R{number}"));
    let all: BTreeSet<String> = recoveries.chain((1..=12).map(|number| format!("P{number}"))).collect();
    assert_eq!(named.iter().map(|(_, history)| history.clone()).collect::<BTreeSet<_>>(), all);
    check(&named);
}

#[test]
fn no_locked_package_is_older_than_the_end_of_its_known_hole() {
    const FIRST_SAFE: [(&str, [u64; 3]); 7] = [
        ("jsonwebtoken", [10, 3, 0]),
        ("tracing-subscriber", [0, 3, 20]),
        ("tokio-postgres", [0, 7, 18]),
        ("postgres-protocol", [0, 6, 12]),
        ("rustls-webpki", [0, 103, 13]),
        ("h2", [0, 4, 16]),
        ("hyper", [1, 0, 0]),
    ];
    let locked = read("Cargo.lock");
    for (name, first_safe) in FIRST_SAFE {
        let head = format!("name = \"{name}\"\nversion = \"");
        for version in locked.split(&head).skip(1).filter_map(|rest| rest.split('"').next()) {
            let numbers: Vec<u64> = version.split(['.', '-', '+']).filter_map(|part| part.parse().ok()).collect();
            assert!(numbers[..] >= first_safe[..], "{name} {version} is older than {first_safe:?}");
        }
    }
}
