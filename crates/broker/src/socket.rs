//! The socket of a connection, to cut it without a word.
//!
//! A consumer that lapin drops says `basic.cancel` before anything else, and a quorum queue that has a single active
//! consumer then activates the next one, while the messages of the cancelled one are still in its hand: the next one
//! gets what follows them first, barriers among it. A connection that is cut gives its messages back before another
//! consumer is active.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

/// A second handle on a connection's socket.
#[derive(Debug, Default)]
pub(crate) struct Socket(Option<TcpStream>);

impl Socket {
    pub(crate) fn of(stream: &impl AsFd) -> io::Result<Self> {
        let handle: OwnedFd = stream.as_fd().try_clone_to_owned()?;
        Ok(Self(Some(handle.into())))
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.as_ref().map(TcpStream::try_clone).transpose()?))
    }

    /// From now on nothing goes out, and RabbitMQ sees the end.
    pub(crate) fn cut(&self) {
        if let Some(socket) = &self.0 {
            // It may be closed by now.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
