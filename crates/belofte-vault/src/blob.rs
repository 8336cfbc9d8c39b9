// SPDX-License-Identifier: EUPL-1.2
//! Sealed byte streams that can be read from the middle: Tink's published
//! AES256-GCM-HKDF streaming format with segments of 64 KiB.
//!
//! ```text
//! header   = 0x28 ‖ salt (32) ‖ nonce prefix (7)                       40 bytes
//! key      = HKDF-SHA-256(ikm = blob subkey, salt = salt, info = aad)  32 bytes
//! segment  = AES-256-GCM(key, nonce = prefix ‖ u32 number ‖ last?, no aad)
//! stream   = header ‖ segment 0 (65496 bytes) ‖ segment 1 (65536 bytes) ‖ … ‖ last (16 to full)
//! ```
//!
//! Each sealed segment ends with its tag of 16 bytes. The first is shorter by the header, so
//! that every later one begins at a multiple of 64 KiB. The last one is marked in its nonce:
//! a stream cut at a segment's end does not open. Numbers are big-endian.

use std::fmt;
use std::ops::Range;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use crate::data_key::TAG_LEN;
use crate::derive::{aes_256_gcm, hkdf_sha256};
use crate::{DataKey, Random, VaultError};

/// The length of a sealed segment, tag included.
pub const SEGMENT: usize = 64 * 1024;
/// The length of the header that every stream begins with.
pub const HEADER: usize = 1 + SALT + PREFIX;

const SALT: usize = 32;
const PREFIX: usize = 7;
const TAG: u64 = TAG_LEN as u64;
const FIRST_PLAIN: u64 = (SEGMENT - HEADER - TAG_LEN) as u64;
const PLAIN: u64 = (SEGMENT - TAG_LEN) as u64;
/// Segments are numbered with 32 bits.
const MAX_PLAIN: u64 = FIRST_PLAIN + PLAIN * (u32::MAX as u64);

/// How many segments a plaintext of `plain_len` bytes has; an empty one has one.
#[must_use]
pub const fn segment_count(plain_len: u64) -> u64 {
    if plain_len <= FIRST_PLAIN { 1 } else { 1 + (plain_len - FIRST_PLAIN).div_ceil(PLAIN) }
}

/// The length of the sealed stream, header included, for a plaintext of `plain_len` bytes.
#[must_use]
pub const fn cipher_len(plain_len: u64) -> u64 {
    HEADER as u64 + plain_len + segment_count(plain_len) * TAG
}

/// The length of the plaintext of a sealed stream of `cipher_len` bytes; `None` when no
/// plaintext has that length sealed.
#[must_use]
pub const fn plain_len(cipher_len: u64) -> Option<u64> {
    let segments = cipher_len.div_ceil(SEGMENT as u64);
    let Some(plain) = cipher_len.checked_sub(HEADER as u64 + segments * TAG) else { return None };
    if plain <= MAX_PLAIN && self::cipher_len(plain) == cipher_len { Some(plain) } else { None }
}

/// The range of plaintext bytes that segment `n` holds when it is full.
#[must_use]
const fn plain_start(n: u64) -> u64 {
    if n == 0 { 0 } else { FIRST_PLAIN + (n - 1) * PLAIN }
}

/// The segment that holds the plaintext byte at `offset`, and where in that segment's
/// plaintext it stands.
#[must_use]
pub const fn locate(offset: u64) -> (u64, usize) {
    if offset < FIRST_PLAIN {
        (0, offset as usize)
    } else {
        let behind = offset - FIRST_PLAIN;
        (1 + behind / PLAIN, (behind % PLAIN) as usize)
    }
}

struct Stream {
    key: LessSafeKey,
    prefix: [u8; PREFIX],
}

impl Stream {
    fn new(secret: &[u8; 32], aad: &[u8], salt: &[u8; SALT], prefix: [u8; PREFIX]) -> Self {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        hkdf_sha256(salt, secret, aad, &mut *key);
        Self { key: aes_256_gcm(&key), prefix }
    }

