// SPDX-License-Identifier: EUPL-1.2
//! Waiting for another process, with a limit. Other programs have no clock to inject.

use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Calls `look` every 20 ms until it finds something.
///
/// # Panics
/// After `limit`, with `what` in the message.
#[allow(clippy::disallowed_methods, reason = "waits for another process in real time")]
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until something accepts connections on this port of the loopback.
///
/// # Panics
/// After 20 s.
pub fn until_listening(what: &str, port: u16) {
    until(&format!("{what} to listen on port {port}"), Duration::from_secs(20), || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
}

/// Rests for `span` of real time: another process is waited for, whose clock is the machine's.
#[expect(clippy::disallowed_methods, reason = "another process is waited for, in real time")]
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}
