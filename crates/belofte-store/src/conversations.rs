// SPDX-License-Identifier: EUPL-1.2
//! Conversations: the cases of a desk.

use belofte_model::{
    ActivityId, ChannelAccountId, ContactId, ConversationId, ConversationStatus, EventKind, KeyId,
    MessageKind, QueueId, TagId, TenantId, ThreadId, Timestamp, Use, UserId, Visible,
};
use belofte_vault::{DataKey, Random, SealContext};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::contacts::SealedProfile;
use crate::conversation_lists::{
    ById, ConversationCounts, ConversationQuery, Counts, List, NamedRows, WithNames,
};
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::keys::{ByKeyId, KeyIds};
use crate::merges;
use crate::messages::{from_json, to_json};
use crate::visibility::{self, Mask};
use crate::{Access, Read, Row, Rows, Store, StoreError, Tx, Write};

/// What a list shows of a case. Sealed as one value under the key of the conversation.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The subject.
    pub subject: String,
    /// The beginning of the last message.
    pub preview: String,
    /// The name of the contact. As it is stored, the name with which the case began; as it is
    /// read, the name that the contact has now.
    pub name: String,
    /// The address of the contact.
    pub address: String,
}

impl std::fmt::Debug for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Summary(..)")
    }
}

impl Summary {
    pub(crate) fn seal(
        &self,
        random: &Random,
        key: &DataKey,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<Vec<u8>, StoreError> {
        let context = SealContext { tenant, column: columns::CONVERSATION_SUMMARY, row: id.uuid() };
        Ok(key.seal(random, &context, &to_json(self)?))
    }

    pub(crate) fn unseal(
        key: &DataKey,
        tenant: TenantId,
        id: ConversationId,
        sealed: &[u8],
    ) -> Result<Self, StoreError> {
        let context = SealContext { tenant, column: columns::CONVERSATION_SUMMARY, row: id.uuid() };
        from_json(&key.open(&context, sealed)?, "conversation.summary")
    }

    /// The beginning of a text in one line of at most 160 characters.
    #[must_use]
    pub fn preview_of(text: &str) -> String {
        let mut preview = String::with_capacity(164);
        let mut length = 0;
        for word in text.split_whitespace() {
            let characters = word.chars().count();
            if length + characters + 1 > 160 {
                if length == 0 {
                    preview.extend(word.chars().take(159));
                }
                preview.push('…');
                break;
            }
            if length > 0 {
                preview.push(' ');
            }
            preview.push_str(word);
            length += characters + 1;
        }
        preview
    }
}

/// A case.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The case.
    pub id: ConversationId,
    /// Its number for people.
    pub no: i64,
    /// Where it stands.
    pub status: ConversationStatus,
    /// Its principal contact.
    pub contact: ContactId,
    /// Its queue.
    pub queue: QueueId,
    /// The account through which it began.
    pub account: ChannelAccountId,
    /// Who has it.
    pub assignee: Option<UserId>,
    /// What a list shows of it.
    pub summary: Summary,
    /// How many messages it has.
    pub messages: i64,
    /// When the last message came.
    pub last_message_at: Timestamp,
    /// What the last message was.
    pub last_message_kind: MessageKind,
    /// Whether something came that nobody has looked at.
    pub unread: bool,
    /// Whether a recipient has not got a reply.
    pub delivery_problem: bool,
    /// Since when the customer waits.
    pub waiting_since: Option<Timestamp>,
    /// When it began.
    pub created_at: Timestamp,
    /// Changes with every change.
    pub version: i64,
    /// Its place in the lists: when its last message came, or when it came back.
    pub placed_at: Timestamp,
    /// When it comes back, of one that is put off.
    pub snoozed_until: Option<Timestamp>,
    /// When it came back; until somebody answers it or changes where it stands.
    pub woken_at: Option<Timestamp>,
    /// Its tags, in no order.
    pub tags: Vec<TagId>,
}

pub(crate) struct SealedConversation {
    pub(crate) conversation: Conversation,
    summary: Vec<u8>,
    pub(crate) key: KeyId,
}

impl SealedConversation {
    /// Whether `visible` sees the case.
    pub(crate) fn is_visible(&self, visible: &Visible) -> bool {
        visible.sees_case(self.conversation.queue, self.conversation.account)
    }

    /// The case, opened with its key among `keys`, and with the name that its contact has now: a
    /// name stands in one place, so that a new one is true everywhere at once. `mask` takes out
    /// what is not seen of people; without it the case is whole, to be written again.
    pub(crate) fn unseal(
        mut self,
        tenant: TenantId,
        keys: &ByKeyId<DataKey>,
        profile: Option<&SealedProfile>,
        mask: Option<Mask>,
    ) -> Result<Conversation, StoreError> {
        let key = keys.get(&self.key).ok_or(StoreError::KeyGone(self.key))?;
        let row = self.conversation.id.uuid();
        let context = SealContext { tenant, column: columns::CONVERSATION_SUMMARY, row };
        let opened = key.open_in_place(&context, &mut self.summary)?;
        let mut summary: Summary = from_json(opened, "conversation.summary")?;
        if let Some(profile) = profile {
            match profile.name(tenant, keys)? {
                // Nobody has given the contact a name: the mail that began the case may have.
                Some(known) if known.is_empty() => {}
                Some(known) => summary.name = known,
                None => summary.name.clear(),
            }
        }
        if let Some(mask) = mask {
            mask.summary(&mut summary);
        }
        self.conversation.summary = summary;
        Ok(self.conversation)
    }
}

