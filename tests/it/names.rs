//! A name of a type means one thing in its package.

use std::collections::BTreeMap;

use syn::{Item, Visibility};

use crate::tidy::{is_test, parse, rust_files};

/// Names that have two meanings still: a package leaves the list when it has none; no name joins it.
const ALLOWED: [(&str, &[&str]); 2] = [
    ("cli", &["Line", "Report", "Stack", "Syncer", "Told", "Urls"]),
    // The commands of a sale and those of a throttle, by the trait that both have.
    ("module", &["ApplyCommand", "LoadCommand"]),
];

/// What the names of a file's types are compared in: its package, or its program where a package has several.
fn home(path: &str) -> Option<&str> {
    let (package, within) = path.split_once("/src/")?;
    let program = within.strip_prefix("bin/").and_then(|within| within.split('/').next());
    Some(program.map_or(package, |program| &path[..package.len() + "/src/bin/".len() + program.len()]))
}

/// The name of a type that other files of its package can see.
fn visible_type(item: &Item) -> Option<String> {
    let (name, visibility) = match item {
        Item::Struct(of) => (&of.ident, &of.vis),
        Item::Enum(of) => (&of.ident, &of.vis),
        Item::Trait(of) => (&of.ident, &of.vis),
        Item::Type(of) => (&of.ident, &of.vis),
        _ => return None,
    };
    (!matches!(visibility, Visibility::Inherited)).then(|| name.to_string())
}

#[test]
fn a_visible_type_has_its_name_alone_in_its_package() {
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (path, text) in rust_files() {
        let Some(package) = home(&path).filter(|_| !is_test(&path)) else { continue };
        for name in parse(&path, &text).items.iter().filter_map(visible_type) {
            places.entry((package.to_owned(), name)).or_default().push(path.clone());
        }
    }
    let shared = places.iter().filter(|(_, files)| files.len() > 1).map(|((package, name), files)| {
        let is_allowed = ALLOWED.iter().any(|(of, names)| of == package && names.contains(&name.as_str()));
        (is_allowed, format!("{package}: {name} in {}", files.join(", ")))
    });
    let (allowed, breaches): (Vec<_>, Vec<_>) = shared.partition(|(is_allowed, _)| *is_allowed);
    assert!(breaches.is_empty(), "types of one package share a name: {breaches:#?}");
    let listed: usize = ALLOWED.iter().map(|(_, names)| names.len()).sum();
    assert_eq!(allowed.len(), listed, "a name on the list has one meaning now: take it off");
}
