// SPDX-License-Identifier: EUPL-1.2
//! Any octets: read as a mail, or refused; never a panic, and what is read keeps its promises.
#![no_main]

use belofte_mail::{EnvelopeSender, content_hash, parse_with, snippet, thread_candidates};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let _ = content_hash(raw);
    for envelope in [EnvelopeSender::Unknown, EnvelopeSender::Null] {
        let Ok(mail) = parse_with(raw, envelope) else { return };
        assert!(mail.quoted_from.is_none_or(|at| mail.text.is_char_boundary(at)));
        assert!(
            mail.attachments.iter().all(|file| !file.name.is_empty() && !file.name.contains(['/', '\\']))
        );
        assert!(thread_candidates(&mail).len() <= 50);
        let _ = snippet(&mail.text);
    }
});
