//! One direction of one connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::rules::{Direction, Flow, Rules};
use super::{Shared, pause};

/// Bytes that are read at once.
const PIECE_BYTES_MAX: usize = 16 * 1024;
/// The pause after each slice.
const SLICE_PAUSE: Duration = Duration::from_micros(200);

/// Carries bytes until the end; an error is a cut, or a connection that broke.
pub(crate) async fn run(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    direction: Direction,
    shared: &Shared,
    connection: u64,
) -> io::Result<()> {
    let mut watch = shared.holds.watch(direction, connection);
    let mut rules = shared.rules.subscribe();
    let mut piece = vec![0; PIECE_BYTES_MAX];
    loop {
        let room = match moving(&mut rules, direction).await {
            Flow::Slice(bytes) => bytes.clamp(1, PIECE_BYTES_MAX),
            _ => PIECE_BYTES_MAX,
        };
        let read = from.read(&mut piece[..room]).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        // It may have been told to stand still while it waited for these bytes.
        match moving(&mut rules, direction).await {
            Flow::Delay(time) => pause(time).await,
            Flow::Slice(_) => pause(SLICE_PAUSE).await,
            Flow::Pass | Flow::Stall => {}
        }
        let held_from = watch.look_at(&piece[..read]).unwrap_or(read);
        if held_from < read {
            to.write_all(&piece[..held_from]).await?;
            if !shared.holds.released().await {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            let sent = to.write_all(&piece[held_from..read]).await;
            shared.holds.nothing_is_held();
            sent?;
            continue;
        }
        let passes = shared.pass(direction, read);
        to.write_all(&piece[..passes]).await?;
        if passes < read {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
    }
}

/// Waits until bytes may move; how they move.
async fn moving(rules: &mut watch::Receiver<Rules>, direction: Direction) -> Flow {
    let moves = rules.wait_for(|rules| rules.flow(direction) != Flow::Stall).await;
    // Without a proxy any more there are no rules either.
    moves.map_or(Flow::Pass, |rules| rules.flow(direction))
}
