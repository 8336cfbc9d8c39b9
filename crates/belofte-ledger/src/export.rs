// SPDX-License-Identifier: EUPL-1.2
//! Makes of a ledger the files that anybody can verify without us.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::layout::{CHECKPOINT, ENTRIES, ExportFile, KEY, Sink, Tiles, write_line};
use crate::{Checkpoint, CheckpointError, Entry, EntryError, Leaf, Tree};

/// Why a ledger could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The checkpoint does not open with the key.
    #[error("the checkpoint to export does not open")]
    Checkpoint(#[from] CheckpointError),
    /// An entry is not readable.
    #[error("entry {no} of the ledger is not in its notation")]
    Entry {
        /// Its place.
        no: u64,
        /// What is wrong with it.
        source: EntryError,
    },
    /// An entry has another number than its place.
    #[error("entry {no} of the ledger calls itself {says}")]
    Number {
        /// Its place.
        no: u64,
        /// Its own number.
        says: u64,
    },
    /// The entries given are not those of the checkpoint.
    #[error("the {entries} entries do not give the checkpoint's root over {size}")]
    Disagrees {
        /// How many entries were given.
        entries: u64,
        /// How many the checkpoint signs.
        size: u64,
    },
    /// A file could not be written.
    #[error("the export could not be written")]
    Io(#[from] io::Error),
}

/// An export being made, file by file, in memory that does not grow with the ledger: the
/// [files around the entries](Self::around), then all entries of a checkpoint in order, each a line of
/// [`ENTRIES_FILE`](Self::ENTRIES_FILE), with the files of the tree that they fill, then
/// [`finish`](Self::finish).
pub struct ExportParts {
    note: Vec<u8>,
    key: String,
    checkpoint: Checkpoint,
    tree: Tree,
    tiles: Tiles,
}

impl std::fmt::Debug for ExportParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExportParts({} of {})", self.tree.size(), self.checkpoint.size)
    }
}

impl ExportParts {
    /// The path of the file that the lines make.
    pub const ENTRIES_FILE: &str = ENTRIES;

    /// Begins an export of the log at `note`, a checkpoint signed by `verifier_key`.
    ///
    /// # Errors
    /// [`ExportError::Checkpoint`].
    pub fn begin(note: &[u8], verifier_key: &str) -> Result<Self, ExportError> {
        let checkpoint = Checkpoint::open(note, verifier_key)?;
        let tiles = Tiles::new(Sink::Keep(Vec::new()));
        Ok(Self { note: note.to_vec(), key: verifier_key.to_owned(), checkpoint, tree: Tree::empty(), tiles })
    }

    /// The files that say what an export is, and the key that verifies it.
    #[must_use]
    pub fn around(&self) -> [ExportFile; 3] {
        [
            ExportFile { path: KEY.to_owned(), bytes: format!("{}\n", self.key).into_bytes() },
            ExportFile { path: "README.nl.md".to_owned(), bytes: README_NL.into() },
            ExportFile { path: "README.en.md".to_owned(), bytes: README_EN.into() },
        ]
    }

    /// Adds the next entry, its salt and its canonical bytes, and appends its line to `lines`.
    ///
    /// # Errors
    /// [`ExportError::Entry`], [`ExportError::Number`], [`ExportError::Io`].
    pub fn push(&mut self, salt: &[u8; 16], entry: &[u8], lines: &mut Vec<u8>) -> Result<(), ExportError> {
        let no = self.tree.size();
        let says = Entry::parse(entry).map_err(|source| ExportError::Entry { no, source })?.no;
        if says != no {
            return Err(ExportError::Number { no, says });
        }
        let commitment = Leaf::commit(salt, entry);
        self.tree.append(&commitment);
        self.tiles.push(&commitment)?;
        write_line(lines, no, salt, entry)?;
        Ok(())
    }

    /// The files of the tree that were filled since they were asked for last.
    pub fn filled(&mut self) -> Vec<ExportFile> {
        match &mut self.tiles.sink {
            Sink::Keep(files) => std::mem::take(files),
            Sink::Compare(..) => Vec::new(),
        }
    }

    /// Ends the export: the files of the tree that are left, and the checkpoint as the last file,
    /// so that an export without it is known to be unfinished.
    ///
    /// # Errors
    /// [`ExportError::Disagrees`] when the entries are not those that the checkpoint signs,
    /// [`ExportError::Io`].
    pub fn finish(self) -> Result<Vec<ExportFile>, ExportError> {
        let (entries, size) = (self.tree.size(), self.checkpoint.size);
        if entries != size || self.tree.root() != self.checkpoint.root {
            return Err(ExportError::Disagrees { entries, size });
        }
        let mut files = match self.tiles.finish()? {
            Sink::Keep(files) => files,
            Sink::Compare(..) => Vec::new(),
        };
        files.push(ExportFile { path: CHECKPOINT.to_owned(), bytes: self.note });
        Ok(files)
    }
}

