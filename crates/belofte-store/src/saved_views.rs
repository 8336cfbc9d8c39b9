// SPDX-License-Identifier: EUPL-1.2
//! Saved views: lists that somebody keeps under a name, for themselves or for everybody.

use belofte_model::{
    ConversationStatus, EventKind, KeyId, LedgerKind, QueueId, SavedViewId, TagId, Timestamp, Use, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::actor_columns;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::sealing::seal_json;
use crate::{Access, NewLeaf, Read, Store, StoreError, Tx, Write};

/// Whose cases a view shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "who", content = "user")]
pub enum ViewAssignee {
    /// Everybody's.
    #[default]
    Any,
    /// Those of who looks.
    Me,
    /// Nobody's.
    Nobody,
    /// One user's.
    User(UserId),
}

/// What a view is called, and which cases it shows. Sealed as one value.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewContent {
    /// What it is called.
    pub name: String,
    /// Where they stand; `None` for all.
    pub status: Option<ConversationStatus>,
    /// Whose they are.
    pub assignee: ViewAssignee,
    /// Where they lie; `None` for everywhere.
    pub queue: Option<QueueId>,
    /// What tag they have; `None` for any or none.
    pub tag: Option<TagId>,
}

/// A name is people's.
impl std::fmt::Debug for ViewContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ViewContent(..)")
    }
}

/// A list that somebody keeps.
#[derive(Clone, Debug)]
pub struct SavedView {
    /// Its id.
    pub id: SavedViewId,
    /// Who made it.
    pub owner: UserId,
    /// Whether everybody has it.
    pub shared: bool,
    /// What it is called and shows.
    pub content: ViewContent,
    /// Changes with every change.
    pub version: i64,
}

impl SavedView {
    /// What the ledger says of one that everybody has.
    fn told(&self) -> Value {
        json!({
            "name": &self.content.name, "shared": self.shared, "status": self.content.status,
            "assignee": self.content.assignee, "queue": self.content.queue, "tag": self.content.tag,
        })
    }
}

struct SavedViewRow {
    id: SavedViewId,
    owner: UserId,
    shared: bool,
    content: Vec<u8>,
    key: KeyId,
    version: i64,
}

/// Those that everybody has, and those of one user.
struct ViewsFor(uuid::Uuid);

impl Read for ViewsFor {
    type Out = Vec<SavedViewRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, owner_id, shared, content, key_id, version FROM saved_view \
                 WHERE tenant_id = $1 AND (shared <> 0 OR owner_id = $2) ORDER BY shared DESC, id"
            ),
            params![tenant, self.0],
            |row| {
                Ok(SavedViewRow {
                    id: row.id(0)?,
                    owner: row.id(1)?,
                    shared: row.bool(2)?,
                    content: row.bytes(3)?,
                    key: row.id(4)?,
                    version: row.int(5)?,
                })
            },
        )
        .await
    }
}

/// What a write does to the row.
enum Act {
    Insert,
    Update { planned_on: i64 },
    Delete { planned_on: i64 },
}

struct Save {
    act: Act,
    view: SavedView,
    content: Vec<u8>,
    key: KeyId,
    /// Of one that everybody has, before or after: a setting of the tenant.
    leaf: Option<NewLeaf>,
    now: Timestamp,
}

impl Write for Save {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (tenant, view) = (tx.tenant(), &self.view);
        match self.act {
            Act::Insert => {
                tx.execute_one(
                    sql!(
                        "INSERT INTO saved_view (tenant_id, id, owner_id, shared, content, key_id, version, created_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT DO NOTHING"
                    ),
                    params![tenant, view.id, view.owner, view.shared, &self.content, self.key, self.now],
                )
                .await?;
            }
            Act::Update { planned_on } => {
                tx.execute_one(
                    sql!(
                        "UPDATE saved_view SET shared = $3, content = $4, key_id = $5, version = version + 1 \
                         WHERE tenant_id = $1 AND id = $2 AND version = $6"
                    ),
                    params![tenant, view.id, view.shared, &self.content, self.key, planned_on],
                )
                .await?;
            }
            Act::Delete { planned_on } => {
                tx.execute_one(
                    sql!("DELETE FROM saved_view WHERE tenant_id = $1 AND id = $2 AND version = $3"),
                    params![tenant, view.id, planned_on],
                )
                .await?;
            }
        }
        let leaves = i64::from(self.leaf.is_some());
        let numbers = counters::take(tx, Needs { events: 1, leaves, ..Needs::default() }).await?;
        if let Some(leaf) = &self.leaf {
            leaf.append(tx, numbers.leaf).await?;
        }
        Event::new(EventKind::SavedViewsChanged, self.now).append(tx, numbers.event).await
    }
}

