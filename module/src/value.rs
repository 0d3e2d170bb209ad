//! What a key of ours may hold.

use std::ffi::{CStr, c_int};

use flash_sale::{Malformed, Mover};

/// A value of a native type. `api` makes every callback of the type out of these.
///
/// [`Drop`] may run on a background thread of the server's, so it must not call the server.
pub(crate) trait Value: Sized + Send + 'static {
    /// The type's name: nine characters, as Redis wants them. Every RDB file contains it.
    const TYPE_NAME: &'static CStr;
    /// The version of the RDB payload. The payload carries its own version too, for AOF and DUMP.
    const TYPE_VERSION: c_int;
    /// The command that carries a whole value into a rewritten AOF.
    const LOAD: &'static CStr;

    /// Reads what [`Value::save`] wrote, and believes none of it unseen.
    fn load(bytes: &[u8]) -> Result<Self, Malformed>;

    /// The whole value; equal values give equal bytes.
    fn save(&self) -> Vec<u8>;

    /// An equal value for another key.
    fn copy(&self) -> Option<Self> {
        Self::load(&self.save()).ok()
    }

    /// What the value takes from the allocator, itself included.
    fn memory_bytes(&self) -> usize;

    /// How many pieces the value takes from the allocator: what it costs to free it.
    fn allocations(&self) -> usize;

    /// Moves some of those pieces, from the one numbered `from` on; gives the next one's number, if there is one.
    fn defrag(&mut self, _from: u64, _mover: &mut impl Mover) -> Option<u64> {
        None
    }

    /// It was loaded as the value of the key `name` in database `db`.
    fn was_loaded(&mut self, _db: i32, _name: &[u8]) {}
}
