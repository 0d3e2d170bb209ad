//! What a payment service calls a payment or a refund.
//!
//! Two references that look alike would be two payments: so a reference has no characters that nobody sees.

use std::ops::RangeInclusive;

/// Bytes of a reference.
pub const REFERENCE_BYTES_MAX: usize = 256;

/// Characters of the categories Cf, Zl and Zp, and others that show nothing (Unicode 16, DerivedCoreProperties:
/// Default_Ignorable_Code_Point), private ones and those that are none.
const UNSEEN: [RangeInclusive<char>; 31] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{e000}'..='\u{f8ff}',
    '\u{fdd0}'..='\u{fdef}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{fffe}'..='\u{ffff}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
    '\u{f0000}'..='\u{ffffd}',
    '\u{100000}'..='\u{10ffff}',
];

/// Whether a text may be a reference: 1 to [`REFERENCE_BYTES_MAX`] bytes, with no character that nobody sees, and no space
/// at an end.
///
/// # Errors
/// The rule that it breaks.
pub fn check_reference(reference: &str) -> Result<(), &'static str> {
    if !(1..=REFERENCE_BYTES_MAX).contains(&reference.len()) {
        return Err("must be 1 to 256 bytes");
    }
    if reference.chars().any(is_unseen) {
        return Err("must not contain control characters, format characters, or others that nobody sees");
    }
    if reference.trim() != reference {
        return Err("must not begin or end with a space");
    }
    Ok(())
}

fn is_unseen(character: char) -> bool {
    // Spaces are told apart from other spaces by nobody.
    let is_odd_space = character.is_whitespace() && character != ' ';
    character.is_control() || is_odd_space || UNSEEN.iter().any(|range| range.contains(&character))
}
