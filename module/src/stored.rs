//! What a key holds: a sale, and what only this server needs to know about it.

use std::ffi::{CStr, c_int};
use std::sync::OnceLock;

use flash_sale::{Event, HashKey, Malformed, Mover, Sale};

use crate::api::{Native, NativeType};
use crate::fault::Fault;
use crate::instance;
use crate::life;
use crate::ready;
use crate::role;
use crate::stats::Gauges;
use crate::value::Value;

/// The secret of this process's hash of buyers. It never leaves the process, so replicas and saved files have none.
static HASH_KEY: OnceLock<HashKey> = OnceLock::new();

/// Sets the secret, once, when the module is loaded.
pub(crate) fn set_hash_key(key: HashKey) {
    HASH_KEY.get_or_init(|| key);
}

fn hash_key() -> HashKey {
    *HASH_KEY.get_or_init(|| HashKey([0, 0]))
}

/// The value of a key.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) sale: Sale,
    /// Its number among all values.
    pub(crate) instance: u64,
    /// A later life of the same sale takes its place: the sale is not gone when this is.
    pub(crate) is_replaced: bool,
    /// The life of this server in which the sale was last known to be whole.
    life: u64,
    /// Whether the list of sales that may need a relay has this one.
    pub(crate) listed: bool,
    /// The sale is in doubt. Raised while a command works on it, so that it stays so after a panic; and raised by an
    /// event that did not fit.
    pub(crate) is_poisoned: bool,
    /// Its part in `INFO flash`.
    pub(crate) gauges: Gauges,
}

impl Stored {
    fn of(sale: Sale) -> Self {
        let gauges = Gauges::new(&sale);
        Self {
            sale,
            instance: instance::draw(),
            is_replaced: false,
            life: life::of_loaded(),
            listed: false,
            is_poisoned: false,
            gauges,
        }
    }

    /// A new sale.
    pub(crate) fn new(warmed: &Event) -> Result<Self, Fault> {
        let sale = Sale::new(warmed, hash_key()).ok_or(Fault::Unfit("there is no sale that the event could change"))?;
        Ok(Self::of(sale))
    }

    /// Nothing but the fence of a recovery attempt.
    pub(crate) fn shell(term: u64) -> Self {
        Self::of(Sale::shell(term, hash_key()))
    }

    /// It is the value of the key `name` from now on. Under another name than its own it sells nothing: its events are
    /// another sale's.
    pub(crate) fn came_to(&mut self, name: &[u8]) {
        if self.sale.home().is_empty() {
            self.sale.settle(name);
        }
        if self.is_away(name) {
            self.sale.fence();
        }
    }

    /// Whether the sale belongs under another name.
    pub(crate) fn is_away(&self, name: &[u8]) -> bool {
        self.sale.home() != name
    }

    /// Somebody who knows says that the sale is whole.
    pub(crate) fn is_whole(&mut self) {
        self.life = life::current();
    }

    /// The sale may lack what was decided last. It is to be fenced before anything is decided.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.life != life::current() && !role::is_replica()
    }

    /// Whether the sale sells nothing until it is known to be whole.
    pub(crate) fn is_fenced(&self) -> bool {
        self.sale.is_fenced() || self.is_in_doubt()
    }

    /// Whether a relay or a recovery has anything to do with the sale.
    pub(crate) fn needs_attention(&self) -> bool {
        self.sale.journal_events() > 0 || self.sale.has_holds() || self.is_fenced()
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        if !self.is_replaced {
            life::sales_changed();
        }
    }
}

impl Native for Stored {
    fn native() -> &'static NativeType<Self> {
        static TYPE: NativeType<Stored> = NativeType::new();
        &TYPE
    }
}

impl Value for Stored {
    const TYPE_NAME: &CStr = c"flashsale";
    const TYPE_VERSION: c_int = 1;
    const LOAD: &CStr = c"FLASH.LOAD";

    fn load(bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(Self::of(Sale::load(bytes, hash_key())?))
    }

    fn save(&self) -> Vec<u8> {
        self.sale.save()
    }

    fn memory_bytes(&self) -> usize {
        size_of::<Self>() - size_of::<Sale>() + self.sale.memory_bytes()
    }

    fn allocations(&self) -> usize {
        self.sale.allocations()
    }

    fn defrag(&mut self, from: u64, mover: &mut impl Mover) -> Option<u64> {
        self.sale.defrag(from, mover)
    }

    /// The copy's events must not differ from the sale's own.
    fn copy(&self) -> Option<Self> {
        let mut copy = Self::load(&self.save()).ok()?;
        copy.sale.fence();
        Some(copy)
    }

    fn was_loaded(&mut self, db: i32, name: &[u8]) {
        self.came_to(name);
        life::sales_changed();
        ready::list(db, name);
    }
}
