//! The program `flash`.
fn main() {}
