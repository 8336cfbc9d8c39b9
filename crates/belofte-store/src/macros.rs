// SPDX-License-Identifier: EUPL-1.2
//! Macros: words and changes that somebody keeps under a name, for themselves or for everybody, to use
//! again (decision 34).
//!
//! What a macro is called and does is sealed apart from what it says, so that a list of many opens no
//! texts. Whose it is stands in both seals: a row that is given to somebody else in the database does not
//! open.

use belofte_model::{
    ConversationId, EventKind, KeyId, Language, LedgerKind, MacroId, QueueId, TagId, Timestamp, Use, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::actor_columns;
use crate::conversation_changes::Applied;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::sealing::seal_json;
use crate::{
    Access, ChangeConversation, ConversationChange, NewLeaf, Read, Row, Store, StoreError, Tx, Write,
};

/// So many macros everybody has at most.
const MOST_SHARED: i64 = 300;
/// So many of their own one user has at most.
const MOST_OWN: i64 = 100;

/// Whose a case is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "who", content = "user")]
pub enum MacroAssignee {
    /// The one's who uses the macro.
    Me,
    /// Nobody's.
    Nobody,
    /// One user's.
    User(UserId),
}

/// For how long a case is put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnoozeFor {
    /// So many hours.
    Hours(u32),
    /// So many days, until this minute of the day on the clock of who uses the macro.
    Days {
        /// How many; one is tomorrow.
        days: u32,
        /// Minutes since midnight.
        minute: u32,
    },
}

/// Where a case is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MacroStanding {
    /// Somebody has to act.
    Open,
    /// The customer may act.
    Waiting,
    /// Done.
    Resolved,
    /// Put off.
    Snoozed(SnoozeFor),
}

/// What a macro does with a case: one change, so that no two parts of it can contradict each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MacroActions {
    /// Where it is to stand.
    pub standing: Option<MacroStanding>,
    /// Whose it is to be.
    pub assignee: Option<MacroAssignee>,
    /// Where it is to lie.
    pub queue: Option<QueueId>,
    /// Tags that it is to have.
    pub add_tags: Vec<TagId>,
    /// Tags that it is not to have.
    pub remove_tags: Vec<TagId>,
}

/// What a macro says in one language.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacroText {
    /// The words.
    pub text: String,
    /// The same with markup, sanitised.
    pub html: Option<String>,
}

/// What a macro says; nothing where it only does something.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MacroTexts {
    /// In Dutch.
    pub nl: Option<MacroText>,
    /// In English.
    pub en: Option<MacroText>,
}

impl MacroTexts {
    /// The languages that there are words in.
    #[must_use]
    pub fn languages(&self) -> Vec<Language> {
        let has = |language: &Language| match language {
            Language::Nl => self.nl.is_some(),
            Language::En => self.en.is_some(),
        };
        Language::ALL.into_iter().filter(has).collect()
    }
}

/// What a macro is called, does and says.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MacroContent {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub actions: MacroActions,
    /// What it says.
    pub texts: MacroTexts,
}

macro_rules! hidden {
    ($($name:ident),+) => {$(
        /// Names and words are people's.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
hidden!(MacroText, MacroTexts, MacroContent, Macro);

/// What somebody keeps under a name.
#[derive(Clone)]
pub struct Macro {
    /// Its id.
    pub id: MacroId,
    /// Who made it.
    pub owner: UserId,
    /// Whether everybody has it.
    pub shared: bool,
    /// What it is called.
    pub name: String,
    /// What it does.
    pub actions: MacroActions,
    /// The languages that it has words in.
    pub languages: Vec<Language>,
    /// How often it was used. By whom is kept nowhere.
    pub uses: i64,
    /// The day on which it was used last: the first moment of it.
    pub used_on: Option<Timestamp>,
    /// Changes with every change.
    pub version: i64,
}

/// Why a macro was not kept.
#[derive(Debug, thiserror::Error)]
pub enum MacroError {
    /// There are as many as there may be.
    #[error("there are as many macros as there may be")]
    TooMany,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// With whose it is.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    owner: UserId,
    shared: bool,
    value: T,
}

#[derive(Serialize, Deserialize)]
struct About {
    name: String,
    actions: MacroActions,
    languages: Vec<Language>,
}

struct MacroRow {
    id: MacroId,
    owner: UserId,
    shared: bool,
    about: Vec<u8>,
    texts: Vec<u8>,
    key: KeyId,
    uses: i64,
    used_day: Option<i64>,
    version: i64,
}

impl MacroRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id(0)?,
            owner: row.id(1)?,
            shared: row.bool(2)?,
            about: row.bytes(3)?,
            key: row.id(4)?,
            uses: row.int(5)?,
            used_day: row.opt_int(6)?,
            version: row.int(7)?,
            texts: Vec::new(),
        })
    }
}

