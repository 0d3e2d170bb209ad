//! The API told: the OpenAPI document, the same as a page, and what each problem means.
//!
//! All of it is made from the one table of routes and the one table of problems, once. What several routes share, as
//! parameters and headers, is in the JSON beside this file.

mod components;
mod document;
mod explained;
mod html;
mod limits;
mod page;
mod problems;
mod webhooks;

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::Value;

use crate::http::Surface;

pub(crate) use self::explained::{Explained, explain, explain_page};
pub(crate) use self::html::POLICY;

/// What a listener tells of itself.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// The OpenAPI document.
    pub(crate) document: Bytes,
    /// The same as a page.
    pub(crate) page: Bytes,
}

/// What a listener tells of itself; it is made once.
pub(crate) fn of(surface: Surface) -> &'static Spoken {
    static BUYERS: LazyLock<Spoken> = LazyLock::new(|| Spoken::of(Surface::Buyers));
    static WHOLE: LazyLock<Spoken> = LazyLock::new(|| Spoken::of(Surface::Whole));
    static DEVTOOLS: LazyLock<Spoken> = LazyLock::new(|| Spoken::of(Surface::Devtools));
    match surface {
        Surface::Buyers => &BUYERS,
        Surface::Whole => &WHOLE,
        Surface::Devtools => &DEVTOOLS,
    }
}

impl Spoken {
    fn of(surface: Surface) -> Self {
        // All pieces are of this program: a test reads them, and nothing here can fail.
        let document: Value = document::of(surface).unwrap_or_default();
        Self { document: serde_json::to_vec(&document).unwrap_or_default().into(), page: page::of(&document).into() }
    }
}

#[cfg(test)]
mod tests;