pub(crate) fn sealed(row: &Row<'_>) -> Result<SealedConversation, StoreError> {
    sealed_conversation_at(row, 0)
}

/// A case whose columns begin at `base`.
pub(crate) fn sealed_conversation_at(row: &Row<'_>, base: usize) -> Result<SealedConversation, StoreError> {
    Ok(SealedConversation {
        conversation: Conversation {
            id: row.id(base)?,
            no: row.int(base + 1)?,
            status: row.name(base + 2, ConversationStatus::parse)?,
            contact: row.id(base + 3)?,
            queue: row.id(base + 4)?,
            account: row.id(base + 5)?,
            assignee: row.opt_id(base + 6)?,
            summary: Summary::default(),
            messages: row.int(base + 9)?,
            last_message_at: row.time(base + 10)?,
            last_message_kind: row.name(base + 11, MessageKind::parse)?,
            unread: row.bool(base + 12)?,
            delivery_problem: row.bool(base + 13)?,
            waiting_since: row.opt_time(base + 14)?,
            created_at: row.time(base + 15)?,
            version: row.int(base + 16)?,
            placed_at: row.time(base + 17)?,
            snoozed_until: row.opt_time(base + 18)?,
            woken_at: row.opt_time(base + 19)?,
            tags: Vec::new(),
        },
        summary: row.bytes(base + 7)?,
        key: row.id(base + 8)?,
    })
}

/// Something that happened to a case.
#[derive(Clone, Debug)]
pub struct Activity {
    /// The entry.
    pub id: ActivityId,
    /// `created` (by the tenant), `assigned`, `status`, `queue`, `account`, `snoozed`, `woken`, `tagged`,
    /// `untagged`, `delivery`, `merged`, `unmerged`, `split`, `split_from`, `unsplit`, `linked` or `unlinked`.
    pub kind: String,
    /// `user`, `api_key`, `channel` or `job`.
    pub actor_kind: String,
    /// Who did it.
    pub actor: Uuid,
    /// When.
    pub at: Timestamp,
    /// What it was before: an id, the name of a state, the number of another case or a moment in
    /// microseconds; none for a queue or account that is not seen.
    pub from: Option<String>,
    /// What it is now.
    pub to: Option<String>,
}

struct Activities {
    id: ConversationId,
    visible: Visible,
}

impl Read for Activities {
    type Out = Vec<Activity>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        if !visibility::sees_case(tx, &self.visible, self.id).await? {
            return Err(StoreError::NotFound);
        }
        let queue = |queue: &String| queue.parse().is_ok_and(|queue| self.visible.queues.contains(&queue));
        let account = |id: &String| id.parse().is_ok_and(|id| self.visible.channels.contains(&id));
        // What became part of it brings its history along.
        let all = merges::whole(tx, self.id).await?;
        let sets = all.into_iter().map(|id| [tenant.into(), id.into()]).collect();
        let mut found = tx
            .query_each(
                sql!(
                    "SELECT id, kind, actor_kind, actor_id, at, from_value, to_value FROM activity \
                 WHERE tenant_id = $1 AND conversation_id = $2"
                ),
                sets,
                |row| {
                    let kind = row.text(1)?;
                    // Where it lay before may be a queue that is not seen.
                    let told = |value: Option<String>| {
                        value.filter(|value| match kind.as_str() {
                            "queue" => queue(value),
                            "account" => account(value),
                            _ => true,
                        })
                    };
                    Ok(Activity {
                        id: row.id(0)?,
                        actor_kind: row.text(2)?,
                        actor: row.uuid(3)?,
                        at: row.time(4)?,
                        from: told(row.opt_text(5)?),
                        to: told(row.opt_text(6)?),
                        kind,
                    })
                },
            )
            .await?;
        found.sort_by_key(|entry| (entry.at, entry.id));
        Ok(found)
    }
}

/// A run of messages in one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The thread.
    pub id: ThreadId,
    /// The account that it goes through.
    pub account: ChannelAccountId,
}

struct Threads {
    id: ConversationId,
    visible: Visible,
}

impl Read for Threads {
    type Out = Vec<Thread>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        if !visibility::sees_case(tx, &self.visible, self.id).await? {
            return Ok(Vec::new());
        }
        tx.query(
            sql!(
                "SELECT id, channel_account_id FROM thread WHERE tenant_id = $1 AND conversation_id = $2 \
                 ORDER BY created_at, id"
            ),
            params![tenant, self.id],
            |row| Ok(Thread { id: row.id(0)?, account: row.id(1)? }),
        )
        .await
    }
}