/// Those that everybody has, and those of one user; without their texts.
struct MacrosFor(Uuid);

impl Read for MacrosFor {
    type Out = Vec<MacroRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, owner_id, shared, about, key_id, uses, used_day, version FROM macro \
                 WHERE tenant_id = $1 AND (shared <> 0 OR owner_id = $2) ORDER BY shared DESC, id"
            ),
            params![tenant, self.0],
            MacroRow::read,
        )
        .await
    }
}

/// One of them, with its texts.
struct OneFor(Uuid, MacroId);

impl Read for OneFor {
    type Out = Option<MacroRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!(
                "SELECT id, owner_id, shared, about, key_id, uses, used_day, version, texts FROM macro \
                 WHERE tenant_id = $1 AND id = $3 AND (shared <> 0 OR owner_id = $2)"
            ),
            params![tenant, self.0, self.1],
            |row| Ok(MacroRow { texts: row.bytes(8)?, ..MacroRow::read(row)? }),
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
    id: MacroId,
    owner: UserId,
    shared: bool,
    /// Whether there is one more of its kind afterwards.
    counts: bool,
    about: Vec<u8>,
    texts: Vec<u8>,
    key: KeyId,
    /// Of one that everybody has, before or after: a setting of the tenant.
    leaf: Option<NewLeaf>,
    now: Timestamp,
}

impl Write for Save {
    /// Whether there was room.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        if self.counts && !self.fits(tx).await? {
            return Ok(false);
        }
        match self.act {
            Act::Insert => {
                tx.execute_one(
                    sql!(
                        "INSERT INTO macro (tenant_id, id, owner_id, shared, about, texts, key_id, uses, version, created_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 1, $8) ON CONFLICT DO NOTHING"
                    ),
                    params![
                        tenant,
                        self.id,
                        self.owner,
                        self.shared,
                        &self.about,
                        &self.texts,
                        self.key,
                        self.now
                    ],
                )
                .await?;
            }
            Act::Update { planned_on } => {
                tx.execute_one(
                    sql!(
                        "UPDATE macro SET shared = $3, about = $4, texts = $5, key_id = $6, version = version + 1 \
                         WHERE tenant_id = $1 AND id = $2 AND version = $7"
                    ),
                    params![tenant, self.id, self.shared, &self.about, &self.texts, self.key, planned_on],
                )
                .await?;
            }
            Act::Delete { planned_on } => {
                tx.execute_one(
                    sql!("DELETE FROM macro WHERE tenant_id = $1 AND id = $2 AND version = $3"),
                    params![tenant, self.id, planned_on],
                )
                .await?;
            }
        }
        let leaves = i64::from(self.leaf.is_some());
        let numbers = counters::take(tx, Needs { events: 1, leaves, ..Needs::default() }).await?;
        if let Some(leaf) = &self.leaf {
            leaf.append(tx, numbers.leaf).await?;
        }
        Event::new(EventKind::MacrosChanged, self.now).append(tx, numbers.event).await?;
        Ok(true)
    }
}

impl Save {
    async fn fits(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let (count, most) = if self.shared {
            let text = sql!("SELECT COUNT(*) FROM macro WHERE tenant_id = $1 AND shared <> 0");
            (tx.query_one(text, params![tenant], |row| row.int(0)).await?, MOST_SHARED)
        } else {
            let text =
                sql!("SELECT COUNT(*) FROM macro WHERE tenant_id = $1 AND owner_id = $2 AND shared = 0");
            (tx.query_one(text, params![tenant, self.owner], |row| row.int(0)).await?, MOST_OWN)
        };
        Ok(count < most)
    }
}

/// A macro that is used on a case: its change and the count, in one write. The words are none of it: they
/// become part of a draft.
pub struct UseMacro {
    id: MacroId,
    /// What it does was planned on this version.
    planned_on: i64,
    own: Uuid,
    change: ChangeConversation,
    day: i64,
}

