// SPDX-License-Identifier: EUPL-1.2
//! Files that come or go with messages.

use std::ops::Range;

use belofte_model::{AttachmentId, BlobId, KeyId, MessageId, TenantId, Timestamp, Use};
use belofte_vault::{DataKey, SealContext};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::actor_columns;
use crate::blob_rows::{BlobById, BlobKind, BlobRow, BlobWriter, Rewrap, SealedBlob, WrittenBlob};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::messages::{Attachment, SealedAttachment, from_json, sealed_attachment, to_json};
use crate::{Access, Read, Rows, Store, StoreError, Tx, Write};

#[derive(Serialize, Deserialize)]
struct Meta {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_id: Option<String>,
}

/// A file that is to be stored.
#[derive(Clone)]
pub struct NewFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The identifier by which the markup names it.
    pub content_id: Option<String>,
    /// Whether the markup shows it in its place.
    pub inline: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A file that comes in: what came lies sealed on the disk already, and nothing of it in clear. Dropped
/// before it is [stored](Store::upload), nothing of it is left.
pub struct IncomingFile(BlobWriter);

/// What a file is called and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
}

/// A file that came in whole.
pub struct ReceivedFile(WrittenBlob);

impl IncomingFile {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`StoreError::Full`] and [`StoreError::Blob`].
    pub async fn push(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.0.push(piece).await
    }

    /// The file is at its end.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub async fn finish(self) -> Result<ReceivedFile, StoreError> {
        Ok(ReceivedFile(self.0.finish().await?))
    }
}

/// A file with its sealed bytes, before its rows are stored.
pub(crate) struct NewAttachment {
    pub(crate) id: AttachmentId,
    blob: SealedBlob,
    meta: Vec<u8>,
    key: KeyId,
    media_type: String,
    inline: bool,
    owner: Uuid,
    at: Timestamp,
}

impl NewAttachment {
    pub(crate) async fn seal(
        store: &Store,
        access: &Access,
        key: &DataKey,
        file: NewFile,
    ) -> Result<Self, StoreError> {
        let at = access.clock().now();
        let id = AttachmentId::new(at, store.random().bytes());
        let blob =
            SealedBlob::seal(store, access.tenant(), BlobKind::Attachment, key, &file.bytes, at).await?;
        let meta = Meta { name: file.name, content_id: file.content_id };
        Self::of(store, access, key, id, blob, &meta, file.media_type, file.inline)
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    fn of(
        store: &Store,
        access: &Access,
        key: &DataKey,
        id: AttachmentId,
        blob: SealedBlob,
        meta: &Meta,
        media_type: String,
        inline: bool,
    ) -> Result<Self, StoreError> {
        let context =
            SealContext { tenant: access.tenant(), column: columns::ATTACHMENT_META, row: id.uuid() };
        let meta = key.seal(store.random(), &context, &to_json(meta)?);
        let (owner, at) = (actor_columns(access.actor()).1, access.clock().now());
        Ok(Self { id, blob, meta, key: key.id(), media_type, inline, owner, at })
    }

    pub(crate) async fn insert(
        &self,
        tx: &mut Tx<'_>,
        message: Option<MessageId>,
        position: usize,
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        self.blob.insert(tx, self.at).await?;
        tx.late(
            sql!(
                "INSERT INTO attachment (tenant_id, id, message_id, owner_id, blob_id, meta, key_id, media_type, \
                 size_bytes, inline, position, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            ),
            params![
                tenant,
                self.id,
                message,
                self.owner,
                self.blob.id,
                &self.meta,
                self.key,
                &self.media_type,
                self.blob.size,
                self.inline,
                i64::try_from(position).unwrap_or(i64::MAX),
                self.at
            ],
            Rows::Any,
        )
        .await
    }
}

pub(crate) fn unseal(
    tenant: TenantId,
    key: &DataKey,
    row: &SealedAttachment,
) -> Result<Attachment, StoreError> {
    let context = SealContext { tenant, column: columns::ATTACHMENT_META, row: row.id.uuid() };
    let meta: Meta = from_json(&key.open(&context, &row.meta)?, "attachment.meta")?;
    Ok(Attachment {
        id: row.id,
        name: meta.name,
        media_type: row.media_type.clone(),
        size: row.size,
        inline: row.inline,
        content_id: meta.content_id,
    })
}

/// How much one user or key may have uploaded that no message has taken yet. Nodes that take uploads
/// of one user at the same moment may each let one through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadQuota {
    /// How many files.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// Why an upload was not stored.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Too much waits for a message already.
    #[error("too many uploads wait for a message")]
    OverQuota,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether another file of `size` bytes fits into the quota of `owner`.
struct Fits {
    owner: Uuid,
    size: u64,
    quota: UploadQuota,
}

impl Read for Fits {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let (files, bytes) = tx
            .query_one(
                sql!(
                    "SELECT COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM attachment \
                     WHERE tenant_id = $1 AND message_id IS NULL AND owner_id = $2"
                ),
                params![tenant, self.owner],
                |row| Ok((row.int(0)?, row.int(1)?)),
            )
            .await?;
        let [files, bytes] = [files, bytes].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
        Ok(files < self.quota.files && bytes.saturating_add(self.size) <= self.quota.bytes)
    }
}

struct Upload {
    row: NewAttachment,
    fits: Fits,
}

impl Write for Upload {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let fits = self.fits.run(tx).await?;
        if fits {
            self.row.insert(tx, None, 0).await?;
        }
        Ok(fits)
    }
}

