// SPDX-License-Identifier: EUPL-1.2
//! Looks for markers in everything that a server leaves behind, in every guise that it could
//! have taken on the way.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use aho_corasick::AhoCorasick;

/// The guises of one marker.
pub struct Canary {
    /// The marker itself: letters and digits, unlike any word.
    pub marker: String,
    guises: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    /// A marker that no other test uses; `what` says where it goes in.
    pub fn new(what: &str, number: u32) -> Self {
        Self::of(format!("Zq{what}{number:04}kanarie{:x}Xv", std::process::id()))
    }

    /// A marker that the server made: a secret that it told.
    pub fn of(marker: String) -> Self {
        let bytes = marker.as_bytes();
        let mut guises = vec![
            ("as it is", bytes.to_vec()),
            ("in lower case", marker.to_lowercase().into_bytes()),
            ("hexadecimal", bytes.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect()),
            ("UTF-16 little endian", marker.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("UTF-16 big endian", marker.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            ("quoted-printable", bytes.iter().flat_map(|b| format!("={b:02X}").into_bytes()).collect()),
            ("reversed", bytes.iter().rev().copied().collect()),
        ];
        // Base64 has three forms, by where in a group of three the marker begins; the characters
        // at both ends depend on their neighbours and are left out.
        for (shift, name) in [(0, "base64"), (1, "base64, shifted by one"), (2, "base64, shifted by two")] {
            let mut padded = vec![0; shift];
            padded.extend_from_slice(bytes);
            let text = base64(&padded);
            let (from, to) = ((shift * 8).div_ceil(6), (padded.len() * 8) / 6);
            guises.push((name, text[from..to].to_vec()));
        }
        Self { marker, guises }
    }
}

/// Many markers, looked for in one pass over what is read.
pub struct Canaries {
    /// By the number of its guise in `guises`: the marker and how it is dressed.
    names: Vec<(String, &'static str)>,
    guises: AhoCorasick,
}

impl Canaries {
    /// Looks for all of these.
    ///
    /// # Panics
    /// Never: the guises of a marker are few and short.
    pub fn new(all: Vec<Canary>) -> Self {
        let (mut names, mut guises) = (Vec::new(), Vec::new());
        for canary in all {
            for (name, guise) in canary.guises {
                names.push((canary.marker.clone(), name));
                guises.push(guise);
            }
        }
        Self { names, guises: AhoCorasick::new(guises).expect("few and short") }
    }

    /// Which markers stand in `bytes`, the first of each place with its guise; streams of gzip and zlib inside are opened
    /// and searched too.
    pub fn seen_in(&self, bytes: &[u8]) -> Vec<String> {
        let mut found: Vec<_> = self.plain(bytes).collect();
        for at in memchr::memchr2_iter(0x1f, 0x78, bytes) {
            let mut plain = Vec::new();
            let opened = match (bytes[at], bytes.get(at + 1)) {
                (0x1f, Some(0x8b)) => {
                    flate2::read::GzDecoder::new(&bytes[at..]).take(1 << 22).read_to_end(&mut plain)
                }
                (0x78, Some(0x01 | 0x5e | 0x9c | 0xda)) => {
                    flate2::read::ZlibDecoder::new(&bytes[at..]).take(1 << 22).read_to_end(&mut plain)
                }
                _ => continue,
            };
            // What was opened before an error counts as well.
            let _ = opened;
            // An error page or a back-up may hold it in any guise before it is compressed.
            found.extend(self.plain(&plain).map(|seen| format!("{seen}, compressed")));
        }
        found
    }

    fn plain(&self, bytes: &[u8]) -> impl Iterator<Item = String> {
        self.guises.find_iter(bytes).map(|seen| {
            let (marker, guise) = &self.names[seen.pattern().as_usize()];
            format!("{marker} ({guise})")
        })
    }

    /// What [`seen_in`](Self::seen_in) finds in the files below `folder`, each with its file.
    pub fn seen_below(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let Ok(entries) = fs::read_dir(folder) else { return found };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                found.extend(self.seen_below(&path));
            } else if let Ok(bytes) = fs::read(&path) {
                found.extend(self.seen_in(&bytes).iter().map(|seen| format!("{}: {seen}", path.display())));
            }
        }
        found
    }
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for n in 0..4 {
            out.push(ALPHABET[(bits >> (18 - 6 * n)) as usize & 63]);
        }
    }
    out
}
