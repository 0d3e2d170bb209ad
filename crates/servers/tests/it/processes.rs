//! Which processes belong to a server, found without its help.

use std::fs;
use std::path::{Path, PathBuf};

/// The processes that work in the directory, below it, or on a file there: each as `pid name`. A server, its children
/// and theirs all do. Zombies do not show: they work nowhere.
pub(crate) fn working_in(dir: &Path) -> Vec<String> {
    let dir = dir.canonicalize().unwrap();
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    processes
        .filter(|process| is_number(process))
        .filter(|process| {
            let links = ["cwd", "fd/0", "fd/1"].map(|name| process.join(name));
            links.iter().any(|link| fs::read_link(link).is_ok_and(|target| target.starts_with(&dir)))
        })
        .map(describe)
        .collect()
}

fn is_number(process: &Path) -> bool {
    process.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok())
}

fn describe(process: PathBuf) -> String {
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    format!("{} {}", process.file_name().unwrap().to_string_lossy(), name.trim())
}

/// The local addresses, in /proc's hexadecimal, on which the processes of a directory listen.
pub(crate) fn listening_addresses(dir: &Path) -> Vec<String> {
    let sockets: Vec<String> = working_in(dir).iter().flat_map(|process| sockets_of(process)).collect();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    rows.filter_map(|row| {
        // sl, local address:port, remote address:port, state (0A: listening), …, inode as the tenth.
        let fields: Vec<&str> = row.split_whitespace().collect();
        let inode = format!("socket:[{}]", fields[9]);
        let address = fields[1].split(':').next().unwrap();
        (fields[3] == "0A" && sockets.contains(&inode)).then(|| address.to_owned())
    })
    .collect()
}

fn sockets_of(process: &str) -> Vec<String> {
    let pid = process.split(' ').next().unwrap();
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    files.filter_map(|file| Some(fs::read_link(file.ok()?.path()).ok()?.to_string_lossy().into_owned())).collect()
}

/// Asserts that the server can be reached from this machine only.
pub(crate) fn assert_on_loopback_only(dir: &Path, listeners: usize) {
    assert_eq!(listening_addresses(dir), vec!["0100007F"; listeners], "addresses of {}", dir.display());
}
