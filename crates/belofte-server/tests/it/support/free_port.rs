// SPDX-License-Identifier: EUPL-1.2
//! Ports of the loopback that nobody listens on, and that nobody else of these tests will.

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Mutex;

/// Below what Linux gives to outgoing connections by default (`ip_local_port_range` begins at
/// 32768), so that no connection of a neighbour takes a port before its server listens on it.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

/// What is held until this process ends. The tests are many processes at a time, and a server that
/// is stopped and started again must find its port as it left it. Were it another test's server
/// that answers there, a test would not even see it.
static HELD: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// `N` different ports of 127.0.0.1 that are free. No other process that asks here gets the same
/// ones for as long as this one lives.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let mut held = HELD.lock().expect("nobody fails while holding it");
    // Neighbours begin far from each other, or each would try all that the others hold.
    let begin = u16::try_from(std::process::id().wrapping_mul(37) % u32::from(COUNT)).expect("below COUNT");
    let mut candidates = (0..COUNT).map(|step| FIRST + (begin + step) % COUNT);
    std::array::from_fn(|_| {
        candidates
            .find(|port| {
                // A name in the abstract namespace goes with the process that holds it (unix(7)).
                let name = SocketAddr::from_abstract_name(format!("belofte-test-port-{port}"))
                    .expect("a short name without a zero");
                let Ok(mine) = UnixListener::bind_addr(&name) else { return false };
                let free = TcpListener::bind(("127.0.0.1", *port)).is_ok();
                if free {
                    held.push(mine);
                }
                free
            })
            .expect("the loopback has free ports")
    })
}
