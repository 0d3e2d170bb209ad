//! What connections cost that are open and say nothing.

use std::io::{Read, Write};
use std::net::TcpStream;

use flash_servers::usage;

/// Connections that are opened.
pub(crate) const OPEN_CONNECTIONS: usize = 10_000;
const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// The gateway's memory before and with them.
pub(crate) struct Memory {
    pub(crate) before_bytes: u64,
    pub(crate) with_bytes: u64,
    /// Those that were still served once the memory had been read.
    pub(crate) open: usize,
}

/// Opens them, each with one request that was answered.
pub(crate) fn measure(address: &str, pid: u32) -> anyhow::Result<Memory> {
    let before_bytes = usage::resident_bytes(pid);
    let mut streams = Vec::with_capacity(OPEN_CONNECTIONS);
    for _ in 0..OPEN_CONNECTIONS {
        let mut stream = TcpStream::connect(address)?;
        is_answered(&mut stream);
        streams.push(stream);
    }
    let with_bytes = usage::resident_bytes(pid);
    let open = streams.iter_mut().filter_map(|stream| is_answered(stream).then_some(())).count();
    Ok(Memory { before_bytes, with_bytes, open })
}

fn is_answered(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 1024];
    stream.write_all(REQUEST).is_ok() && stream.read(&mut answer).is_ok_and(|length| length > 0)
}