impl UseMacro {
    /// Prepares the use of `used` on `case`; `change` is what it does there.
    #[must_use]
    pub fn prepare(
        store: &Store,
        access: &Access,
        used: &Macro,
        case: ConversationId,
        change: ConversationChange,
    ) -> Self {
        let (_, own) = actor_columns(access.actor());
        let change = ChangeConversation::prepare(store, access, case, change);
        Self { id: used.id, planned_on: used.version, own, change, day: access.clock().now().day() }
    }
}

impl Write for UseMacro {
    type Out = Applied;
    const USE: Option<Use> = Some(Use::Answer);

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Applied, StoreError> {
        let tenant = tx.tenant();
        // Refused before anything changes: whoever changed it meanwhile is not answered for.
        let text = if tx.is_postgres() {
            sql!(
                "SELECT version FROM macro WHERE tenant_id = $1 AND id = $2 AND (shared <> 0 OR owner_id = $3) FOR UPDATE"
            )
        } else {
            sql!(
                "SELECT version FROM macro WHERE tenant_id = $1 AND id = $2 AND (shared <> 0 OR owner_id = $3)"
            )
        };
        let version = tx.query_opt(text, params![tenant, self.id, self.own], |row| row.int(0)).await?;
        if version != Some(self.planned_on) {
            return Err(StoreError::Conflict);
        }
        let applied = self.change.apply(tx).await?;
        tx.execute_one(
            sql!("UPDATE macro SET uses = uses + 1, used_day = $3 WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.id, self.day],
        )
        .await?;
        Ok(applied)
    }
}

/// What the ledger says of one that everybody has.
fn told(shared: bool, content: &MacroContent) -> Option<Value> {
    let words = |text: &Option<MacroText>| text.as_ref().map(|text| text.text.clone());
    shared.then(|| {
        json!({
            "name": &content.name, "shared": true, "actions": &content.actions,
            "texts": { "nl": words(&content.texts.nl), "en": words(&content.texts.en) },
        })
    })
}

impl Store {
    /// The macros that everybody has, and those of the user of `access`, in the order in which they were
    /// made.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn macros(&self, access: &Access) -> Result<Vec<Macro>, StoreError> {
        access.to(Use::Name)?;
        let (_, own) = actor_columns(access.actor());
        let mut macros = Vec::new();
        for row in self.read(access, MacrosFor(own)).await? {
            macros.push(self.open_macro(access, &row).await?);
        }
        Ok(macros)
    }

