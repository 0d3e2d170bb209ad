//! Buyers over HTTP, as many as wanted and each at its time: what `flash dev --demo` and `flash bench` send.

mod api;
mod buyer;
mod endpoint;
mod outcome;
mod patience;
mod patient;
mod stock;
mod stubborn;
mod tally;
mod told;
mod trouble;
mod unheard;
mod visitor;
mod wish;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use flash_servers::usage;
use flash_sim::{Crowd, drive};

pub(crate) use self::api::Api;
pub(crate) use self::endpoint::Endpoint;
pub(crate) use self::outcome::Outcome;
pub(crate) use self::patience::Repeats;
use self::patient::Patient;
pub(crate) use self::stock::Stock;
pub(crate) use self::stubborn::Street;
pub(crate) use self::tally::{Since, Tally};
use self::told::Told;
pub(crate) use self::trouble::Trouble;
pub(crate) use self::visitor::Visitor;
pub(crate) use self::wish::{Who, Wish};
use crate::buyers;
use crate::progress::Progress;

/// What is sent.
pub(crate) struct Load {
    pub(crate) endpoint: Endpoint,
    pub(crate) wish: Wish,
    pub(crate) crowd: Crowd,
    /// Requests that are under way at once; each has a connection of its own.
    pub(crate) concurrency: u64,
    pub(crate) since: Since,
}

/// What came of it.
pub(crate) struct Pressed {
    pub(crate) tally: Tally,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// For how much of that the buyers' thread ran, or would have, and others had the CPU.
    pub(crate) busy: Duration,
}

/// Sends every buyer.
///
/// # Errors
/// When the gateway cannot be reached at the beginning. What fails later is counted.
pub(crate) async fn press(load: Load, progress: &Progress) -> Result<Pressed> {
    let bar = progress.bar("requests", load.crowd.requests());
    let counted = bar.clone();
    let pressed = buyers::on_thread(async move || {
        let (wish, told) = (Arc::new(load.wish), Arc::new(Told::default()));
        let mut sellers = Vec::new();
        for _ in 0..load.concurrency {
            sellers.push(Patient::connect(load.endpoint.clone(), wish.clone(), told.clone()).await?);
        }
        let arrivals = load.crowd.arrivals();
        let tally = Arc::new(Mutex::new(Tally::new(load.since)?));
        let counting = tally.clone();
        let before = busy();
        let (_, took) = drive(sellers, arrivals, move |ended| {
            counting.lock().unwrap_or_else(PoisonError::into_inner).count(ended);
            counted.inc(1);
        })
        .await?;
        let busy = busy().saturating_sub(before);
        let tally = tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Pressed { tally, took, busy })
    });
    let pressed = pressed.await;
    bar.finish_and_clear();
    pressed
}

fn busy() -> Duration {
    usage::busy_of_threads(|name| name == buyers::THREAD)
}
