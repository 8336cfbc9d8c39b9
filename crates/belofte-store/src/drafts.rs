// SPDX-License-Identifier: EUPL-1.2
//! Drafts: what people write and have not sent (decision 28).
//!
//! A draft is its writer's alone, and lies under the key of its case, so that it is gone when the case is
//! erased; one of a mail that begins a case lies under the settings key of the tenant, as uploads do. The
//! message that it becomes takes it away in the same write.
//!
//! When cases become one, drafts go along. Who had written in both reads one draft with both texts; the rows stay
//! two until it is saved, so that a merge that is undone before gives each back.

use belofte_model::{
    AttachmentId, ChannelAccountId, ConversationId, DraftId, DraftKind, Duration, KeyId, MessageId,
    Timestamp, Use,
};
use belofte_vault::{DataKey, SealContext};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::actor_columns;
use crate::data_map::columns;
use crate::engine::{Sql, params, sql};
use crate::messages::{Correspondent, Mention, from_json, to_json};
use crate::{Access, Conversation, Read, Store, StoreError, Tx, Write, merges};

/// So many drafts one user or program has at most.
const MOST: i64 = 200;
/// A draft that nobody touched for so long is removed.
pub(crate) const KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);
/// A save that others of the same writer get in the way of is planned so often.
const PLANS: usize = 8;

/// How a reply goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftWay {
    /// To the customer.
    #[default]
    Reply,
    /// To everybody.
    All,
    /// To somebody else.
    Forward,
}

/// What is written so far.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DraftContent {
    /// The words.
    pub text: String,
    /// The same with markup, as it was written: shown to its writer alone, and sanitised when it is sent.
    pub html: Option<String>,
    /// How it goes out.
    pub way: DraftWay,
    /// What it answers.
    pub answers: Option<MessageId>,
    /// To whom, when that was chosen; an address may be half of one.
    pub to: Option<Vec<Correspondent>>,
    /// Who gets a copy, when that was chosen.
    pub cc: Option<Vec<Correspondent>>,
    /// Who gets a copy that nobody else knows of.
    pub bcc: Vec<Correspondent>,
    /// The subject, of a mail that begins a case.
    pub subject: String,
    /// The account that it goes out through, when that was chosen.
    pub account: Option<ChannelAccountId>,
    /// Whether the signature is left out.
    pub unsigned: bool,
    /// What is passed on, in words.
    pub quoted: Option<String>,
    /// Uploads that go along.
    pub attachments: Vec<AttachmentId>,
    /// Files of messages of which copies go along.
    pub copied: Vec<AttachmentId>,
    /// Who is named in a note.
    pub mentions: Vec<Mention>,
}

impl DraftContent {
    /// This one, and below it what was written in a case that has become part of the same one. Whom it goes to is
    /// said by this one.
    fn with(mut self, other: Self) -> Self {
        let marked = |html: Option<String>, text: &str| html.unwrap_or_else(|| paragraphs(text));
        self.html = (self.html.is_some() || other.html.is_some())
            .then(|| marked(self.html.take(), &self.text) + &marked(other.html, &other.text));
        // The names of the other one stand behind these words.
        let before = if self.text.trim().is_empty() { 0 } else { self.text.len() + "\n\n".len() };
        let moved = |one: Mention| Mention { from: one.from + before, to: one.to + before, ..one };
        self.mentions.extend(other.mentions.into_iter().map(moved));
        let texts = [self.text.as_str(), other.text.as_str()];
        self.text =
            texts.iter().filter(|text| !text.trim().is_empty()).copied().collect::<Vec<_>>().join("\n\n");
        self.quoted = self.quoted.or(other.quoted);
        self.attachments.extend(other.attachments);
        self.copied.extend(other.copied);
        self
    }
}

/// Plain text as markup that shows the same.
fn paragraphs(text: &str) -> String {
    let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>");
    if safe.is_empty() { safe } else { format!("<p>{safe}</p>") }
}

/// Content.
impl std::fmt::Debug for DraftContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DraftContent(..)")
    }
}

