//! What was done for a trace, for its exporter. A process has one exporter or none, and then nothing is made.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use flash_wire::TraceParent;

/// Something that was done for a trace.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// What.
    pub name: &'static str,
    /// For which trace.
    pub trace: TraceParent,
    /// When it began.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
}

static EXPORT: OnceLock<Box<dyn Fn(Span) + Send + Sync>> = OnceLock::new();

/// Exports what is done from now on. The code that did the work calls it, and it must not wait. Only the first call
/// counts.
pub fn export_to(export: impl Fn(Span) + Send + Sync + 'static) {
    let _ = EXPORT.set(Box::new(export));
}

/// Something that began then is done.
pub fn done(name: &'static str, trace: Option<TraceParent>, began: Instant) {
    let (Some(export), Some(trace)) = (EXPORT.get(), trace) else { return };
    let took = began.elapsed();
    let now = SystemTime::now();
    export(Span { name, trace, began: now.checked_sub(took).unwrap_or(now), took });
}
