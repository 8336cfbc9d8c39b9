// SPDX-License-Identifier: EUPL-1.2
//! Tags: the tenant's own words for its cases.
//!
//! Beside each tag of a case stand the status and the place of the case, so that a list by tag is read
//! from one index. Whoever changes either of them changes it there too ([`follow`], [`follow_late`]).

use std::collections::HashMap;

use belofte_model::{
    ConversationId, ConversationStatus, EventKind, KeyId, LedgerKind, TagColour, TagId, Timestamp, Use,
    fold_tag_name, tag_name,
};
use serde_json::{Value, json};

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::sealing::seal_json;
use crate::{Access, NewLeaf, Param, Read, Row, Rows, Sql, Store, StoreError, TenantKeys, Tx, Write};

/// A tag.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// What it is called.
    pub name: String,
    /// Its colour.
    pub colour: TagColour,
    /// Whether it is given to no more cases; those that have it keep it.
    pub archived: bool,
    /// The tag that has taken its cases; it is only kept for what it was on.
    pub merged_into: Option<TagId>,
    /// Changes with every change.
    pub version: i64,
}

/// A change of a tag; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct TagChange {
    /// What it is called.
    pub name: Option<String>,
    /// Its colour.
    pub colour: Option<TagColour>,
    /// Whether it is given to no more cases.
    pub archived: Option<bool>,
}

/// Why a tag was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum TagError {
    /// Another tag has the name, capitals and spaces aside.
    #[error("a tag of this name is there already")]
    NameTaken,
    /// The tag that is to take the cases is not there, is archived, or is the same one.
    #[error("the tag that is to take the cases cannot")]
    NoSuchTag,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the tenant's look-up key makes of a name.
fn name_index(keys: &TenantKeys, name: &str) -> [u8; 16] {
    keys.lookup.index("tag", &fold_tag_name(name))
}

/// What the ledger says a tag is.
fn told(name: &str, colour: TagColour, archived: bool) -> Value {
    json!({ "name": name, "colour": colour, "archived": archived })
}

struct TagRow {
    id: TagId,
    name: Vec<u8>,
    key: KeyId,
    colour: TagColour,
    archived: bool,
    merged_into: Option<TagId>,
    version: i64,
}

struct AllTags;

impl Read for AllTags {
    type Out = Vec<TagRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, name, key_id, colour, archived_at, merged_into, version FROM tag WHERE tenant_id = $1 \
                 ORDER BY id"
            ),
            params![tenant],
            |row| {
                Ok(TagRow {
                    id: row.id(0)?,
                    name: row.bytes(1)?,
                    key: row.id(2)?,
                    colour: row.name(3, TagColour::parse)?,
                    archived: row.opt_time(4)?.is_some(),
                    merged_into: row.opt_id(5)?,
                    version: row.int(6)?,
                })
            },
        )
        .await
    }
}

struct Create {
    id: TagId,
    name: Vec<u8>,
    key: KeyId,
    index: [u8; 16],
    colour: TagColour,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Create {
    /// Whether the name was free.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let made = tx
            .execute(
                sql!(
                    "INSERT INTO tag (tenant_id, id, name, key_id, name_index, colour, version, created_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT DO NOTHING"
                ),
                params![tenant, self.id, &self.name, self.key, &self.index, self.colour.as_str(), self.now],
            )
            .await?;
        if made == 0 {
            return Ok(false);
        }
        record(tx, &self.leaf, self.now).await?;
        Ok(true)
    }
}

/// Appends the leaf of a change and tells of it.
async fn record(tx: &mut Tx<'_>, leaf: &NewLeaf, now: Timestamp) -> Result<(), StoreError> {
    let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
    leaf.append(tx, numbers.leaf).await?;
    Event::new(EventKind::TagsChanged, now).append(tx, numbers.event).await
}

