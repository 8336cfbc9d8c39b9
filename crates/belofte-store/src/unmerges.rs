// SPDX-License-Identifier: EUPL-1.2
//! Cases that became one, taken apart again: each gets the row that was kept of it, and its messages.

use belofte_model::{
    ActivityId, ChannelAccountId, ConversationId, ConversationStatus, EventKind, JobId, QueueId, Standing,
    TagId, Timestamp, Use, Visible,
};
use uuid::Uuid;

use crate::access::actor_columns;
use crate::conversation_changes::standing;
use crate::conversations::insert_activity;
use crate::counters::{self, Needs};
use crate::deliveries::mark_problem;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::merges::{MergeError, Side, copied, sleep};
use crate::{Access, Store, StoreError, Tx, Write, tags};

/// A case that is taken out, the lines of history of both, and the job that wakes it.
type Leaving = (ConversationId, ActivityId, ActivityId, JobId);

/// Takes cases apart that became one.
struct Unmerge {
    target: ConversationId,
    /// In the order in which they came.
    sources: Vec<Leaving>,
    job: JobId,
    actor: (&'static str, Uuid),
    visible: Visible,
    now: Timestamp,
}

/// A merge as it was kept.
#[derive(Clone)]
struct Kept {
    merge: Uuid,
    no: i64,
    seq: i64,
    after: i64,
    queue: QueueId,
    account: ChannelAccountId,
    standing: Standing,
    placed_at: Timestamp,
}

impl Unmerge {
    async fn kept(&self, tx: &mut Tx<'_>, source: ConversationId) -> Result<Kept, StoreError> {
        let tenant = tx.tenant();
        let kept = tx
            .query_opt(
                sql!(
                    "SELECT merge_id, no, merged_seq, merged_version, queue_id, channel_account_id, status, snoozed_until, \
                     placed_at FROM merged_conversation WHERE tenant_id = $1 AND id = $2 AND into_id = $3"
                ),
                params![tenant, source, self.target],
                |row| {
                    Ok(Kept {
                        merge: row.uuid(0)?,
                        no: row.int(1)?,
                        seq: row.int(2)?,
                        after: row.int(3)?,
                        queue: row.id(4)?,
                        account: row.id(5)?,
                        standing: standing(row.name(6, ConversationStatus::parse)?, row.opt_time(7)?)?,
                        placed_at: row.time(8)?,
                    })
                },
            )
            .await?
            .ok_or(StoreError::NotFound)?;
        // Who would not see it afterwards does not take it out.
        if !self.visible.sees_case(kept.queue, kept.account) {
            return Err(StoreError::NotFound);
        }
        Ok(kept)
    }

