//! What may happen to bytes on their way.

use std::time::Duration;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// Back.
    ToClient,
}

/// What happens to the bytes of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// They pass.
    #[default]
    Pass,
    /// They stop, without an error: new connections open, and stop too.
    Stall,
    /// Each piece takes so long.
    Delay(Duration),
    /// They come in pieces of so few bytes.
    Slice(usize),
}

/// A connection that breaks after so many more bytes of one direction.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Which way.
    pub direction: Direction,
    /// So many.
    pub bytes: u64,
}

/// The flow of both directions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    flows: [Flow; 2],
}

impl Direction {
    /// To the server, and back.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];
}

impl Rules {
    pub(crate) const fn flow(&self, direction: Direction) -> Flow {
        self.flows[direction as usize]
    }

    pub(crate) const fn set(&mut self, direction: Direction, flow: Flow) {
        self.flows[direction as usize] = flow;
    }
}
