//! Payments for reservations that were never made.
//!
//! A payment that is reported while Redis is away waits for its order. If no reservation of its number was ever made,
//! no order ends it: so Redis is asked later how far its sale has come.

use std::collections::BTreeMap;

use flash_client::{Call, Client};
use flash_vault::{AheadPayment, Over, owe_payment, payments_ahead};

use crate::limits::{UNMADE_AGE_S, UNMADE_PER_LOOK_MAX};

/// Marks those as due that wait for a reservation which Redis had not made long after they were reported. Gives how
/// many. A sale of which Redis cannot say so now is looked at again later.
pub(crate) async fn owe_unmade(redis: &Client, postgres: &flash_vault::Client) -> Result<u64, flash_vault::Error> {
    // First the payments, then Redis: its answer is newer than they are.
    let ahead = payments_ahead(postgres, UNMADE_AGE_S, UNMADE_PER_LOOK_MAX).await?;
    let mut by_sale: BTreeMap<String, Vec<AheadPayment>> = BTreeMap::new();
    for payment in ahead {
        by_sale.entry(payment.sale.clone()).or_default().push(payment);
    }
    let reached = redis.calls(by_sale.keys().map(|sale| Call::sale_status(sale)).collect()).await;
    let mut owed = 0;
    for (payments, status) in by_sale.values().zip(reached) {
        let Ok(Ok(status)) = status else { continue };
        // A sale in doubt may have made it, and have forgotten that.
        if status.epoch == 0 || status.is_fenced() {
            continue;
        }
        for payment in payments.iter().filter(|payment| payment.id > status.seq) {
            owe_payment(postgres, payment.payment, Over::Unknown).await?;
            owed += 1;
        }
    }
    Ok(owed)
}
