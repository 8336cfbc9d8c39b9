// SPDX-License-Identifier: EUPL-1.2
//! The ledger for those who read and verify it: pages of entries, signed checkpoints, exports.

use std::collections::{BTreeMap, HashMap, VecDeque};

use belofte_ledger::{Checkpoint, Entry, ExportFile, ExportParts, Hash, Tree, verifier_key};
use belofte_model::{TenantId, Timestamp, Use};

use crate::engine::{params, sql};
use crate::keys::SYSTEM;
use crate::ledger::{Leaves, StoredLeaf};
use crate::{Access, Read, Store, StoreError, TenantKeys, Tx, Write};

/// Leaves are read in portions of this size.
const PORTION: i64 = 1_000;

/// A page of the ledger, newest entry first.
#[derive(Debug)]
pub struct LedgerPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// How many entries the ledger has.
    pub size: u64,
    /// The newest checkpoint.
    pub checkpoint: Option<LedgerCheckpoint>,
}

/// A checkpoint: what the ledger was at one moment, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerCheckpoint {
    /// How many entries it covers.
    pub size: u64,
    /// When it was made.
    pub at: Timestamp,
    /// The signed note (C2SP `tlog-checkpoint`).
    pub note: Vec<u8>,
}

/// A ledger that was looked through and is ready to be [told](Self::next), piece by piece. It holds a
/// portion of the entries at a time, and nothing of it lies on a disk.
pub struct LedgerExport {
    store: Store,
    access: Access,
    note: Vec<u8>,
    /// How many entries it has.
    pub size: u64,
    /// The key that verifies it, in the notation of signed notes.
    pub verifier_key: String,
    /// The sizes of its files in bytes, and how many files are of that size.
    pub files: BTreeMap<u64, u64>,
    lines: u64,
    pass: Pass,
    ready: VecDeque<ExportPiece>,
}

impl std::fmt::Debug for LedgerExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LedgerExport({} entries)", self.size)
    }
}

/// A piece of an export.
#[derive(Clone, PartialEq, Eq)]
pub enum ExportPiece {
    /// A file begins.
    File {
        /// Its path, with `/` between names.
        path: String,
        /// So many bytes follow.
        size: u64,
    },
    /// Bytes of the file that began last.
    Bytes(Vec<u8>),
}

/// How far an export is.
enum Pass {
    Around,
    /// The entries, one line after another.
    Entries(Reading),
    /// The tree over them: what a second reading of the entries fills.
    Tree(Reading),
    Done,
}

/// Entries of a ledger that are being read in order.
struct Reading {
    parts: ExportParts,
    next: u64,
}

