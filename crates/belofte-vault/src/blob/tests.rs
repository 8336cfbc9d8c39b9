// SPDX-License-Identifier: EUPL-1.2
use aws_lc_rs::aead::{AES_256_GCM, UnboundKey};
use aws_lc_rs::hmac;
use belofte_model::KeyId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::sha256;

fn key(n: u64) -> DataKey {
    DataKey::generate(KeyId(Uuid::from_u128(1)), &Random::seeded(n))
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * 31 + i / 251) % 256) as u8).collect()
}

const FIRST: usize = FIRST_PLAIN as usize;
const FULL: usize = PLAIN as usize;

/// Streams made by Tink 1.16.1 (Python, C++ core) with a key of bytes 0..32, segments of
/// 65536 bytes and the associated data "blob 7": length of the plaintext, header, SHA-256 and
/// length of the whole stream.
const TINK: &[(usize, &str, &str, u64)] = &[
    (
        0,
        "286be6eb945ae086eb3c9b568f835058e51c136532c2e65cbde673cbf79f20e1bd4398f0751da2a0",
        "62644ec1ad7931be0ea9b4632306f52fbce01791245e14949c671a45c75bd589",
        56,
    ),
    (
        1,
        "28cb0205997f05b227b944e24916e0d0ed8bc64be759fdf4b35d7876d283441bf3fed055011f717e",
        "385cbb5875443c2441f55f40d8cdf03e43469824dccb1a51a52998bdb30d5aaf",
        57,
    ),
    (
        1000,
        "288c6504a73de3efb6e1f2b0862c2d59519952f7494b4ef480e8d389b8959582925887fb81d43da2",
        "c541028c0c07ad7f957c1c64a366d53c7bfaf6a57d685347a56cc18cb11d9fc1",
        1056,
    ),
    (
        65479,
        "28d00b107cbff23d843d3569ba27b594e055107eeef33f646e7604c4a107c3c284daef9980b985c5",
        "1b4e8e7893766fa3958d82b590924b6448a4b7b2a1bc10cbd64956f999ebde7b",
        65535,
    ),
    (
        65480,
        "28fe1e57b49b3cd5d6f75595d273f3b4f0332b4c4a79c3ed0a6dc88670d5e804c3fbd911b43103ea",
        "8254489143584ee4037236e428dc0b07c0e6eabce1da9711a6f143a91840031c",
        65536,
    ),
    (
        65481,
        "28985da9843cc635b286b50ab2e48465fa8a79ed2a931905e38cac2323080d81518f0319d1ed08c3",
        "c63f2a1830819964fe88d6b5027d5cd7c8c2ecad12643e5e64fe6c02d83ad534",
        65553,
    ),
    (
        131000,
        "285a0f3c1a277b4dab5a42b5b464e0771487c78706ce06a1104f1eaec32b457f72e5f7748e93a908",
        "22c11a60cbbe268e677ef79e2a998ce89bbaea6d4000ff09a69f68663f1d4fb5",
        131072,
    ),
    (
        131001,
        "28e11ec0f620a69d5758a788673c3ebec5e4c3785298d40515a7a665904885833e09277a01868303",
        "4d478bc8d4148cf834af21032a63e6ffd51418772ef91c08d7a1037e58e33db2",
        131089,
    ),
    (
        200000,
        "285b6dbc49ed33ec63aada6c330f3240b2eed876e3332dd03ba978cc1491da1edcb3e80b9d69fa8f",
        "248e4021b7248f50107bd3a0d56a11ca14bd990ba88bc0bd9bfb738e4ba0101b",
        200104,
    ),
];

#[test]
fn streams_are_those_of_tink() {
    let ikm: [u8; 32] = std::array::from_fn(|i| i as u8);
    for (len, header, hash, sealed_len) in TINK {
        let header = hex::decode(header).unwrap();
        let (salt, prefix) = (header[1..33].try_into().unwrap(), header[33..].try_into().unwrap());
        let mut sealer = Sealer::with(&ikm, b"blob 7", salt, prefix);
        let mut out = Vec::new();
        sealer.push(&pattern(*len), &mut out);
        assert_eq!(sealer.finish(&mut out), *len as u64);
        assert_eq!(out[..HEADER], header);
        assert_eq!(hex::encode(sha256(&out)), *hash, "{len} bytes");
        assert_eq!((out.len() as u64, cipher_len(*len as u64)), (*sealed_len, *sealed_len));
    }
}

