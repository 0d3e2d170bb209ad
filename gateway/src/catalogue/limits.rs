//! Every bound of the catalogue, in one place, each with its unit in its name or its type.

use std::time::Duration;

use crate::limits::REQUEST_MS_MAX;

/// Sales that are known at once. Beyond it the one that has been known the longest is asked for anew.
pub(crate) const SALES_MAX: usize = 4_096;
/// Products, and ids of none, that are remembered at once. Beyond it the oldest is forgotten.
pub(crate) const PRODUCTS_MAX: usize = 4_096;
/// Ids that Redis does not have and that are remembered at once, at some 200 bytes each. Beyond it the oldest is
/// forgotten.
pub(crate) const UNKNOWN_IDS_MAX: usize = 65_536;
/// How long it is remembered what PostgreSQL said of an id that Redis does not have, or that is no product's. It is
/// asked again no sooner.
pub(crate) const VERDICT_LIFE: Duration = Duration::from_millis(10_000);
/// How long Redis keeps what a gateway shared about a sale. After that, a gateway that meets the sale asks PostgreSQL.
pub(crate) const FACTS_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long it is remembered that a sale of Redis' is not in PostgreSQL: it may come there by its journal, or be
/// created.
pub(crate) const WARMED_BY_HAND_LIFE: Duration = Duration::from_millis(2_000);
/// How long a gateway keeps its turn at looking something up that dies with it: longer than a question takes.
pub(crate) const TURN_LIFE: Duration = Duration::from_millis(REQUEST_MS_MAX);
/// How long a request waits for its turn.
pub(crate) const TURN_WAIT: Duration = Duration::from_millis(600);
/// How often it asks for it.
pub(crate) const TURN_STEP: Duration = Duration::from_millis(10);