/// Why a ledger was not exported.
#[derive(Debug, thiserror::Error)]
pub enum LedgerExportError {
    /// The entries are not those that were signed, or a file could not be written.
    #[error(transparent)]
    Export(#[from] belofte_ledger::ExportError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The name of a tenant's log, unique for ever.
fn origin(tenant: TenantId) -> String {
    format!("belofte/ledger/{tenant}")
}

const BROKEN: StoreError = StoreError::Inconsistent { what: "the ledger is not the one that was signed" };

struct Known {
    size: i64,
    checkpoint: Option<(LedgerCheckpoint, Vec<u8>)>,
}

struct Standing;

impl Read for Standing {
    type Out = Known;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Known, StoreError> {
        let tenant = tx.tenant();
        let size = if tenant == SYSTEM {
            sql!("SELECT next_leaf FROM installation WHERE tenant_id = $1")
        } else {
            sql!("SELECT next_leaf FROM tenant WHERE id = $1")
        };
        let size = tx.query_one(size, params![tenant], |row| row.int(0)).await?;
        let checkpoint = tx
            .query_opt(
                sql!(
                    "SELECT size, at, note, edge FROM ledger_checkpoint WHERE tenant_id = $1 \
                     ORDER BY size DESC LIMIT 1"
                ),
                params![tenant],
                |row| {
                    let size = u64::try_from(row.int(0)?).map_err(|_| BROKEN)?;
                    Ok((LedgerCheckpoint { size, at: row.time(1)?, note: row.bytes(2)? }, row.bytes(3)?))
                },
            )
            .await?;
        Ok(Known { size, checkpoint })
    }
}

struct Commitments {
    from: u64,
    to: i64,
}

impl Read for Commitments {
    type Out = Vec<(i64, Vec<u8>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let (tenant, from) = (tx.tenant(), i64::try_from(self.from).map_err(|_| BROKEN)?);
        tx.query(
            sql!(
                "SELECT no, commitment FROM ledger_leaf WHERE tenant_id = $1 AND no >= $2 AND no < $3 \
                 ORDER BY no LIMIT $4"
            ),
            params![tenant, from, self.to, PORTION],
            |row| Ok((row.int(0)?, row.bytes(1)?)),
        )
        .await
    }
}

struct Put {
    checkpoint: LedgerCheckpoint,
    edge: Vec<u8>,
}

impl Write for Put {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let size = i64::try_from(self.checkpoint.size).map_err(|_| BROKEN)?;
        // Another node may have signed the same ledger a moment ago; both notes are right.
        tx.execute(
            sql!(
                "INSERT INTO ledger_checkpoint (tenant_id, size, note, at, edge) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT DO NOTHING"
            ),
            params![tenant, size, &self.checkpoint.note, self.checkpoint.at, &self.edge],
        )
        .await?;
        Ok(())
    }
}

/// A tree with the hashes that make its right edge.
struct Growing {
    tree: Tree,
    known: HashMap<u64, Hash>,
}

impl Growing {
    const fn empty_of(known: HashMap<u64, Hash>) -> Self {
        Self { tree: Tree::empty(), known }
    }

    /// The tree of a checkpoint; `None` when the edge does not give the root that was signed.
    fn resume(size: u64, edge: &[u8], signed: &Hash) -> Option<Self> {
        let (hashes, rest) = edge.as_chunks::<32>();
        let tree = Tree::resume(size, hashes).filter(|tree| rest.is_empty() && tree.root() == *signed)?;
        let known = Tree::needs(size).into_iter().zip(hashes.iter().copied()).collect();
        Some(Self { tree, known })
    }

    fn append(&mut self, commitment: &Hash) {
        self.known.extend(self.tree.append(commitment).into_iter().map(|node| (node.index, node.hash)));
    }

    /// The hashes of the right edge, and forgets all others.
    fn edge(&mut self) -> Option<Vec<u8>> {
        let needs = Tree::needs(self.tree.size());
        self.known.retain(|index, _| needs.contains(index));
        let edge: Option<Vec<[u8; 32]>> = needs.iter().map(|index| self.known.get(index).copied()).collect();
        edge.map(|edge| edge.concat())
    }
}

impl Store {
    /// The salt and the canonical bytes of an entry.
    async fn open_leaf(
        &self,
        tenant: TenantId,
        leaf: &StoredLeaf,
    ) -> Result<([u8; 16], Vec<u8>), StoreError> {
        leaf.open(tenant, &self.key(tenant, leaf.key).await?)
    }

    /// Entries of the ledger, newest first, below number `before` when given.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when an entry is not readable; the engine's errors and those of
    /// sealing.
    pub async fn ledger_page(
        &self,
        access: &Access,
        before: Option<u64>,
        limit: u32,
    ) -> Result<LedgerPage, StoreError> {
        access.to(Use::Oversee)?;
        let known = self.read(access, Standing).await?;
        let before = before.map_or(known.size, |before| i64::try_from(before).unwrap_or(i64::MAX));
        let leaves = Leaves { from: 0, before: Some(before), limit: i64::from(limit) };
        let mut entries = Vec::new();
        for leaf in self.read(access, leaves).await? {
            let (_, bytes) = self.open_leaf(access.tenant(), &leaf).await?;
            let entry = Entry::parse(&bytes)
                .map_err(|_| StoreError::Inconsistent { what: "ledger_leaf.entry is not canonical" })?;
            entries.push(entry);
        }
        Ok(LedgerPage {
            entries,
            size: u64::try_from(known.size).map_err(|_| BROKEN)?,
            checkpoint: known.checkpoint.map(|(checkpoint, _)| checkpoint),
        })
    }