#[test]
fn a_stream_written_by_tink_opens() {
    let ikm: [u8; 32] = std::array::from_fn(|i| i as u8);
    let sealed = hex::decode(concat!(
        "28cb0205997f05b227b944e24916e0d0ed8bc64be759fdf4b35d7876d283441bf3fed055011f717e",
        "7d178cd4bfbd2b41931fdcbc6bb8dfb4d9"
    ))
    .unwrap();
    let opener = Opener::with(&ikm, b"blob 7", &sealed, 1).unwrap();
    assert_eq!(opener.segment_range(0), 40..57);
    assert_eq!(opener.open_segment(0, &sealed[40..], true).unwrap(), [0]);
    let elsewhere = Opener::with(&ikm, b"blob 8", &sealed, 1).unwrap();
    assert!(matches!(elsewhere.open_segment(0, &sealed[40..], true), Err(VaultError::NotAuthentic)));
}

/// The format once more, from HMAC and GCM alone.
fn reference(ikm: &[u8; 32], aad: &[u8], header: &[u8], plain: &[u8]) -> Vec<u8> {
    let prk = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &header[1..33]), ikm);
    let info = [aad, &[1]].concat();
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, prk.as_ref()), &info);
    let mut pieces = vec![&plain[..plain.len().min(FIRST)]];
    pieces.extend(plain[plain.len().min(FIRST)..].chunks(FULL));
    let mut out = header.to_vec();
    for (i, piece) in pieces.iter().enumerate() {
        let mut nonce = [0; 12];
        nonce[..7].copy_from_slice(&header[33..]);
        nonce[7..11].copy_from_slice(&(i as u32).to_be_bytes());
        nonce[11] = u8::from(i + 1 == pieces.len());
        let mut segment = piece.to_vec();
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, derived.as_ref()).unwrap())
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut segment)
            .unwrap();
        out.extend(segment);
    }
    out
}

#[test]
fn every_border_length_equals_the_reference_and_opens_anywhere() {
    let (dek, random) = (key(1), Random::seeded(2));
    for len in [0, 1, FIRST - 1, FIRST, FIRST + 1, FIRST + FULL, FIRST + FULL + 1, 3 * SEGMENT + 5] {
        let plain = pattern(len);
        let sealed = seal_all(&dek, &random, b"place", &plain);
        assert_eq!(sealed, reference(dek.blob_secret(), b"place", &sealed[..HEADER], &plain));
        assert_eq!(sealed.len() as u64, cipher_len(len as u64));
        assert_eq!(plain_len(sealed.len() as u64), Some(len as u64));
        assert_eq!(open_all(&dek, b"place", &sealed).unwrap(), plain);

        let opener = Opener::new(&dek, b"place", &sealed, len as u64).unwrap();
        for n in (0..opener.segments()).rev() {
            let range = opener.segment_range(n);
            let bytes = &sealed[range.start as usize..range.end as usize];
            let opened = opener.open_segment(n, bytes, n + 1 == opener.segments()).unwrap();
            let at = opener.plain_offset(n) as usize;
            assert_eq!(opened, plain[at..at + opened.len()]);
        }
        assert!(opener.segment_range(opener.segments()).is_empty());
    }
}

#[test]
fn another_place_key_or_order_does_not_open() {
    let (dek, random) = (key(1), Random::seeded(2));
    let plain = pattern(3 * SEGMENT);
    let sealed = seal_all(&dek, &random, b"place", &plain);
    let refused = |result: Result<Vec<u8>, VaultError>| matches!(result, Err(VaultError::NotAuthentic));
    assert!(refused(open_all(&dek, b"elsewhere", &sealed)));
    assert!(refused(open_all(&key(3), b"place", &sealed)));

    // Two full segments change places.
    let mut swapped = sealed.clone();
    let (a, b) = (SEGMENT..2 * SEGMENT, 2 * SEGMENT..3 * SEGMENT);
    swapped[a.clone()].copy_from_slice(&sealed[b.clone()]);
    swapped[b].copy_from_slice(&sealed[a]);
    assert!(refused(open_all(&dek, b"place", &swapped)));

    // A middle segment is left out; the stream ends early at a segment's border.
    let without = [&sealed[..SEGMENT], &sealed[2 * SEGMENT..]].concat();
    assert!(refused(open_all(&dek, b"place", &without)));
    assert!(refused(open_all(&dek, b"place", &sealed[..2 * SEGMENT])));
    assert!(refused(open_all(&dek, b"place", &sealed[..sealed.len() - 1])));

    // A segment of another stream under the same key.
    let other = seal_all(&dek, &random, b"place", &plain);
    let mixed = [&sealed[..SEGMENT], &other[SEGMENT..]].concat();
    assert!(refused(open_all(&dek, b"place", &mixed)));

    // A flipped bit in salt, prefix, first and last segment, tag.
    for at in [1, 33, HEADER, SEGMENT + 5, sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(refused(open_all(&dek, b"place", &changed)), "byte {at}");
    }
}