    /// A macro that `access` has, with what it says.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn macro_with_texts(
        &self,
        access: &Access,
        id: MacroId,
    ) -> Result<(Macro, MacroTexts), StoreError> {
        access.to(Use::Name)?;
        let (_, own) = actor_columns(access.actor());
        let row = self.read(access, OneFor(own, id)).await?.ok_or(StoreError::NotFound)?;
        let sealed: Sealed<MacroTexts> =
            self.open_json(access.tenant(), columns::MACRO_TEXTS, row.id.uuid(), row.key, &row.texts).await?;
        Ok((self.open_macro(access, &row).await?, held(&row, sealed)?))
    }

    /// Keeps a macro for the user of `access`, or for everybody; with `intended` under that id, and the
    /// one that an earlier try of the same request made under it is the answer. Whether the user may keep
    /// one for everybody is for the caller to know, and so is what its words and ids are.
    ///
    /// # Errors
    /// [`MacroError`]; [`StoreError::NotFound`] when no user acts.
    pub async fn create_macro(
        &self,
        access: &Access,
        intended: Option<MacroId>,
        content: MacroContent,
        shared: bool,
    ) -> Result<Macro, MacroError> {
        access.to(Use::Configure)?;
        let owner = access.user().ok_or(StoreError::NotFound)?;
        if let Some(id) = intended
            && let Some(made) = self.macros(access).await?.into_iter().find(|made| made.id == id)
        {
            return Ok(made);
        }
        let id = intended.unwrap_or_else(|| MacroId::new(access.clock().now(), self.random().bytes()));
        let made = Macro {
            id,
            owner,
            shared,
            name: content.name.clone(),
            actions: content.actions.clone(),
            languages: content.texts.languages(),
            uses: 0,
            used_on: None,
            version: 1,
        };
        let after = told(shared, &content);
        self.save_macro(access, Act::Insert, &made, &content.texts, (None, after), true).await?;
        Ok(made)
    }

    /// Gives a macro that `access` has another content, or another reach; `version` is the one that the
    /// change was made on, none to change whatever is there.
    ///
    /// # Errors
    /// [`MacroError`]; [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed it.
    pub async fn change_macro(
        &self,
        access: &Access,
        id: MacroId,
        version: Option<i64>,
        content: MacroContent,
        shared: bool,
    ) -> Result<Macro, MacroError> {
        access.to(Use::Configure)?;
        let (before, texts) = self.macro_with_texts(access, id).await?;
        if version.is_some_and(|expected| expected != before.version) {
            return Err(StoreError::Conflict.into());
        }
        let was = MacroContent { name: before.name.clone(), actions: before.actions.clone(), texts };
        let after = Macro {
            shared,
            name: content.name.clone(),
            actions: content.actions.clone(),
            languages: content.texts.languages(),
            version: before.version + 1,
            ..before.clone()
        };
        let act = Act::Update { planned_on: before.version };
        let leaf = (told(before.shared, &was), told(shared, &content));
        self.save_macro(access, act, &after, &content.texts, leaf, before.shared != shared).await?;
        Ok(after)
    }

    /// Removes a macro that `access` has.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed it at the same
    /// moment; the engine's errors and those of sealing.
    pub async fn remove_macro(&self, access: &Access, id: MacroId) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let (before, texts) = self.macro_with_texts(access, id).await?;
        let was = MacroContent { name: before.name.clone(), actions: before.actions.clone(), texts };
        let act = Act::Delete { planned_on: before.version };
        let leaf = (told(before.shared, &was), None);
        match self.save_macro(access, act, &before, &was.texts, leaf, false).await {
            Err(MacroError::Store(error)) => Err(error),
            // What goes needs no room.
            Ok(()) | Err(MacroError::TooMany) => Ok(()),
        }
    }

    async fn open_macro(&self, access: &Access, row: &MacroRow) -> Result<Macro, StoreError> {
        let sealed: Sealed<About> =
            self.open_json(access.tenant(), columns::MACRO_ABOUT, row.id.uuid(), row.key, &row.about).await?;
        let About { name, actions, languages } = held(row, sealed)?;
        Ok(Macro {
            id: row.id,
            owner: row.owner,
            shared: row.shared,
            name,
            actions,
            languages,
            uses: row.uses,
            used_on: row.used_day.map(|day| Timestamp::from_secs(day * 24 * 3_600)),
            version: row.version,
        })
    }

    /// Writes `saved`, of which the ledger tells `(before, after)` when everybody has it.
    async fn save_macro(
        &self,
        access: &Access,
        act: Act,
        saved: &Macro,
        texts: &MacroTexts,
        (before, after): (Option<Value>, Option<Value>),
        counts: bool,
    ) -> Result<(), MacroError> {
        let keys = self.keys(access).await?;
        let done = match act {
            Act::Insert => "created",
            Act::Update { .. } => "changed",
            Act::Delete { .. } => "removed",
        };
        // What only its owner has is nobody else's affair.
        let leaf = if before.is_some() || after.is_some() {
            let detail = json!({
                "what": "macro", "act": done, "id": saved.id, "name": &saved.name,
                "before": before, "after": after,
            });
            Some(NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?)
        } else {
            None
        };
        let (owner, shared, row) = (saved.owner, saved.shared, saved.id.uuid());
        let about = About {
            name: saved.name.clone(),
            actions: saved.actions.clone(),
            languages: saved.languages.clone(),
        };
        let about = Sealed { owner, shared, value: about };
        let texts = Sealed { owner, shared, value: texts };
        let save = Save {
            act,
            id: saved.id,
            owner,
            shared,
            counts,
            about: seal_json(&keys, self.random(), columns::MACRO_ABOUT, row, &about)?,
            texts: seal_json(&keys, self.random(), columns::MACRO_TEXTS, row, &texts)?,
            key: keys.settings.id(),
            leaf,
            now: access.clock().now(),
        };
        if self.write(access, save).await? { Ok(()) } else { Err(MacroError::TooMany) }
    }
}

/// What was sealed, when it is its owner's still.
fn held<T>(row: &MacroRow, sealed: Sealed<T>) -> Result<T, StoreError> {
    if (sealed.owner, sealed.shared) == (row.owner, row.shared) {
        Ok(sealed.value)
    } else {
        Err(StoreError::Inconsistent { what: "a macro is sealed for somebody else" })
    }
}
