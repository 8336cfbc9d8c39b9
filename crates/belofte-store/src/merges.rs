// SPDX-License-Identifier: EUPL-1.2
//! Cases that become one, and are taken apart again.
//!
//! The messages and threads of the one go to the other, under the keys that they have: a key belongs to the
//! messages that it seals, and not to the case that they lie in (decision 30). The row of the case that is gone
//! is kept as it was, so that its address leads to the other one and the merge can be undone: exactly, for as
//! long as nothing was written that belongs to both.

use belofte_model::{
    ActivityId, ChannelAccountId, ConversationId, ConversationStatus, EventKind, JobId, JobKind, MessageKind,
    QueueId, Standing, Timestamp, Use, UserId, Visible, on_merge, uuid_v7,
};
use uuid::Uuid;

use crate::access::actor_columns;
use crate::conversation_changes::{let_sleep, standing};
use crate::conversations::{Conversation, insert_activity};
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::jobs::NewJob;
use crate::{Access, Read, Store, StoreError, Tx, Write, drafts, queue_archives, tags, visibility};

/// Why cases were not made one, or not taken apart.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// They are with different people, and nobody said that this is meant.
    #[error("the conversations are with different contacts")]
    OtherContact,
    /// A case does not become one with itself.
    #[error("a conversation cannot be merged with itself")]
    Itself,
    /// Something was written since that cannot be told apart.
    #[error("too much has happened since to undo it")]
    TooLate,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A case that became part of another one.
#[derive(Clone, Debug)]
pub struct MergedCase {
    /// The case, as it was.
    pub conversation: Conversation,
    /// The case that its address leads to.
    pub into: ConversationId,
}

/// The columns of a case, in the order in which they are copied.
macro_rules! copied {
    () => {
        "id, no, status, contact_id, queue_id, channel_account_id, assignee_id, summary, key_id, message_count, \
         last_message_at, last_message_kind, unread, delivery_problem, waiting_since, first_reply_at, resolved_at, \
         created_at, version, placed_at, snoozed_until, woken_at, began_account_id"
    };
}
pub(crate) use copied;

/// The case whose address leads to no other one: `id` itself, or the one that it became part of.
pub(crate) async fn in_force(tx: &mut Tx<'_>, id: ConversationId) -> Result<ConversationId, StoreError> {
    let tenant = tx.tenant();
    let found = tx
        .query_opt(
            sql!(
                "WITH RECURSIVE way(id, step) AS (SELECT into_id, 1 FROM merged_conversation \
                 WHERE tenant_id = $1 AND id = $2 AND into_id IS NOT NULL UNION ALL \
                 SELECT m.into_id, way.step + 1 FROM merged_conversation m JOIN way ON m.id = way.id \
                 WHERE m.tenant_id = $1 AND m.into_id IS NOT NULL AND way.step < 1000) \
                 SELECT id FROM way ORDER BY step DESC LIMIT 1"
            ),
            params![tenant, id],
            |row| row.id(0),
        )
        .await?;
    Ok(found.unwrap_or(id))
}

/// The case `id` and those that became part of it.
pub(crate) async fn whole(tx: &mut Tx<'_>, id: ConversationId) -> Result<Vec<ConversationId>, StoreError> {
    let tenant = tx.tenant();
    let mut all = vec![id];
    all.extend(
        tx.query(
            sql!(
                "WITH RECURSIVE part(id) AS (SELECT id FROM merged_conversation WHERE tenant_id = $1 AND into_id = $2 \
                 UNION ALL SELECT m.id FROM merged_conversation m JOIN part ON m.into_id = part.id \
                 WHERE m.tenant_id = $1) SELECT id FROM part"
            ),
            params![tenant, id],
            |row| row.id::<ConversationId>(0),
        )
        .await?,
    );
    Ok(all)
}