/// A file that an outgoing message takes along.
pub(crate) enum GoesAlong {
    /// An upload of the author, which becomes the message's.
    Upload(Bound),
    /// A copy of a file of another message: each message has files of its own, so that erasing one
    /// takes nothing from the other.
    Copy(NewAttachment),
}

impl GoesAlong {
    pub(crate) async fn write(
        &self,
        tx: &mut Tx<'_>,
        message: MessageId,
        position: usize,
    ) -> Result<(), StoreError> {
        match self {
            Self::Upload(upload) => upload.update(tx, message, position).await,
            Self::Copy(copy) => copy.insert(tx, Some(message), position).await,
        }
    }
}

/// A file that was uploaded, as an answer takes it along: rewrapped to its conversation.
pub(crate) struct Bound {
    id: AttachmentId,
    owner: Uuid,
    meta: Vec<u8>,
    inline: bool,
    key: KeyId,
    blob: Rewrap,
}

impl Bound {
    async fn update(&self, tx: &mut Tx<'_>, message: MessageId, position: usize) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        self.blob.update(tx).await?;
        tx.execute_one(
            sql!(
                "UPDATE attachment SET message_id = $4, meta = $5, key_id = $6, position = $7, inline = $8, draft_id = NULL \
                 WHERE tenant_id = $1 AND id = $2 AND owner_id = $3 AND message_id IS NULL"
            ),
            params![
                tenant,
                self.id,
                self.owner,
                message,
                &self.meta,
                self.key,
                i64::try_from(position).unwrap_or(i64::MAX),
                self.inline
            ],
        )
        .await
    }
}

/// A file of a message that was taken back: an upload of its author again.
pub(crate) struct ComesBack {
    id: AttachmentId,
    meta: Vec<u8>,
    key: KeyId,
    blob: Rewrap,
}

impl ComesBack {
    pub(crate) async fn update(
        &self,
        tx: &mut Tx<'_>,
        owner: Uuid,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        self.blob.update(tx).await?;
        tx.execute_one(
            sql!(
                "UPDATE attachment SET message_id = NULL, owner_id = $3, meta = $4, key_id = $5, position = 0, inline = 0, \
                 created_at = $6 WHERE tenant_id = $1 AND id = $2 AND message_id IS NOT NULL"
            ),
            params![tenant, self.id, owner, &self.meta, self.key, now],
        )
        .await
    }
}

/// The identifier by which markup that is written here shows an upload (RFC 2392): it has none before
/// a message takes it.
fn shown_as(id: AttachmentId) -> String {
    format!("{}@inline", id.uuid())
}

struct Found {
    row: SealedAttachment,
    blob: BlobId,
    owner: Uuid,
    /// Whether the message that it belongs to can be seen.
    visible: bool,
}

struct AttachmentById {
    id: AttachmentId,
    access: Access,
}

