//! The terms of a sale: what is sold, to whom, when. They never change once the sale is warm; a restock changes the
//! units on sale beside them.

use crate::invalid::{Invalid, in_range, name};
use crate::limits::{
    HOLD_MS_MAX, JOURNAL_EVENTS_MAX, QUANTITY_UNITS_MAX, SKU_BYTES_MAX, SKUS_MAX, TIME_MS_MAX, TOTAL_UNITS_MAX,
};

/// The name of the only SKU of a sale whose terms name none.
pub const DEFAULT_SKU: &str = "default";
/// Units per buyer where the terms say nothing: one.
pub const DEFAULT_LIMIT: u32 = 1;

/// One SKU as it is put on sale.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SkuTerms {
    /// Unique in its sale.
    pub name: String,
    /// Units put on sale.
    pub total: u64,
}

/// What a sale promises. Made by [`Terms::check`], so that a `Terms` in hand is a valid one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terms {
    /// At least one, in the order given: an [`Item`](crate::Item) refers to a SKU by its place here.
    pub skus: Vec<SkuTerms>,
    /// Units that one buyer may have, held and confirmed, over all SKUs.
    pub limit: u32,
    /// The pay window in milliseconds; without one a reservation is confirmed at once.
    pub hold_ms: Option<u64>,
    /// Unix milliseconds; reservations before are refused.
    pub opens_at_ms: Option<u64>,
    /// Unix milliseconds; reservations from then on are refused. Holds may still be confirmed.
    pub closes_at_ms: Option<u64>,
    /// How many unacknowledged events the journal keeps before it refuses reservations; without it there is no journal.
    pub journal_events_max: Option<u64>,
}

impl Terms {
    /// The terms of the simplest sale: `total` units of the default SKU, one for each buyer.
    #[must_use]
    pub fn simple(total: u64) -> Self {
        Self {
            skus: vec![SkuTerms { name: DEFAULT_SKU.to_owned(), total }],
            limit: DEFAULT_LIMIT,
            hold_ms: None,
            opens_at_ms: None,
            closes_at_ms: None,
            journal_events_max: None,
        }
    }

    /// Passes valid terms through.
    ///
    /// # Errors
    /// Names the first field that is out of its bounds.
    pub fn check(self) -> Result<Self, Invalid> {
        in_range("SKU", self.skus.len() as u64, 1, SKUS_MAX as u64)?;
        for (at, sku) in self.skus.iter().enumerate() {
            name("SKU", sku.name.as_bytes(), SKU_BYTES_MAX)?;
            in_range("total", sku.total, 1, TOTAL_UNITS_MAX)?;
            if self.skus[..at].iter().any(|earlier| earlier.name == sku.name) {
                return Err(Invalid::new("SKU", "must not name the same SKU twice"));
            }
        }
        in_range("limit", self.limit.into(), 1, QUANTITY_UNITS_MAX.into())?;
        optional("hold", self.hold_ms, HOLD_MS_MAX)?;
        optional("opens", self.opens_at_ms, TIME_MS_MAX)?;
        optional("closes", self.closes_at_ms, TIME_MS_MAX)?;
        optional("journal", self.journal_events_max, JOURNAL_EVENTS_MAX)?;
        if let (Some(opens), Some(closes)) = (self.opens_at_ms, self.closes_at_ms)
            && closes <= opens
        {
            return Err(Invalid::new("closes", "must be later than opens"));
        }
        Ok(self)
    }

    /// Units put on sale, over all SKUs.
    #[must_use]
    pub fn total_units(&self) -> u64 {
        self.skus.iter().map(|sku| sku.total).sum()
    }
}

fn optional(field: &'static str, value: Option<u64>, max: u64) -> Result<(), Invalid> {
    if let Some(value) = value {
        in_range(field, value, 1, max)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Terms), want: Result<(), &str>) {
        let mut terms = Terms::simple(10);
        change(&mut terms);
        let got = terms.check().map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(got, want.map_err(str::to_owned));
    }

    fn sku(name: &str) -> SkuTerms {
        SkuTerms { name: name.to_owned(), total: 1 }
    }

    #[test]
    fn terms_out_of_bounds_are_refused_by_name() {
        check(|_| (), Ok(()));
        check(|terms| terms.skus.clear(), Err("SKU must be 1 to 64"));
        check(|terms| terms.skus[0].total = 0, Err("total must be 1 to 1000000000"));
        check(|terms| terms.skus[0].total = u64::MAX, Err("total must be 1 to 1000000000"));
        check(|terms| terms.skus = vec![sku("")], Err("SKU must be 1 to 64 bytes"));
        check(|terms| terms.skus = vec![sku("a"), sku("a")], Err("SKU must not name the same SKU twice"));
        check(|terms| terms.limit = 0, Err("limit must be 1 to 1000000000"));
        check(|terms| terms.hold_ms = Some(0), Err("hold must be 1 to 2592000000"));
        check(|terms| terms.opens_at_ms = Some(u64::MAX), Err("opens must be 1 to 253402300799999"));
        check(|terms| terms.journal_events_max = Some(0), Err("journal must be 1 to 1000000000"));
    }

    #[test]
    fn a_sale_closes_after_it_opens() {
        check(|terms| (terms.opens_at_ms, terms.closes_at_ms) = (Some(5), Some(6)), Ok(()));
        check(
            |terms| (terms.opens_at_ms, terms.closes_at_ms) = (Some(5), Some(5)),
            Err("closes must be later than opens"),
        );
    }
}
