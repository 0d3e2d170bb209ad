//! What a payment service calls a payment or a refund, as a field of a body.

use std::borrow::Cow;

use flash_vault::{REFERENCE_BYTES_MAX, check_reference};

use super::super::fields::Field;
use super::super::problem::FieldError;

/// Reads a reference: 1 to [`REFERENCE_BYTES_MAX`] bytes, with no character that nobody sees, and no space at an end.
///
/// # Errors
/// Names the field and its rule.
pub(crate) fn reference<'a>(field: Field<'a>) -> Result<Cow<'a, str>, FieldError> {
    let reference = field.required()?.name(REFERENCE_BYTES_MAX)?;
    check_reference(&reference).map_err(|rule| field.refused(rule))?;
    Ok(reference)
}