/// With whose it is, so that a row that is given to somebody else does not open.
#[derive(Serialize, Deserialize)]
struct Sealed {
    owner: Uuid,
    content: DraftContent,
}

/// Where something is written: in a case, or in none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DraftPlace {
    /// The case.
    pub conversation: Option<ConversationId>,
    /// What it becomes.
    pub kind: DraftKind,
}

impl DraftPlace {
    /// The mail that begins a case.
    pub const MAIL: Self = Self { conversation: None, kind: DraftKind::Mail };

    const fn case(self) -> ConversationId {
        match self.conversation {
            Some(conversation) => conversation,
            None => NO_CASE,
        }
    }
}

/// The case of what belongs to none.
const NO_CASE: ConversationId = ConversationId(Uuid::nil());

/// What somebody has written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where.
    pub place: DraftPlace,
    /// What.
    pub content: DraftContent,
    /// Another one with each save; greater than those before.
    pub version: i64,
    /// When it was saved.
    pub saved_at: Timestamp,
}

/// What became of a save.
#[derive(Clone, Debug)]
pub enum DraftSaved {
    /// It is kept, as this version.
    Kept {
        /// The version.
        version: i64,
        /// When.
        at: Timestamp,
    },
    /// Nothing is kept there any more.
    Removed,
    /// Another one is there than the save stands on: nothing was changed.
    Changed,
    /// Its writer has as many as there may be.
    TooMany,
}

struct DraftRow {
    place: DraftPlace,
    id: DraftId,
    content: Vec<u8>,
    key: KeyId,
    version: i64,
    saved_at: Timestamp,
}

/// The drafts of one writer; of one case and then those of what became part of it, or all.
struct DraftsOf {
    owner: Uuid,
    case: Option<ConversationId>,
}

impl Read for DraftsOf {
    type Out = Vec<DraftRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let (text, cases) = match self.case {
            Some(case) => (
                sql!(
                    "SELECT conversation_id, kind, id, content, key_id, version, saved_at FROM draft \
                     WHERE tenant_id = $1 AND owner_id = $2 AND conversation_id = $3 ORDER BY kind"
                ),
                merges::whole(tx, case).await?,
            ),
            None => (
                sql!(
                    "SELECT conversation_id, kind, id, content, key_id, version, saved_at FROM draft \
                     WHERE tenant_id = $1 AND owner_id = $2 AND conversation_id >= $3 ORDER BY saved_at DESC, id"
                ),
                vec![NO_CASE],
            ),
        };
        let mut all = Vec::new();
        for case in cases {
            all.extend(self.rows(tx, text, case).await?);
        }
        Ok(all)
    }
}

impl DraftsOf {
    async fn rows(
        &self,
        tx: &mut Tx<'_>,
        text: &'static Sql,
        case: ConversationId,
    ) -> Result<Vec<DraftRow>, StoreError> {
        let tenant = tx.tenant();
        tx.query(text, params![tenant, self.owner, case], |row| {
            let case: ConversationId = row.id(0)?;
            let conversation = (case != NO_CASE).then_some(case);
            Ok(DraftRow {
                place: DraftPlace { conversation, kind: row.name(1, DraftKind::parse)? },
                id: row.id(2)?,
                content: row.bytes(3)?,
                key: row.id(4)?,
                version: row.int(5)?,
                saved_at: row.time(6)?,
            })
        })
        .await
    }
}

/// What a save does to the row.
enum Act {
    Insert,
    Update { planned_on: i64 },
    Delete { planned_on: i64 },
}

struct Save {
    act: Act,
    owner: Uuid,
    place: DraftPlace,
    id: DraftId,
    content: Vec<u8>,
    key: KeyId,
    files: Vec<AttachmentId>,
    /// Others of cases that became part of this one: their words are in this one from now on.
    along: Vec<DraftId>,
    version: i64,
    now: Timestamp,
}

