//! Reference pages of the manual that are generated from the code. `UPDATE_DOCS=1 cargo test -p flash-tests --test it
//! -- reference` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::process::Command;

use flash_sale::Refusal;
use flash_tests::built;
use proc_macro2::TokenTree;
use syn::visit::Visit;

use crate::tidy::{parse, read, root, rust_files};

/// Compares a generated page with the committed one, or writes it.
fn check(page: &str, text: &str) {
    let page = root().join("docs/reference").join(page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&page, text).expect("writable");
    }
    let committed = fs::read_to_string(&page).unwrap_or_default();
    assert!(
        committed == text,
        "{} is out of date: UPDATE_DOCS=1 cargo test -p flash-tests --test it -- reference",
        page.display()
    );
}

fn help(words: &[&str]) -> String {
    let ran = Command::new(built("flash")).args(words).arg("--help").env_clear().output().expect("flash runs");
    let text = String::from_utf8(ran.stdout).expect("UTF-8");
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| line.starts_with("  "));
    let names = listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Every command and each within it, with its help.
fn helps() -> Vec<(String, String)> {
    let mut helps = vec![(String::new(), help(&[]))];
    let mut at = 0;
    while let Some((name, text)) = helps.get(at).cloned() {
        for inner in commands(&text) {
            let name = format!("{name} {inner}");
            let words: Vec<&str> = name.split_whitespace().collect();
            helps.push((name.clone(), help(&words)));
        }
        at += 1;
    }
    helps.sort();
    helps
}

#[test]
fn the_page_of_the_program_is_its_help() {
    let mut page =
        "# The program\n\n`flash --help`, and the help of each command. Generated from the code.\n".to_owned();
    for (name, text) in helps() {
        write!(page, "\n## flash{name}\n\n```text\n{}\n```\n", text.trim()).expect("into memory");
    }
    check("program.md", &page);
}

/// The options of a help, each with its lines.
fn options(help: &str) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for line in help.lines().skip_while(|line| *line != "Options:").skip(1) {
        let text = line.trim_start();
        let is_first = text.starts_with('-') && line.len() - text.len() <= 6;
        match options.last_mut() {
            Some(option) if !is_first => option.extend([line, "\n"]),
            _ => options.push(format!("{line}\n")),
        }
    }
    options
}

#[derive(Default)]
struct Setting {
    variable: String,
    default: String,
    meaning: String,
    commands: BTreeSet<String>,
}

#[test]
fn the_page_of_the_settings_lists_what_the_commands_take() {
    let mut settings: BTreeMap<String, Setting> = BTreeMap::new();
    for (command, text) in helps() {
        for option in options(&text) {
            let Some((_, after)) = option.split_once("--") else { continue };
            let is_of_name = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
            let name: String = after.chars().take_while(is_of_name).collect();
            let of = |key: &str| Some(option.split_once(key)?.1.split_once(']')?.0.trim_end_matches('=').to_owned());
            let Some(variable) = of("[env: ").filter(|variable| variable.starts_with("FLASH_")) else { continue };
            let meaning = option.lines().nth(1).unwrap_or_default().trim().to_owned();
            let setting = settings.entry(name).or_default();
            (setting.variable, setting.meaning) = (variable, meaning);
            setting.default = of("[default: ").unwrap_or_default();
            setting.commands.insert(if command.is_empty() { "all".to_owned() } else { command.trim().to_owned() });
        }
    }
    let mut page = format!(
        "# Settings\n\nEach setting is a flag, a variable and a key in the configuration file. A flag overrides the variable, the variable\n\
         overrides the file (`--config FILE`, `FLASH_CONFIG`), and the file overrides the default. {}\n\n\
         | setting | variable | default | commands | meaning |\n| --- | --- | --- | --- | --- |\n",
        "`flash config show --origin` prints\nwhere each value comes from. Generated from the code."
    );
    assert!(settings.len() > 20, "{} settings", settings.len());
    for (name, Setting { variable, default, meaning, commands }) in settings {
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        let commands: Vec<String> = commands.into_iter().collect();
        let (commands, meaning) = (commands.join(", "), meaning.replace('|', "\\|"));
        writeln!(page, "| `--{name}` | `{variable}` | {default} | {commands} | {meaning} |").expect("into memory");
    }
    check("settings.md", &page);
}

#[test]
fn the_page_of_the_problems_is_their_table() {
    let mut page =
        "# Problems\n\nThe `type` of an error is `/problems/` and one of these. Generated from the code.\n\n\
                    | type | status | title | meaning | send again? |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    let file = parse("gateway/src/http/problem/kind.rs", &read("gateway/src/http/problem/kind.rs"));
    let table = file.items.iter().find_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.is_ident("problems") => Some(item.mac.tokens.clone()),
        _ => None,
    });
    let tokens: Vec<TokenTree> = table.expect("the table of problems").into_iter().collect();
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ';');
    for row in tokens.split(is_end).filter(|row| !row.is_empty()) {
        let text = |at: usize| match syn::parse_str::<syn::LitStr>(&row[at].to_string()) {
            Ok(text) => text.value(),
            Err(_) => row[at].to_string(),
        };
        let again = match text(3).as_str() {
            "No" => "no",
            "Changed" => "after a correction",
            "Later" => "yes, later",
            "ToLearn" => "yes, to get the outcome",
            "Judged" => "after a check of the current state",
            other => panic!("{other} is a new kind of advice"),
        };
        let status = http_status(&text(2));
        writeln!(page, "| `{}` | {status} | {} | {} | {again} |", text(1), text(4), text(5)).expect("into memory");
    }
    check("problems.md", &page);
}

