//! Sales that come to another place without any command of ours: RENAME, MOVE, COPY, SWAPDB.

use crate::api::{Ctx, Moves, OpenKey, Str};
use crate::life;
use crate::ready;
use crate::stored::Stored;

/// What becomes of such sales.
pub(crate) struct Moved;

impl Moves for Moved {
    /// The key `name` holds what another key held. A sale there sells nothing until a recovery has seen to it: what it
    /// would sell from now on, its own key would not know. Every server that follows sees the same command, so nothing
    /// is replicated.
    fn came(ctx: Ctx, name: Str) {
        let mut key = OpenKey::open(ctx, name, false);
        let Some(stored) = key.value::<Stored>() else { return };
        stored.sale.fence();
        stored.listed = true;
        life::sales_changed();
        ready::list(ctx.db(), name.bytes());
    }

    /// Two databases have changed places.
    fn swapped(first: i32, second: i32) {
        life::sales_changed();
        ready::swap_dbs(first, second);
    }
}