impl Write for Save {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let (tenant, case, kind) = (tx.tenant(), self.place.case(), self.place.kind.as_str());
        end(tx, &self.along, self.now).await?;
        match self.act {
            Act::Delete { planned_on } => {
                // Who throws a draft away may think better of it: its files wait as fresh uploads do.
                tx.execute(
                    sql!(
                        "UPDATE attachment SET draft_id = NULL, created_at = $3 WHERE tenant_id = $1 AND draft_id = $2"
                    ),
                    params![tenant, self.id, self.now],
                )
                .await?;
                tx.execute_one(
                    sql!(
                        "DELETE FROM draft WHERE tenant_id = $1 AND owner_id = $2 AND conversation_id = $3 AND kind = $4 \
                         AND version = $5"
                    ),
                    params![tenant, self.owner, case, kind, planned_on],
                )
                .await?;
                return Ok(true);
            }
            Act::Update { planned_on } => {
                tx.execute_one(
                    sql!(
                        "UPDATE draft SET content = $6, key_id = $7, version = $8, saved_at = $9 WHERE tenant_id = $1 \
                         AND owner_id = $2 AND conversation_id = $3 AND kind = $4 AND version = $5"
                    ),
                    params![
                        tenant,
                        self.owner,
                        case,
                        kind,
                        planned_on,
                        &self.content,
                        self.key,
                        self.version,
                        self.now
                    ],
                )
                .await?;
            }
            Act::Insert => {
                let all = tx
                    .query_one(
                        sql!("SELECT COUNT(*) FROM draft WHERE tenant_id = $1 AND owner_id = $2"),
                        params![tenant, self.owner],
                        |row| row.int(0),
                    )
                    .await?;
                if all >= MOST {
                    return Ok(false);
                }
                // A case that is gone takes no draft any more.
                if let Some(case) = self.place.conversation {
                    tx.query_opt(
                        sql!("SELECT no FROM conversation WHERE tenant_id = $1 AND id = $2"),
                        params![tenant, case],
                        |row| row.int(0),
                    )
                    .await?
                    .ok_or(StoreError::NotFound)?;
                }
                tx.execute_one(
                    sql!(
                        "INSERT INTO draft (tenant_id, owner_id, conversation_id, kind, id, content, key_id, version, saved_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
                    ),
                    params![
                        tenant,
                        self.owner,
                        case,
                        kind,
                        self.id,
                        &self.content,
                        self.key,
                        self.version,
                        self.now
                    ],
                )
                .await?;
            }
        }
        self.hold_files(tx).await?;
        Ok(true)
    }
}

impl Save {
    /// The uploads that the draft names wait with it; those that it named before wait as fresh ones do.
    async fn hold_files(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let held: Vec<AttachmentId> = tx
            .query(
                sql!("SELECT id FROM attachment WHERE tenant_id = $1 AND draft_id = $2"),
                params![tenant, self.id],
                |row| row.id(0),
            )
            .await?;
        for file in held.iter().filter(|file| !self.files.contains(file)) {
            tx.execute(
                sql!(
                    "UPDATE attachment SET draft_id = NULL, created_at = $4 WHERE tenant_id = $1 AND id = $2 \
                     AND draft_id = $3"
                ),
                params![tenant, *file, self.id, self.now],
            )
            .await?;
        }
        for file in self.files.iter().filter(|file| !held.contains(file)) {
            // Of somebody else, or taken by a message meanwhile: it is not this draft's, and holds up nothing.
            tx.execute(
                sql!(
                    "UPDATE attachment SET draft_id = $3 WHERE tenant_id = $1 AND id = $2 AND owner_id = $4 \
                     AND message_id IS NULL"
                ),
                params![tenant, *file, self.id, self.owner],
            )
            .await?;
        }
        Ok(())
    }
}

