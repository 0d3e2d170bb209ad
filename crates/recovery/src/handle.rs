//! How the rest of the gateway speaks to its recovery.

use tokio::sync::mpsc;

use crate::limits::ASKED_MAX;

/// Tells the recovery of sales that Redis does not have. Clones tell the same one.
#[derive(Debug, Clone)]
pub struct RecoveryHandle(mpsc::Sender<String>);

/// The end that the recovery listens at.
#[derive(Debug)]
pub struct Asked(mpsc::Receiver<String>);

/// A handle, and the end that the recovery listens at.
#[must_use]
pub fn handle() -> (RecoveryHandle, Asked) {
    let (sender, receiver) = mpsc::channel(ASKED_MAX);
    (RecoveryHandle(sender), Asked(receiver))
}

impl RecoveryHandle {
    /// PostgreSQL knows this sale, and Redis does not. (Where too many wait already, the next buyer asks again.)
    pub fn look_at(&self, sale: &str) {
        let _ = self.0.try_send(sale.to_owned());
    }
}

impl Asked {
    /// The next sale that waits to be looked at, if there is one.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.0.try_recv().ok()
    }
}
