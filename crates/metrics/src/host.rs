//! What the operating system counts of this process, by the names that Prometheus' own clients use.

use procfs::process::{LimitValue, Process};
use procfs::{ProcResult, WithCurrentSystemInfo, ticks_per_second};

use crate::page::Page;

/// Writes it. What the system does not tell is left out: unknown is not zero.
pub(crate) fn write(page: &mut Page) {
    let _ = try_write(page);
}

fn try_write(page: &mut Page) -> ProcResult<()> {
    let process = Process::myself()?;
    let stat = process.stat()?;
    let cpu_seconds = ticks(stat.utime + stat.stime);
    page.counter_of("process_cpu_seconds_total", "CPU time of user and system.", cpu_seconds);
    page.gauge("process_threads", "Threads.", whole(stat.num_threads.unsigned_abs()));
    let resident = stat.rss_bytes().get();
    page.gauge("process_resident_memory_bytes", "Memory that is in RAM.", whole(resident));
    page.gauge("process_virtual_memory_bytes", "Address space.", whole(stat.vsize));
    let boot_seconds = procfs::boot_time_secs()?;
    let help = "When the process started, Unix seconds.";
    page.gauge("process_start_time_seconds", help, whole(boot_seconds) + ticks(stat.starttime));
    page.gauge("process_open_fds", "Open file descriptors.", whole(process.fd_count()? as u64));
    if let LimitValue::Value(max) = process.limits()?.max_open_files.soft_limit {
        page.gauge("process_max_fds", "Open file descriptors that the process may have.", whole(max));
    }
    Ok(())
}

fn ticks(count: u64) -> f64 {
    whole(count) / whole(ticks_per_second())
}

/// Prometheus has floating-point numbers only: above 2^53 the last digits are rounded.
#[expect(clippy::cast_precision_loss, reason = "a metric is an f64")]
const fn whole(value: u64) -> f64 {
    value as f64
}