struct Change {
    id: TagId,
    planned_on: i64,
    name: Vec<u8>,
    key: KeyId,
    index: [u8; 16],
    colour: TagColour,
    archived: bool,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Change {
    /// Whether the name was free.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        // One after the other: two tags that take one name at the same moment would be an error.
        counters::take(tx, Needs::default()).await?;
        let other = tx
            .query_opt(
                sql!("SELECT id FROM tag WHERE tenant_id = $1 AND name_index = $2 AND id <> $3"),
                params![tenant, &self.index, self.id],
                |row| row.uuid(0),
            )
            .await?;
        if other.is_some() {
            return Ok(false);
        }
        tx.execute_one(
            sql!(
                "UPDATE tag SET name = $3, key_id = $4, name_index = $5, colour = $6, version = version + 1, \
                 archived_at = CASE WHEN CAST($7 AS bigint) = 0 THEN NULL ELSE coalesce(archived_at, $8) END \
                 WHERE tenant_id = $1 AND id = $2 AND version = $9 AND merged_into IS NULL"
            ),
            params![
                tenant,
                self.id,
                &self.name,
                self.key,
                &self.index,
                self.colour.as_str(),
                self.archived,
                self.now,
                self.planned_on
            ],
        )
        .await?;
        record(tx, &self.leaf, self.now).await?;
        Ok(true)
    }
}

struct Merge {
    id: TagId,
    planned_on: i64,
    into: TagId,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Merge {
    /// Whether the other tag could take the cases.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        // One after the other: of two tags that are merged into each other, one stays.
        counters::take(tx, Needs::default()).await?;
        if self.id == self.into || !is_in_use(tx, self.into).await? {
            return Ok(false);
        }
        // First the row: whoever gives this tag to a case at the moment waits for it, and finds it gone.
        tx.execute_one(
            sql!(
                "UPDATE tag SET merged_into = $3, archived_at = coalesce(archived_at, $4), name_index = NULL, \
                 version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $5 AND merged_into IS NULL"
            ),
            params![tenant, self.id, self.into, self.now, self.planned_on],
        )
        .await?;
        tx.execute(
            sql!("UPDATE tag SET merged_into = $3 WHERE tenant_id = $1 AND merged_into = $2"),
            params![tenant, self.id, self.into],
        )
        .await?;
        tx.execute(
            sql!(
                "INSERT INTO conversation_tag (tenant_id, conversation_id, tag_id, status, placed_at) \
                 SELECT c.tenant_id, c.conversation_id, t.id, c.status, c.placed_at FROM conversation_tag c \
                 JOIN tag t ON t.tenant_id = c.tenant_id AND t.id = $3 \
                 WHERE c.tenant_id = $1 AND c.tag_id = $2 ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.id, self.into],
        )
        .await?;
        tx.execute(
            sql!("DELETE FROM conversation_tag WHERE tenant_id = $1 AND tag_id = $2"),
            params![tenant, self.id],
        )
        .await?;
        record(tx, &self.leaf, self.now).await?;
        Ok(true)
    }
}

/// Whether the tag can be given to cases; it stays so until COMMIT.
pub(crate) async fn is_in_use(tx: &mut Tx<'_>, tag: TagId) -> Result<bool, StoreError> {
    let tenant = tx.tenant();
    let text = if tx.is_postgres() {
        sql!(
            "SELECT version FROM tag WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL AND merged_into IS NULL \
             FOR SHARE"
        )
    } else {
        sql!(
            "SELECT version FROM tag WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL AND merged_into IS NULL"
        )
    };
    Ok(tx.query_opt(text, params![tenant, tag], |row| row.int(0)).await?.is_some())
}

/// The tag that has the cases of `tag`: itself, or the one that it was merged into.
pub(crate) async fn in_force(tx: &mut Tx<'_>, tag: TagId) -> Result<Option<TagId>, StoreError> {
    let tenant = tx.tenant();
    tx.query_opt(
        sql!("SELECT coalesce(merged_into, id) FROM tag WHERE tenant_id = $1 AND id = $2"),
        params![tenant, tag],
        |row| row.id(0),
    )
    .await
}

/// The tags of a case.
pub(crate) async fn of_case(tx: &mut Tx<'_>, case: ConversationId) -> Result<Vec<TagId>, StoreError> {
    let tenant = tx.tenant();
    tx.query(
        sql!("SELECT tag_id FROM conversation_tag WHERE tenant_id = $1 AND conversation_id = $2"),
        params![tenant, case],
        |row| row.id(0),
    )
    .await
}

/// Gives `tag` to a case that stands so.
pub(crate) async fn add(
    tx: &mut Tx<'_>,
    case: ConversationId,
    tag: TagId,
    status: ConversationStatus,
    placed_at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "INSERT INTO conversation_tag (tenant_id, conversation_id, tag_id, status, placed_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
        ),
        params![tenant, case, tag, status.as_str(), placed_at],
    )
    .await
    .map(drop)
}