/// What of a case a merge decides on.
pub(crate) struct Side {
    pub(crate) no: i64,
    pub(crate) version: i64,
    pub(crate) queue: QueueId,
    pub(crate) account: ChannelAccountId,
    pub(crate) standing: Standing,
    assignee: Option<UserId>,
    messages: i64,
    last_at: Timestamp,
    last_kind: MessageKind,
    unread: bool,
    problem: bool,
    waiting_since: Option<Timestamp>,
    first_reply_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
    pub(crate) placed_at: Timestamp,
    woken_at: Option<Timestamp>,
}

impl Side {
    /// Reads the case and keeps it as it is until COMMIT.
    pub(crate) async fn lock(tx: &mut Tx<'_>, id: ConversationId) -> Result<Option<Self>, StoreError> {
        let tenant = tx.tenant();
        macro_rules! text {
            ($end:literal) => {
                sql!(concat!(
                    "SELECT no, version, queue_id, channel_account_id, status, snoozed_until, assignee_id, \
                     message_count, last_message_at, last_message_kind, unread, delivery_problem, waiting_since, \
                     first_reply_at, resolved_at, placed_at, woken_at FROM conversation \
                     WHERE tenant_id = $1 AND id = $2",
                    $end
                ))
            };
        }
        let text = if tx.is_postgres() { text!(" FOR UPDATE") } else { text!("") };
        tx.query_opt(text, params![tenant, id], |row| {
            Ok(Self {
                no: row.int(0)?,
                version: row.int(1)?,
                queue: row.id(2)?,
                account: row.id(3)?,
                standing: standing(row.name(4, ConversationStatus::parse)?, row.opt_time(5)?)?,
                assignee: row.opt_id(6)?,
                messages: row.int(7)?,
                last_at: row.time(8)?,
                last_kind: row.name(9, MessageKind::parse)?,
                unread: row.bool(10)?,
                problem: row.bool(11)?,
                waiting_since: row.opt_time(12)?,
                first_reply_at: row.opt_time(13)?,
                resolved_at: row.opt_time(14)?,
                placed_at: row.time(15)?,
                woken_at: row.opt_time(16)?,
            })
        })
        .await
    }

    /// Takes `other` up. With `back`, who was taken out of this one comes back: where it stands and
    /// whose it is stays.
    fn take(&mut self, other: &Self, back: bool) {
        if !back {
            self.standing = on_merge(self.standing, other.standing);
            self.assignee = self.assignee.or(other.assignee);
            self.unread |= other.unread;
        }
        self.messages += other.messages;
        if other.last_at > self.last_at {
            (self.last_at, self.last_kind) = (other.last_at, other.last_kind);
        }
        self.problem |= other.problem;
        let first = |one: Option<Timestamp>, two: Option<Timestamp>| match (one, two) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.waiting_since = match self.standing {
            Standing::Open | Standing::Snoozed(_) => first(self.waiting_since, other.waiting_since),
            Standing::Waiting | Standing::Resolved => None,
        };
        self.first_reply_at = first(self.first_reply_at, other.first_reply_at);
        self.resolved_at = match self.standing {
            Standing::Resolved => self.resolved_at.max(other.resolved_at),
            Standing::Open | Standing::Waiting | Standing::Snoozed(_) => None,
        };
        self.woken_at = match self.standing {
            Standing::Open => self.woken_at.max(other.woken_at),
            Standing::Waiting | Standing::Resolved | Standing::Snoozed(_) => None,
        };
        self.placed_at = self.placed_at.max(other.placed_at);
        self.version += 1;
    }

