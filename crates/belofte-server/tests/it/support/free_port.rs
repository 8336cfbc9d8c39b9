// SPDX-License-Identifier: EUPL-1.2
//! Ports of the loopback that nobody listens on.

use std::net::TcpListener;

/// `N` different ports of 127.0.0.1 that were free a moment ago.
pub fn free_ports<const N: usize>() -> [u16; N] {
    // All are held until the last is known, so that no two are the same.
    let listeners: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports"));
    listeners
        .each_ref()
        .map(|listener| listener.local_addr().expect("a bound listener has an address").port())
}
