//! A sale that is known only by its fence. A recovery plants one in an empty key, so that a late command of an attempt
//! before it cannot open an old life there.

use crate::reservations::HashKey;
use crate::sale::Sale;
use crate::terms::Terms;

impl Sale {
    /// Nothing but the fence of the recovery attempt `term`: epoch 0, seq 0, no SKUs. It only gives way to a life that
    /// the same attempt warms.
    #[must_use]
    pub fn shell(term: u64, key: HashKey) -> Self {
        let terms = Terms { skus: Vec::new(), ..Terms::simple(0) };
        let mut shell = Self::empty(terms, 0, 0, key);
        (shell.term, shell.is_fenced) = (term, true);
        shell
    }

    /// Whether there is nothing but a fence.
    #[must_use]
    pub const fn is_shell(&self) -> bool {
        self.epoch == 0
    }
}
