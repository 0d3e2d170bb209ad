//! Connections whose answers are not read, and what they hold at the other end.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

/// What the kernel may hold to be sent of one connection at the gateway's end: its send buffer, doubled for the
/// kernel's own notes, and as much again.
pub const QUEUED_BYTES_EACH_MAX: u64 = 2 * 2 * 64 * 1024;

/// A connection with the least room for answers that the kernel allows.
///
/// # Errors
/// When nothing listens there.
pub fn tiny(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(1)?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}

/// The connections of a local port: how many there are, and the bytes that they hold to be sent.
///
/// # Errors
/// Where the kernel has no such table.
pub fn held(port: u16) -> io::Result<(usize, u64)> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let ours = table.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let local = u16::from_str_radix(words.get(1)?.rsplit(':').next()?, 16).ok()?;
        let is_open = *words.get(3)? != LISTENS && *words.get(3)? != TIME_WAIT;
        let queued = u64::from_str_radix(words.get(4)?.split(':').next()?, 16).ok()?;
        (local == port && is_open).then_some(queued)
    });
    Ok(ours.fold((0, 0), |(count, bytes), queued| (count + 1, bytes + queued)))
}

/// States of a socket in the kernel's table.
const LISTENS: &str = "0A";
const TIME_WAIT: &str = "06";
