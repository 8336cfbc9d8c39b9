// SPDX-License-Identifier: EUPL-1.2
//! A client that says anything, in pieces of any size: replies are whole lines, a message is
//! handed over only after a recipient was taken, memory is bounded, and the pieces in which the
//! octets came make no difference.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use belofte_channels::email::smtp_session::{
    ByteBudget, Protocol, Resolution, Session, SessionSettings, Step,
};
use libfuzzer_sys::fuzz_target;

const MAX_MESSAGE: usize = 4_000;
const BUDGET: usize = 1 << 20;

struct House {
    session: Session<u8>,
    said: Vec<u8>,
    taken: Vec<(usize, Vec<u8>)>,
    closed: bool,
}

impl House {
    fn new(protocol: Protocol, budget: ByteBudget) -> Self {
        let settings = SessionSettings {
            max_message: MAX_MESSAGE,
            ..SessionSettings::new(protocol, "mx.belofte.example")
        };
        let mut session = Session::new(Arc::new(settings), budget, None, Duration::ZERO);
        session.greet();
        let said = session.take_output().to_vec();
        Self { session, said, taken: Vec::new(), closed: false }
    }

    fn hear(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        self.session.receive(bytes, Duration::from_secs(1));
        loop {
            match self.session.advance() {
                Step::Read => break,
                Step::Close => {
                    self.closed = true;
                    break;
                }
                Step::Admit => self.session.admitted(true),
                // An account has one address: another domain is another account's, or nobody's.
                Step::Resolve(address) => self.session.resolved(match (address.local(), address.domain()) {
                    ("info", "shop.example") => Resolution::Known(1),
                    ("help", "shop.example") => Resolution::Known(2),
                    ("paused", _) => Resolution::Paused,
                    ("busy", _) => Resolution::Busy,
                    ("later", _) => Resolution::TryLater,
                    _ => Resolution::Unknown,
                }),
                Step::Deliver(handover) => {
                    assert!(!handover.targets.is_empty() && handover.targets.len() <= 2);
                    assert!(handover.text.len() <= MAX_MESSAGE);
                    self.taken.push((handover.targets.len(), handover.text.to_vec()));
                    let results: Vec<_> = handover.targets.iter().map(|_| Ok(())).collect();
                    self.session.delivered(&results);
                }
                Step::StartTls => {
                    self.said.extend(self.session.take_output());
                    self.session.tls_started("TLS".to_owned(), Duration::from_secs(1));
                    // What was sent before the handshake was thrown away, which is the point: what
                    // comes after it is another dialogue.
                    self.closed = true;
                    break;
                }
            }
        }
        self.said.extend(self.session.take_output());
    }
}

/// What was said before STARTTLS. Its answer hangs on what came with it, on purpose: nothing may follow it in
/// clear (RFC 3207, section 4.2; somebody on the line may have put it there).
fn before_tls(said: &[u8]) -> &[u8] {
    const ANSWERS: [&[u8]; 2] = [
        b"220 2.0.0 begin the handshake\r\n",
        b"554 5.5.1 nothing may follow STARTTLS before the handshake, closing\r\n",
    ];
    ANSWERS.into_iter().find_map(|answer| said.strip_suffix(answer)).unwrap_or(said)
}

fuzz_target!(|raw: &[u8]| {
    let Some((mode, bytes)) = raw.split_first() else { return };
    let protocol = if mode & 1 == 0 { Protocol::Smtp } else { Protocol::Lmtp };
    let piece = usize::from(mode >> 1) + 1;
    let budget = ByteBudget::new(BUDGET);
    let mut whole = House::new(protocol, budget.clone());
    whole.hear(bytes);
    let mut parts = House::new(protocol, budget.clone());
    for part in bytes.chunks(piece) {
        parts.hear(part);
    }
    for house in [&whole, &parts] {
        assert!(house.said.is_empty() || house.said.ends_with(b"\r\n"));
        for line in house.said.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
            let line = line.strip_suffix(b"\r").expect("a reply ends in CRLF");
            assert!(line.len() < 512 && line.iter().all(|octet| (32..127).contains(octet)));
            assert!(line.len() > 3 && line[..3].iter().all(u8::is_ascii_digit));
        }
    }
    assert_eq!(whole.taken, parts.taken);
    assert!(before_tls(&whole.said) == before_tls(&parts.said), "{piece}");
    drop((whole, parts));
    assert_eq!(budget.left(), BUDGET);
});
