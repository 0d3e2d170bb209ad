//! What buyers were answered, and whether it is true in the end.

use std::collections::BTreeMap;

use crate::support::http::{Answer, Http};
use crate::support::redis::status;
use crate::support::wait;
use crate::support::world::World;

use super::sale::{KEY, PATH, look};

/// Every reservation that was given, in the order of the answers.
#[derive(Default)]
pub(super) struct Ledger {
    given: Vec<(String, u64)>,
}

impl Ledger {
    /// Asks once, for one unit.
    pub(super) fn reserve(&mut self, http: &mut Http, buyer: &str) -> Answer {
        let body = format!("{{\"buyer\":\"{buyer}\"}}");
        let answer = http.post(&format!("{PATH}/reservations"), &body).expect("an answer");
        if [200, 201].contains(&answer.status) {
            let given = (buyer.to_owned(), answer.number().expect("a reservation has a number"));
            if !self.given.contains(&given) {
                self.given.push(given);
            }
        }
        answer
    }

    /// Asks until the answer is a yes or a no.
    pub(super) fn reserve_patiently(&mut self, world: &World, buyer: &str) -> Answer {
        wait::until("a yes or a no", || {
            let answer = self.reserve(&mut world.http(), buyer);
            (answer.status < 500).then_some(answer)
        })
    }

    /// Each of these buyers gets a reservation.
    pub(super) fn sell(&mut self, world: &World, buyers: impl IntoIterator<Item = String>) {
        for buyer in buyers {
            let answer = self.reserve_patiently(world, &buyer);
            assert_eq!(answer.status, 201, "{buyer}: {answer:?}");
        }
    }

    /// How many reservations were given.
    pub(super) fn len(&self) -> usize {
        self.given.len()
    }

    /// A buyer who asks again has the same reservation.
    pub(super) fn check_repeats(&mut self, world: &World) {
        for (buyer, id) in self.given.clone() {
            let answer = self.reserve_patiently(world, &buyer);
            assert_eq!((answer.status, answer.number()), (200, Some(id)), "{buyer} asks again: {answer:?}");
        }
    }

    /// When all has come to rest: no number was given twice, all of [`check_each`](Self::check_each), and the audit
    /// finds nothing.
    pub(super) fn check(&self, world: &World, total: u64) {
        let mut owners: BTreeMap<u64, &str> = BTreeMap::new();
        for (buyer, id) in &self.given {
            let owner = *owners.entry(*id).or_insert(buyer);
            assert_eq!(owner, buyer, "reservation {id} was given to two buyers");
        }
        self.check_each(world, total);
        check_audit(world);
    }

    /// When all has come to rest: each given reservation is one order or one rejection of that buyer, and no more is
    /// sold than there is.
    pub(super) fn check_each(&self, world: &World, total: u64) {
        settle(world);
        for (buyer, id) in &self.given {
            wait::until(&format!("an order or a rejection of reservation {id} of {buyer}"), || {
                (ends(world, *id, buyer) == ["1"]).then_some(())
            });
        }
        assert!(world.orders("drop") <= total, "{} orders of {total} units", world.orders("drop"));
        assert_eq!(world.twice_served_buyers("drop"), 0);
    }

    /// Nothing that was given was taken back.
    pub(super) fn check_no_rejections(&self, world: &World) {
        let rejections = world.rows("SELECT buyer || ': ' || reason FROM rejections ORDER BY id");
        assert!(rejections.is_empty(), "{rejections:?}");
    }
}

/// How many orders and rejections a buyer has of a reservation.
fn ends(world: &World, id: u64, buyer: &str) -> Vec<String> {
    let of =
        |table: &str| format!("(SELECT count(*) FROM {table} WHERE sale = 'drop' AND id = {id} AND buyer = '{buyer}')");
    world.rows(&format!("SELECT {} + {}", of("orders"), of("rejections")))
}

/// Waits until the sale is not in doubt, and everything is in PostgreSQL.
pub(super) fn settle(world: &World) {
    let unsettled = "SELECT count(*) FROM rejections WHERE settled_at IS NULL";
    wait::until("a sale at rest", || {
        look(&mut world.http())?;
        let is_empty = status(&mut world.redis.connect(), KEY, "journal_events") == 0;
        (is_empty && world.rows(unsettled) == ["0"] && look(&mut world.http()).is_some()).then_some(())
    });
}

/// The audit says that all is well.
pub(super) fn check_audit(world: &World) {
    let (code, reports) = world.flash(&["audit"]);
    assert_eq!((code, reports[0]["verdict"].as_str()), (0, Some("whole")), "{reports:?}");
}
