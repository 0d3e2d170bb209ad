//! What stands in a path. A path that cannot be a sale's leads to none: that is a 404.

use flash_wire::key::check_sale;

use super::problem::{Kind, Problem};

/// The sale's id.
pub(crate) fn sale(part: &str) -> Result<&str, Problem> {
    check_sale(part).map_err(|invalid| Problem::new(Kind::UnknownSale, invalid.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_cannot_be_a_sale_s_leads_to_none() {
        assert_eq!(sale("drop-1"), Ok("drop-1"));
        for part in ["", "a%20b", "\u{eb}", &"a".repeat(65)] {
            assert_eq!(sale(part).unwrap_err().kind, Kind::UnknownSale, "{part}");
        }
    }
}
