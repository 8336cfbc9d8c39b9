// SPDX-License-Identifier: EUPL-1.2
//! Writes a ledger to a folder that anybody can verify without us.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::layout::{CHECKPOINT, ENTRIES, KEY, Sink, Tiles, write_line};
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

/// An export being written: all entries of a checkpoint in order, then [`finish`](Self::finish).
pub struct Export {
    folder: PathBuf,
    note: Vec<u8>,
    checkpoint: Checkpoint,
    tree: Tree,
    tiles: Tiles,
    lines: BufWriter<File>,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Export({} of {})", self.tree.size(), self.checkpoint.size)
    }
}

impl Export {
    /// Begins an export of the log at `note`, a checkpoint signed by `verifier_key`, in a
    /// folder that is made when it is not there. The folder must not hold an export already.
    ///
    /// # Errors
    /// [`ExportError::Checkpoint`], [`ExportError::Io`].
    pub fn create(folder: &Path, note: &[u8], verifier_key: &str) -> Result<Self, ExportError> {
        let checkpoint = Checkpoint::open(note, verifier_key)?;
        fs::create_dir_all(folder)?;
        let lines = BufWriter::new(File::create_new(folder.join(ENTRIES))?);
        fs::write(folder.join(KEY), format!("{verifier_key}\n"))?;
        fs::write(folder.join("README.nl.md"), README_NL)?;
        fs::write(folder.join("README.en.md"), README_EN)?;
        let (folder, note, tree) = (folder.to_owned(), note.to_vec(), Tree::empty());
        let tiles = Tiles::new(Sink::Write(folder.clone()));
        Ok(Self { folder, note, checkpoint, tree, tiles, lines })
    }

    /// Adds the next entry: its salt and its canonical bytes.
    ///
    /// # Errors
    /// [`ExportError::Entry`], [`ExportError::Number`], [`ExportError::Io`].
    pub fn push(&mut self, salt: &[u8; 16], entry: &[u8]) -> Result<(), ExportError> {
        let no = self.tree.size();
        let says = Entry::parse(entry).map_err(|source| ExportError::Entry { no, source })?.no;
        if says != no {
            return Err(ExportError::Number { no, says });
        }
        let commitment = Leaf::commit(salt, entry);
        self.tree.append(&commitment);
        self.tiles.push(&commitment)?;
        write_line(&mut self.lines, no, salt, entry)?;
        Ok(())
    }

    /// Ends the export; the checkpoint is written last, so that a folder without it is known
    /// to be unfinished.
    ///
    /// # Errors
    /// [`ExportError::Disagrees`] when the entries are not those that the checkpoint signs,
    /// [`ExportError::Io`].
    pub fn finish(mut self) -> Result<(), ExportError> {
        let (entries, size) = (self.tree.size(), self.checkpoint.size);
        if entries != size || self.tree.root() != self.checkpoint.root {
            return Err(ExportError::Disagrees { entries, size });
        }
        self.tiles.finish()?;
        self.lines.flush()?;
        fs::write(self.folder.join(CHECKPOINT), &self.note)?;
        Ok(())
    }
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
