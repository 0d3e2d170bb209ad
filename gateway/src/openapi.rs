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

use std::io::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::http::Surface;

pub(crate) use self::explained::{Explained, explain, explain_page};
pub(crate) use self::html::POLICY;

/// What a listener tells of itself.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// The OpenAPI document.
    pub(crate) document: Bytes,
    /// The same, compressed.
    pub(crate) gzip: Bytes,
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
        let (page, document) = (page::of(&document).into(), serde_json::to_vec(&document).unwrap_or_default());
        Self { gzip: gzip(&document).into(), document: document.into(), page }
    }
}

/// Compresses into memory, where nothing can fail.
fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests;