    /// Signs the ledger as it is now. Gives the newest checkpoint, also when it covers everything
    /// already; `None` for an empty ledger.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when the leaves are not those that the last checkpoint signed,
    /// or one is missing; the engine's errors.
    pub(crate) async fn make_checkpoint(
        &self,
        access: &Access,
    ) -> Result<Option<LedgerCheckpoint>, StoreError> {
        let known = self.read(access, Standing).await?;
        let size = u64::try_from(known.size).map_err(|_| BROKEN)?;
        let keys = self.keys(access).await?;
        let (origin, mut growing, mut proven) = (origin(keys.tenant), None, None);
        if let Some((checkpoint, edge)) = known.checkpoint {
            let key = verifying(&keys)?;
            match Checkpoint::open(&checkpoint.note, &key) {
                Ok(signed) if signed.size != checkpoint.size => return Err(BROKEN),
                Ok(signed) => {
                    if checkpoint.size == size {
                        return Ok(Some(checkpoint));
                    }
                    growing = Growing::resume(checkpoint.size, &edge, &signed.root);
                    proven = Some(signed);
                }
                // Of an earlier signing key: the new key signs the whole ledger again.
                Err(_) => {}
            }
        }
        if size == 0 {
            return Ok(None);
        }
        let mut growing = growing.unwrap_or_else(|| Growing::empty_of(HashMap::new()));
        while growing.tree.size() < size {
            let next = Commitments { from: growing.tree.size(), to: known.size };
            let portion = self.read(access, next).await?;
            if portion.is_empty() {
                return Err(BROKEN);
            }
            for (no, commitment) in portion {
                let expected = growing.tree.size();
                let commitment: Hash = commitment.try_into().map_err(|_| BROKEN)?;
                if u64::try_from(no) != Ok(expected) {
                    return Err(BROKEN);
                }
                // Grown from nothing, the tree passes the size that was signed last.
                if let Some(signed) = &proven
                    && signed.size == expected
                    && signed.root != growing.tree.root()
                {
                    return Err(BROKEN);
                }
                growing.append(&commitment);
            }
            growing.edge().ok_or(BROKEN)?;
        }
        if proven.is_some_and(|signed| signed.size > size) {
            return Err(BROKEN);
        }
        let signer = &keys.ledger;
        let note = Checkpoint { origin, size, root: growing.tree.root() }
            .sign(&signer.public_key(), |text| signer.sign(text))
            .map_err(|_| StoreError::Inconsistent { what: "a checkpoint could not be signed" })?;
        let checkpoint = LedgerCheckpoint { size, at: access.clock().now(), note };
        let edge = growing.edge().ok_or(BROKEN)?;
        self.write(access, Put { checkpoint: checkpoint.clone(), edge }).await?;
        Ok(Some(checkpoint))
    }