/// An export that is written to a folder: all entries of a checkpoint in order, then
/// [`finish`](Self::finish). What it writes is readable, so the folder is its caller's to protect.
#[derive(Debug)]
pub struct Export {
    folder: PathBuf,
    parts: ExportParts,
    lines: BufWriter<File>,
    buffer: Vec<u8>,
}

impl Export {
    /// Begins an export of the log at `note`, a checkpoint signed by `verifier_key`, in a
    /// folder that is made when it is not there. The folder must not hold an export already.
    ///
    /// # Errors
    /// [`ExportError::Checkpoint`], [`ExportError::Io`].
    pub fn create(folder: &Path, note: &[u8], verifier_key: &str) -> Result<Self, ExportError> {
        let parts = ExportParts::begin(note, verifier_key)?;
        fs::create_dir_all(folder)?;
        let lines = BufWriter::new(File::create_new(folder.join(ENTRIES))?);
        let export = Self { folder: folder.to_owned(), parts, lines, buffer: Vec::new() };
        write(folder, &export.parts.around())?;
        Ok(export)
    }

    /// Adds the next entry: its salt and its canonical bytes.
    ///
    /// # Errors
    /// [`ExportError::Entry`], [`ExportError::Number`], [`ExportError::Io`].
    pub fn push(&mut self, salt: &[u8; 16], entry: &[u8]) -> Result<(), ExportError> {
        self.buffer.clear();
        self.parts.push(salt, entry, &mut self.buffer)?;
        self.lines.write_all(&self.buffer)?;
        let filled = self.parts.filled();
        write(&self.folder, &filled)
    }

    /// Ends the export; the checkpoint is written last.
    ///
    /// # Errors
    /// [`ExportError::Disagrees`] when the entries are not those that the checkpoint signs,
    /// [`ExportError::Io`].
    pub fn finish(self) -> Result<(), ExportError> {
        let Self { folder, parts, mut lines, .. } = self;
        let rest = parts.finish()?;
        lines.flush()?;
        write(&folder, &rest)
    }
}

fn write(folder: &Path, files: &[ExportFile]) -> Result<(), ExportError> {
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &file.bytes)?;
    }
    Ok(())
}

const README_NL: &str = "\
# Uitgevoerd logboek van Belofte

Dit is een volledig leesbare kopie van het logboek tot en met het ondertekende controlepunt.
Zij bevat persoonsgegevens: bewaar haar als de gegevens zelf.

| bestand | inhoud |
|---|---|
| `entries.jsonl` | elke regel een vermelding: nummer, salt en de vermelding zelf |
| `tile/` | de Merkleboom over de vermeldingen (C2SP `tlog-tiles`) |
| `checkpoint` | omvang en wortel van de boom, ondertekend (C2SP `tlog-checkpoint`) |
| `key` | de openbare sleutel waarmee de handtekening te controleren is |

Controleren, zonder netwerk: `belofte ledger verify MAP`. De uitkomst is *consistent*, of zij
noemt de eerste vermelding die gewijzigd, verwijderd, toegevoegd of verplaatst is.

Met een eerder bewaard controlepunt erbij zegt de controle ook of het logboek sindsdien alleen
gegroeid is. Zonder eerder controlepunt kan niemand zien of de laatste vermeldingen ontbreken:
bewaar dus van tijd tot tijd het bestand `checkpoint`, buiten het bereik van wie het logboek
beheert. Vergelijk om dezelfde reden `key` met de sleutel die u eerder ontving.

Hoe een blad ontstaat: verbintenis = SHA-256(`belofte ledger leaf 1`, een nulbyte, de salt als
16 bytes, en de vermelding precies zoals zij in de regel staat). De verbintenis van 32 bytes is
de vermelding in de zin van `tlog-tiles`; het blad is SHA-256(0x00, verbintenis), RFC 6962.
";

const README_EN: &str = "\
# Exported ledger of Belofte

This is a fully readable copy of the ledger up to the signed checkpoint. It holds personal
data: keep it as you keep the data themselves.

| file | content |
|---|---|
| `entries.jsonl` | one entry per line: number, salt and the entry itself |
| `tile/` | the Merkle tree over the entries (C2SP `tlog-tiles`) |
| `checkpoint` | size and root of the tree, signed (C2SP `tlog-checkpoint`) |
| `key` | the public key that checks the signature |

To verify, without a network: `belofte ledger verify FOLDER`. The outcome is *consistent*, or it
names the first entry that was changed, removed, added or moved.

Given a checkpoint that was kept earlier, the verification also says whether the ledger has only
grown since then. Without an earlier checkpoint nobody can see whether the last entries are
missing: so keep the file `checkpoint` from time to time, out of reach of those who run the
ledger. For the same reason compare `key` with the key that you received before.

How a leaf is made: commitment = SHA-256(`belofte ledger leaf 1`, a zero byte, the salt as 16
bytes, and the entry exactly as it stands in its line). The commitment of 32 bytes is the entry
in the sense of `tlog-tiles`; the leaf is SHA-256(0x00, commitment), RFC 6962.
";
