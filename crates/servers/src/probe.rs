//! Is a server usable, not merely listening?

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for one answer. A server that takes longer is asked again.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_000);

/// As much of an answer as any probe judges.
const ANSWER_BYTES_MAX: usize = 64;

/// One question on a new connection, and what its answer looks like when the server is usable.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    pub(crate) question: Vec<u8>,
    pub(crate) is_ready: fn(&[u8]) -> bool,
}

impl Probe {
    /// Asks the process that listens on the port. No answer is a "not yet".
    pub(crate) fn is_answered(&self, port: u16) -> bool {
        self.ask(port).is_ok_and(|answer| (self.is_ready)(&answer))
    }

    fn ask(&self, port: u16) -> std::io::Result<Vec<u8>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        stream.write_all(&self.question)?;
        let mut answer = vec![0; ANSWER_BYTES_MAX];
        let length = stream.read(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    }
}
