//! What people and shops may call things: buyers, products, SKUs, holders of keys, payments' references.
//!
//! Two names that look alike must be one name, and a name must survive a URL and a log. So this rule is for what is
//! made anew; what was accepted before is read by the rule of [`flash_sale::invalid::name`], which bounds its bytes.

use std::borrow::Cow;

use flash_sale::Invalid;
use flash_sale::invalid;

/// A name that keeps the rule: 1 to so many bytes of UTF-8, without control characters and characters that cannot be
/// seen, without white space at its ends, and no dot segment of a path (`.` and `..`, also percent-encoded).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a>(Cow<'a, str>);

impl<'a> Name<'a> {
    /// A name of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// Names the field and the rule that it broke.
    pub fn new(field: &'static str, text: impl Into<Cow<'a, str>>, bytes_max: usize) -> Result<Self, Invalid> {
        let text = text.into();
        invalid::name(field, text.as_bytes(), bytes_max)?;
        match broken(&text) {
            Some(rule) => Err(Invalid::new(field, rule)),
            None => Ok(Self(text)),
        }
    }

    /// The name itself.
    #[must_use]
    pub fn into_inner(self) -> Cow<'a, str> {
        self.0
    }
}

/// The rule that a name breaks.
fn broken(name: &str) -> Option<&'static str> {
    if !name.is_ascii() && name.chars().any(is_unseen) {
        return Some("must not contain characters that cannot be seen (format characters, fillers, line separators)");
    }
    if name.trim() != name {
        return Some("must not begin or end with white space");
    }
    is_dot_segment(name).then_some("must not be a dot segment of a path: . or .., also percent-encoded")
}

/// Whether a URL's parser takes a name out of a path (WHATWG URL, RFC 3986 5.2.4).
pub(crate) fn is_dot_segment(name: &str) -> bool {
    let plain = name.replace("%2e", ".").replace("%2E", ".");
    plain == "." || plain == ".."
}

/// Unicode 16: the characters of the category Cf, those that are ignored where they are shown
/// (`Default_Ignorable_Code_Point`), and separators of lines.
const UNSEEN: [(char, char); 29] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{10fffe}', '\u{10ffff}'),
];

fn is_unseen(character: char) -> bool {
    UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, want: Option<&str>) {
        let got = Name::new("buyer", name, 64).map(|name| name.into_inner().into_owned());
        match (&got, want) {
            (Ok(same), None) => assert_eq!(same, name),
            (Err(invalid), Some(rule)) => assert!(invalid.rule.contains(rule), "{name:?}: {invalid}"),
            _ => panic!("{name:?}: {got:?}"),
        }
    }

    #[test]
    fn names_of_all_languages_are_names() {
        for name in [
            "ada",
            "auth0|ada@b.c",
            "Zo\u{eb}",
            "50% off?/#",
            "a b",
            "a\u{a0}b",
            "...",
            ".a",
            "a..",
            "%2",
            "%2f",
            "\u{674e}\u{5c0f}\u{9f99}",
            "\u{915}\u{94d}\u{937}",
            "\u{5d0}\u{5d1}",
            "\u{1f600}",
            "-",
            "0",
        ] {
            check(name, None);
        }
    }

    #[test]
    fn what_cannot_be_seen_or_does_not_survive_a_url_is_no_name() {
        check("", Some("1 to 64 bytes"));
        check(&"a".repeat(65), Some("1 to 64 bytes"));
        for control in ["a\0", "\n", "a\tb", "\u{7f}", "\u{85}"] {
            check(control, Some("control"));
        }
        for unseen in [
            "\u{ad}",
            "\u{200b}",
            "\u{200d}",
            "\u{200e}",
            "\u{202e}",
            "\u{2066}",
            "\u{feff}",
            "\u{2028}",
            "\u{180e}",
            "\u{3164}",
            "\u{115f}",
            "\u{fe0f}",
            "\u{e0041}",
            "\u{e0100}",
            "\u{61c}",
            "\u{fffb}",
            "\u{1d173}",
            "\u{34f}",
        ] {
            for name in [format!("ada{unseen}"), format!("a{unseen}da"), format!("{unseen}ada"), unseen.to_owned()] {
                check(&name, Some("cannot be seen"));
            }
        }
        for spaced in [" ada", "ada ", " ", "\u{a0}ada", "ada\u{3000}", "ada\u{2003}"] {
            check(spaced, Some("white space"));
        }
        for dots in [".", "..", "%2e", "%2E", ".%2e", "%2e.", "%2E%2e"] {
            check(dots, Some("dot segment"));
        }
    }
}