/// Takes `tag` from a case.
pub(crate) async fn remove(tx: &mut Tx<'_>, case: ConversationId, tag: TagId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!("DELETE FROM conversation_tag WHERE tenant_id = $1 AND conversation_id = $2 AND tag_id = $3"),
        params![tenant, case, tag],
    )
    .await
    .map(drop)
}

fn following() -> &'static Sql {
    sql!(
        "UPDATE conversation_tag SET status = $3, placed_at = $4 WHERE tenant_id = $1 AND conversation_id = $2"
    )
}

/// Tells the tags of a case where it stands now.
pub(crate) async fn follow(
    tx: &mut Tx<'_>,
    case: ConversationId,
    status: ConversationStatus,
    placed_at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(following(), params![tenant, case, status.as_str(), placed_at]).await.map(drop)
}

/// As [`follow`], at the end of the transaction: for who changes the case there too, by its version, so
/// that nobody else does in the same one.
pub(crate) async fn follow_late(
    tx: &mut Tx<'_>,
    case: ConversationId,
    status: ConversationStatus,
    placed_at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    if !tx.is_postgres() {
        // Most cases have none, and looking costs a fifth of changing nothing.
        let tagged =
            sql!("SELECT 1 FROM conversation_tag WHERE tenant_id = $1 AND conversation_id = $2 LIMIT 1");
        if tx.query_opt(tagged, params![tenant, case], |row| row.int(0)).await?.is_none() {
            return Ok(());
        }
    }
    tx.late(following(), params![tenant, case, status.as_str(), placed_at], Rows::Any).await
}

/// The tags of some cases, by case.
pub(crate) struct TagsOf(pub(crate) Vec<ConversationId>);

impl Read for TagsOf {
    type Out = HashMap<ConversationId, Vec<TagId>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        if self.0.is_empty() {
            return Ok(HashMap::new());
        }
        let tenant = tx.tenant();
        let read = |row: &Row<'_>| Ok((row.id::<ConversationId>(0)?, row.id::<TagId>(1)?));
        let rows = if tx.is_postgres() {
            let ids: Vec<_> = self.0.iter().map(|id| id.uuid()).collect();
            let text = sql!(
                "SELECT conversation_id, tag_id FROM conversation_tag WHERE tenant_id = $1 AND conversation_id = ANY($2)"
            );
            tx.query(text, &[tenant.into(), Param::Uuids(&ids)], read).await?
        } else {
            let text = sql!(
                "SELECT conversation_id, tag_id FROM conversation_tag WHERE tenant_id = $1 AND conversation_id = $2"
            );
            let sets = self.0.iter().map(|id| [tenant.into(), (*id).into()]).collect();
            tx.query_each(text, sets, read).await?
        };
        let mut tags: Self::Out = HashMap::new();
        for (case, tag) in rows {
            let of_case = tags.entry(case).or_default();
            // A case may be asked for twice.
            if !of_case.contains(&tag) {
                of_case.push(tag);
            }
        }
        Ok(tags)
    }
}

