// SPDX-License-Identifier: EUPL-1.2
//! Blobs as rows: which key wraps the one-off key of a blob, and where its bytes lie.

use std::ops::Range;
use std::sync::Arc;

use belofte_model::{BlobId, KeyId, TenantId, Timestamp};
use belofte_vault::{DataKey, blob};

use crate::blobs::{BlobFile, INLINE};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::{Read, Row, Rows, Store, StoreError, Tx};

/// What a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobKind {
    /// A mail as it was received.
    Source,
    /// A file that came or goes with a message.
    Attachment,
}

impl BlobKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Attachment => "attachment",
        }
    }
}

/// Bytes sealed under a key of their own, which no other key wraps yet. Their file, if they have
/// one, is already durable.
pub(crate) struct LooseBlob {
    pub(crate) id: BlobId,
    kind: BlobKind,
    dek: DataKey,
    pub(crate) size: i64,
    data: Option<Arc<[u8]>>,
}

/// A sealed blob whose file, if it has one, is already durable.
pub(crate) struct SealedBlob {
    pub(crate) id: BlobId,
    kind: BlobKind,
    pub(crate) dek: DataKey,
    key_id: KeyId,
    wrapped: Vec<u8>,
    pub(crate) size: i64,
    data: Option<Arc<[u8]>>,
}

/// What the seal of a blob is bound to.
fn associated(tenant: TenantId, blob: BlobId) -> [u8; 36] {
    let mut data = [0; 36];
    data[..4].copy_from_slice(&columns::BLOB_DATA.0.to_be_bytes());
    data[4..20].copy_from_slice(tenant.uuid().as_bytes());
    data[20..].copy_from_slice(blob.uuid().as_bytes());
    data
}

impl LooseBlob {
    /// Seals `plain` with a key of its own; what is larger than [`INLINE`] is written to a file,
    /// durably, before this returns.
    pub(crate) async fn seal(
        store: &Store,
        tenant: TenantId,
        kind: BlobKind,
        plain: &[u8],
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let random = store.random();
        let id = BlobId::new(at, random.bytes());
        let dek = DataKey::generate(KeyId::new(at, random.bytes()), random);
        let sealed = blob::seal_all(&dek, random, &associated(tenant, id), plain);
        let data = if sealed.len() <= INLINE {
            Some(sealed.into())
        } else {
            let store = store.clone();
            let put = move || store.blobs().put(tenant, id, &sealed);
            tokio::task::spawn_blocking(put).await.map_err(|_| StoreError::Busy)??;
            None
        };
        let size = i64::try_from(plain.len()).unwrap_or(i64::MAX);
        Ok(Self { id, kind, dek, size, data })
    }

    /// The same bytes, their key wrapped by `key`.
    pub(crate) fn bind(&self, store: &Store, tenant: TenantId, key: &DataKey) -> SealedBlob {
        SealedBlob {
            id: self.id,
            kind: self.kind,
            dek: self.dek.clone(),
            key_id: key.id(),
            wrapped: key.wrap(store.random(), tenant, &self.dek),
            size: self.size,
            data: self.data.clone(),
        }
    }
}

/// So many sealed bytes are gathered before they are written to the file.
const GATHERED: usize = 4 * blob::SEGMENT;

/// Seals a blob piece by piece, in memory that does not grow with it: what is larger than
/// [`INLINE`] goes to its file on the way. Dropped before it is [kept](WrittenBlob::keep), nothing of
/// it is left.
pub(crate) struct BlobWriter {
    store: Store,
    tenant: TenantId,
    kind: BlobKind,
    id: BlobId,
    dek: DataKey,
    sealer: blob::Sealer,
    sealed: Vec<u8>,
    file: Option<BlobFile>,
}

/// A blob that is sealed to its end and not yet durable.
pub(crate) struct WrittenBlob {
    kind: BlobKind,
    id: BlobId,
    dek: DataKey,
    pub(crate) size: u64,
    content: Written,
}

enum Written {
    Inline(Vec<u8>),
    File(BlobFile),
}