#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub(crate) async fn insert_activity(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    id: ActivityId,
    kind: &'static str,
    actor: (&'static str, Uuid),
    from: Option<&str>,
    to: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.late(
        sql!(
            "INSERT INTO activity (tenant_id, conversation_id, id, kind, actor_kind, actor_id, at, from_value, to_value) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        params![tenant, conversation, id, kind, actor.0, actor.1, at, from, to],
        Rows::Any,
    )
    .await
}

impl Store {
    async fn unseal_all(
        &self,
        access: &Access,
        NamedRows { rows, profiles, mut tags }: NamedRows,
    ) -> Result<Vec<Conversation>, StoreError> {
        let (tenant, mask) = (access.tenant(), Some(Mask::of(access.visible())));
        let needed: KeyIds =
            rows.iter().map(|row| row.key).chain(profiles.values().map(|profile| profile.key)).collect();
        let keys = self.keys_by_id(tenant, needed).await?;
        let mut cases = Vec::with_capacity(rows.len());
        for row in rows {
            let profile = profiles.get(&row.conversation.contact);
            let tags = tags.remove(&row.conversation.id).unwrap_or_default();
            cases.push(Conversation { tags, ..row.unseal(tenant, &keys, profile, mask)? });
        }
        self.without_hidden_messages(access, &mut cases).await?;
        Ok(cases)
    }

    /// A page of cases.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn conversations(
        &self,
        access: &Access,
        query: ConversationQuery,
    ) -> Result<Vec<Conversation>, StoreError> {
        access.to(Use::Look)?;
        let rows = self.read(access, WithNames(List { query, access: access.clone() })).await?;
        self.unseal_all(access, rows).await
    }

    /// Cases by id, in the order given; those that this access cannot see are left out.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn conversations_by_id(
        &self,
        access: &Access,
        ids: &[ConversationId],
    ) -> Result<Vec<Conversation>, StoreError> {
        access.to(Use::Look)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.read(access, WithNames(ById(ids.to_vec(), access.clone()))).await?;
        self.unseal_all(access, rows).await
    }

    /// One case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not exist for this access.
    pub async fn conversation(
        &self,
        access: &Access,
        id: ConversationId,
    ) -> Result<Conversation, StoreError> {
        access.to(Use::Look)?;
        self.conversations_by_id(access, &[id]).await?.pop().ok_or(StoreError::NotFound)
    }

    /// A case that this access can see, whole, to be written again: never to be shown.
    pub(crate) async fn whole_conversation(
        &self,
        access: &Access,
        id: ConversationId,
    ) -> Result<Conversation, StoreError> {
        let NamedRows { mut rows, profiles, .. } =
            self.read(access, WithNames(ById(vec![id], access.clone()))).await?;
        let row = rows.pop().ok_or(StoreError::NotFound)?;
        let needed = profiles.values().map(|profile| profile.key).chain([row.key]).collect();
        let keys = self.keys_by_id(access.tenant(), needed).await?;
        let profile = profiles.get(&row.conversation.contact);
        row.unseal(access.tenant(), &keys, profile, None)
    }

    /// The key of a case that this access can see.
    pub(crate) async fn conversation_key(
        &self,
        access: &Access,
        id: ConversationId,
    ) -> Result<DataKey, StoreError> {
        let row =
            self.read(access, ById(vec![id], access.clone())).await?.pop().ok_or(StoreError::NotFound)?;
        self.key(access.tenant(), row.key).await
    }

    /// How many cases stand where, as far as this access can see.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn conversation_counts(&self, access: &Access) -> Result<ConversationCounts, StoreError> {
        access.to(Use::Look)?;
        self.read(access, Counts(access.clone())).await
    }

    /// The runs of messages of a case, as far as this access can see, oldest first.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn threads(&self, access: &Access, id: ConversationId) -> Result<Vec<Thread>, StoreError> {
        access.to(Use::Look)?;
        let visible = access.visible().clone();
        let mut threads = self.read(access, Threads { id, visible }).await?;
        threads.retain(|thread| access.visible().channels.contains(&thread.account));
        Ok(threads)
    }

    /// What happened to a case, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not exist for this access.
    pub async fn activities(&self, access: &Access, id: ConversationId) -> Result<Vec<Activity>, StoreError> {
        access.to(Use::Look)?;
        self.read(access, Activities { id, visible: access.visible().clone() }).await
    }
}

/// Marks a case as looked at.
pub struct MarkSeen {
    /// The case.
    pub id: ConversationId,
    /// The present time.
    pub now: Timestamp,
}

impl Write for MarkSeen {
    type Out = ();
    const USE: Option<Use> = Some(Use::Answer);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let changed = tx
            .execute(
                sql!("UPDATE conversation SET unread = 0 WHERE tenant_id = $1 AND id = $2 AND unread <> 0"),
                params![tenant, self.id],
            )
            .await?;
        if changed == 1 {
            let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
            let event =
                Event { conversation: Some(self.id), ..Event::new(EventKind::ConversationChanged, self.now) };
            event.append(tx, numbers.event).await?;
        }
        Ok(())
    }
}
