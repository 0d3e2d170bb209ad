//! Plain English in everything that a person reads: comments, messages, names of tests, settings, pages. The check
//! finds words that make a text hard to read, and Rust lines that are too wide for two files side by side.

use std::fs;
use std::process::Command;

use crate::tidy::root;

/// Words and phrases with better alternatives: "who" or "anyone who", "from where", "no one", "gets" or "reports",
/// "is written", "they", "overrides", "after" (never "behind" for later in time or in a sequence), "anyway".
const BANNED: [&str; 16] = [
    "whoever",
    "whomever",
    "whence",
    "nobody",
    "is told",
    "are told",
    "was told",
    "were told",
    "be told",
    "stands",
    "he",
    "his",
    "him",
    "goes before",
    "behind",
    "all the same",
];
/// Real places, things that are left over, and lag.
const ALLOWED: [&str; 24] = [
    "behind nginx",
    "behind a proxy",
    "behind the proxy",
    "behind a load balancer",
    "behind a reverse proxy",
    "leaves behind",
    "leave behind",
    "left behind",
    "nothing behind",
    "process behind",
    "is behind",
    "are behind",
    "was behind",
    "redis behind",
    "far behind",
    "fall behind",
    "falls behind",
    "fell behind",
    "lags behind",
    "events behind",
    "behind since",
    "kind behind",
    "self behind",
    "behind behind",
];
/// The width of `rustfmt.toml`. rustfmt leaves long comments and strings alone.
const COLUMNS_MAX: usize = 120;
/// Directories and files that are not converted yet, with the most banned words and the most wide lines that they may
/// have. The figures only shrink. A path that is not listed, or that is converted, has none.
const UNCONVERTED: [(&str, usize, usize); 20] = [
    ("benches", 24, 6),
    ("cli", 0, 2),
    ("crates/audit", 1, 0),
    ("crates/broker", 0, 1),
    ("crates/client", 0, 3),
    ("crates/explore", 12, 3),
    ("crates/plan", 9, 0),
    ("crates/sale", 1, 1),
    ("crates/servers", 11, 0),
    ("crates/sim", 1, 0),
    ("crates/throttle", 0, 1),
    ("crates/transport", 1, 0),
    ("crates/vault", 8, 8),
    ("crates/webhooks", 0, 1),
    ("crates/wire", 4, 3),
    ("deploy", 2, 0),
    ("gateway", 0, 7),
    ("module", 1, 2),
    ("syncer", 0, 1),
    ("tests", 76, 22),
];
/// Text that is not ours, that a program makes, or that may not change: applied migrations are verified by checksum.
const EXEMPT: [&str; 13] = [
    "LICENSE",
    // It quotes the words that the check finds.
    "CONTRIBUTING.md",
    // It is generated from comments, which are checked themselves.
    "docs/reference/limits.md",
    "Cargo.lock",
    "fuzz/Cargo.lock",
    "fuzz/corpus/",
    "console/dist/",
    "console/package-lock.json",
    "benches/src/bin/gateway/node/package-lock.json",
    "migrations/",
    "tests/it/fixtures/",
    "crates/sale/tests/proptest-regressions/",
    "tests/it/english.rs",
];

/// A word in lower case, and its line.
type Word = (String, usize);

/// Underscores separate words, so that names of functions count. So do line ends and the signs of comments, so that a
/// phrase is found where it wraps.
fn words(text: &str) -> Vec<Word> {
    let of_line = |(line, text): (usize, &str)| {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(|word| (word.to_lowercase(), line + 1)).collect::<Vec<_>>()
    };
    text.lines().enumerate().flat_map(of_line).collect()
}

/// Where `phrase` starts in `words`.
fn starts(words: &[Word], phrase: &str) -> Vec<usize> {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let fits = |window: &[Word]| window.iter().map(|(word, _)| word).eq(&phrase);
    words.windows(phrase.len()).enumerate().filter(|(_, window)| fits(window)).map(|(at, _)| at).collect()
}

/// The banned words of a text, each with its line.
fn banned(text: &str) -> Vec<(usize, &'static str)> {
    let words = words(text);
    let allowed: Vec<_> =
        ALLOWED.iter().flat_map(|phrase| starts(&words, phrase).into_iter().flat_map(|at| [at, at + 1])).collect();
    let found = BANNED.iter().flat_map(|phrase| starts(&words, phrase).into_iter().map(move |at| (at, *phrase)));
    let mut found: Vec<_> =
        found.filter(|(at, _)| !allowed.contains(at)).map(|(at, phrase)| (words[at].1, phrase)).collect();
    found.sort_unstable();
    found
}

fn wide(path: &str, text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.chars().count() > COLUMNS_MAX);
    if path.ends_with(".rs") { lines.map(|(line, _)| line + 1).collect() } else { Vec::new() }
}

/// Every text file that git knows, by its path from the root.
fn texts() -> Vec<(String, String)> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git");
    let paths = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let paths = paths.split_terminator('\0').filter(|path| !EXEMPT.iter().any(|exempt| path.starts_with(exempt)));
    paths.filter_map(|path| Some((path.to_owned(), fs::read_to_string(root().join(path)).ok()?))).collect()
}

/// The listed path that `path` belongs to: the longest.
fn unconverted(path: &str) -> Option<usize> {
    let holds = |listed: &str| path == listed || path.strip_prefix(listed).is_some_and(|rest| rest.starts_with('/'));
    let listed = UNCONVERTED.iter().enumerate().filter(|(_, (listed, ..))| holds(listed));
    listed.max_by_key(|(_, (listed, ..))| listed.len()).map(|(at, _)| at)
}

#[test]
fn texts_are_plain_english_in_short_lines() {
    let texts = texts();
    assert!(texts.len() > 500, "git lists the sources");
    let mut found = vec![(0, 0); UNCONVERTED.len()];
    let mut breaches = Vec::new();
    for (path, text) in texts {
        let (banned, wide) = (banned(&text), wide(&path, &text));
        if let Some(at) = unconverted(&path) {
            found[at].0 += banned.len();
            found[at].1 += wide.len();
            continue;
        }
        breaches.extend(banned.into_iter().map(|(line, phrase)| format!("{path}:{line}: \"{phrase}\"")));
        breaches.extend(wide.into_iter().map(|line| format!("{path}:{line}: over {COLUMNS_MAX} columns")));
    }
    for ((path, words_max, wide_max), (words, wide)) in UNCONVERTED.iter().zip(found) {
        if words > *words_max || wide > *wide_max {
            breaches
                .push(format!("{path}: {words} banned words and {wide} wide lines, over {words_max} and {wide_max}"));
        }
    }
    assert!(breaches.is_empty(), "texts are plain English (see CONTRIBUTING.md)\n  {}", breaches.join("\n  "));
}

#[test]
fn banned_words_are_found_in_names_and_across_lines() {
    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        assert_eq!(banned(text), expected, "{text}");
    }
    check("fn whoever_asks_gets_an_answer()", &[(1, "whoever")]);
    check("/// what a buyer is\n/// told", &[(1, "is told")]);
    check("He pays. // His order", &[(1, "he"), (1, "his")]);
    check("the events behind it", &[]);
    check("a key behind `seq`, and a gateway behind nginx", &[(1, "behind")]);
    check("Kind::Behind => RedisBehind", &[]);
    check("the other, thistle, withstands", &[]);
}