    async fn update(&self, tx: &mut Tx<'_>, id: ConversationId, summary: &[u8]) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "UPDATE conversation SET status = $3, snoozed_until = $4, assignee_id = $5, message_count = $6, \
                 last_message_at = $7, last_message_kind = $8, unread = $9, delivery_problem = $10, waiting_since = $11, \
                 first_reply_at = $12, resolved_at = $13, placed_at = $14, woken_at = $15, version = $16, summary = $17 \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![
                tenant,
                id,
                self.standing.status().as_str(),
                self.standing.until(),
                self.assignee,
                self.messages,
                self.last_at,
                self.last_kind.as_str(),
                self.unread,
                self.problem,
                self.waiting_since,
                self.first_reply_at,
                self.resolved_at,
                self.placed_at,
                self.woken_at,
                self.version,
                summary
            ],
        )
        .await
    }

    pub(crate) fn event(&self, id: ConversationId, now: Timestamp) -> Event {
        Event {
            conversation: Some(id),
            account: Some(self.account),
            queue: Some(self.queue),
            ..Event::new(EventKind::ConversationChanged, now)
        }
    }
}

/// Sets the job that wakes a case, or ends it. One that is not resolved (any more) does not stay in a queue that was
/// archived.
pub(crate) async fn sleep(
    tx: &mut Tx<'_>,
    id: ConversationId,
    standing: Standing,
    job: JobId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let_sleep(tx, id).await?;
    if standing.status() != ConversationStatus::Resolved {
        queue_archives::follow(tx, id, now).await?;
    }
    match standing.until() {
        Some(run_at) => {
            NewJob { id: job, kind: JobKind::Wake, subject: id.uuid(), run_at, lease: None }
                .enqueue(tx, now)
                .await
        }
        None => Ok(()),
    }
}

/// One of the cases that go into another one.
struct Source {
    id: ConversationId,
    version: i64,
    /// Names this merge.
    merge: Uuid,
    /// What a list shows of the other one afterwards.
    summary: Vec<u8>,
    activity: ActivityId,
}

struct Merge {
    target: ConversationId,
    version: i64,
    sources: Vec<Source>,
    back: bool,
    job: JobId,
    actor: (&'static str, Uuid),
    visible: Visible,
    now: Timestamp,
}

impl Merge {
    /// The cases as they are, in one order everywhere, so that two who make the same cases one do not lock
    /// each other out.
    async fn sides(&self, tx: &mut Tx<'_>) -> Result<(Side, Vec<Side>), StoreError> {
        let mut ids: Vec<(ConversationId, i64)> =
            self.sources.iter().map(|source| (source.id, source.version)).collect();
        ids.push((self.target, self.version));
        ids.sort_unstable_by_key(|(id, _)| *id);
        let mut sides = Vec::with_capacity(ids.len());
        for (id, version) in ids {
            // Gone or changed since it was planned: it is planned again.
            let side = Side::lock(tx, id).await?.filter(|side| side.version == version);
            let side = side.ok_or(StoreError::Conflict)?;
            if !self.visible.sees_case(side.queue, side.account) {
                return Err(StoreError::NotFound);
            }
            sides.push((id, side));
        }
        let mut take = |wanted: ConversationId| {
            let place = sides.iter().position(|(id, _)| *id == wanted);
            place.map(|place| sides.swap_remove(place).1).ok_or(StoreError::Conflict)
        };
        let target = take(self.target)?;
        let sources = self.sources.iter().map(|source| take(source.id)).collect::<Result<_, _>>()?;
        Ok((target, sources))
    }

