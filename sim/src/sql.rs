//! Every SQL text of the simulator, which has a schema of its own.

/// Makes the tables, or leaves them as they are. The naive way has orders without a rule that would catch its mistakes.
pub(crate) const CREATE: &str = "
    CREATE SCHEMA IF NOT EXISTS flash_sim;
    CREATE TABLE IF NOT EXISTS flash_sim.stock (sale text PRIMARY KEY, available bigint NOT NULL, version bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS flash_sim.orders (sale text, buyer text, PRIMARY KEY (sale, buyer));
    CREATE TABLE IF NOT EXISTS flash_sim.naive_orders (sale text NOT NULL, buyer text NOT NULL);
    CREATE INDEX IF NOT EXISTS naive_orders_buyer ON flash_sim.naive_orders (sale, buyer);
    CREATE TABLE IF NOT EXISTS flash_sim.units (sale text, unit bigint, buyer text, PRIMARY KEY (sale, unit));
    CREATE INDEX IF NOT EXISTS units_free ON flash_sim.units (sale, unit) WHERE buyer IS NULL;
";

pub(crate) const STOCK: &str = "INSERT INTO flash_sim.stock (sale, available, version) VALUES ($1, $2, 0)";
pub(crate) const UNITS: &str =
    "INSERT INTO flash_sim.units (sale, unit) SELECT $1, unit FROM generate_series(1::bigint, $2) AS unit";

pub(crate) const NAIVE_SEEN: &str = "SELECT count(*) FROM flash_sim.naive_orders WHERE sale = $1 AND buyer = $2";
pub(crate) const NAIVE_ORDER: &str = "INSERT INTO flash_sim.naive_orders (sale, buyer) VALUES ($1, $2)";
pub(crate) const READ: &str = "SELECT available, version FROM flash_sim.stock WHERE sale = $1";
pub(crate) const WRITE: &str = "UPDATE flash_sim.stock SET available = $2 WHERE sale = $1";
pub(crate) const WRITE_VERSION: &str =
    "UPDATE flash_sim.stock SET available = available - 1, version = version + 1 WHERE sale = $1 AND version = $2";
pub(crate) const DECREMENT: &str =
    "UPDATE flash_sim.stock SET available = available - 1 WHERE sale = $1 AND available > 0";
pub(crate) const ORDER: &str = "INSERT INTO flash_sim.orders (sale, buyer) VALUES ($1, $2) ON CONFLICT DO NOTHING";
pub(crate) const FREE_UNIT: &str = "
    SELECT unit FROM flash_sim.units WHERE sale = $1 AND buyer IS NULL ORDER BY unit LIMIT 1 FOR UPDATE SKIP LOCKED";
pub(crate) const TAKE_UNIT: &str = "UPDATE flash_sim.units SET buyer = $3 WHERE sale = $1 AND unit = $2";

/// Orders of a sale, and how many buyers they have.
pub(crate) const ORDERS: &str = "SELECT count(*), count(DISTINCT buyer) FROM flash_sim.orders WHERE sale = $1";
pub(crate) const NAIVE_ORDERS: &str =
    "SELECT count(*), count(DISTINCT buyer) FROM flash_sim.naive_orders WHERE sale = $1";
