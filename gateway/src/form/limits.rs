//! Every bound of a form, in one place, each with its unit in its name.

/// A schema's text.
pub(crate) const FORM_BYTES_MAX: usize = 8 * 1024;
/// How deep a schema may go, with each `$ref` replaced by its target. One that refers to itself has no end.
pub(super) const DEPTH_LEVELS_MAX: usize = 32;
/// JSON values in a schema, with each `$ref` replaced by its target.
pub(super) const VALUES_MAX: usize = 4_096;
/// Patterns in it, counted likewise.
pub(super) const PATTERNS_MAX: usize = 32;
/// A pattern, compiled, and as much again for the states that it is in while it matches.
pub(super) const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// Broken rules that one answer tells.
pub(crate) const ERRORS_MAX: usize = 32;
/// What it tells of each.
pub(super) const DETAIL_CHARS_MAX: usize = 256;
/// Steps of one check: beyond it the data is refused. A step is a part of the schema with a part of the data, some 50
/// ns.
pub(crate) const CHECK_STEPS_MAX: u64 = 1_000_000;
/// Steps up to which an answer says where the data breaks the form: to say so costs some 400 ns and 80 bytes a step.
pub(super) const EXPLAINED_STEPS_MAX: u64 = 200_000;
/// Steps up to which a thread that serves HTTP makes the check itself: half a millisecond of its time at most.
pub(super) const QUICK_STEPS_MAX: u64 = 1_000;
/// What a byte of a text costs for each pattern that it is matched with.
pub(super) const PATTERN_STEPS_PER_BYTE: u64 = 8;
/// Where only the length or the equality of a text counts, a step looks at so many bytes of it.
pub(super) const TEXT_BYTES_PER_STEP: u64 = 64;
/// What it costs to tell a value of a list from all others in it.
pub(super) const UNIQUE_STEPS_PER_VALUE: u64 = 4;