    /// Keeps both rows as they are, and what goes along.
    async fn keep(&self, tx: &mut Tx<'_>, source: &Source, after: i64) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        for (id, into) in [(source.id, Some(self.target)), (self.target, None)] {
            tx.execute_one(
                sql!(concat!(
                    "INSERT INTO merged_conversation (tenant_id, merge_id, into_id, merged_seq, merged_version, ",
                    copied!(),
                    ") SELECT tenant_id, $3, $4, 0, $5, ",
                    copied!(),
                    " FROM conversation WHERE tenant_id = $1 AND id = $2"
                )),
                params![tenant, id, source.merge, into, after],
            )
            .await?;
        }
        for text in [
            sql!(
                "INSERT INTO merged_part (tenant_id, merge_id, kind, part_id) \
                 SELECT tenant_id, $3, 'message', id FROM message WHERE tenant_id = $1 AND conversation_id = $2"
            ),
            sql!(
                "INSERT INTO merged_part (tenant_id, merge_id, kind, part_id) \
                 SELECT tenant_id, $3, 'thread', id FROM thread WHERE tenant_id = $1 AND conversation_id = $2"
            ),
            sql!(
                "INSERT INTO merged_part (tenant_id, merge_id, kind, part_id) \
                 SELECT tenant_id, $3, 'tag', tag_id FROM conversation_tag WHERE tenant_id = $1 AND conversation_id = $2"
            ),
        ] {
            tx.execute(text, params![tenant, source.id, source.merge]).await?;
        }
        if self.back {
            return Ok(());
        }
        tx.execute(
            sql!(
                "INSERT INTO merged_part (tenant_id, merge_id, kind, part_id) \
                 SELECT a.tenant_id, $4, 'new_tag', a.tag_id FROM conversation_tag a \
                 WHERE a.tenant_id = $1 AND a.conversation_id = $2 AND NOT EXISTS (SELECT 1 FROM conversation_tag b \
                 WHERE b.tenant_id = $1 AND b.conversation_id = $3 AND b.tag_id = a.tag_id)"
            ),
            params![tenant, source.id, self.target, source.merge],
        )
        .await?;
        Ok(())
    }

    /// Gives what the one has to the other; the one is gone afterwards.
    async fn give(&self, tx: &mut Tx<'_>, source: &Source) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        if !self.back {
            tx.execute(
                sql!(
                    "INSERT INTO conversation_tag (tenant_id, conversation_id, tag_id, status, placed_at) \
                     SELECT tenant_id, $3, tag_id, status, placed_at FROM conversation_tag \
                     WHERE tenant_id = $1 AND conversation_id = $2 ON CONFLICT DO NOTHING"
                ),
                params![tenant, source.id, self.target],
            )
            .await?;
        }
        drafts::go_along(tx, source.id, self.target).await?;
        for text in [
            sql!("UPDATE message SET conversation_id = $3 WHERE tenant_id = $1 AND conversation_id = $2"),
            sql!("UPDATE thread SET conversation_id = $3 WHERE tenant_id = $1 AND conversation_id = $2"),
        ] {
            tx.execute(text, params![tenant, source.id, self.target]).await?;
        }
        tx.execute(
            sql!("DELETE FROM conversation_tag WHERE tenant_id = $1 AND conversation_id = $2"),
            params![tenant, source.id],
        )
        .await?;
        let_sleep(tx, source.id).await?;
        tx.execute_one(
            sql!("DELETE FROM conversation WHERE tenant_id = $1 AND id = $2"),
            params![tenant, source.id],
        )
        .await
    }
}

impl Write for Merge {
    type Out = ();
    const USE: Option<Use> = Some(Use::Answer);

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let (mut target, sides) = self.sides(tx).await?;
        let before = target.standing;
        for (source, side) in self.sources.iter().zip(&sides) {
            self.keep(tx, source, target.version + 1).await?;
            self.give(tx, source).await?;
            target.take(side, self.back);
            target.update(tx, self.target, &source.summary).await?;
            let (no, kind) = (side.no.to_string(), if self.back { "unsplit" } else { "merged" });
            let (id, actor) = (source.activity, self.actor);
            insert_activity(tx, self.target, id, kind, actor, Some(&no), None, self.now).await?;
        }
        if before != target.standing {
            sleep(tx, self.target, target.standing, self.job, self.now).await?;
        }
        tags::follow(tx, self.target, target.standing.status(), target.placed_at).await?;
        let events = 1 + self.sources.len() as i64;
        let numbers = counters::take(tx, Needs { events, ..Needs::default() }).await?;
        let last = numbers.event + events - 1;
        for (place, (source, side)) in self.sources.iter().zip(&sides).enumerate() {
            tx.execute(
                sql!("UPDATE merged_conversation SET merged_seq = $3 WHERE tenant_id = $1 AND merge_id = $2"),
                params![tenant, source.merge, last],
            )
            .await?;
            side.event(source.id, self.now).append(tx, numbers.event + place as i64).await?;
        }
        target.event(self.target, self.now).append(tx, last).await
    }
}

