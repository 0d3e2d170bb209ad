//! Where replies are written.

use std::ffi::CString;

use flash_wire::Sink;
use redis_module::raw;

use crate::api::Ctx;

impl Ctx<'_> {
    /// An error reply; the text's first word is the code.
    pub(crate) fn error(self, text: &str) {
        let text = CString::new(text).unwrap_or_else(|_| c"ERR the error's text holds a NUL".to_owned());
        raw::reply_with_error(self.raw(), text.as_ptr());
    }
}

impl Sink for Ctx<'_> {
    fn array(&mut self, length: usize) {
        raw::reply_with_array(self.raw(), length.cast_signed() as _);
    }

    fn map(&mut self, length: usize) {
        raw::reply_with_map(self.raw(), length.cast_signed() as _);
    }

    fn int(&mut self, value: i64) {
        raw::reply_with_long_long(self.raw(), value);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        raw::reply_with_string_buffer(self.raw(), bytes.as_ptr().cast(), bytes.len());
    }

    fn code(&mut self, code: &'static str) {
        self.bytes(code.as_bytes());
    }

    fn null(&mut self) {
        raw::reply_with_null(self.raw());
    }
}
