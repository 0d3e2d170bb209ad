//! Every console session of the manual runs against real servers and prints what the page shows.
//!
//! In a block of the language `console`, a line that begins with `$ ` is a command. The lines after it are its output.
//! In an output, `…` matches any text, and `<name>` matches one value. Later on the page, in commands as well, `<name>`
//! is that value.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flash_tests::built;

use crate::support::redis::Server;
use crate::support::world::World;
use crate::tidy::root;

/// The page whose Redis has the module and no gateway.
const WITHOUT_GATEWAY: &str = "tutorial/redis-cli.md";
/// Where the examples expect the gateway.
const GATEWAY: &str = "localhost:8080";

/// The values that a page has named.
type Names = BTreeMap<String, String>;

struct Step {
    command: String,
    output: String,
}

/// Every page of the manual, and the README.
fn pages() -> Vec<PathBuf> {
    let docs = root().join("docs");
    let folders = ["", "tutorial", "how-to", "reference", "explanation"].map(|folder| docs.join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder of the manual"));
    let mut pages: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    pages.push(root().join("README.md"));
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_console = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
            continue;
        }
        match line.strip_prefix("$ ") {
            _ if !is_console => {}
            Some(command) => steps.push(Step { command: command.to_owned(), output: String::new() }),
            None => {
                let step = steps.last_mut().expect("a session begins with a command");
                step.output.push_str(line);
                step.output.push('\n');
            }
        }
    }
    steps
}

/// The name and the rest, if `text` begins with `<name>`.
fn named(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_name = name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-') && !name.is_empty();
    is_name.then_some((name, rest))
}

/// Whether `text` is as `pattern` says. Adds the values of new names.
fn matches(pattern: &str, text: &str, names: &mut Names) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    if let Some(rest) = pattern.strip_prefix('…') {
        let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        return ends.into_iter().any(|at| {
            let mut tried = names.clone();
            let is_match = matches(rest, &text[at..], &mut tried);
            if is_match {
                *names = tried;
            }
            is_match
        });
    }
    if let Some((name, rest)) = named(pattern) {
        let is_of_value = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let end = text.find(|letter| !is_of_value(letter)).unwrap_or(text.len());
        let value = names.entry(name.to_owned()).or_insert_with(|| text[..end].to_owned()).clone();
        return !value.is_empty() && text.strip_prefix(&value).is_some_and(|text| matches(rest, text, names));
    }
    text.strip_prefix(first).is_some_and(|text| matches(&pattern[first.len_utf8()..], text, names))
}

/// The shell that a page's commands run in.
struct Shell {
    prelude: String,
    environment: Vec<(&'static str, String)>,
    gateway: String,
}

impl Shell {
    fn new(redis_port: u16, gateway: String, environment: Vec<(&'static str, String)>) -> Self {
        let prelude = format!(
            "curl() {{ command curl --silent \"$@\"; }}\n\
             redis-cli() {{ command redis-cli --no-raw -p {redis_port} \"$@\"; }}\n\
             flash() {{ {:?} \"$@\"; }}\n",
            built("flash")
        );
        Self { prelude, environment, gateway }
    }

    fn run(&self, command: &str) -> String {
        let script = format!("{}{}", self.prelude, command.replace(GATEWAY, &self.gateway));
        let environment = self.environment.iter().map(|(name, value)| (*name, value.as_str()));
        let ran = Command::new("bash").arg("-c").arg(script).envs(environment).output().expect("bash runs");
        String::from_utf8(ran.stdout).expect("UTF-8") + &String::from_utf8_lossy(&ran.stderr)
    }
}

fn check(page: &Path, steps: &[Step], shell: &Shell) {
    let mut names = Names::new();
    for step in steps {
        let known = |text: &str| {
            names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("<{name}>"), value))
        };
        let command = known(&step.command);
        let printed = shell.run(&command);
        let is_match = matches(step.output.trim(), printed.trim(), &mut names);
        assert!(is_match, "{}\n$ {command}\nprints\n{printed}\nnot\n{}", page.display(), step.output);
    }
}

/// The targets of a page's links to files, without their fragments.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.filter_map(|target| target.split('#').next())
}

#[test]
fn every_link_of_the_manual_leads_to_a_file_and_the_summary_lists_every_page() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("the summary");
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for link in links(&text) {
            let target = page.parent().expect("a folder").join(link);
            assert!(target.exists(), "{}: {link} is not there", page.display());
        }
        let Ok(name) = page.strip_prefix(&docs) else { continue };
        let name = name.to_str().expect("UTF-8");
        assert!(name == "SUMMARY.md" || links(&summary).any(|link| link == name), "the summary lacks {name}");
    }
}

#[test]
fn the_readme_and_the_architecture_are_short() {
    for (page, bytes_max) in [("README.md", 8 * 1024), ("ARCHITECTURE.md", 12 * 1024)] {
        let bytes = fs::metadata(root().join(page)).expect("a page").len();
        assert!(bytes <= bytes_max, "{page} has {bytes} bytes, of at most {bytes_max}");
    }
}

#[test]
fn every_console_session_of_the_manual_prints_what_the_page_shows() {
    let mut ran = 0;
    for page in pages() {
        let steps = steps(&fs::read_to_string(&page).expect("a page"));
        if steps.is_empty() {
            continue;
        }
        ran += steps.len();
        if page.ends_with(WITHOUT_GATEWAY) {
            let server = Server::start();
            check(&page, &steps, &Shell::new(server.redis.server.port(), String::new(), Vec::new()));
            continue;
        }
        let world = World::start();
        let shell =
            Shell::new(world.redis.redis.server.port(), world.address.to_string(), world.environment().to_vec());
        check(&page, &steps, &shell);
    }
    assert!(ran > 15, "{ran} commands ran");
}

#[test]
fn a_pattern_matches_what_it_describes() {
    let check = |pattern: &str, text: &str, want: bool| {
        assert_eq!(matches(pattern, text, &mut Names::new()), want, "{pattern} {text}");
    };
    check("a", "a", true);
    check("a", "ab", false);
    check("a…", "ab", true);
    check("…\"b\":<n>…", "{\"b\":12}", true);
    check("<n> <n>", "12 12", true);
    check("<n> <n>", "12 13", false);
    check("…<n>}", "a7}", true);
    check("<n>", "", false);
}