/// Takes a draft away that has become a message, when it is the version that was sent. What its writer saved
/// since, elsewhere, stays. Stands in the write that stores the message.
pub(crate) async fn sent(
    tx: &mut Tx<'_>,
    owner: Uuid,
    place: DraftPlace,
    version: i64,
) -> Result<(), StoreError> {
    let (tenant, case, kind) = (tx.tenant(), place.case(), place.kind.as_str());
    // Files that did not go along wait as uploads do.
    tx.execute(
        sql!(
            "UPDATE attachment SET draft_id = NULL WHERE tenant_id = $1 AND draft_id IN (SELECT id FROM draft \
             WHERE tenant_id = $1 AND owner_id = $2 AND conversation_id = $3 AND kind = $4 AND version = $5)"
        ),
        params![tenant, owner, case, kind, version],
    )
    .await?;
    let gone = tx
        .execute(
            sql!(
                "DELETE FROM draft WHERE tenant_id = $1 AND owner_id = $2 AND conversation_id = $3 AND kind = $4 \
                 AND version = $5"
            ),
            params![tenant, owner, case, kind, version],
        )
        .await?;
    if gone == 0 {
        return Ok(());
    }
    // What was read with it was sent with it.
    for part in merges::whole(tx, case).await?.into_iter().skip(1) {
        tx.execute(
            sql!(
                "UPDATE attachment SET draft_id = NULL WHERE tenant_id = $1 AND draft_id IN (SELECT id FROM draft \
                 WHERE tenant_id = $1 AND owner_id = $2 AND conversation_id = $3 AND kind = $4)"
            ),
            params![tenant, owner, part, kind],
        )
        .await?;
        tx.execute(
            sql!(
                "DELETE FROM draft WHERE tenant_id = $1 AND owner_id = $2 AND conversation_id = $3 AND kind = $4"
            ),
            params![tenant, owner, part, kind],
        )
        .await?;
    }
    Ok(())
}

/// Takes these away, of cases that became part of others; their files wait as uploads do, unless a draft that is
/// saved in the same write holds them. One whose case is by itself again stays.
async fn end(tx: &mut Tx<'_>, drafts: &[DraftId], now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    for draft in drafts {
        let gone = tx
            .execute(
                sql!(
                    "DELETE FROM draft WHERE tenant_id = $1 AND id = $2 AND conversation_id IN (SELECT id \
                     FROM merged_conversation WHERE tenant_id = $1 AND into_id IS NOT NULL)"
                ),
                params![tenant, *draft],
            )
            .await?;
        if gone > 0 {
            tx.execute(
                sql!(
                    "UPDATE attachment SET draft_id = NULL, created_at = $3 WHERE tenant_id = $1 AND draft_id = $2"
                ),
                params![tenant, *draft, now],
            )
            .await?;
        }
    }
    Ok(())
}

/// What anybody has written in `case` goes along into `target`. Of who has written there too it stays, and is read
/// with the other, which has another version from now on: whoever saves it has to have seen both.
pub(crate) async fn go_along(
    tx: &mut Tx<'_>,
    case: ConversationId,
    target: ConversationId,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "UPDATE draft SET version = version + 1 WHERE tenant_id = $1 AND conversation_id = $3 AND EXISTS \
             (SELECT 1 FROM draft o WHERE o.tenant_id = $1 AND o.conversation_id = $2 \
             AND o.owner_id = draft.owner_id AND o.kind = draft.kind)"
        ),
        params![tenant, case, target],
    )
    .await?;
    tx.execute(
        sql!(
            "UPDATE draft SET conversation_id = $3 WHERE tenant_id = $1 AND conversation_id = $2 AND NOT EXISTS \
             (SELECT 1 FROM draft o WHERE o.tenant_id = $1 AND o.conversation_id = $3 \
             AND o.owner_id = draft.owner_id AND o.kind = draft.kind)"
        ),
        params![tenant, case, target],
    )
    .await?;
    Ok(())
}

/// Takes away what anybody has written in a case that is no more.
pub(crate) async fn end_case(tx: &mut Tx<'_>, case: ConversationId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!(
            "UPDATE attachment SET draft_id = NULL WHERE tenant_id = $1 AND draft_id IN (SELECT id FROM draft \
             WHERE tenant_id = $1 AND conversation_id = $2)"
        ),
        params![tenant, case],
    )
    .await?;
    tx.execute(
        sql!("DELETE FROM draft WHERE tenant_id = $1 AND conversation_id = $2"),
        params![tenant, case],
    )
    .await?;
    Ok(())
}