impl Read for AttachmentById {
    type Out = Option<Found>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!(
                    "SELECT id, message_id, meta, key_id, media_type, size_bytes, inline, blob_id, owner_id \
                     FROM attachment WHERE tenant_id = $1 AND id = $2"
                ),
                params![tenant, self.id],
                |row| Ok((sealed_attachment(row)?, row.id::<BlobId>(7)?, row.uuid(8)?)),
            )
            .await?;
        let Some((row, blob, owner)) = found else { return Ok(None) };
        let visible = self.access.visible();
        let seen = match row.message {
            None => owner == actor_columns(self.access.actor()).1,
            Some(_) if visible.sees_all_cases() => true,
            Some(message) => tx
                .query_opt(
                    sql!(
                        "SELECT c.queue_id, c.channel_account_id, m.channel_account_id FROM message m JOIN conversation c \
                         ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id WHERE m.tenant_id = $1 AND m.id = $2"
                    ),
                    params![tenant, message],
                    |row| Ok((row.id(0)?, row.id(1)?, row.opt_id(2)?)),
                )
                .await?
                .is_some_and(|(queue, account, through)| {
                    visible.sees_case(queue, account) && visible.sees_message(through)
                }),
        };
        Ok(Some(Found { row, blob, owner, visible: seen }))
    }
}

impl Store {
    /// Begins to take a file that comes piece by piece.
    #[must_use]
    pub fn receive_file(&self, access: &Access) -> IncomingFile {
        IncomingFile(BlobWriter::new(self, access.tenant(), BlobKind::Attachment, access.clock().now()))
    }