    /// Whether the messages of the two can still be told apart: all that came are there, all that were there
    /// are, and none was written since.
    async fn apart(&self, tx: &mut Tx<'_>, kept: &Kept) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let (gone, own, newer) = tx
            .query_one(
                sql!(
                    "SELECT (SELECT CAST(count(*) AS bigint) FROM merged_part p LEFT JOIN message m \
                     ON m.tenant_id = p.tenant_id AND m.id = p.part_id AND m.conversation_id = $2 \
                     WHERE p.tenant_id = $1 AND p.merge_id = $3 AND p.kind = 'message' AND m.id IS NULL), \
                     (SELECT message_count FROM merged_conversation WHERE tenant_id = $1 AND merge_id = $3 AND id = $2) \
                     + (SELECT CAST(count(*) AS bigint) FROM merged_part \
                     WHERE tenant_id = $1 AND merge_id = $3 AND kind = 'message') \
                     - (SELECT CAST(count(*) AS bigint) FROM message WHERE tenant_id = $1 AND conversation_id = $2), \
                     (SELECT CAST(count(*) AS bigint) FROM message WHERE tenant_id = $1 AND conversation_id = $2 AND no > $4)"
                ),
                params![tenant, self.target, kept.merge, kept.seq],
                |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?)),
            )
            .await?;
        Ok((gone, own, newer) == (0, 0, 0))
    }

    /// Brings the row of the one back, and what went along.
    async fn restore(&self, tx: &mut Tx<'_>, id: ConversationId, kept: &Kept) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(concat!(
                "INSERT INTO conversation (tenant_id, ",
                copied!(),
                ") SELECT tenant_id, ",
                copied!(),
                " FROM merged_conversation WHERE tenant_id = $1 AND id = $2 AND merge_id = $3"
            )),
            params![tenant, id, kept.merge],
        )
        .await?;
        // Whatever was planned on the row of before is planned again; what was looked at is looked at.
        tx.execute_one(
            sql!(
                "UPDATE conversation SET version = version + 1, unread = CASE WHEN (SELECT t.unread FROM conversation t \
                 WHERE t.tenant_id = $1 AND t.id = $3) = 0 THEN 0 ELSE unread END WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, id, self.target],
        )
        .await?;
        // The versions that earlier merges left move along.
        tx.execute(
            sql!(
                "UPDATE merged_conversation SET merged_version = merged_version + 1 WHERE tenant_id = $1 AND into_id = $2"
            ),
            params![tenant, id],
        )
        .await?;
        for text in [
            sql!(
                "UPDATE message SET conversation_id = $2 WHERE tenant_id = $1 AND id IN (SELECT part_id FROM merged_part \
                 WHERE tenant_id = $1 AND merge_id = $3 AND kind = 'message')"
            ),
            sql!(
                "UPDATE thread SET conversation_id = $2 WHERE tenant_id = $1 AND id IN (SELECT part_id FROM merged_part \
                 WHERE tenant_id = $1 AND merge_id = $3 AND kind = 'thread')"
            ),
        ] {
            tx.execute(text, params![tenant, id, kept.merge]).await?;
        }
        let parts: Vec<(String, TagId)> = tx
            .query(
                sql!(
                    "SELECT kind, part_id FROM merged_part WHERE tenant_id = $1 AND merge_id = $2 \
                     AND kind IN ('tag', 'new_tag')"
                ),
                params![tenant, kept.merge],
                |row| Ok((row.text(0)?, row.id(1)?)),
            )
            .await?;
        for (kind, part) in parts {
            // Tags may have been merged meanwhile, too.
            let Some(tag) = tags::in_force(tx, part).await? else { continue };
            if kind == "tag" {
                tags::add(tx, id, tag, kept.standing.status(), kept.placed_at).await?;
            } else {
                tags::remove(tx, self.target, tag).await?;
            }
        }
        Ok(())
    }

    /// Gives the other one the row that it had: all of it while nothing else has changed it, and only what
    /// comes of its messages otherwise.
    async fn give_back(&self, tx: &mut Tx<'_>, kept: &Kept, untouched: bool) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let all = sql!(
            "UPDATE conversation SET status = b.status, snoozed_until = b.snoozed_until, assignee_id = b.assignee_id, \
             summary = b.summary, message_count = b.message_count, last_message_at = b.last_message_at, \
             last_message_kind = b.last_message_kind, waiting_since = b.waiting_since, \
             first_reply_at = b.first_reply_at, resolved_at = b.resolved_at, placed_at = b.placed_at, \
             woken_at = b.woken_at, version = conversation.version + 1, \
             unread = CASE WHEN conversation.unread = 0 THEN 0 ELSE b.unread END FROM merged_conversation b \
             WHERE conversation.tenant_id = $1 AND conversation.id = $2 \
             AND b.tenant_id = $1 AND b.id = $2 AND b.merge_id = $3"
        );
        let messages = sql!(
            "UPDATE conversation SET summary = b.summary, message_count = b.message_count, \
             last_message_at = b.last_message_at, last_message_kind = b.last_message_kind, \
             waiting_since = CASE WHEN conversation.status IN ('open', 'snoozed') \
             THEN coalesce(b.waiting_since, conversation.waiting_since) ELSE NULL END, \
             first_reply_at = b.first_reply_at, version = conversation.version + 1, \
             unread = CASE WHEN conversation.unread = 0 THEN 0 ELSE b.unread END FROM merged_conversation b \
             WHERE conversation.tenant_id = $1 AND conversation.id = $2 \
             AND b.tenant_id = $1 AND b.id = $2 AND b.merge_id = $3"
        );
        let text = if untouched { all } else { messages };
        tx.execute_one(text, params![tenant, self.target, kept.merge]).await?;
        for text in [
            sql!("DELETE FROM merged_conversation WHERE tenant_id = $1 AND merge_id = $2"),
            sql!("DELETE FROM merged_part WHERE tenant_id = $1 AND merge_id = $2"),
        ] {
            tx.execute(text, params![tenant, kept.merge]).await?;
        }
        // From what this one left to what it was before and one on.
        tx.execute(
            sql!(
                "UPDATE merged_conversation SET merged_version = merged_version + 2 WHERE tenant_id = $1 AND into_id = $2"
            ),
            params![tenant, self.target],
        )
        .await?;
        Ok(())
    }
}