    /// Gets the ledger ready to be exported, with a checkpoint that covers all of it: every entry is
    /// opened once, so that what is not what was signed is refused before anything is told, and the
    /// sizes are known.
    ///
    /// # Errors
    /// [`LedgerExportError`].
    pub async fn export_ledger(&self, access: &Access) -> Result<LedgerExport, LedgerExportError> {
        access.to(Use::Oversee)?;
        let keys = self.keys(access).await?;
        let checkpoint = self.make_checkpoint(access).await?.ok_or(StoreError::NotFound)?;
        let mut export = LedgerExport {
            store: self.clone(),
            access: access.clone(),
            note: checkpoint.note,
            size: checkpoint.size,
            verifier_key: verifying(&keys)?,
            files: BTreeMap::new(),
            lines: 0,
            pass: Pass::Around,
            ready: VecDeque::new(),
        };
        let mut reading = export.begin()?;
        let mut files: Vec<u64> = reading.parts.around().iter().map(|file| file.bytes.len() as u64).collect();
        let mut lines = Vec::new();
        while export.read(&mut reading, &mut lines).await? {
            export.lines += lines.len() as u64;
            lines.clear();
            files.extend(reading.parts.filled().iter().map(|file| file.bytes.len() as u64));
        }
        files.extend(reading.parts.finish()?.iter().map(|file| file.bytes.len() as u64));
        files.push(export.lines);
        for size in files {
            *export.files.entry(size).or_default() += 1;
        }
        Ok(export)
    }
}

impl LedgerExport {
    /// The next piece; `None` after the last. The checkpoint is the last file, so that what broke
    /// off is known to be unfinished.
    ///
    /// # Errors
    /// [`LedgerExportError`], also when an entry is no longer the one that was looked at.
    pub async fn next(&mut self) -> Result<Option<ExportPiece>, LedgerExportError> {
        while self.ready.is_empty() {
            match std::mem::replace(&mut self.pass, Pass::Done) {
                Pass::Around => {
                    let reading = self.begin()?;
                    self.tell(reading.parts.around());
                    let path = ExportParts::ENTRIES_FILE.to_owned();
                    self.ready.push_back(ExportPiece::File { path, size: self.lines });
                    self.pass = Pass::Entries(reading);
                }
                Pass::Entries(mut reading) => {
                    let mut lines = Vec::new();
                    if self.read(&mut reading, &mut lines).await? {
                        reading.parts.filled();
                        self.ready.push_back(ExportPiece::Bytes(lines));
                        self.pass = Pass::Entries(reading);
                    } else {
                        reading.parts.finish()?;
                        self.pass = Pass::Tree(self.begin()?);
                    }
                }
                Pass::Tree(mut reading) => {
                    if self.read(&mut reading, &mut Vec::new()).await? {
                        self.tell(reading.parts.filled());
                        self.pass = Pass::Tree(reading);
                    } else {
                        self.tell(reading.parts.finish()?);
                    }
                }
                Pass::Done => return Ok(None),
            }
        }
        Ok(self.ready.pop_front())
    }

    fn begin(&self) -> Result<Reading, LedgerExportError> {
        Ok(Reading { parts: ExportParts::begin(&self.note, &self.verifier_key)?, next: 0 })
    }

    fn tell(&mut self, files: impl IntoIterator<Item = ExportFile>) {
        for file in files {
            self.ready.push_back(ExportPiece::File { path: file.path, size: file.bytes.len() as u64 });
            self.ready.push_back(ExportPiece::Bytes(file.bytes));
        }
    }

    /// Reads the next portion of entries, and appends their lines; `false` when there are no more.
    async fn read(&self, reading: &mut Reading, lines: &mut Vec<u8>) -> Result<bool, LedgerExportError> {
        if reading.next >= self.size {
            return Ok(false);
        }
        let from = i64::try_from(reading.next).map_err(|_| BROKEN)?;
        let limit = i64::try_from(self.size - reading.next).map_err(|_| BROKEN)?.min(PORTION);
        let leaves = self.store.read(&self.access, Leaves { from, before: None, limit }).await?;
        if leaves.is_empty() {
            return Err(BROKEN.into());
        }
        reading.next += leaves.len() as u64;
        for leaf in &leaves {
            let (salt, entry) = self.store.open_leaf(self.access.tenant(), leaf).await?;
            reading.parts.push(&salt, &entry, lines)?;
        }
        Ok(true)
    }
}

fn verifying(keys: &TenantKeys) -> Result<String, StoreError> {
    verifier_key(&origin(keys.tenant), &keys.ledger.public_key())
        .map_err(|_| StoreError::Inconsistent { what: "the name of a ledger is not valid" })
}
