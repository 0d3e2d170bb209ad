//! The sales of a round.

use rand::RngExt;
use rand::rngs::StdRng;

/// A sale as the harness knows it, whatever anybody says about it later.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) name: String,
    /// The total of each SKU.
    pub(crate) totals: Vec<u64>,
    pub(crate) limit: u64,
    pub(crate) hold_ms: Option<u64>,
}

/// So long a hold never ends by itself.
const LONG_HOLD_MS: u64 = 3_600_000;
/// So short a hold ends within a round.
const BRIEF_HOLD_MS: u64 = 700;

/// Two sales: one that sells at once, one with a pay window. Some sell out at once.
pub(crate) fn sales(random: &mut StdRng, round: &str) -> Vec<Sale> {
    let name = |what: &str| format!("{round}-{what}");
    let total = |random: &mut StdRng| {
        if random.random_bool(0.4) { random.random_range(5..40) } else { random.random_range(40..900) }
    };
    let plain = match random.random_range(0..2) {
        0 => Sale { name: name("plain"), totals: vec![total(random)], limit: 1, hold_ms: None },
        _ => Sale { name: name("basket"), totals: (0..3).map(|_| total(random)).collect(), limit: 3, hold_ms: None },
    };
    let hold_ms = Some(if random.random_bool(0.3) { BRIEF_HOLD_MS } else { LONG_HOLD_MS });
    let held = match random.random_range(0..2) {
        0 => Sale { name: name("held"), totals: vec![total(random)], limit: 1, hold_ms },
        _ => Sale { name: name("held-basket"), totals: (0..2).map(|_| total(random)).collect(), limit: 4, hold_ms },
    };
    vec![plain, held]
}

impl Sale {
    /// The body that creates it.
    pub(crate) fn body(&self) -> String {
        let skus = self.totals.iter().enumerate();
        let skus: Vec<_> = skus.map(|(at, total)| serde_json::json!({"sku": sku(at), "total": total})).collect();
        let mut body = serde_json::json!({"sale": self.name, "skus": skus, "limit": self.limit});
        if let Some(hold_ms) = self.hold_ms {
            body["hold_ms"] = hold_ms.into();
        }
        body.to_string()
    }

    /// Whether its holds end by themselves while somebody looks.
    pub(crate) fn expires(&self) -> bool {
        self.hold_ms == Some(BRIEF_HOLD_MS)
    }
}

/// The name of the SKU at a place.
pub(crate) fn sku(at: usize) -> String {
    format!("sku-{at}")
}
