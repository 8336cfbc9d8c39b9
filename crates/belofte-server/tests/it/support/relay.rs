// SPDX-License-Identifier: EUPL-1.2
//! A line between two programs that a test can cut and mend.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes on what comes, until it is cut.
pub struct Relay {
    /// The near end, on the loopback.
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cut: AtomicBool,
    ended: AtomicBool,
    lines: Mutex<Vec<TcpStream>>,
    said: Mutex<Vec<u8>>,
}

impl Relay {
    /// A line to port `to` of the loopback.
    pub fn to(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                if shared.cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                let mut lines = shared.lines.lock().expect("nobody panics here");
                for (from, into, kept) in [(&near, &far, true), (&far, &near, false)] {
                    let (from, into) = (from.try_clone().expect("a line"), into.try_clone().expect("a line"));
                    let kept = kept.then(|| Arc::clone(&shared));
                    thread::spawn(move || pass(from, into, kept.as_deref()));
                }
                lines.extend([near, far]);
            }
        });
        Self { port, state }
    }

    /// Ends all lines, and those that are begun from now on.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::SeqCst);
        for line in self.state.lines.lock().expect("nobody panics here").drain(..) {
            let _ = line.shutdown(Shutdown::Both);
        }
    }

    /// All that the near end has said so far, over all lines.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.state.said.lock().expect("nobody panics here")).into_owned()
    }

    /// Lets lines through again.
    pub fn mend(&self) {
        self.state.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.cut();
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn pass(mut from: TcpStream, mut into: TcpStream, kept: Option<&State>) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            let _ = into.shutdown(Shutdown::Both);
            return Ok(());
        }
        if let Some(state) = kept {
            state.said.lock().expect("nobody panics here").extend_from_slice(&buffer[..read]);
        }
        into.write_all(&buffer[..read])?;
    }
}
