// SPDX-License-Identifier: EUPL-1.2
//! The files of an export: names, tiles (C2SP `tlog-tiles`) and lines of entries.

use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tlog_tiles::Tile;

use crate::{Hash, Leaf, MAX_ENTRY};

pub(crate) const CHECKPOINT: &str = "checkpoint";
pub(crate) const KEY: &str = "key";
pub(crate) const ENTRIES: &str = "entries.jsonl";

/// Hashes in a full tile, entries in a full bundle.
pub(crate) const WIDTH: u64 = 256;

/// The path of tile `n` of a level, `width` wide: `tile/0/x001/234`, `tile/0/000.p/7`.
pub(crate) fn tile_path(level: &str, n: u64, width: u64) -> String {
    let mut number = format!("{:03}", n % 1000);
    let mut rest = n / 1000;
    while rest > 0 {
        number = format!("x{:03}/{number}", rest % 1000);
        rest /= 1000;
    }
    if width == WIDTH { format!("tile/{level}/{number}") } else { format!("tile/{level}/{number}.p/{width}") }
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile {
    /// Its path within the export, with `/` between names.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// What becomes of a finished tile.
pub(crate) enum Sink {
    /// It waits to be taken.
    Keep(Vec<ExportFile>),
    /// It is compared with the file; the first path that differs is kept.
    Compare(PathBuf, Option<String>),
}

impl Sink {
    fn tile(&mut self, path: String, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Keep(files) => {
                files.push(ExportFile { path, bytes: bytes.to_vec() });
                Ok(())
            }
            Self::Compare(_, Some(_)) => Ok(()),
            Self::Compare(folder, differs) => {
                if read_exactly(&folder.join(&path), bytes.len())?.is_none_or(|found| found != bytes) {
                    *differs = Some(path);
                }
                Ok(())
            }
        }
    }
}

/// The bytes of a file of just this length; `None` when it is missing or of another length.
fn read_exactly(path: &Path, len: usize) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() == len as u64 => fs::read(path).map(Some),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Makes all tiles and bundles of a log from its commitments, keeping one tile per level.
pub(crate) struct Tiles {
    pub(crate) sink: Sink,
    /// The unfinished tile of each level and its number.
    levels: Vec<(u64, Vec<u8>)>,
    bundle: (u64, Vec<u8>, u64),
}

impl Tiles {
    pub(crate) const fn new(sink: Sink) -> Self {
        Self { sink, levels: Vec::new(), bundle: (0, Vec::new(), 0) }
    }

    pub(crate) fn push(&mut self, commitment: &Hash) -> io::Result<()> {
        let (n, bytes, count) = &mut self.bundle;
        // A bundle holds each entry after its length in two bytes.
        bytes.extend_from_slice(&(commitment.len() as u16).to_be_bytes());
        bytes.extend_from_slice(commitment);
        *count += 1;
        if *count == WIDTH {
            self.sink.tile(tile_path("entries", *n, WIDTH), bytes)?;
            (*n, *count) = (*n + 1, 0);
            bytes.clear();
        }
        let mut hash = Leaf::hash(commitment);
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push((0, Vec::new()));
            }
            let (n, bytes) = &mut self.levels[level];
            bytes.extend_from_slice(&hash);
            if bytes.len() as u64 / 32 < WIDTH {
                break;
            }
            self.sink.tile(tile_path(&level.to_string(), *n, WIDTH), bytes)?;
            hash = Tile::subtree_hash(bytes).0;
            *n += 1;
            bytes.clear();
        }
        Ok(())
    }

    /// Hands over the partial tiles.
    pub(crate) fn finish(mut self) -> io::Result<Sink> {
        let (n, bytes, count) = &self.bundle;
        if *count > 0 {
            self.sink.tile(tile_path("entries", *n, *count), bytes)?;
        }
        for (level, (n, bytes)) in self.levels.iter().enumerate() {
            if !bytes.is_empty() {
                self.sink.tile(tile_path(&level.to_string(), *n, bytes.len() as u64 / 32), bytes)?;
            }
        }
        Ok(self.sink)
    }
}

/// The hashes of the leaves as the tiles of the lowest level hold them; ends early where a
/// tile is missing or of another length.
pub(crate) struct TileLeaves<'a> {
    folder: &'a Path,
    size: u64,
    next: u64,
    tile: Vec<u8>,
}

impl<'a> TileLeaves<'a> {
    pub(crate) const fn new(folder: &'a Path, size: u64) -> Self {
        Self { folder, size, next: 0, tile: Vec::new() }
    }
}

impl Iterator for TileLeaves<'_> {
    type Item = io::Result<Hash>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.size {
            return None;
        }
        let (n, within) = (self.next / WIDTH, (self.next % WIDTH) as usize);
        if within == 0 {
            let width = (self.size - n * WIDTH).min(WIDTH);
            match read_exactly(&self.folder.join(tile_path("0", n, width)), width as usize * 32) {
                Ok(Some(tile)) => self.tile = tile,
                Ok(None) => {
                    self.next = self.size;
                    return None;
                }
                Err(error) => {
                    self.next = self.size;
                    return Some(Err(error));
                }
            }
        }
        self.next += 1;
        self.tile.get(within * 32..)?.first_chunk().copied().map(Ok)
    }
}

