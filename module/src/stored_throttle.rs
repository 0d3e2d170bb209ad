//! What a key holds: a rate limit.

use std::ffi::{CStr, c_int};

use flash_sale::{Malformed, Mover};
use flash_throttle::Throttle;

use crate::api::{Native, NativeType};
use crate::value::Value;

impl Native for Throttle {
    fn native() -> &'static NativeType<Self> {
        static TYPE: NativeType<Throttle> = NativeType::new();
        &TYPE
    }
}

impl Value for Throttle {
    const TYPE_NAME: &CStr = c"flashrate";
    const TYPE_VERSION: c_int = 1;
    const LOAD: &CStr = c"FLASH.THROTTLE.LOAD";

    fn load(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::load(bytes)
    }

    fn save(&self) -> Vec<u8> {
        self.save()
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn memory_bytes(&self) -> usize {
        self.memory_bytes()
    }

    /// Itself, and its log if it has one.
    fn allocations(&self) -> usize {
        2
    }

    fn defrag(&mut self, _from: u64, mover: &mut impl Mover) -> Option<u64> {
        self.defrag(mover);
        None
    }
}
