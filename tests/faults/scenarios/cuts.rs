//! A connection breaks after the Nth byte of a direction: in the midst of a command, an answer, a frame, a
//! transaction.

use std::time::Duration;

use anyhow::Result;
use flash_tests::wait;
use rand::RngExt;
use rand::seq::IndexedRandom;

use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;
use flash_tests::proxy::Direction;

/// The last byte that may be meant: two to the power of so much.
const BYTES_LOG2_MAX: f64 = 14.0;
/// A link that carries fewer bytes is not cut.
const WAIT: Duration = Duration::from_millis(300);

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| round::run(world, seed, USUAL, cut))
}

/// Few bytes and many are equally likely, and some links break twice, so that handshakes are cut too.
pub(super) fn cut(strike: &mut Strike) -> Result<()> {
    let links: Vec<_> = strike.world.links.all().collect();
    let link = *links.choose(&mut strike.random).expect("there are links");
    let direction = *Direction::BOTH.choose(&mut strike.random).expect("there are two");
    for _ in 0..strike.random.random_range(1..3) {
        let bytes = strike.random.random_range(0.0..BYTES_LOG2_MAX).exp2().floor();
        // It is at most 16,384.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let bytes = bytes as u64 - 1;
        strike.note(format!("{}: cut behind {bytes} bytes {direction:?}", link.name()));
        strike.world.links.proxy(link).cut_after(direction, bytes);
        let proxy = strike.world.links.proxy(link);
        let cut = wait::within(WAIT, || proxy.has_cut().then_some(()));
        strike.note(if cut.is_some() { "it is cut" } else { "so many bytes never came" });
    }
    Ok(())
}