struct InForce {
    id: ConversationId,
    visible: Visible,
}

impl Read for InForce {
    type Out = Option<ConversationId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let id = in_force(tx, self.id).await?;
        Ok(visibility::sees_case(tx, &self.visible, id).await?.then_some(id))
    }
}

struct Numbered {
    no: i64,
    visible: Visible,
}

impl Read for Numbered {
    type Out = Option<ConversationId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!(
                    "SELECT id FROM conversation WHERE tenant_id = $1 AND no = $2 UNION ALL \
                     SELECT id FROM merged_conversation WHERE tenant_id = $1 AND no = $2 AND into_id IS NOT NULL"
                ),
                params![tenant, self.no],
                |row| row.id(0),
            )
            .await?;
        let Some(id) = found else { return Ok(None) };
        let id = in_force(tx, id).await?;
        Ok(visibility::sees_case(tx, &self.visible, id).await?.then_some(id))
    }
}

/// The rows of cases that became part of another one, directly or by way of a third.
struct MergedInto {
    id: ConversationId,
    visible: Visible,
}

impl Read for MergedInto {
    type Out = Vec<(crate::conversations::SealedConversation, ConversationId)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        if !visibility::sees_case(tx, &self.visible, self.id).await? {
            return Err(StoreError::NotFound);
        }
        let sets =
            whole(tx, self.id).await?.into_iter().skip(1).map(|id| [tenant.into(), id.into()]).collect();
        tx.query_each(
            sql!(
                "SELECT id, no, status, contact_id, queue_id, channel_account_id, assignee_id, summary, key_id, \
                 message_count, last_message_at, last_message_kind, unread, delivery_problem, waiting_since, created_at, \
                 version, placed_at, snoozed_until, woken_at, into_id FROM merged_conversation \
                 WHERE tenant_id = $1 AND id = $2 AND into_id IS NOT NULL"
            ),
            sets,
            |row| Ok((crate::conversations::sealed(row)?, row.id(20)?)),
        )
        .await
    }
}

/// A write that cannot come through after so many plans is the machine's problem, not the user's.
const PLANS: usize = 24;

impl Store {
    /// The case that the address of `id` leads to: itself, or the one that it became part of.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none for this access.
    pub async fn conversation_in_force(
        &self,
        access: &Access,
        id: ConversationId,
    ) -> Result<ConversationId, StoreError> {
        access.to(Use::Look)?;
        let visible = access.visible().clone();
        self.read(access, InForce { id, visible }).await?.ok_or(StoreError::NotFound)
    }

    /// The case with the number `no`, or the one that it became part of.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none for this access.
    pub async fn conversation_by_number(&self, access: &Access, no: i64) -> Result<Conversation, StoreError> {
        access.to(Use::Look)?;
        let visible = access.visible().clone();
        let id = self.read(access, Numbered { no, visible }).await?.ok_or(StoreError::NotFound)?;
        self.conversation(access, id).await
    }

    /// The cases that became part of `id`, as they were, as far as this access would see them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the case does not exist for this access.
    pub async fn merged_conversations(
        &self,
        access: &Access,
        id: ConversationId,
    ) -> Result<Vec<MergedCase>, StoreError> {
        access.to(Use::Look)?;
        let (tenant, visible) = (access.tenant(), access.visible());
        let rows = self.read(access, MergedInto { id, visible: visible.clone() }).await?;
        let rows: Vec<_> = rows.into_iter().filter(|(row, _)| row.is_visible(visible)).collect();
        let keys = self.keys_by_id(tenant, rows.iter().map(|(row, _)| row.key).collect()).await?;
        let mask = Some(visibility::Mask::of(visible));
        let (mut cases, mut into) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (row, other) in rows {
            cases.push(row.unseal(tenant, &keys, None, mask)?);
            into.push(other);
        }
        cases.sort_by_key(|case| case.no);
        Ok(cases
            .into_iter()
            .zip(into)
            .map(|(conversation, into)| MergedCase { conversation, into })
            .collect())
    }