impl Write for Unmerge {
    /// Whether they could still be told apart; nothing is changed otherwise.
    type Out = bool;
    const USE: Option<Use> = Some(Use::Answer);

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let mut target = Side::lock(tx, self.target).await?.ok_or(StoreError::NotFound)?;
        if !self.visible.sees_case(target.queue, target.account) {
            return Err(StoreError::NotFound);
        }
        let mut all = Vec::with_capacity(self.sources.len());
        for (id, ..) in &self.sources {
            all.push(self.kept(tx, *id).await?);
        }
        // The last one that came goes first: then the others find what they left.
        let (mut order, mut untouched): (Vec<usize>, bool) = ((0..all.len()).collect(), true);
        order.sort_by_key(|place| std::cmp::Reverse(all[*place].after));
        // Whether the last can go tells for those before it, as far as they are the ones that came just before.
        if !self.apart(tx, &all[order[0]]).await? {
            return Ok(false);
        }
        let mut events = Vec::with_capacity(order.len() + 1);
        for (step, place) in order.into_iter().enumerate() {
            let (mut kept, (id, there, here, job)) = (all[place].clone(), self.sources[place]);
            kept.after += 2 * step as i64;
            let kept = &kept;
            // Something else came between: the whole is undone.
            if step > 0 && !self.apart(tx, kept).await? {
                return Err(StoreError::Conflict);
            }
            untouched &= target.version == kept.after;
            self.restore(tx, id, kept).await?;
            self.give_back(tx, kept, untouched).await?;
            target.version += 1;
            sleep(tx, id, kept.standing, job, self.now).await?;
            mark_problem(tx, id).await?;
            let no = kept.no.to_string();
            insert_activity(tx, self.target, here, "unmerged", self.actor, Some(&no), None, self.now).await?;
            let no = target.no.to_string();
            insert_activity(tx, id, there, "unmerged", self.actor, Some(&no), None, self.now).await?;
            events.push(Event {
                conversation: Some(id),
                account: Some(kept.account),
                queue: Some(kept.queue),
                ..Event::new(EventKind::ConversationChanged, self.now)
            });
        }
        mark_problem(tx, self.target).await?;
        let after = Side::lock(tx, self.target).await?.ok_or(StoreError::Conflict)?;
        if after.standing != target.standing {
            sleep(tx, self.target, after.standing, self.job, self.now).await?;
        }
        tags::follow(tx, self.target, after.standing.status(), after.placed_at).await?;
        events.push(after.event(self.target, self.now));
        let numbers = counters::take(tx, Needs { events: events.len() as i64, ..Needs::default() }).await?;
        for (place, event) in events.into_iter().enumerate() {
            event.append(tx, numbers.event + place as i64).await?;
        }
        Ok(true)
    }
}

impl Store {
    /// Takes the cases `sources` out of `target` again, each as it was.
    ///
    /// # Errors
    /// [`MergeError::TooLate`] when something was written that cannot be told apart;
    /// [`StoreError::NotFound`] when one is no part of it, or not for this access. Nothing is changed then.
    pub async fn unmerge_conversations(
        &self,
        access: &Access,
        target: ConversationId,
        sources: &[ConversationId],
    ) -> Result<(), MergeError> {
        access.to(Use::Answer)?;
        if sources.is_empty() {
            return Err(StoreError::NotFound.into());
        }
        let (now, random) = (access.clock().now(), self.random());
        let activity = || ActivityId::new(now, random.bytes());
        let job = || JobId::new(now, random.bytes());
        let mut known: Vec<Leaving> = Vec::with_capacity(sources.len());
        for id in sources {
            if known.iter().all(|(other, ..)| other != id) {
                known.push((*id, activity(), activity(), job()));
            }
        }
        let undo = Unmerge {
            target,
            sources: known,
            job: job(),
            actor: actor_columns(access.actor()),
            visible: access.visible().clone(),
            now,
        };
        match self.write(access, undo).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(StoreError::Conflict) => Err(MergeError::TooLate),
            Err(error) => Err(error.into()),
        }
    }
}
