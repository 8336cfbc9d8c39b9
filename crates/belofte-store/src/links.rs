// SPDX-License-Identifier: EUPL-1.2
//! Cases that stand beside each other.
//!
//! A link names the two cases as they were when it was made. Where one of them became part of another case,
//! the link is that one's for as long; nothing of it is written anew, so that undoing a merge undoes nothing
//! else.

use belofte_model::{ActivityId, ConversationId, EventKind, Timestamp, Use, Visible};
use uuid::Uuid;

use crate::access::actor_columns;
use crate::conversations::{Conversation, insert_activity};
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::{Access, Read, Store, StoreError, Tx, Write, merges, visibility};

/// So many cases stand beside one.
const MOST: usize = 50;

/// Puts two cases beside each other, or apart again.
pub struct LinkConversations {
    one: ConversationId,
    other: ConversationId,
    linked: bool,
    activities: [ActivityId; 2],
    actor: (&'static str, Uuid),
    visible: Visible,
    now: Timestamp,
}

impl LinkConversations {
    /// Prepares to link `one` and `other`, or with `linked` false to take the link away.
    #[must_use]
    pub fn prepare(
        store: &Store,
        access: &Access,
        (one, other): (ConversationId, ConversationId),
        linked: bool,
    ) -> Self {
        let (now, random) = (access.clock().now(), store.random());
        let activity = || ActivityId::new(now, random.bytes());
        Self {
            one,
            other,
            linked,
            activities: [activity(), activity()],
            actor: actor_columns(access.actor()),
            visible: access.visible().clone(),
            now,
        }
    }
}

/// The number of a case that `visible` sees, with where it lies. It stays so until COMMIT.
async fn seen(
    tx: &mut Tx<'_>,
    visible: &Visible,
    id: ConversationId,
    now: Timestamp,
) -> Result<(i64, Event), StoreError> {
    let tenant = tx.tenant();
    let text = if tx.is_postgres() {
        sql!(
            "SELECT no, queue_id, channel_account_id FROM conversation WHERE tenant_id = $1 AND id = $2 FOR SHARE"
        )
    } else {
        sql!("SELECT no, queue_id, channel_account_id FROM conversation WHERE tenant_id = $1 AND id = $2")
    };
    let found =
        tx.query_opt(text, params![tenant, id], |row| Ok((row.int(0)?, row.id(1)?, row.id(2)?))).await?;
    let (no, queue, account) = found.ok_or(StoreError::NotFound)?;
    if !visible.sees_case(queue, account) {
        return Err(StoreError::NotFound);
    }
    let event = Event {
        conversation: Some(id),
        account: Some(account),
        queue: Some(queue),
        ..Event::new(EventKind::ConversationChanged, now)
    };
    Ok((no, event))
}

/// The links between any case of `all` and another one, as they stand in the rows.
async fn links_of(
    tx: &mut Tx<'_>,
    all: &[ConversationId],
) -> Result<Vec<(ConversationId, ConversationId)>, StoreError> {
    let tenant = tx.tenant();
    let sets = all.iter().map(|id| [tenant.into(), (*id).into()]).collect();
    tx.query_each(
        sql!(
            "SELECT a_id, b_id FROM conversation_link WHERE tenant_id = $1 AND a_id = $2 UNION \
             SELECT b_id, a_id FROM conversation_link WHERE tenant_id = $1 AND b_id = $2"
        ),
        sets,
        |row| Ok((row.id(0)?, row.id(1)?)),
    )
    .await
}

impl Write for LinkConversations {
    /// Whether anything changed.
    type Out = bool;
    const USE: Option<Use> = Some(Use::Answer);

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let ids = [self.one.min(self.other), self.one.max(self.other)];
        if ids[0] == ids[1] {
            return Err(StoreError::Conflict);
        }
        let mut cases = Vec::with_capacity(2);
        for id in ids {
            cases.push(seen(tx, &self.visible, id, self.now).await?);
        }
        let mine = merges::whole(tx, ids[0]).await?;
        let theirs = merges::whole(tx, ids[1]).await?;
        let links = links_of(tx, &mine).await?;
        let between: Vec<_> = links.iter().filter(|(_, other)| theirs.contains(other)).copied().collect();
        if between.is_empty() != self.linked {
            return Ok(false);
        }
        if self.linked {
            let full = |links: &[_]| links.len() >= MOST;
            if full(&links) || full(&links_of(tx, &theirs).await?) {
                return Err(StoreError::Conflict);
            }
            tx.execute(
                sql!(
                    "INSERT INTO conversation_link (tenant_id, a_id, b_id, created_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT DO NOTHING"
                ),
                params![tenant, ids[0], ids[1], self.now],
            )
            .await?;
        }
        for (one, other) in between {
            tx.execute(
                sql!("DELETE FROM conversation_link WHERE tenant_id = $1 AND a_id = $2 AND b_id = $3"),
                params![tenant, one.min(other), one.max(other)],
            )
            .await?;
        }
        let kind = if self.linked { "linked" } else { "unlinked" };
        for (place, id) in ids.into_iter().enumerate() {
            let no = cases[1 - place].0.to_string();
            let (from, to) = if self.linked { (None, Some(no.as_str())) } else { (Some(no.as_str()), None) };
            let (activity, actor) = (self.activities[place], self.actor);
            insert_activity(tx, id, activity, kind, actor, from, to, self.now).await?;
        }
        let numbers = counters::take(tx, Needs { events: 2, ..Needs::default() }).await?;
        for (place, (_, event)) in cases.into_iter().enumerate() {
            event.append(tx, numbers.event + place as i64).await?;
        }
        Ok(true)
    }
}

struct Linked {
    id: ConversationId,
    visible: Visible,
}

impl Read for Linked {
    type Out = Vec<ConversationId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        if !visibility::sees_case(tx, &self.visible, self.id).await? {
            return Err(StoreError::NotFound);
        }
        let all = merges::whole(tx, self.id).await?;
        let mut others = Vec::new();
        for (_, other) in links_of(tx, &all).await? {
            let other = merges::in_force(tx, other).await?;
            if other != self.id && !others.contains(&other) {
                others.push(other);
            }
        }
        Ok(others)
    }
}

impl Store {
    /// The cases that stand beside `id`, as far as this access sees them, newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the case does not exist for this access.
    pub async fn linked_conversations(
        &self,
        access: &Access,
        id: ConversationId,
    ) -> Result<Vec<Conversation>, StoreError> {
        access.to(Use::Look)?;
        let others = self.read(access, Linked { id, visible: access.visible().clone() }).await?;
        let mut cases = self.conversations_by_id(access, &others).await?;
        cases.sort_by_key(|case| std::cmp::Reverse(case.last_message_at));
        Ok(cases)
    }
}
