//! What stands in a path. A path that cannot be a sale's or a reservation's leads to none: that is a 404.

use flash_wire::invalid::in_range;
use flash_wire::key::check_sale;
use flash_wire::limits::SEQ_MAX;

use super::problem::{Kind, Problem};

/// The sale's id.
pub(crate) fn sale(part: &str) -> Result<&str, Problem> {
    check_sale(part).map_err(|invalid| Problem::new(Kind::UnknownSale, invalid.to_string()))
}

/// The reservation's id.
pub(crate) fn id(part: &str) -> Result<u64, Problem> {
    let id = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten().unwrap_or(0);
    in_range("id", id, 1, SEQ_MAX).map_err(|invalid| Problem::new(Kind::UnknownReservation, invalid.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(part: &str, want: Option<u64>) {
        assert_eq!(id(part).map_err(|problem| problem.kind), want.ok_or(Kind::UnknownReservation), "{part}");
    }

    #[test]
    fn an_id_is_a_number_that_a_reservation_can_have() {
        check("1", Some(1));
        check("1099511627775", Some(SEQ_MAX));
        for part in ["", "0", "-1", "+1", "1.0", "abc", "1099511627776", "99999999999999999999"] {
            check(part, None);
        }
    }

    #[test]
    fn a_path_that_cannot_be_a_sale_s_leads_to_none() {
        assert_eq!(sale("drop-1"), Ok("drop-1"));
        for part in ["", "a%20b", "\u{eb}", &"a".repeat(65)] {
            assert_eq!(sale(part).unwrap_err().kind, Kind::UnknownSale, "{part}");
        }
    }
}