    /// Makes the cases `sources` part of `target`. Asked for again, it finds done what was done.
    ///
    /// # Errors
    /// [`MergeError`]; [`StoreError::NotFound`] when one of them does not exist for this access,
    /// [`StoreError::Conflict`] when others change them all the time. Nothing is changed then.
    pub async fn merge_conversations(
        &self,
        access: &Access,
        target: ConversationId,
        sources: &[ConversationId],
        other_contacts: bool,
    ) -> Result<(), MergeError> {
        access.to(Use::Answer)?;
        for _ in 0..PLANS {
            let Some(merge) = self.plan_merge(access, target, sources, other_contacts).await? else {
                return Ok(());
            };
            match self.write(access, merge).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn plan_merge(
        &self,
        access: &Access,
        target: ConversationId,
        sources: &[ConversationId],
        other_contacts: bool,
    ) -> Result<Option<Merge>, MergeError> {
        if sources.contains(&target) {
            return Err(MergeError::Itself);
        }
        let whole = self.whole_conversation(access, target).await?;
        let mut left = Vec::with_capacity(sources.len());
        for source in sources {
            // What is part of it already was made so by an earlier try.
            if !left.contains(source) && self.conversation_in_force(access, *source).await? != target {
                left.push(*source);
            }
        }
        if left.is_empty() {
            return Ok(None);
        }
        let mut cases = Vec::with_capacity(left.len());
        for source in left {
            cases.push(self.whole_conversation(access, source).await?);
        }
        if !other_contacts && cases.iter().any(|case| case.contact != whole.contact) {
            return Err(MergeError::OtherContact);
        }
        Ok(Some(self.prepare_merge(access, whole, cases, false).await?))
    }

    async fn prepare_merge(
        &self,
        access: &Access,
        target: Conversation,
        cases: Vec<Conversation>,
        back: bool,
    ) -> Result<Merge, StoreError> {
        let (now, random) = (access.clock().now(), self.random());
        let key = self.conversation_key(access, target.id).await?;
        let (mut summary, mut last_at) = (target.summary.clone(), target.last_message_at);
        let mut sources = Vec::with_capacity(cases.len());
        for case in cases {
            if case.last_message_at > last_at {
                last_at = case.last_message_at;
                summary.preview.clone_from(&case.summary.preview);
            }
            sources.push(Source {
                id: case.id,
                version: case.version,
                merge: uuid_v7(now, random.bytes()),
                summary: summary.seal(random, &key, access.tenant(), target.id)?,
                activity: ActivityId::new(now, random.bytes()),
            });
        }
        Ok(Merge {
            target: target.id,
            version: target.version,
            sources,
            back,
            job: JobId::new(now, random.bytes()),
            actor: actor_columns(access.actor()),
            visible: access.visible().clone(),
            now,
        })
    }

    /// Puts what was taken out of a case back into it, and gives that case.
    ///
    /// # Errors
    /// [`MergeError::TooLate`] when something was written in it since; [`StoreError::NotFound`] when it was taken
    /// out of no case that this access sees.
    pub async fn unsplit_conversation(
        &self,
        access: &Access,
        id: ConversationId,
    ) -> Result<ConversationId, MergeError> {
        access.to(Use::Answer)?;
        for _ in 0..PLANS {
            let origin = crate::splits::OriginOf { id, visible: access.visible().clone() };
            let (origin, untouched) = self.read(access, origin).await?.ok_or(StoreError::NotFound)?;
            if !untouched {
                return Err(MergeError::TooLate);
            }
            let target = self.whole_conversation(access, origin).await?;
            let case = self.whole_conversation(access, id).await?;
            let merge = self.prepare_merge(access, target, vec![case], true).await?;
            match self.write(access, merge).await {
                Ok(()) => return Ok(origin),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }
}
