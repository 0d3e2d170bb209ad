//! What is printed on stdout.

use serde::Serialize;

/// Prints one line of JSON. (A reader that has gone away is no reason to stop.)
pub(crate) fn json(value: &impl Serialize) {
    use std::io::Write;
    if let Ok(line) = serde_json::to_string(value) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// Prints lines as they are.
pub(crate) fn text(lines: &str) {
    use std::io::Write;
    let _ = write!(std::io::stdout(), "{lines}");
}

/// Prints names and values in two columns.
pub(crate) fn table(rows: &[(&str, String)]) {
    use std::io::Write;
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        let _ = writeln!(std::io::stdout(), "{name:width$}  {value}");
    }
}
