//! Products and buyers.

/// Creates a product, unless one of this id is there.
pub(crate) const CREATE_PRODUCT: &str = "
    INSERT INTO products (product, name, price, currency, skus) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

/// One product.
pub(crate) const PRODUCT: &str = "SELECT name, price, currency, skus FROM products WHERE product = $1";

/// The products after the id `$1`, by id, at most `$2`.
pub(crate) const PRODUCTS: &str = "
    SELECT name, price, currency, skus, product FROM products WHERE product > $1 ORDER BY product LIMIT $2";

/// Opens a buyer's account, unless the buyer has one.
pub(crate) const CREATE_BUYER: &str = "
    INSERT INTO buyers (buyer, opening_balance, balance, currency) VALUES ($1, $2, $2, $3) ON CONFLICT DO NOTHING";

/// One buyer.
pub(crate) const BUYER: &str = "SELECT buyer, opening_balance, balance, currency FROM buyers WHERE buyer = $1";

/// The accounts after the buyer `$1`, by buyer, at most `$2`.
pub(crate) const BUYERS: &str = "
    SELECT buyer, opening_balance, balance, currency FROM buyers WHERE buyer > $1 ORDER BY buyer LIMIT $2";
