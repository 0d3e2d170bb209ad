//! Every bound of a form, in one place, each with its unit in its name.

/// A schema's text.
pub(crate) const FORM_BYTES_MAX: usize = 8 * 1024;
/// How deep a schema may go, where each `$ref` stands for what it names. One that refers to itself has no end.
pub(super) const DEPTH_LEVELS_MAX: usize = 32;
/// JSON values in a schema, where each `$ref` stands for what it names.
pub(super) const VALUES_MAX: usize = 4_096;
/// Patterns in it, counted likewise.
pub(super) const PATTERNS_MAX: usize = 32;
/// A pattern, compiled, and as much again for the states that it is in while it matches.
pub(super) const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// Broken rules that one answer tells.
pub(crate) const ERRORS_MAX: usize = 32;
/// What it tells of each.
pub(super) const DETAIL_CHARS_MAX: usize = 256;