    /// Whether a further upload of `size` bytes would be taken.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn may_upload(
        &self,
        access: &Access,
        size: u64,
        quota: UploadQuota,
    ) -> Result<bool, StoreError> {
        access.to(Use::Answer)?;
        let owner = actor_columns(access.actor()).1;
        self.read(access, Fits { owner, size, quota }).await
    }

    /// Stores an uploaded file that belongs to no message yet; the uploader alone can see it. With
    /// `intended` it is stored under that id, and what an earlier try of the same request stored
    /// under it is the answer.
    ///
    /// # Errors
    /// [`UploadError`]; nothing is left then.
    pub async fn upload(
        &self,
        access: &Access,
        intended: Option<AttachmentId>,
        about: FileName,
        file: ReceivedFile,
        quota: UploadQuota,
    ) -> Result<Attachment, UploadError> {
        access.to(Use::Answer)?;
        if let Some(id) = intended {
            match self.attachment(access, id).await {
                Ok(made) => return Ok(made.attachment),
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let FileName { name, media_type } = about;
        let key = &self.keys(access).await?.settings;
        let size = file.0.size;
        let id = intended.unwrap_or_else(|| AttachmentId::new(access.clock().now(), self.random().bytes()));
        let blob = file.0.keep(self, access.tenant(), key).await?;
        let meta = Meta { name: name.clone(), content_id: None };
        let (written, tenant) = (blob.id, access.tenant());
        let row = NewAttachment::of(self, access, key, id, blob, &meta, media_type.clone(), false)?;
        let fits = Fits { owner: row.owner, size, quota };
        if !self.write(access, Upload { row, fits }).await? {
            let store = self.clone();
            let remove = move || store.blobs().remove(tenant, written);
            tokio::task::spawn_blocking(remove).await.map_err(|_| StoreError::Busy)??;
            return Err(UploadError::OverQuota);
        }
        Ok(Attachment { id, name, media_type, size, inline: false, content_id: None })
    }

    /// A file and the means to open its bytes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not exist for this access.
    pub async fn attachment(&self, access: &Access, id: AttachmentId) -> Result<OpenFile, StoreError> {
        access.to(Use::ReadMessage)?;
        let tenant = access.tenant();
        let found = self.read(access, AttachmentById { id, access: access.clone() }).await?;
        let found = found.filter(|found| found.visible).ok_or(StoreError::NotFound)?;
        let key = self.key(tenant, found.row.key).await?;
        let blob = self.read(access, BlobById(found.blob)).await?.ok_or(StoreError::NotFound)?;
        let attachment = unseal(tenant, &key, &found.row)?;
        Ok(OpenFile { attachment, message: found.row.message, store: self.clone(), tenant, key, blob })
    }

    /// The bytes of a blob (a mail's source) under the key of its row, for who has seen that its
    /// owner can be seen.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and [`StoreError::KeyGone`] when it was erased.
    pub(crate) async fn blob(&self, access: &Access, id: BlobId) -> Result<Vec<u8>, StoreError> {
        let tenant = access.tenant();
        let blob = self.read(access, BlobById(id)).await?.ok_or(StoreError::NotFound)?;
        let key = self.key(tenant, blob.key_id).await?;
        blob.open(self, tenant, &key).await
    }

    /// Files for an outgoing message, under the key of its conversation: uploads of this user rewrapped,
    /// files of messages that `access` sees copied. An upload that `html` shows stands in its place.
    pub(crate) async fn bind(
        &self,
        access: &Access,
        ids: &[AttachmentId],
        html: Option<&str>,
        to: &DataKey,
    ) -> Result<Vec<GoesAlong>, StoreError> {
        let tenant = access.tenant();
        let mut bound = Vec::with_capacity(ids.len());
        for id in ids {
            let found = self.read(access, AttachmentById { id: *id, access: access.clone() }).await?;
            let found = found.filter(|found| found.visible).ok_or(StoreError::NotFound)?;
            let from = self.key(tenant, found.row.key).await?;
            let blob = self.read(access, BlobById(found.blob)).await?.ok_or(StoreError::NotFound)?;
            if found.row.message.is_some() {
                let Attachment { name, media_type, .. } = unseal(tenant, &from, &found.row)?;
                let bytes = blob.open(self, tenant, &from).await?;
                let file = NewFile { name, media_type, content_id: None, inline: false, bytes };
                bound.push(GoesAlong::Copy(NewAttachment::seal(self, access, to, file).await?));
                continue;
            }
            let context = SealContext { tenant, column: columns::ATTACHMENT_META, row: id.uuid() };
            let mut meta: Meta = from_json(&from.open(&context, &found.row.meta)?, "attachment.meta")?;
            let name = shown_as(*id);
            let inline = html.is_some_and(|html| html.contains(&format!("cid:{name}")));
            meta.content_id = inline.then_some(name);
            let meta = to.seal(self.random(), &context, &to_json(&meta)?);
            let blob = blob.rewrap(self, tenant, &from, to)?;
            let upload = Bound { id: *id, owner: found.owner, meta, inline, key: to.id(), blob };
            bound.push(GoesAlong::Upload(upload));
        }
        Ok(bound)
    }

    /// Files of a message that is taken back, under the key `to` of what waits for a message.
    pub(crate) async fn give_back(
        &self,
        access: &Access,
        ids: &[AttachmentId],
        to: &DataKey,
    ) -> Result<Vec<ComesBack>, StoreError> {
        let tenant = access.tenant();
        let mut files = Vec::with_capacity(ids.len());
        for id in ids {
            let found = self.read(access, AttachmentById { id: *id, access: access.clone() }).await?;
            let found = found.filter(|found| found.visible).ok_or(StoreError::NotFound)?;
            let from = self.key(tenant, found.row.key).await?;
            let blob = self.read(access, BlobById(found.blob)).await?.ok_or(StoreError::NotFound)?;
            let context = SealContext { tenant, column: columns::ATTACHMENT_META, row: id.uuid() };
            let mut meta: Meta = from_json(&from.open(&context, &found.row.meta)?, "attachment.meta")?;
            meta.content_id = None;
            let meta = to.seal(self.random(), &context, &to_json(&meta)?);
            files.push(ComesBack {
                id: *id,
                meta,
                key: to.id(),
                blob: blob.rewrap(self, tenant, &from, to)?,
            });
        }
        Ok(files)
    }
}

/// A file that can be read, whole or in part.
pub struct OpenFile {
    /// Name, type and length.
    pub attachment: Attachment,
    /// The message that it belongs to; none for a fresh upload.
    pub message: Option<MessageId>,
    store: Store,
    tenant: TenantId,
    key: DataKey,
    blob: BlobRow,
}

impl OpenFile {
    /// The bytes of `range`, cut to the file's length.
    ///
    /// # Errors
    /// [`StoreError::Vault`] when the file was tampered with; [`StoreError::Blob`].
    pub async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        self.blob.open_range(&self.store, self.tenant, &self.key, range).await
    }
}