impl Store {
    /// The tags of the tenant, also archived and merged ones, by name.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn tags(&self, access: &Access) -> Result<Vec<Tag>, StoreError> {
        access.to(Use::Name)?;
        let mut tags = Vec::new();
        for row in self.read(access, AllTags).await? {
            let name: String =
                self.open_json(access.tenant(), columns::TAG_NAME, row.id.uuid(), row.key, &row.name).await?;
            tags.push(Tag {
                id: row.id,
                name,
                colour: row.colour,
                archived: row.archived,
                merged_into: row.merged_into,
                version: row.version,
            });
        }
        tags.sort_by_cached_key(|tag| (fold_tag_name(&tag.name), tag.id));
        Ok(tags)
    }

    /// A tag that can be changed, with what it was.
    async fn tag_to_change(&self, access: &Access, id: TagId) -> Result<Tag, StoreError> {
        let tag = self.tags(access).await?.into_iter().find(|tag| tag.id == id);
        tag.filter(|tag| tag.merged_into.is_none()).ok_or(StoreError::NotFound)
    }

    /// Makes a tag; with `intended` under that id, and the one that an earlier try of the same request
    /// made under it is the answer.
    ///
    /// # Errors
    /// [`TagError`].
    pub async fn create_tag(
        &self,
        access: &Access,
        intended: Option<TagId>,
        name: &str,
        colour: TagColour,
    ) -> Result<Tag, TagError> {
        access.to(Use::Configure)?;
        if let Some(id) = intended
            && let Some(made) = self.tags(access).await?.into_iter().find(|tag| tag.id == id)
        {
            return Ok(made);
        }
        let (keys, now, name) = (self.keys(access).await?, access.clock().now(), tag_name(name));
        let id = intended.unwrap_or_else(|| TagId::new(now, self.random().bytes()));
        let detail = json!({
            "what": "tag", "act": "created", "id": id, "name": &name,
            "before": null, "after": told(&name, colour, false),
        });
        let create = Create {
            id,
            name: seal_json(&keys, self.random(), columns::TAG_NAME, id.uuid(), &name)?,
            key: keys.settings.id(),
            index: name_index(&keys, &name),
            colour,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now,
        };
        if !self.write(access, create).await? {
            return Err(TagError::NameTaken);
        }
        Ok(Tag { id, name, colour, archived: false, merged_into: None, version: 1 })
    }

    /// Renames, colours or archives a tag.
    ///
    /// # Errors
    /// [`TagError`]; [`StoreError::Conflict`] when somebody else changed it at the same moment.
    pub async fn change_tag(&self, access: &Access, id: TagId, change: TagChange) -> Result<Tag, TagError> {
        access.to(Use::Configure)?;
        let before = self.tag_to_change(access, id).await?;
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let after = Tag {
            name: change.name.map_or_else(|| before.name.clone(), |name| tag_name(&name)),
            colour: change.colour.unwrap_or(before.colour),
            archived: change.archived.unwrap_or(before.archived),
            version: before.version + 1,
            ..before.clone()
        };
        let detail = json!({
            "what": "tag", "act": "changed", "id": id, "name": &after.name,
            "before": told(&before.name, before.colour, before.archived),
            "after": told(&after.name, after.colour, after.archived),
        });
        let write = Change {
            id,
            planned_on: before.version,
            name: seal_json(&keys, self.random(), columns::TAG_NAME, id.uuid(), &after.name)?,
            key: keys.settings.id(),
            index: name_index(&keys, &after.name),
            colour: after.colour,
            archived: after.archived,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now,
        };
        if !self.write(access, write).await? {
            return Err(TagError::NameTaken);
        }
        Ok(after)
    }

    /// Gives all cases of a tag to another one. The first is only kept for what it was on, and its name
    /// is free.
    ///
    /// # Errors
    /// [`TagError`]; [`StoreError::Conflict`] when somebody else changed it at the same moment.
    pub async fn merge_tag(&self, access: &Access, id: TagId, into: TagId) -> Result<(), TagError> {
        access.to(Use::Configure)?;
        let before = self.tag_to_change(access, id).await?;
        let target = self.tags(access).await?.into_iter().find(|tag| tag.id == into);
        let target = target.ok_or(TagError::NoSuchTag)?;
        let keys = self.keys(access).await?;
        let detail = json!({
            "what": "tag", "act": "merged", "id": id, "name": &before.name, "into": &target.name,
            "before": told(&before.name, before.colour, before.archived), "after": null,
        });
        let merge = Merge {
            id,
            planned_on: before.version,
            into,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now: access.clock().now(),
        };
        if self.write(access, merge).await? { Ok(()) } else { Err(TagError::NoSuchTag) }
    }
}
