//! What a sale has besides its terms. None of it ever changes.

use flash_metrics::process::SALE_LOOKUPS;
use flash_vault::{Price, SaleFacts};
use serde::{Deserialize, Serialize};

use crate::form::Form;
use crate::postgres::{Postgres, PostgresError};

/// What a buyer's request is checked against before Redis is asked.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) form: Option<Form>,
    /// Of one unit.
    pub(crate) price: Option<Price>,
}

/// What PostgreSQL says of a sale; none: there is no such sale. Many wait for the answer, and those who come later
/// would ask again: it may take longer than one request does.
///
/// # Errors
/// When PostgreSQL does not answer.
pub(crate) async fn sale_facts(postgres: &Postgres, sale: &str) -> Result<Option<SaleFacts>, PostgresError> {
    SALE_LOOKUPS.add(1);
    postgres.change(async |client: &_| flash_vault::sale_facts(client, sale).await).await
}

/// As gateways tell it each other.
#[derive(Debug, Serialize, Deserialize)]
struct SharedFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    /// Its amount and its currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<(u64, String)>,
}

impl Facts {
    pub(crate) fn new(sale: &str, form: Option<String>, price: Option<Price>) -> Self {
        let form = form.as_deref().map(|form| {
            Form::new(form).unwrap_or_else(|breach| {
                // It was checked when the sale was created, by these very rules or by those of another release.
                tracing::error!(sale, breach.path, breach.detail, "a sale's form is invalid; the sale sells nothing");
                Form::broken(form)
            })
        });
        Self { form, price }
    }

    /// As another gateway reads it.
    pub(crate) fn write(&self) -> String {
        let told = SharedFacts {
            form: self.form.as_ref().map(|form| form.text().to_owned()),
            price: self.price.as_ref().map(|price| (price.amount, price.currency.clone())),
        };
        // Strings and a number into memory: nothing here can fail.
        serde_json::to_string(&told).unwrap_or_default()
    }

    /// What another gateway wrote.
    pub(crate) fn read(sale: &str, told: &str) -> Option<Self> {
        let SharedFacts { form, price } = serde_json::from_str(told).ok()?;
        Some(Self::new(sale, form, price.map(|(amount, currency)| Price { amount, currency })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: Option<&str>, price: Option<(u64, &str)>) {
        let price = price.map(|(amount, currency)| Price { amount, currency: currency.to_owned() });
        let read = Facts::read("drop", &Facts::new("drop", form.map(str::to_owned), price.clone()).write()).unwrap();
        assert_eq!((read.form.as_ref().map(Form::text), read.price), (form, price));
    }

    #[test]
    fn what_one_gateway_writes_another_one_reads() {
        check(None, None);
        check(Some("{\"type\":\"object\"}"), Some((1999, "EUR")));
        check(None, Some((u64::MAX, "XAU")));
    }

    #[test]
    fn what_is_not_understood_is_asked_of_postgresql() {
        for told in ["", "{", "7", "{\"form\":7}", "{\"price\":[-1,\"EUR\"]}"] {
            assert!(Facts::read("drop", told).is_none(), "{told}");
        }
    }
}
