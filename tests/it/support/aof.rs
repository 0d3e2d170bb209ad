//! The append-only file: what a server has written down, command by command.

use std::fs;
use std::path::{Path, PathBuf};

/// The file to which a server in `dir` appends.
///
/// # Panics
/// When there is not exactly one: the server has no AOF, or is rewriting it.
pub(crate) fn file(dir: &Path) -> PathBuf {
    let entries = fs::read_dir(dir.join("appendonlydir")).expect("the AOF is on");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let files: Vec<PathBuf> = paths.filter(|path| path.to_string_lossy().ends_with(".incr.aof")).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    file.clone()
}

/// The commands in the AOF of a server in `dir`, each as its words.
pub(crate) fn commands(dir: &Path) -> Vec<Vec<Vec<u8>>> {
    parse(&fs::read(file(dir)).expect("it is there"))
}

/// The commands in the bytes of an AOF.
pub(crate) fn parse(mut left: &[u8]) -> Vec<Vec<Vec<u8>>> {
    std::iter::from_fn(|| (!left.is_empty()).then(|| take_command(&mut left))).collect()
}

/// The names of those commands, but for the choice of a database.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let names = commands(dir).into_iter().map(|words| String::from_utf8_lossy(&words[0]).into_owned());
    names.filter(|name| name != "SELECT").collect()
}

fn take_command(left: &mut &[u8]) -> Vec<Vec<u8>> {
    let words = take_length(left, b'*');
    (0..words).map(|_| take_word(left)).collect()
}

fn take_word(left: &mut &[u8]) -> Vec<u8> {
    let length = take_length(left, b'$');
    let (word, rest) = left.split_at(length);
    *left = rest.strip_prefix(b"\r\n").expect("a word's end");
    word.to_vec()
}

fn take_length(left: &mut &[u8], mark: u8) -> usize {
    let end = left.windows(2).position(|two| two == b"\r\n").expect("a line's end");
    let (line, rest) = left.split_at(end);
    *left = &rest[2..];
    let (first, digits) = line.split_first().expect("a mark");
    assert_eq!(*first, mark);
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).expect("a length")
}
