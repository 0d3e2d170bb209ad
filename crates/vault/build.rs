//! The migrations are compiled in: a new file among them must reach the program.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
