//! Free ports on 127.0.0.1.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::Error;

/// First port handed out, above the well-known servers.
const PORT_MIN: u16 = 20_000;

/// How many ports there are to hand out. The last one, 32,767, lies just below the range from which Linux gives
/// local ports to outgoing connections (`ip_local_port_range`, 32,768 by default). A port from that range may be
/// taken while a server starts; worse, a client that keeps connecting to the port of a killed server may be
/// connected to itself, and then holds the port against the server's return.
const PORT_COUNT: u16 = 12_768;

/// How many ports are tried before we give up. So many in a row are never taken on a healthy machine.
const TRIES_MAX: u16 = 1_000;

/// Is nobody listening on the port?
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port that is free now. No port is handed out twice by one process before all have been, and every process begins
/// at a random one, so that servers that start side by side do not meet.
///
/// # Errors
/// When a thousand in a row are taken.
pub fn pick() -> Result<u16, Error> {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU16::new(random()));
    (0..TRIES_MAX)
        .map(|_| PORT_MIN + next.fetch_add(1, Ordering::Relaxed) % PORT_COUNT)
        .find(|port| is_free(*port))
        .ok_or(Error::NoFreePort { tried: TRIES_MAX })
}

fn random() -> u16 {
    let [low, high, ..] = RandomState::new().hash_one(()).to_le_bytes();
    u16::from_le_bytes([low, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picked_ports_are_free_distinct_and_out_of_the_way_of_outgoing_connections() {
        let mut ports: Vec<u16> = (0..100).map(|_| pick().unwrap()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 100);
        assert!(ports.iter().all(|port| (20_000..32_768).contains(port)));
    }

    #[test]
    fn a_port_with_a_listener_is_not_free() {
        let port = pick().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
