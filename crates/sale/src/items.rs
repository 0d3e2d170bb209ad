//! What one reservation is for: which SKUs, and how many units of each.

use crate::invalid::{Invalid, in_range};
use crate::limits::{QUANTITY_UNITS_MAX, SKUS_MAX};

/// Some units of one SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// The SKU's place in the sale's terms, from 0.
    pub sku: u16,
    /// Units, at least 1.
    pub quantity: u32,
}

/// Never empty, sorted by SKU, each SKU once. The first is separate so that the usual reservation, of one SKU,
/// allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    first: Item,
    rest: Vec<Item>,
}

impl Items {
    /// One unit of the first SKU: what most reservations are for.
    pub const ONE: Self = Self { first: Item { sku: 0, quantity: 1 }, rest: Vec::new() };

    /// One SKU.
    ///
    /// # Errors
    /// Names `quantity` when it is 0 or more than [`QUANTITY_UNITS_MAX`].
    pub fn one(sku: u16, quantity: u32) -> Result<Self, Invalid> {
        in_range("quantity", quantity.into(), 1, QUANTITY_UNITS_MAX.into())?;
        Ok(Self { first: Item { sku, quantity }, rest: Vec::new() })
    }

    /// Sorts the items and sums those of the same SKU, for two lines of one SKU are one wish.
    ///
    /// # Errors
    /// Names `items` when there are none or more than [`SKUS_MAX`], `quantity` when one, or a sum, is out of bounds.
    pub fn summed(mut items: Vec<Item>) -> Result<Self, Invalid> {
        in_range("items", items.len() as u64, 1, SKUS_MAX as u64)?;
        items.sort_unstable();
        let mut sums: Vec<Item> = Vec::with_capacity(items.len());
        for item in items {
            in_range("quantity", item.quantity.into(), 1, QUANTITY_UNITS_MAX.into())?;
            match sums.last_mut().filter(|last| last.sku == item.sku) {
                Some(last) => last.quantity = sum(last.quantity, item.quantity)?,
                None => sums.push(item),
            }
        }
        let first = sums.remove(0);
        Ok(Self { first, rest: sums })
    }

    /// The items, by SKU.
    pub fn iter(&self) -> impl Iterator<Item = Item> + '_ {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    /// How many SKUs, at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + self.rest.len()
    }

    /// Units over all SKUs.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.iter().map(|item| u64::from(item.quantity)).sum()
    }
}

fn sum(a: u32, b: u32) -> Result<u32, Invalid> {
    let sum = u64::from(a) + u64::from(b);
    in_range("quantity", sum, 1, QUANTITY_UNITS_MAX.into())?;
    Ok(a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(items: &[(u16, u32)], want: Result<&[(u16, u32)], &str>) {
        let items = items.iter().map(|&(sku, quantity)| Item { sku, quantity }).collect();
        let got = Items::summed(items)
            .map(|items| {
                let pairs: Vec<_> = items.iter().map(|item| (item.sku, item.quantity)).collect();
                pairs
            })
            .map_err(|error| error.to_string());
        assert_eq!(got, want.map(<[_]>::to_vec).map_err(str::to_owned));
    }

    #[test]
    fn items_are_sorted_and_summed_by_sku() {
        check(&[(0, 1)], Ok(&[(0, 1)]));
        check(&[(2, 1), (0, 3), (2, 4)], Ok(&[(0, 3), (2, 5)]));
    }

    #[test]
    fn no_item_is_empty_and_no_sum_overflows() {
        const MAX: u32 = QUANTITY_UNITS_MAX;
        let too_many: Vec<_> = (0..=64).map(|sku| (sku, 1)).collect();
        check(&[], Err("items must be 1 to 64"));
        check(&too_many, Err("items must be 1 to 64"));
        check(&[(0, 0)], Err("quantity must be 1 to 1000000000"));
        check(&[(0, MAX + 1)], Err("quantity must be 1 to 1000000000"));
        check(&[(0, MAX), (0, 1)], Err("quantity must be 1 to 1000000000"));
        check(&[(0, MAX), (1, MAX)], Ok(&[(0, MAX), (1, MAX)]));
    }
}