/// One line of `entries.jsonl`, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The number that the line gives itself.
    pub(crate) no: u64,
    /// The number and time that the entry gives itself; `None` when it is not readable.
    pub(crate) entry: Option<(u64, i64)>,
    pub(crate) commitment: Hash,
}

#[derive(Deserialize)]
struct Numbered {
    no: u64,
    at: i64,
}

const LINE_NO: &[u8] = b"{\"no\":";
const LINE_SALT: &[u8] = b",\"salt\":\"";
const LINE_ENTRY: &[u8] = b"\",\"entry\":";

/// Writes a line: number, salt and the entry's canonical bytes as they are.
pub(crate) fn write_line(out: &mut impl io::Write, no: u64, salt: &[u8; 16], entry: &[u8]) -> io::Result<()> {
    write!(out, "{{\"no\":{no},\"salt\":\"{}\",\"entry\":", hex::encode(salt))?;
    out.write_all(entry)?;
    out.write_all(b"}\n")
}

/// Reads a line as [`write_line`] writes it, without its end; `None` for any other notation.
pub(crate) fn read_line(line: &[u8]) -> Option<Line> {
    let rest = line.strip_prefix(LINE_NO)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = rest.split_at(digits);
    let no: u64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    if no.to_string().as_bytes() != number {
        return None;
    }
    let (salt_hex, rest) = rest.strip_prefix(LINE_SALT)?.split_at_checked(32)?;
    let mut salt = [0; 16];
    hex::decode_to_slice(salt_hex, &mut salt).ok()?;
    if salt_hex.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let entry = rest.strip_prefix(LINE_ENTRY)?.strip_suffix(b"}")?;
    let numbered: Option<Numbered> = serde_json::from_slice(entry).ok();
    let commitment = Leaf::commit(&salt, entry);
    Some(Line { no, entry: numbered.map(|read| (read.no, read.at)), commitment })
}

/// The lines of `entries.jsonl` one after another; `None` for one that is no such line.
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
}

/// The longest line: the longest entry and what stands around it.
const MAX_LINE: usize = MAX_ENTRY + 256;

impl<R: BufRead> Lines<R> {
    pub(crate) const fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new() }
    }

    /// Reads to the end of the line; gives whether it had one and was not too long.
    fn fill(&mut self) -> io::Result<Option<bool>> {
        self.buffer.clear();
        let (mut any, mut whole) = (false, true);
        loop {
            let available = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if available.is_empty() {
                return Ok(any.then_some(false));
            }
            any = true;
            let end = available.iter().position(|byte| *byte == b'\n');
            let take = end.unwrap_or(available.len());
            if self.buffer.len() + take <= MAX_LINE {
                self.buffer.extend_from_slice(&available[..take]);
            } else {
                whole = false;
            }
            self.reader.consume(end.map_or(take, |end| end + 1));
            if end.is_some() {
                return Ok(Some(whole));
            }
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Option<Line>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Ok(None) => None,
            Ok(Some(whole)) => Some(Ok(if whole { read_line(&self.buffer) } else { None })),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_tlog_tiles() {
        assert_eq!(tile_path("0", 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile_path("2", 0, 8), "tile/2/000.p/8");
        assert_eq!(tile_path("entries", 1000, 1), "tile/entries/x001/000.p/1");
        assert_eq!(tile_path("0", 999, 256), "tile/0/999");
    }

    #[test]
    fn a_line_has_one_notation() {
        let mut bytes = Vec::new();
        write_line(&mut bytes, 12, &[0xab; 16], b"{\"at\":5,\"no\":12}").unwrap();
        let line = bytes.strip_suffix(b"\n").unwrap();
        let read = read_line(line).unwrap();
        assert_eq!((read.no, read.entry), (12, Some((12, 5))));
        assert_eq!(read.commitment, Leaf::commit(&[0xab; 16], b"{\"at\":5,\"no\":12}"));
        let text = std::str::from_utf8(line).unwrap();
        for other in [
            text.replace(":12,\"salt", ":012,\"salt"),
            text.replace(":12,\"salt", ":+12,\"salt"),
            text.replace(":12,\"salt", ": 12,\"salt"),
            text.replace("abab", "ABAB"),
            text.replace("abab", "ab"),
            text.replace("entry", "ontry"),
            format!(" {text}"),
        ] {
            assert_eq!(read_line(other.as_bytes()), None, "{other}");
        }
        let cut = read_line(&line[..line.len() - 1]).unwrap();
        assert!(cut.entry.is_none() && cut.commitment != read.commitment);
    }

    #[test]
    fn lines_without_end_or_without_bound_are_none() {
        let mut good = Vec::new();
        write_line(&mut good, 0, &[1; 16], b"{}").unwrap();
        let long = vec![b'x'; 3 * MAX_LINE];
        let text = [&good[..], &long, b"\n", &good, b"\n", &good[..good.len() - 1]].concat();
        let lines: Vec<bool> = Lines::new(&text[..]).map(|line| line.unwrap().is_some()).collect();
        assert_eq!(lines, [true, false, true, false, false]);
        assert_eq!(Lines::new(&b""[..]).count(), 0);
    }

    proptest! {
        #[test]
        fn any_line_is_handled(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read_line(&bytes).is_none());
            let _ = read_line(&[LINE_NO, &bytes].concat());
            let _ = read_line(&[b"{\"no\":1,\"salt\":\"", &bytes[..]].concat());
            prop_assert!(Lines::new(&bytes[..]).count() <= bytes.len());
        }
    }
}