impl BlobWriter {
    pub(crate) fn new(store: &Store, tenant: TenantId, kind: BlobKind, at: Timestamp) -> Self {
        let random = store.random();
        let id = BlobId::new(at, random.bytes());
        let dek = DataKey::generate(KeyId::new(at, random.bytes()), random);
        let sealer = blob::Sealer::new(&dek, random, &associated(tenant, id));
        Self { store: store.clone(), tenant, kind, id, dek, sealer, sealed: Vec::new(), file: None }
    }

    /// Takes more bytes in clear.
    pub(crate) async fn push(&mut self, plain: &[u8]) -> Result<(), StoreError> {
        for piece in plain.chunks(GATHERED) {
            self.sealer.push(piece, &mut self.sealed);
            if self.sealed.len() >= GATHERED {
                let (file, sealed) = (self.file.take(), std::mem::take(&mut self.sealed));
                let (file, room) = write(self.store.clone(), self.tenant, self.id, file, sealed).await?;
                (self.file, self.sealed) = (Some(file), room);
            }
        }
        Ok(())
    }

    /// Seals the end.
    pub(crate) async fn finish(self) -> Result<WrittenBlob, StoreError> {
        let Self { store, tenant, kind, id, dek, sealer, mut sealed, file } = self;
        let size = sealer.finish(&mut sealed);
        let content = if file.is_none() && sealed.len() <= INLINE {
            Written::Inline(sealed)
        } else {
            Written::File(write(store, tenant, id, file, sealed).await?.0)
        };
        Ok(WrittenBlob { kind, id, dek, size, content })
    }
}

/// Appends `sealed` to the file of a blob, which begins with it when there is none; gives the file,
/// and the room of `sealed` back, empty.
async fn write(
    store: Store,
    tenant: TenantId,
    id: BlobId,
    file: Option<BlobFile>,
    mut sealed: Vec<u8>,
) -> Result<(BlobFile, Vec<u8>), StoreError> {
    let write = move || {
        let mut file = match file {
            Some(file) => file,
            None => store.blobs().begin(tenant, id)?,
        };
        file.write(&sealed)?;
        sealed.clear();
        Ok((file, sealed))
    };
    tokio::task::spawn_blocking(write).await.map_err(|_| StoreError::Busy)?
}

impl WrittenBlob {
    /// Makes it durable as far as it lies in a file, its key wrapped by `key`. Its row comes next.
    pub(crate) async fn keep(
        self,
        store: &Store,
        tenant: TenantId,
        key: &DataKey,
    ) -> Result<SealedBlob, StoreError> {
        let data = match self.content {
            Written::Inline(sealed) => Some(sealed.into()),
            Written::File(file) => {
                tokio::task::spawn_blocking(|| file.keep()).await.map_err(|_| StoreError::Busy)??;
                None
            }
        };
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        Ok(LooseBlob { id: self.id, kind: self.kind, dek: self.dek, size, data }.bind(store, tenant, key))
    }
}

impl SealedBlob {
    /// Seals `plain` with a key of its own, wrapped by `key`, as [`LooseBlob::seal`] does.
    pub(crate) async fn seal(
        store: &Store,
        tenant: TenantId,
        kind: BlobKind,
        key: &DataKey,
        plain: &[u8],
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        Ok(LooseBlob::seal(store, tenant, kind, plain, at).await?.bind(store, tenant, key))
    }

    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, at: Timestamp) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.late(
            sql!(
                "INSERT INTO blob (tenant_id, id, kind, key_id, wrapped, dek_id, size_bytes, data, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            ),
            params![
                tenant,
                self.id,
                self.kind.as_str(),
                self.key_id,
                &self.wrapped,
                self.dek.id(),
                self.size,
                self.data.as_deref(),
                at
            ],
            Rows::Any,
        )
        .await
    }
}

/// A blob as stored.
pub struct BlobRow {
    pub(crate) id: BlobId,
    pub(crate) key_id: KeyId,
    pub(crate) dek_id: KeyId,
    pub(crate) wrapped: Vec<u8>,
    /// Its length in clear, in bytes.
    pub size: u64,
    data: Option<Vec<u8>>,
}

