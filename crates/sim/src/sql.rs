//! Every SQL text of the simulator, which has a schema of its own.

use tokio_postgres::{Client as Postgres, Error, Statement};

/// Makes empty tables: what an earlier run left would cost a later one time. The naive way has orders without a rule
/// that would catch its mistakes.
pub(crate) const CREATE: &str = "
    DROP SCHEMA IF EXISTS flash_sim CASCADE;
    CREATE SCHEMA flash_sim;
    CREATE TABLE flash_sim.stock (sale text PRIMARY KEY, available bigint NOT NULL, version bigint NOT NULL);
    CREATE TABLE flash_sim.orders (sale text, buyer text, PRIMARY KEY (sale, buyer));
    CREATE TABLE flash_sim.naive_orders (sale text NOT NULL, buyer text NOT NULL);
    CREATE INDEX naive_orders_buyer ON flash_sim.naive_orders (sale, buyer);
    CREATE TABLE flash_sim.units (sale text, unit bigint, buyer text, PRIMARY KEY (sale, unit));
    CREATE INDEX units_free ON flash_sim.units (sale, unit) WHERE buyer IS NULL;
";
/// Leaves nothing behind.
pub(crate) const DROP: &str = "DROP SCHEMA flash_sim CASCADE";

pub(crate) const STOCK: &str = "INSERT INTO flash_sim.stock (sale, available, version) VALUES ($1, $2, 0)";
pub(crate) const UNITS: &str =
    "INSERT INTO flash_sim.units (sale, unit) SELECT $1, unit FROM generate_series(1::bigint, $2) AS unit";

/// Orders of a sale, and how many buyers they have.
pub(crate) const ORDERS: &str = "SELECT count(*), count(DISTINCT buyer) FROM flash_sim.orders WHERE sale = $1";
pub(crate) const NAIVE_ORDERS: &str =
    "SELECT count(*), count(DISTINCT buyer) FROM flash_sim.naive_orders WHERE sale = $1";

/// Units of a sale that are left.
pub(crate) const AVAILABLE: &str = "SELECT available FROM flash_sim.stock WHERE sale = $1";
pub(crate) const FREE_UNITS: &str = "SELECT count(*) FROM flash_sim.units WHERE sale = $1 AND buyer IS NULL";

const NAIVE_SEEN: &str = "SELECT count(*) FROM flash_sim.naive_orders WHERE sale = $1 AND buyer = $2";
const NAIVE_ORDER: &str = "INSERT INTO flash_sim.naive_orders (sale, buyer) VALUES ($1, $2)";
const READ: &str = "SELECT available, version FROM flash_sim.stock WHERE sale = $1";
const WRITE: &str = "UPDATE flash_sim.stock SET available = $2 WHERE sale = $1";
const WRITE_VERSION: &str =
    "UPDATE flash_sim.stock SET available = available - 1, version = version + 1 WHERE sale = $1 AND version = $2";
const DECREMENT: &str = "UPDATE flash_sim.stock SET available = available - 1 WHERE sale = $1 AND available > 0";
const ORDER: &str = "INSERT INTO flash_sim.orders (sale, buyer) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const FREE_UNIT: &str = "
    SELECT unit FROM flash_sim.units WHERE sale = $1 AND buyer IS NULL ORDER BY unit LIMIT 1 FOR UPDATE SKIP LOCKED";
const TAKE_UNIT: &str = "UPDATE flash_sim.units SET buyer = $3 WHERE sale = $1 AND unit = $2";

/// What requests ask, prepared before the first of them comes.
pub(crate) struct Statements {
    pub(crate) naive_seen: Statement,
    pub(crate) naive_order: Statement,
    pub(crate) read: Statement,
    pub(crate) write: Statement,
    pub(crate) write_version: Statement,
    pub(crate) decrement: Statement,
    pub(crate) order: Statement,
    pub(crate) free_unit: Statement,
    pub(crate) take_unit: Statement,
}

impl Statements {
    pub(crate) async fn prepare(postgres: &Postgres) -> Result<Self, Error> {
        Ok(Self {
            naive_seen: postgres.prepare(NAIVE_SEEN).await?,
            naive_order: postgres.prepare(NAIVE_ORDER).await?,
            read: postgres.prepare(READ).await?,
            write: postgres.prepare(WRITE).await?,
            write_version: postgres.prepare(WRITE_VERSION).await?,
            decrement: postgres.prepare(DECREMENT).await?,
            order: postgres.prepare(ORDER).await?,
            free_unit: postgres.prepare(FREE_UNIT).await?,
            take_unit: postgres.prepare(TAKE_UNIT).await?,
        })
    }
}
