//! Products. Anyone may ask for one, and a product never changes: PostgreSQL is asked once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use flash_vault::Product;

use super::flights::Flights;
use super::limits::{PRODUCTS_MAX, VERDICT_LIFE};
use super::table::Table;
use crate::postgres::{Postgres, PostgresError};

type KnownProduct = Option<Arc<Product>>;

/// What the threads of one gateway know of products.
#[derive(Debug)]
pub(crate) struct Products {
    /// An id that is no product's is remembered until a time.
    known: Mutex<Table<(KnownProduct, Option<Instant>)>>,
    asking: Flights<Result<KnownProduct, PostgresError>>,
}

impl Products {
    pub(super) fn new() -> Self {
        Self { known: Mutex::new(Table::new(PRODUCTS_MAX)), asking: Flights::default() }
    }

    /// One product, if there is one of this id.
    pub(crate) async fn get(&self, postgres: &Postgres, id: &str) -> Result<KnownProduct, PostgresError> {
        if let Some(known) = self.remembered(id) {
            return Ok(known);
        }
        let ask = async {
            // The question before this one may have ended in this moment.
            if let Some(known) = self.remembered(id) {
                return Ok(known);
            }
            let product = postgres.look(async |client: &_| flash_vault::product(client, id).await).await?.map(Arc::new);
            self.remember(id, product.clone());
            Ok(product)
        };
        self.asking.join(id, ask).await
    }

    /// Remembers a product that was created, or that there is none.
    pub(crate) fn remember(&self, id: &str, product: KnownProduct) {
        let until = product.is_none().then(|| Instant::now() + VERDICT_LIFE);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (product, until));
    }

    fn remembered(&self, id: &str) -> Option<KnownProduct> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (product, until) = known.get(id)?;
        until.is_none_or(|until| Instant::now() < until).then(|| product.clone())
    }
}