impl BlobRow {
    /// Reads the columns id, key_id, dek_id, wrapped, size_bytes, data from position `at` on.
    pub(crate) fn read(row: &Row<'_>, at: usize) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id(at)?,
            key_id: row.id(at + 1)?,
            dek_id: row.id(at + 2)?,
            wrapped: row.bytes(at + 3)?,
            size: u64::try_from(row.int(at + 4)?)
                .map_err(|_| StoreError::Inconsistent { what: "blob.size_bytes" })?,
            data: row.opt_bytes(at + 5)?,
        })
    }

    fn dek(&self, tenant: TenantId, key: &DataKey) -> Result<DataKey, StoreError> {
        Ok(key.unwrap_key(tenant, self.dek_id, &self.wrapped)?)
    }

    /// The one-off key of this blob, wrapped by `to` instead of `from`: the bytes stay as they are.
    pub(crate) fn rewrap(
        &self,
        store: &Store,
        tenant: TenantId,
        from: &DataKey,
        to: &DataKey,
    ) -> Result<Rewrap, StoreError> {
        let dek = self.dek(tenant, from)?;
        Ok(Rewrap { blob: self.id, key_id: to.id(), wrapped: to.wrap(store.random(), tenant, &dek) })
    }

    /// Opens the whole blob.
    pub(crate) async fn open(
        &self,
        store: &Store,
        tenant: TenantId,
        key: &DataKey,
    ) -> Result<Vec<u8>, StoreError> {
        let dek = self.dek(tenant, key)?;
        let file;
        let sealed: &[u8] = match &self.data {
            Some(data) => data,
            None => {
                file = self.file(store, tenant, 0..u64::MAX).await?;
                &file
            }
        };
        Ok(blob::open_all(&dek, &associated(tenant, self.id), sealed)?)
    }

    /// Opens the bytes of `range` (of the clear length), reading only the segments that hold them.
    pub(crate) async fn open_range(
        &self,
        store: &Store,
        tenant: TenantId,
        key: &DataKey,
        range: Range<u64>,
    ) -> Result<Vec<u8>, StoreError> {
        let range = range.start.min(self.size)..range.end.min(self.size);
        if self.data.is_some() || range.start >= range.end {
            let all = self.open(store, tenant, key).await?;
            let (start, end) = (range.start.min(range.end) as usize, range.end as usize);
            return Ok(all[start..end].to_vec());
        }
        let dek = self.dek(tenant, key)?;
        let header = self.file(store, tenant, 0..blob::HEADER as u64).await?;
        let opener = blob::Opener::new(&dek, &associated(tenant, self.id), &header, self.size)?;
        let segments = opener.segments_of(&range);
        let last = opener.segments() - 1;
        let mut out = Vec::new();
        let mut skipped = 0;
        for n in segments.clone() {
            let sealed = self.file(store, tenant, opener.segment_range(n)).await?;
            if n == segments.start {
                skipped = opener.plain_offset(n);
            }
            out.extend(opener.open_segment(n, &sealed, n == last)?);
        }
        let start = usize::try_from(range.start - skipped).unwrap_or(usize::MAX);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        out.drain(..start);
        out.truncate(length);
        Ok(out)
    }

    async fn file(&self, store: &Store, tenant: TenantId, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let (store, id) = (store.clone(), self.id);
        let read = move || store.blobs().get(tenant, id, range);
        tokio::task::spawn_blocking(read).await.map_err(|_| StoreError::Busy)?
    }
}

/// A change of the key that wraps a blob's own key.
pub(crate) struct Rewrap {
    pub(crate) blob: BlobId,
    pub(crate) key_id: KeyId,
    pub(crate) wrapped: Vec<u8>,
}

impl Rewrap {
    pub(crate) async fn update(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.late(
            sql!("UPDATE blob SET key_id = $3, wrapped = $4 WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.blob, self.key_id, &self.wrapped],
            Rows::One,
        )
        .await
    }
}

/// Reads one blob row.
pub(crate) struct BlobById(pub(crate) BlobId);

impl Read for BlobById {
    type Out = Option<BlobRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!("SELECT id, key_id, dek_id, wrapped, size_bytes, data FROM blob WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.0],
            |row| BlobRow::read(row, 0),
        )
        .await
    }
}
