//! What the README lists is what the code has.

use std::fmt::Write;

use flash_sale::Refusal;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_lists_every_refusal() {
    let mut table = "| code | answered by FLASH. | meaning |\n| --- | --- | --- |\n".to_owned();
    for row in Refusal::TABLE {
        let commands = row.commands;
        writeln!(table, "| `{}` | {commands} | {} |", row.code, row.meaning.trim()).expect("into memory");
    }
    assert!(README.contains(&table), "the README's table of refusals should be:\n{table}");
}
