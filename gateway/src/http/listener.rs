//! One listener for each thread, all on one address: the kernel spreads the connections over them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::limits::{BACKLOG_CONNECTIONS_MAX, SEND_BUFFER_BYTES, USER_TIMEOUT_MS};

/// Opens `count` listeners on `address`; port 0 is one free port for all of them.
///
/// # Errors
/// When the address cannot be had: another process may listen there.
pub(crate) fn open(address: SocketAddr, count: usize) -> io::Result<Vec<TcpListener>> {
    // Shared ports are shared with anyone of this user who asks for the same: two gateways started by mistake would
    // take each other's buyers. A listener that does not share finds out.
    drop(listen(address, false)?);
    let first = listen(address, true)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..count {
        listeners.push(listen(address, true)?);
    }
    Ok(listeners)
}

fn listen(address: SocketAddr, shares: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shares)?;
    socket.set_nonblocking(true)?;
    // The connections inherit both. Without them, what a client does not read grows to megabytes, and outlives the
    // connection.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_tcp_user_timeout(Some(Duration::from_millis(USER_TIMEOUT_MS)))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG_CONNECTIONS_MAX)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    #[test]
    fn all_listeners_have_the_same_port() {
        let listeners = open(free(), 3).unwrap();
        let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.len() == 3 && ports[0] > 0 && ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    }

    #[test]
    fn an_address_that_another_gateway_has_is_refused() {
        let first = open(free(), 2).unwrap();
        let address = first[0].local_addr().unwrap();
        assert_eq!(open(address, 1).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
