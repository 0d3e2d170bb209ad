//! What the areas of the doctor give: checks, and what each part says it is.

use std::pin::Pin;

use anyhow::Result;
use flash_transport::Finding;
use serde::Serialize;

/// One check of an area.
pub(crate) type Check<S> = (&'static str, for<'a> fn(&'a S) -> Checking<'a>);
/// It finds something, or could not ask.
pub(crate) type Checking<'a> = Pin<Box<dyn Future<Output = Result<Finding>> + Send + 'a>>;

/// What a part of the whole says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Which part.
    pub name: &'static str,
    /// Its version, in its own words.
    pub version: String,
}
