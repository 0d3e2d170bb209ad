//! How a gateway ends.

use tokio::sync::watch;

/// What the gateway is doing. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It takes requests.
    Serving,
    /// It still takes requests, and tells load balancers to send no more.
    Draining,
    /// It finishes what it has and takes nothing new.
    Stopping,
    /// No request is left: what was reserved is relayed, and then it is over.
    Flushing,
}

/// Waits until `phase` is reached. A gateway that was dropped has reached every phase.
pub async fn reached(receiver: &mut watch::Receiver<Phase>, phase: Phase) {
    let _ = receiver.wait_for(|now| *now >= phase).await;
}