    fn nonce(&self, number: u32, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..PREFIX].copy_from_slice(&self.prefix);
        nonce[PREFIX..PREFIX + 4].copy_from_slice(&number.to_be_bytes());
        nonce[NONCE_LEN - 1] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Appends the sealed segment to `out`.
    fn seal(&self, number: u32, last: bool, plain: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(plain);
        let tag = self
            .key
            .seal_in_place_separate_tag(self.nonce(number, last), Aad::empty(), &mut out[start..])
            .expect("a segment is far below the 64 GiB that GCM can seal");
        out.extend_from_slice(tag.as_ref());
    }

    fn open(&self, number: u32, last: bool, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut buffer = sealed.to_vec();
        let len = self
            .key
            .open_in_place(self.nonce(number, last), Aad::empty(), &mut buffer)
            .map_err(|_| VaultError::NotAuthentic)?
            .len();
        buffer.truncate(len);
        Ok(buffer)
    }
}

/// Seals a stream piece by piece. Dropped without [`finish`](Self::finish), what it gave does
/// not open.
pub struct Sealer {
    stream: Stream,
    header: Option<[u8; HEADER]>,
    buffer: Vec<u8>,
    number: u32,
    plain_len: u64,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("plain_len", &self.plain_len).finish_non_exhaustive()
    }
}

impl Sealer {
    /// Begins a stream under `dek` that opens only with the same `aad`.
    #[must_use]
    pub fn new(dek: &DataKey, random: &Random, aad: &[u8]) -> Self {
        Self::with(dek.blob_secret(), aad, random.bytes(), random.bytes())
    }

    fn with(secret: &[u8; 32], aad: &[u8], salt: [u8; SALT], prefix: [u8; PREFIX]) -> Self {
        let mut header = [0; HEADER];
        header[0] = HEADER as u8;
        header[1..=SALT].copy_from_slice(&salt);
        header[1 + SALT..].copy_from_slice(&prefix);
        let stream = Stream::new(secret, aad, &salt, prefix);
        Self { stream, header: Some(header), buffer: Vec::new(), number: 0, plain_len: 0 }
    }

    /// Takes more plaintext and appends to `out` what is sealed by it, at first the header.
    ///
    /// # Panics
    /// Beyond 2^32 segments (256 TiB).
    pub fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) {
        if let Some(header) = self.header.take() {
            out.extend_from_slice(&header);
        }
        self.plain_len += plain.len() as u64;
        // A full segment waits until more arrives, because the last one is sealed differently.
        loop {
            let room = self.capacity() - self.buffer.len();
            if plain.len() <= room {
                self.buffer.extend_from_slice(plain);
                return;
            }
            let (now, rest) = plain.split_at(room);
            if self.buffer.is_empty() {
                self.stream.seal(self.number, false, now, out);
            } else {
                self.buffer.extend_from_slice(now);
                self.stream.seal(self.number, false, &self.buffer, out);
                self.buffer.clear();
            }
            self.number = self.number.checked_add(1).expect("a stream stays below 256 TiB");
            plain = rest;
        }
    }

    /// Seals the last segment onto `out`; gives the length of the plaintext, which belongs in
    /// the row of the blob.
    #[must_use]
    pub fn finish(mut self, out: &mut Vec<u8>) -> u64 {
        self.push(&[], out);
        self.stream.seal(self.number, true, &self.buffer, out);
        self.plain_len
    }

    fn capacity(&self) -> usize {
        if self.number == 0 { FIRST_PLAIN as usize } else { PLAIN as usize }
    }
}

/// Opens any segment of a stream of known length.
pub struct Opener {
    stream: Stream,
    plain_len: u64,
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("plain_len", &self.plain_len).finish_non_exhaustive()
    }
}

impl Opener {
    /// Prepares to open the stream that begins with `header` ([`HEADER`] bytes; more are
    /// ignored) and holds `plain_len` bytes of plaintext, as its row says.
    ///
    /// # Errors
    /// [`VaultError::Truncated`], [`VaultError::UnknownVersion`] when it is no such header, or
    /// [`VaultError::Segment`] for a length that cannot be.
    pub fn new(dek: &DataKey, aad: &[u8], header: &[u8], plain_len: u64) -> Result<Self, VaultError> {
        Self::with(dek.blob_secret(), aad, header, plain_len)
    }