#[test]
fn what_does_not_fit_the_length_is_refused_before_opening() {
    let (dek, random) = (key(1), Random::seeded(2));
    let sealed = seal_all(&dek, &random, b"", b"abc");
    for len in 0..HEADER + TAG_LEN {
        assert!(open_all(&dek, b"", &sealed[..len]).is_err());
    }
    let opener = Opener::new(&dek, b"", &sealed, 3).unwrap();
    let body = &sealed[HEADER..];
    assert!(matches!(opener.open_segment(0, body, false), Err(VaultError::Segment)));
    assert!(matches!(opener.open_segment(1, body, true), Err(VaultError::Segment)));
    assert!(matches!(opener.open_segment(u64::MAX - 1, &[], true), Err(VaultError::Segment)));
    assert!(matches!(opener.open_segment(0, &body[1..], true), Err(VaultError::Segment)));
    // A row that lies about the length.
    let short = Opener::new(&dek, b"", &sealed, 2).unwrap();
    assert!(matches!(short.open_segment(0, &body[..18], true), Err(VaultError::NotAuthentic)));
    assert!(matches!(Opener::new(&dek, b"", &sealed, u64::MAX), Err(VaultError::Segment)));
    let mut odd = sealed.clone();
    odd[0] = 24;
    assert!(matches!(Opener::new(&dek, b"", &odd, 3), Err(VaultError::UnknownVersion(24))));
}

#[test]
fn debug_shows_lengths_only() {
    let dek = key(1);
    let sealer = Sealer::new(&dek, &Random::seeded(1), b"secret place");
    assert_eq!(format!("{sealer:?}"), "Sealer { plain_len: 0, .. }");
    let opener = Opener::new(&dek, b"secret place", &[40; 40], 9).unwrap();
    assert_eq!(format!("{opener:?}"), "Opener { plain_len: 9, .. }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pieces_of_any_size_give_the_same_stream(
        len in 0usize..300_000,
        cuts in proptest::collection::vec(0usize..300_000, 0..6),
    ) {
        let (dek, plain) = (key(1), pattern(len));
        let whole = seal_all(&dek, &Random::seeded(9), b"a", &plain);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(len)).collect();
        cuts.extend([0, len]);
        cuts.sort_unstable();
        let mut sealer = Sealer::new(&dek, &Random::seeded(9), b"a");
        let mut out = Vec::new();
        for pair in cuts.windows(2) {
            sealer.push(&plain[pair[0]..pair[1]], &mut out);
        }
        prop_assert_eq!(sealer.finish(&mut out), len as u64);
        prop_assert_eq!(out, whole);
    }

    #[test]
    fn any_range_of_the_plaintext_lies_in_its_segments(len in 1u64..1_000_000, a in 0u64..1_000_000, b in 0u64..1_000_000) {
        let opener = Opener::new(&key(1), b"", &[40; 40], len).unwrap();
        let range = a.min(b)..a.max(b);
        let segments = opener.segments_of(&range);
        let end = range.end.min(len);
        prop_assert_eq!(segments.is_empty(), range.start >= end);
        if !segments.is_empty() {
            prop_assert!(opener.plain_offset(segments.start) <= range.start);
            prop_assert!(opener.plain_offset(segments.start + 1) > range.start);
            prop_assert!(opener.plain_offset(segments.end - 1) < end);
            prop_assert!(end <= opener.plain_offset(segments.end));
            prop_assert!(segments.end <= opener.segments());
            let (n, within) = locate(range.start);
            prop_assert_eq!(opener.plain_offset(n) + within as u64, range.start);
        }
    }

    #[test]
    fn lengths_are_inverse(len in 0u64..(1 << 44)) {
        prop_assert_eq!(plain_len(cipher_len(len)), Some(len));
    }

    #[test]
    fn any_length_and_bytes_are_handled(bytes in proptest::collection::vec(any::<u8>(), 0..200), claimed in any::<u64>()) {
        let _ = plain_len(claimed);
        prop_assert!(open_all(&key(1), b"", &bytes).is_err());
        if let Ok(opener) = Opener::new(&key(1), b"", &bytes, claimed) {
            prop_assert!(opener.open_segment(claimed, &bytes, true).is_err());
            let _ = opener.segments_of(&(claimed..u64::MAX));
        }
    }
}
