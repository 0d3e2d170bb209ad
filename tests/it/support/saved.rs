//! Bytes of sales that releases have saved: what the fixtures hold, without what Redis puts around it.

use std::fs;
use std::path::{Path, PathBuf};

use super::aof;

/// The folder of each version that there are fixtures of.
pub(crate) fn versions() -> Vec<PathBuf> {
    let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("it/fixtures")).expect("fixtures");
    let folders: Vec<PathBuf> = folders.map(|entry| entry.expect("readable").path()).collect();
    assert!(folders.iter().any(|folder| folder.ends_with("v1")), "{folders:?}");
    folders
}

/// Whole sales.
pub(crate) fn sales() -> Vec<Vec<u8>> {
    payloads("rewritten.aof", b"FLASH.LOAD")
}

/// Events.
pub(crate) fn events() -> Vec<Vec<u8>> {
    payloads("events.aof", b"FLASH.APPLY")
}

fn payloads(file: &str, command: &[u8]) -> Vec<Vec<u8>> {
    let commands = versions().into_iter().flat_map(|folder| {
        let bytes = fs::read(folder.join(file)).expect("it is there");
        aof::parse(&bytes)
    });
    commands.filter(|words| words[0] == command).map(|mut words| words.remove(2)).collect()
}