fn http_status(name: &str) -> u16 {
    match name {
        "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "PAYMENT_REQUIRED" => 402,
        "FORBIDDEN" => 403,
        "NOT_FOUND" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "REQUEST_TIMEOUT" => 408,
        "CONFLICT" => 409,
        "GONE" => 410,
        "PAYLOAD_TOO_LARGE" => 413,
        "UNSUPPORTED_MEDIA_TYPE" => 415,
        "MISDIRECTED_REQUEST" => 421,
        "UNPROCESSABLE_ENTITY" => 422,
        "TOO_MANY_REQUESTS" => 429,
        "INTERNAL_SERVER_ERROR" => 500,
        "SERVICE_UNAVAILABLE" => 503,
        "GATEWAY_TIMEOUT" => 504,
        other => panic!("{other} is a new status"),
    }
}

#[test]
fn the_page_of_the_commands_lists_every_refusal() {
    let mut table = "| code | answered by FLASH. | meaning |\n| --- | --- | --- |\n".to_owned();
    for row in Refusal::TABLE {
        writeln!(table, "| `{}` | {} | {} |", row.code, row.commands, row.meaning.trim()).expect("into memory");
    }
    assert!(read("docs/reference/commands.md").contains(&table), "the table of refusals should be:\n{table}");
}

/// Finds each call that writes a metric: its name, its kind and its help.
#[derive(Default)]
struct Metrics {
    found: BTreeMap<String, (String, String)>,
    help: String,
}

fn literal(expression: &syn::Expr) -> Option<String> {
    match expression {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Metrics {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(help) = local.init.as_ref().and_then(|init| literal(&init.expr)) {
            self.help = help;
        }
        syn::visit::visit_local(self, local);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let method = call.method.to_string();
        let kind = ["counter", "gauge", "histogram"].into_iter().find(|kind| method.starts_with(kind));
        let name = call
            .args
            .first()
            .and_then(literal)
            .filter(|name| name.starts_with("flash_") || name.starts_with("process_"));
        if let (Some(kind), Some(name)) = (kind, name) {
            let help = call.args.get(1).and_then(literal).unwrap_or_else(|| self.help.clone());
            self.found.insert(name, (kind.to_owned(), help));
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.ident != "tests" {
            syn::visit::visit_item_mod(self, module);
        }
    }
}

#[test]
fn the_page_of_the_metrics_lists_what_the_code_writes() {
    let mut metrics = Metrics::default();
    for (path, text) in rust_files() {
        metrics.visit_file(&parse(&path, &text));
    }
    assert!(metrics.found.len() > 20, "{:?}", metrics.found);
    let mut page = "# Metrics\n\nWhat `/metrics` has, by process: gateway, syncer, `flash audit --watch`. Generated from the code.\n\n\
                    | metric | kind | meaning |\n| --- | --- | --- |\n"
        .to_owned();
    for (name, (kind, help)) in metrics.found {
        writeln!(page, "| `{name}` | {kind} | {help} |").expect("into memory");
    }
    check("metrics.md", &page);
}

/// The constants of a file of limits, as rows of a table.
fn limits(text: &str) -> String {
    let (mut rows, mut doc) = (String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(said) = line.strip_prefix("/// ") {
            doc.push(said.trim());
            continue;
        }
        let constant = line.strip_prefix("pub const ").or_else(|| line.strip_prefix("pub(crate) const "));
        if let Some((name, rest)) = constant.and_then(|constant| constant.split_once(": ")) {
            let mut value = rest.split_once('=').map_or("", |(_, value)| value).trim().to_owned();
            while !value.ends_with(';') {
                let Some(more) = lines.next() else { break };
                value = format!("{value} {}", more.trim()).trim().to_owned();
            }
            let (value, doc) = (value.trim_end_matches(';'), doc.join(" ").replace('|', "\\|"));
            writeln!(rows, "| `{name}` | `{value}` | {doc} |").expect("into memory");
        }
        doc.clear();
    }
    rows
}

#[test]
fn the_page_of_the_limits_lists_the_constants() {
    let mut page = "# Limits\n\nEvery bound has a name with its unit. Generated from the code.\n".to_owned();
    for (path, text) in rust_files().into_iter().filter(|(path, _)| path.ends_with("/limits.rs")) {
        let rows = limits(&text);
        if !rows.is_empty() {
            write!(page, "\n## {path}\n\n| limit | value | meaning |\n| --- | --- | --- |\n{rows}")
                .expect("into memory");
        }
    }
    check("limits.md", &page);
}