impl Store {
    /// The views that everybody has, and those of the user of `access`, in the order in which they were
    /// made.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn saved_views(&self, access: &Access) -> Result<Vec<SavedView>, StoreError> {
        access.to(Use::Name)?;
        let (_, own) = actor_columns(access.actor());
        let mut views = Vec::new();
        for row in self.read(access, ViewsFor(own)).await? {
            let column = columns::SAVED_VIEW_CONTENT;
            let content =
                self.open_json(access.tenant(), column, row.id.uuid(), row.key, &row.content).await?;
            views.push(SavedView {
                id: row.id,
                owner: row.owner,
                shared: row.shared,
                content,
                version: row.version,
            });
        }
        Ok(views)
    }

    /// Keeps a view for the user of `access`, or for everybody; with `intended` under that id, and the
    /// one that an earlier try of the same request made under it is the answer. Whether the user may
    /// keep one for everybody is for the caller to know.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no user acts; the engine's errors and those of sealing.
    pub async fn create_saved_view(
        &self,
        access: &Access,
        intended: Option<SavedViewId>,
        content: ViewContent,
        shared: bool,
    ) -> Result<SavedView, StoreError> {
        access.to(Use::Configure)?;
        let owner = access.user().ok_or(StoreError::NotFound)?;
        if let Some(id) = intended
            && let Some(made) = self.saved_views(access).await?.into_iter().find(|view| view.id == id)
        {
            return Ok(made);
        }
        let id = intended.unwrap_or_else(|| SavedViewId::new(access.clock().now(), self.random().bytes()));
        let view = SavedView { id, owner, shared, content, version: 1 };
        self.save_view(access, Act::Insert, None, Some(view.clone())).await?;
        Ok(view)
    }

    /// Gives a view that `access` has another content, or another reach.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed it at the same
    /// moment; the engine's errors and those of sealing.
    pub async fn change_saved_view(
        &self,
        access: &Access,
        id: SavedViewId,
        content: ViewContent,
        shared: bool,
    ) -> Result<SavedView, StoreError> {
        access.to(Use::Configure)?;
        let before = self.own_view(access, id).await?;
        let act = Act::Update { planned_on: before.version };
        let after = SavedView { content, shared, version: before.version + 1, ..before.clone() };
        self.save_view(access, act, Some(before), Some(after.clone())).await?;
        Ok(after)
    }

    /// Removes a view that `access` has.
    ///
    /// # Errors
    /// As [`Store::change_saved_view`].
    pub async fn remove_saved_view(&self, access: &Access, id: SavedViewId) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let before = self.own_view(access, id).await?;
        self.save_view(access, Act::Delete { planned_on: before.version }, Some(before), None).await
    }

    async fn own_view(&self, access: &Access, id: SavedViewId) -> Result<SavedView, StoreError> {
        let found = self.saved_views(access).await?.into_iter().find(|view| view.id == id);
        found.ok_or(StoreError::NotFound)
    }

    async fn save_view(
        &self,
        access: &Access,
        act: Act,
        before: Option<SavedView>,
        after: Option<SavedView>,
    ) -> Result<(), StoreError> {
        let keys = self.keys(access).await?;
        let view = after.clone().or_else(|| before.clone()).ok_or(StoreError::NotFound)?;
        let done = match act {
            Act::Insert => "created",
            Act::Update { .. } => "changed",
            Act::Delete { .. } => "removed",
        };
        // What only its owner has is nobody else's affair.
        let of_all = |view: &Option<SavedView>| view.as_ref().filter(|view| view.shared).map(SavedView::told);
        let (was, is) = (of_all(&before), of_all(&after));
        let leaf = if was.is_some() || is.is_some() {
            let detail = json!({
                "what": "saved_view", "act": done, "id": view.id, "name": &view.content.name,
                "before": was, "after": is,
            });
            Some(NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?)
        } else {
            None
        };
        let column = columns::SAVED_VIEW_CONTENT;
        let save = Save {
            act,
            content: seal_json(&keys, self.random(), column, view.id.uuid(), &view.content)?,
            key: keys.settings.id(),
            view,
            leaf,
            now: access.clock().now(),
        };
        self.write(access, save).await
    }
}