    fn with(secret: &[u8; 32], aad: &[u8], header: &[u8], plain_len: u64) -> Result<Self, VaultError> {
        let Some(header) = header.first_chunk::<HEADER>() else {
            return Err(VaultError::Truncated { len: header.len() });
        };
        if usize::from(header[0]) != HEADER {
            return Err(VaultError::UnknownVersion(header[0]));
        }
        if plain_len > MAX_PLAIN {
            return Err(VaultError::Segment);
        }
        let salt = header[1..].first_chunk().expect("the header holds the salt");
        let prefix = *header[1 + SALT..].first_chunk().expect("the header ends with the prefix");
        Ok(Self { stream: Stream::new(secret, aad, salt, prefix), plain_len })
    }

    /// The length of the plaintext.
    #[must_use]
    pub const fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// How many segments the stream has; at least one.
    #[must_use]
    pub const fn segments(&self) -> u64 {
        segment_count(self.plain_len)
    }

    /// Where segment `n` stands in the sealed stream, header counted; empty behind the last.
    #[must_use]
    pub const fn segment_range(&self, n: u64) -> Range<u64> {
        let end = cipher_len(self.plain_len);
        if n >= self.segments() {
            return end..end;
        }
        let start = if n == 0 { HEADER as u64 } else { n * SEGMENT as u64 };
        let full = (n + 1) * SEGMENT as u64;
        start..if full < end { full } else { end }
    }

    /// The segments that hold the plaintext bytes of `plain` (cut to the stream's end).
    #[must_use]
    pub fn segments_of(&self, plain: &Range<u64>) -> Range<u64> {
        let end = plain.end.min(self.plain_len);
        if plain.start >= end {
            return 0..0;
        }
        locate(plain.start).0..locate(end - 1).0 + 1
    }

    /// The offset in the plaintext of the first byte of segment `n`.
    #[must_use]
    pub const fn plain_offset(&self, n: u64) -> u64 {
        plain_start(n)
    }

    /// Opens segment `n` from exactly the bytes of [`segment_range`](Self::segment_range).
    /// `last` says whether the caller takes it for the end of the stream.
    ///
    /// # Errors
    /// [`VaultError::Segment`] when number, length or `last` do not fit the stream's length;
    /// [`VaultError::NotAuthentic`] for other bytes, another place or another key.
    pub fn open_segment(&self, n: u64, sealed: &[u8], last: bool) -> Result<Vec<u8>, VaultError> {
        let range = self.segment_range(n);
        let number = u32::try_from(n).map_err(|_| VaultError::Segment)?;
        if range.is_empty()
            || sealed.len() as u64 != range.end - range.start
            || last != (n + 1 == self.segments())
        {
            return Err(VaultError::Segment);
        }
        self.stream.open(number, last, sealed)
    }
}

/// Seals a whole plaintext.
#[must_use]
pub fn seal_all(dek: &DataKey, random: &Random, aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(usize::try_from(cipher_len(plain.len() as u64)).unwrap_or(0));
    let mut sealer = Sealer::new(dek, random, aad);
    sealer.push(plain, &mut out);
    let _ = sealer.finish(&mut out);
    out
}

/// Opens a whole stream.
///
/// # Errors
/// [`VaultError::Truncated`] for a length that no stream has, and as [`Opener`].
pub fn open_all(dek: &DataKey, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let len = plain_len(sealed.len() as u64).ok_or(VaultError::Truncated { len: sealed.len() })?;
    let opener = Opener::new(dek, aad, sealed, len)?;
    let mut plain = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    for n in 0..opener.segments() {
        let range = opener.segment_range(n);
        let bytes = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok())
            .and_then(|(start, end)| sealed.get(start..end))
            .ok_or(VaultError::Segment)?;
        plain.extend_from_slice(&opener.open_segment(n, bytes, n + 1 == opener.segments())?);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests;
