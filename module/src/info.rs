//! `INFO flash`.

use std::ffi::c_int;

use flash_sale::Refusal;
use redis_module::raw::{self, RedisModuleInfoCtx};

use crate::api::now_ms;
use crate::eviction::is_evicting;
use crate::guard::guard;
use crate::stats;

/// What the server calls to write INFO.
pub(crate) extern "C" fn on_info(info: *mut RedisModuleInfoCtx, _is_crash_report: c_int) {
    guard(|| write(info));
}

fn write(info: *mut RedisModuleInfoCtx) {
    let number = |name: &str, value: u64| raw::add_info_field_unsigned_long_long(info, name, value);
    raw::add_info_section(info, None);
    raw::add_info_field_str(info, "version", env!("CARGO_PKG_VERSION"));
    if let Some(sums) = stats::sums() {
        number("sales", sums.sales);
        number("memory_bytes", sums.memory_bytes);
        number("journal_events", sums.journal_events);
        number("clock_lead_ms", sums.latest_ms.saturating_sub(now_ms()));
        number("journal_oldest_age_ms", sums.journal_since_ms.map_or(0, |since_ms| now_ms().saturating_sub(since_ms)));
    }
    for (event, counter) in &stats::HAPPENED {
        number(event.to_string_lossy().trim_start_matches("flash."), counter.get());
    }
    raw::add_info_begin_dict_field(info, "refused");
    for (row, counter) in Refusal::TABLE.iter().zip(&stats::REFUSED) {
        number(&row.code.to_ascii_lowercase(), counter.get());
    }
    raw::add_info_end_dict_field(info);
    number("throttle_allowed", stats::ALLOWED.get());
    number("throttle_refused", stats::THROTTLED.get());
    number("clock_steps_back", stats::STEPPED_BACK.get());
    number("throttle_clock_steps_back", stats::THROTTLES_STEPPED_BACK.get());
    number("faults", stats::FAULTS.get());
    number("panics", stats::PANICS.get());
    number("evicting_policy", is_evicting().into());
}
