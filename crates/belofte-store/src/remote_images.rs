// SPDX-License-Identifier: EUPL-1.2
//! Remote images of messages, kept sealed for a few days so that their server is asked once; and whose images
//! are shown without asking.

use std::collections::HashSet;

use belofte_model::{ContactId, Duration, KeyId, LedgerKind, MessageId, Timestamp, Use, uuid_v7};
use belofte_vault::SealContext;
use serde_json::json;
use uuid::Uuid;

use crate::access::actor_columns;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::{Access, NewLeaf, Read, Rows, Store, StoreError, Tx, Write};

/// An image is kept so long: while a case is worked on. Who opens the message later asks again.
pub(crate) const IMAGES_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The images of one message take at most so many octets.
pub const IMAGES_SIZE: usize = 8 * 1024 * 1024;

/// An image of a message that was fetched.
#[derive(Clone)]
pub struct RemoteImage {
    /// Its place among the remote images of the message.
    pub place: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What people look at is theirs.
impl std::fmt::Debug for RemoteImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteImage").field("octets", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// For whom images are shown without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImagesFor {
    /// The user who chose.
    Me,
    /// Everybody of the tenant.
    Everybody,
}

/// Whose images are shown without asking, and for whom.
#[derive(Clone, Debug, Default)]
pub struct ImageChoices {
    own: HashSet<ContactId>,
    everybody: HashSet<ContactId>,
}

impl ImageChoices {
    /// Whether the images of this contact are shown to who asked.
    #[must_use]
    pub fn shows(&self, contact: ContactId) -> Option<ImagesFor> {
        if self.everybody.contains(&contact) {
            Some(ImagesFor::Everybody)
        } else {
            self.own.contains(&contact).then_some(ImagesFor::Me)
        }
    }
}

/// The images of a message that lie here.
struct Kept(MessageId);

struct SealedImage {
    id: Uuid,
    place: i64,
    picture: Vec<u8>,
    key: KeyId,
}

impl Read for Kept {
    type Out = Vec<SealedImage>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, place, picture, key_id FROM remote_image WHERE tenant_id = $1 AND message_id = $2 \
                 ORDER BY place"
            ),
            params![tenant, self.0],
            |row| {
                Ok(SealedImage {
                    id: row.uuid(0)?,
                    place: row.int(1)?,
                    picture: row.bytes(2)?,
                    key: row.id(3)?,
                })
            },
        )
        .await
    }
}

struct KeyOfMessage(MessageId);

impl Read for KeyOfMessage {
    type Out = Option<KeyId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!("SELECT key_id FROM message WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.0],
            |row| row.id(0),
        )
        .await
    }
}

struct Keep {
    message: MessageId,
    images: Vec<(Uuid, i64, Vec<u8>)>,
    key: KeyId,
    now: Timestamp,
}

impl Write for Keep {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        for (id, place, picture) in &self.images {
            tx.late(
                sql!(
                    "INSERT INTO remote_image (tenant_id, id, message_id, place, picture, key_id, fetched_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
                ),
                params![tenant, *id, self.message, *place, picture, self.key, self.now],
                Rows::Any,
            )
            .await?;
        }
        Ok(())
    }
}

struct Choices(Uuid);

impl Read for Choices {
    type Out = Vec<(ContactId, Uuid)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT contact_id, user_id FROM image_choice WHERE tenant_id = $1 AND (user_id = $2 OR user_id = $3)"
            ),
            params![tenant, self.0, Uuid::nil()],
            |row| Ok((row.id(0)?, row.uuid(1)?)),
        )
        .await
    }
}

struct Choose {
    contact: ContactId,
    user: Uuid,
    show: bool,
    /// Of a choice for everybody: a setting of the tenant.
    leaf: Option<NewLeaf>,
    now: Timestamp,
}

impl Write for Choose {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        if self.show {
            tx.execute(
                sql!(
                    "INSERT INTO image_choice (tenant_id, contact_id, user_id, chosen_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT DO NOTHING"
                ),
                params![tenant, self.contact, self.user, self.now],
            )
            .await?;
        } else {
            tx.execute(
                sql!("DELETE FROM image_choice WHERE tenant_id = $1 AND contact_id = $2 AND user_id = $3"),
                params![tenant, self.contact, self.user],
            )
            .await?;
        }
        if let Some(leaf) = &self.leaf {
            let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
            leaf.append(tx, numbers.leaf).await?;
        }
        Ok(())
    }
}