/// Takes away at most `limit` drafts that nobody has touched since `before`; their files are swept as uploads
/// that no message took. Gives how many went.
pub(crate) async fn expire(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let tenant = tx.tenant();
    let old: Vec<DraftId> = tx
        .query(
            sql!("SELECT id FROM draft WHERE tenant_id = $1 AND saved_at <= $2 ORDER BY saved_at LIMIT $3"),
            params![tenant, before, limit],
            |row| row.id(0),
        )
        .await?;
    for id in &old {
        // The time stands once more: it may be touched at this moment.
        let gone = tx
            .execute(
                sql!("DELETE FROM draft WHERE tenant_id = $1 AND id = $2 AND saved_at <= $3"),
                params![tenant, *id, before],
            )
            .await?;
        if gone == 1 {
            tx.execute(
                sql!("UPDATE attachment SET draft_id = NULL WHERE tenant_id = $1 AND draft_id = $2"),
                params![tenant, *id],
            )
            .await?;
        }
    }
    Ok(old.len() as u64)
}

impl Store {
    /// What the one who asks has written in cases that they see, with the case, and the mail that they
    /// begin one with; the latest first.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn drafts(&self, access: &Access) -> Result<Vec<(Draft, Option<Conversation>)>, StoreError> {
        access.to(Use::Look)?;
        let owner = actor_columns(access.actor()).1;
        let rows = self.read(access, DraftsOf { owner, case: None }).await?;
        let mut ids: Vec<_> = rows.iter().filter_map(|row| row.place.conversation).collect();
        ids.sort_unstable();
        ids.dedup();
        let cases = self.conversations_by_id(access, &ids).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let case = row.place.conversation.map(|id| cases.iter().find(|case| case.id == id));
            // In a case that is not seen any more.
            if matches!(case, Some(None)) {
                continue;
            }
            let case = case.flatten().cloned();
            if let Some(draft) = self.open_draft(access, owner, row).await? {
                found.push((draft, case));
            }
        }
        Ok(found)
    }

    /// What the one who asks has written in one case, or in none yet.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a case that this access cannot see; the engine's errors and those of
    /// sealing.
    pub async fn drafts_in(
        &self,
        access: &Access,
        conversation: Option<ConversationId>,
    ) -> Result<Vec<Draft>, StoreError> {
        access.to(Use::Look)?;
        if let Some(id) = conversation {
            self.conversation_key(access, id).await?;
        }
        let owner = actor_columns(access.actor()).1;
        let case = Some(conversation.unwrap_or(NO_CASE));
        let mut found: Vec<Draft> = Vec::new();
        for (draft, _) in self.joined_drafts(access, owner, case).await? {
            found.push(draft);
        }
        Ok(found)
    }

    /// One draft of each kind, with what was written in cases that became part of this one, and which those are.
    async fn joined_drafts(
        &self,
        access: &Access,
        owner: Uuid,
        case: Option<ConversationId>,
    ) -> Result<Vec<(Draft, Vec<DraftId>)>, StoreError> {
        let mut found: Vec<(Draft, Vec<DraftId>)> = Vec::new();
        for row in self.read(access, DraftsOf { owner, case }).await? {
            let (id, place) = (row.id, row.place);
            let Some(draft) = self.open_draft(access, owner, row).await? else { continue };
            if Some(place.case()) == case {
                found.push((draft, Vec::new()));
            } else if let Some((first, along)) =
                found.iter_mut().find(|(one, _)| one.place.kind == place.kind)
            {
                first.content = std::mem::take(&mut first.content).with(draft.content);
                along.push(id);
            }
        }
        Ok(found)
    }

    /// Keeps what somebody has written so far at `place`; `planned_on` is the version that they have seen, 0
    /// for none, and without content nothing is kept. The same content twice is kept once, whatever it
    /// stands on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a case that this access cannot see; the engine's errors and those of
    /// sealing.
    pub async fn save_draft(
        &self,
        access: &Access,
        place: DraftPlace,
        planned_on: i64,
        content: Option<&DraftContent>,
    ) -> Result<DraftSaved, StoreError> {
        access.to(Use::Answer)?;
        let key = match place.conversation {
            Some(id) => self.conversation_key(access, id).await?,
            None => self.keys(access).await?.settings.clone(),
        };
        let owner = actor_columns(access.actor()).1;
        for _ in 0..PLANS {
            let rows = self.read(access, DraftsOf { owner, case: Some(place.case()) }).await?;
            let row = rows.into_iter().find(|row| row.place == place);
            let (id, version, saved_at) =
                row.as_ref().map_or((None, 0, None), |row| (Some(row.id), row.version, Some(row.saved_at)));
            let joined = self.joined_drafts(access, owner, Some(place.case())).await?;
            let (there, along) = match joined.into_iter().find(|(draft, _)| draft.place == place) {
                Some((draft, along)) => (Some(draft), along),
                None => (None, Vec::new()),
            };
            if there.as_ref().map(|draft| &draft.content) == content && (content.is_some() || id.is_none()) {
                return Ok(saved_at.map_or(DraftSaved::Removed, |at| DraftSaved::Kept { version, at }));
            }
            if version != planned_on {
                return Ok(DraftSaved::Changed);
            }
            let save = Save { along, ..self.plan_save(access, &key, owner, place, (id, version), content)? };
            let (version, at) = (save.version, save.now);
            match self.write(access, save).await {
                Ok(false) => return Ok(DraftSaved::TooMany),
                Ok(true) if content.is_none() => return Ok(DraftSaved::Removed),
                Ok(true) => return Ok(DraftSaved::Kept { version, at }),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Busy)
    }

    fn plan_save(
        &self,
        access: &Access,
        key: &DataKey,
        owner: Uuid,
        place: DraftPlace,
        (there, version): (Option<DraftId>, i64),
        content: Option<&DraftContent>,
    ) -> Result<Save, StoreError> {
        let now = access.clock().now();
        let id = there.unwrap_or_else(|| DraftId::new(now, self.random().bytes()));
        let act = match (there, content) {
            (Some(_), None) => Act::Delete { planned_on: version },
            (Some(_), Some(_)) => Act::Update { planned_on: version },
            (None, _) => Act::Insert,
        };
        let sealed = match content {
            Some(content) => {
                let context =
                    SealContext { tenant: access.tenant(), column: columns::DRAFT_CONTENT, row: id.uuid() };
                key.seal(self.random(), &context, &to_json(&Sealed { owner, content: content.clone() })?)
            }
            None => Vec::new(),
        };
        Ok(Save {
            act,
            owner,
            place,
            id,
            content: sealed,
            key: key.id(),
            files: content.map(|content| content.attachments.clone()).unwrap_or_default(),
            along: Vec::new(),
            // A number that no earlier draft of this place had, also one that was thrown away.
            version: now.as_micros().max(version + 1),
            now,
        })
    }

    /// `None` when it was erased.
    async fn open_draft(
        &self,
        access: &Access,
        owner: Uuid,
        row: DraftRow,
    ) -> Result<Option<Draft>, StoreError> {
        let tenant = access.tenant();
        let key = match self.key(tenant, row.key).await {
            Err(StoreError::KeyGone(_)) => return Ok(None),
            key => key?,
        };
        let context = SealContext { tenant, column: columns::DRAFT_CONTENT, row: row.id.uuid() };
        let sealed: Sealed = from_json(&key.open(&context, &row.content)?, "draft.content")?;
        if sealed.owner != owner {
            return Err(StoreError::Inconsistent { what: "a draft of somebody else" });
        }
        let (place, version, saved_at) = (row.place, row.version, row.saved_at);
        Ok(Some(Draft { place, content: sealed.content, version, saved_at }))
    }
}