impl Store {
    /// The remote images of a message that lie here. Those that were erased with their message are not there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the message does not exist for this access; as [`Store::message`].
    pub async fn remote_images(
        &self,
        access: &Access,
        message: MessageId,
    ) -> Result<Vec<RemoteImage>, StoreError> {
        access.to(Use::ReadMessage)?;
        self.message(access, message).await?;
        let tenant = access.tenant();
        let sealed = self.read(access, Kept(message)).await?;
        let keys = self.keys_by_id(tenant, sealed.iter().map(|image| image.key).collect()).await?;
        let mut images = Vec::with_capacity(sealed.len());
        for image in sealed {
            let Some(key) = keys.get(&image.key) else { continue };
            let context = SealContext { tenant, column: columns::REMOTE_IMAGE_PICTURE, row: image.id };
            let bytes = key.open(&context, &image.picture)?;
            images.push(RemoteImage { place: u32::try_from(image.place).unwrap_or(u32::MAX), bytes });
        }
        Ok(images)
    }

    /// Keeps images of a message for a few days, sealed under the key of its words; those in a place that
    /// is taken are left out.
    ///
    /// # Errors
    /// As [`Store::remote_images`].
    pub async fn keep_remote_images(
        &self,
        access: &Access,
        message: MessageId,
        images: &[RemoteImage],
    ) -> Result<(), StoreError> {
        access.to(Use::Answer)?;
        self.message(access, message).await?;
        let (tenant, now) = (access.tenant(), access.clock().now());
        let id = self.read(access, KeyOfMessage(message)).await?.ok_or(StoreError::NotFound)?;
        let keys = self.keys_by_id(tenant, std::iter::once(id).collect()).await?;
        let key = keys.get(&id).ok_or(StoreError::KeyGone(id))?;
        let seal = |image: &RemoteImage| {
            let row = uuid_v7(now, self.random().bytes());
            let context = SealContext { tenant, column: columns::REMOTE_IMAGE_PICTURE, row };
            (row, i64::from(image.place), key.seal(self.random(), &context, &image.bytes))
        };
        let images = images.iter().map(seal).collect();
        self.write(access, Keep { message, images, key: id, now }).await
    }

    /// Whose images are shown to the user of `access` without asking.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn image_choices(&self, access: &Access) -> Result<ImageChoices, StoreError> {
        access.to(Use::Name)?;
        let (_, own) = actor_columns(access.actor());
        let mut choices = ImageChoices::default();
        for (contact, user) in self.read(access, Choices(own)).await? {
            if user.is_nil() {
                choices.everybody.insert(contact)
            } else {
                choices.own.insert(contact)
            };
        }
        Ok(choices)
    }

    /// Has the images of a contact shown without asking, or no longer, to the user of `access` or to everybody.
    /// Who may choose for everybody is for the caller to know.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such contact for this access, or no user acts; the engine's
    /// errors.
    pub async fn choose_images(
        &self,
        access: &Access,
        contact: ContactId,
        whose: ImagesFor,
        show: bool,
    ) -> Result<(), StoreError> {
        access.to(Use::Answer)?;
        self.contact(access, contact).await?;
        let own = access.user().ok_or(StoreError::NotFound)?.uuid();
        let user = if whose == ImagesFor::Me { own } else { Uuid::nil() };
        let before = self.read(access, Choices(user)).await?.contains(&(contact, user));
        if before == show {
            return Ok(());
        }
        let leaf = if whose == ImagesFor::Everybody {
            let keys = self.keys(access).await?;
            let detail = json!({
                "what": "remote_images", "act": "changed", "id": contact,
                "before": { "shown": before }, "after": { "shown": show },
            });
            Some(NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?)
        } else {
            None
        };
        self.write(access, Choose { contact, user, show, leaf, now: access.clock().now() }).await
    }
}
