// SPDX-License-Identifier: EUPL-1.2
//! Changes of cases: where they stand, whose they are, where they lie and what tags they have; of one
//! case or of many, and by the clock.

use belofte_model::{
    ActivityId, ChannelAccountId, ConversationId, ConversationStatus, EventKind, JobId, JobKind,
    NotificationId, QueueId, Standing, TagId, Timestamp, Use, UserId, Visible,
};
use uuid::Uuid;

use crate::access::{ClaimedJob, actor_columns};
use crate::conversations::insert_activity;
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::jobs::{self, NewJob};
use crate::notifications::{self, Given};
use crate::{Access, Rows, Store, StoreError, Tx, Write, queue_archives, queues, tags};

/// What is to become of a case; what is `None` or empty stays.
#[derive(Clone, Debug, Default)]
pub struct ConversationChange {
    /// The version that the change was made on; none to change whatever is there.
    pub version: Option<i64>,
    /// Where it is to stand.
    pub standing: Option<Standing>,
    /// Whose it is to be.
    pub assignee: Option<Option<UserId>>,
    /// Where it is to lie.
    pub queue: Option<QueueId>,
    /// The mailbox that it is to go on in. It lies in the queue of that one then, unless `queue` says another.
    pub account: Option<ChannelAccountId>,
    /// Tags that it is to have.
    pub add_tags: Vec<TagId>,
    /// Tags that it is not to have.
    pub remove_tags: Vec<TagId>,
}

/// What a change of one case came to.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The version of the case afterwards.
    pub version: i64,
    /// Whether anything changed.
    pub changed: bool,
    /// What takes back what was changed, and nothing else.
    pub back: ConversationChange,
}

/// A change of one case.
pub struct ChangeConversation {
    id: ConversationId,
    change: ConversationChange,
    /// One for each part of the change: standing, assignee, mailbox, queue, then the tags.
    activities: Vec<ActivityId>,
    /// The job that wakes it.
    job: JobId,
    /// The line that tells who is given it.
    told: NotificationId,
    /// The user who changes it.
    by: Option<UserId>,
    actor: (&'static str, Uuid),
    visible: Visible,
    now: Timestamp,
}

/// A case before its change.
struct Before {
    standing: Standing,
    assignee: Option<UserId>,
    queue: QueueId,
    version: i64,
    account: ChannelAccountId,
    placed_at: Timestamp,
    /// The account that it began through, of one that was moved.
    began: Option<ChannelAccountId>,
}

/// The standing that a row tells of.
pub(crate) fn standing(status: ConversationStatus, until: Option<Timestamp>) -> Result<Standing, StoreError> {
    Standing::of(status, until).ok_or(StoreError::Inconsistent { what: "conversation.snoozed_until" })
}

impl Before {
    /// Reads the case and keeps it as it is until COMMIT.
    async fn read(tx: &mut Tx<'_>, id: ConversationId) -> Result<Option<Self>, StoreError> {
        let tenant = tx.tenant();
        let text = if tx.is_postgres() {
            sql!(
                "SELECT status, snoozed_until, assignee_id, queue_id, version, channel_account_id, placed_at, \
                 began_account_id \
                 FROM conversation WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
            )
        } else {
            sql!(
                "SELECT status, snoozed_until, assignee_id, queue_id, version, channel_account_id, placed_at, \
                 began_account_id \
                 FROM conversation WHERE tenant_id = $1 AND id = $2"
            )
        };
        tx.query_opt(text, params![tenant, id], |row| {
            Ok(Self {
                standing: standing(row.name(0, ConversationStatus::parse)?, row.opt_time(1)?)?,
                assignee: row.opt_id(2)?,
                queue: row.id(3)?,
                version: row.int(4)?,
                account: row.id(5)?,
                placed_at: row.time(6)?,
                began: row.opt_id(7)?,
            })
        })
        .await
    }
}

/// Ends the job that would wake a case.
pub(crate) async fn let_sleep(tx: &mut Tx<'_>, id: ConversationId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!("DELETE FROM job WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'wake'"),
        params![tenant, id],
    )
    .await
    .map(drop)
}

impl ChangeConversation {
    /// Prepares a change of `id`.
    #[must_use]
    pub fn prepare(store: &Store, access: &Access, id: ConversationId, change: ConversationChange) -> Self {
        let now = access.clock().now();
        let random = store.random();
        let parts = 4 + change.add_tags.len() + change.remove_tags.len();
        Self {
            id,
            change,
            activities: (0..parts).map(|_| ActivityId::new(now, random.bytes())).collect(),
            job: JobId::new(now, random.bytes()),
            told: NotificationId::new(now, random.bytes()),
            by: access.user(),
            actor: actor_columns(access.actor()),
            visible: access.visible().clone(),
            now,
        }
    }

    /// Carries the change out. Every refusal comes before the first statement that changes something, so
    /// that it leaves the transaction as it was.
    pub(crate) async fn apply(&self, tx: &mut Tx<'_>) -> Result<Applied, StoreError> {
        let tenant = tx.tenant();
        let before = Before::read(tx, self.id).await?.ok_or(StoreError::NotFound)?;
        if !self.visible.sees_case(before.queue, before.account) {
            return Err(StoreError::NotFound);
        }
        let new_standing = self.change.standing.unwrap_or(before.standing);
        let new_assignee = self.change.assignee.unwrap_or(before.assignee);
        let new_account = self.change.account.unwrap_or(before.account);
        let new_queue = match self.change.queue {
            Some(queue) => queue,
            None if new_account != before.account => self.queue_of(tx, new_account).await?,
            None => before.queue,
        };
        let (added, removed) = self.tags(tx).await?;
        let same = (new_standing, new_assignee, new_queue, new_account)
            == (before.standing, before.assignee, before.queue, before.account);
        // What is asked for is there already: also for who asks again, on an old version.
        if same && added.is_empty() && removed.is_empty() {
            let back = ConversationChange::default();
            return Ok(Applied { version: before.version, changed: false, back });
        }
        if self.change.version.is_some_and(|expected| expected != before.version) {
            return Err(StoreError::Conflict);
        }
        if new_account != before.account {
            self.queue_of(tx, new_account).await?;
        }
        self.allowed(tx, &before, new_assignee, new_queue, &added).await?;
        // Nobody puts a case where they would not see it any more.
        if !self.visible.sees_case(new_queue, new_account) {
            return Err(StoreError::NotFound);
        }
        let began = before.began.unwrap_or(before.account);
        let began = (began != new_account).then_some(began);

        let (status, old_status) = (new_standing.status(), before.standing.status());
        let moved = new_standing != before.standing;
        let resolved = status == ConversationStatus::Resolved;
        tx.execute_one(
            sql!(
                "UPDATE conversation SET status = $3, assignee_id = $4, queue_id = $5, version = version + 1, \
                 resolved_at = CASE WHEN CAST($6 AS bigint) = 0 THEN NULL ELSE coalesce(resolved_at, $7) END, \
                 waiting_since = CASE WHEN $3 = 'open' THEN coalesce(waiting_since, $7) \
                 WHEN $3 = 'snoozed' THEN waiting_since ELSE NULL END, snoozed_until = $8, \
                 woken_at = CASE WHEN CAST($9 AS bigint) = 0 THEN woken_at ELSE NULL END, \
                 channel_account_id = $10, began_account_id = $11 WHERE tenant_id = $1 AND id = $2"
            ),
            params![
                tenant,
                self.id,
                status.as_str(),
                new_assignee,
                new_queue,
                resolved,
                self.now,
                new_standing.until(),
                moved,
                new_account,
                began
            ],
        )
        .await?;
        if moved {
            if before.standing.until().is_some() {
                let_sleep(tx, self.id).await?;
            }
            if let Some(until) = new_standing.until() {
                let (kind, subject) = (JobKind::Wake, self.id.uuid());
                NewJob { id: self.job, kind, subject, run_at: until, lease: None }
                    .enqueue(tx, self.now)
                    .await?;
            }
            if status != old_status {
                tags::follow(tx, self.id, status, before.placed_at).await?;
            }
        }
        if new_queue != before.queue || (resolved && status != old_status) {
            queue_archives::forget(tx, self.id).await?;
        } else if status != old_status && old_status == ConversationStatus::Resolved {
            queue_archives::follow(tx, self.id, self.now).await?;
        }
        for tag in &added {
            tags::add(tx, self.id, *tag, status, before.placed_at).await?;
        }
        for tag in &removed {
            tags::remove(tx, self.id, *tag).await?;
        }
        let now = (new_standing, new_assignee, new_queue, new_account);
        self.tell(tx, &before, now, &added, &removed).await?;
        if resolved && status != old_status {
            tx.execute(
                sql!(
                    "INSERT INTO statistic (tenant_id, day, channel_account_id, received, conversations, replies, resolved) \
                     VALUES ($1, $2, $3, 0, 0, 0, 1) ON CONFLICT (tenant_id, day, channel_account_id) \
                     DO UPDATE SET resolved = statistic.resolved + 1"
                ),
                params![tenant, self.now.day(), before.account],
            )
            .await?;
        }
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        let event = Event {
            conversation: Some(self.id),
            account: Some(new_account),
            queue: Some(new_queue),
            ..Event::new(EventKind::ConversationChanged, self.now)
        };
        event.append(tx, numbers.event).await?;
        if new_assignee != before.assignee {
            let given = Given {
                id: self.told,
                conversation: self.id,
                place: (new_queue, new_account),
                from: before.assignee,
                to: new_assignee,
                by: self.by,
                at: self.now,
            };
            notifications::given(tx, &given).await?;
        }
        let back = ConversationChange {
            version: None,
            standing: moved.then_some(before.standing),
            assignee: (new_assignee != before.assignee).then_some(before.assignee),
            queue: (new_queue != before.queue).then_some(before.queue),
            account: (new_account != before.account).then_some(before.account),
            add_tags: removed,
            remove_tags: added,
        };
        Ok(Applied { version: before.version + 1, changed: true, back })
    }

    /// The queue of a mailbox that answers can go out from; it stays so until COMMIT.
    async fn queue_of(&self, tx: &mut Tx<'_>, account: ChannelAccountId) -> Result<QueueId, StoreError> {
        if !self.visible.channels.contains(&account) {
            return Err(StoreError::NotFound);
        }
        let tenant = tx.tenant();
        let text = if tx.is_postgres() {
            sql!(
                "SELECT queue_id FROM channel_account WHERE tenant_id = $1 AND id = $2 AND state = 'active' FOR SHARE"
            )
        } else {
            sql!("SELECT queue_id FROM channel_account WHERE tenant_id = $1 AND id = $2 AND state = 'active'")
        };
        tx.query_opt(text, params![tenant, account], |row| row.id(0)).await?.ok_or(StoreError::NotFound)
    }

    /// The tags that the case really gets and really loses.
    async fn tags(&self, tx: &mut Tx<'_>) -> Result<(Vec<TagId>, Vec<TagId>), StoreError> {
        if self.change.add_tags.is_empty() && self.change.remove_tags.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let has = tags::of_case(tx, self.id).await?;
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for tag in &self.change.add_tags {
            if !has.contains(tag) && !added.contains(tag) {
                added.push(*tag);
            }
        }
        for tag in &self.change.remove_tags {
            if has.contains(tag) && !removed.contains(tag) {
                removed.push(*tag);
            }
        }
        Ok((added, removed))
    }

    /// Refuses users, queues and tags that are not there, or cannot be seen.
    async fn allowed(
        &self,
        tx: &mut Tx<'_>,
        before: &Before,
        assignee: Option<UserId>,
        queue: QueueId,
        added: &[TagId],
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        if let (Some(user), true) = (assignee, assignee != before.assignee) {
            let known = tx
                .query_opt(
                    sql!("SELECT id FROM user_account WHERE tenant_id = $1 AND id = $2 AND state = 'active'"),
                    params![tenant, user],
                    |row| row.uuid(0),
                )
                .await?;
            known.ok_or(StoreError::NotFound)?;
        }
        if queue != before.queue {
            if !self.visible.queues.contains(&queue) {
                return Err(StoreError::NotFound);
            }
            if !queues::in_use(tx, queue).await? {
                return Err(StoreError::NotFound);
            }
        }
        for tag in added {
            if !tags::is_in_use(tx, *tag).await? {
                return Err(StoreError::NotFound);
            }
        }
        Ok(())
    }

    /// Writes down who did what.
    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        before: &Before,
        (standing, assignee, queue, account): (Standing, Option<UserId>, QueueId, ChannelAccountId),
        added: &[TagId],
        removed: &[TagId],
    ) -> Result<(), StoreError> {
        let id = |id: Uuid| Some(id.to_string());
        let mut parts: Vec<(&'static str, Option<String>, Option<String>)> = Vec::new();
        if standing != before.standing {
            let was = Some(before.standing.status().as_str().to_owned());
            parts.push(match standing {
                Standing::Snoozed(until) => ("snoozed", was, Some(until.as_micros().to_string())),
                other => ("status", was, Some(other.status().as_str().to_owned())),
            });
        }
        if assignee != before.assignee {
            let text = |user: Option<UserId>| user.and_then(|user| id(user.uuid()));
            parts.push(("assigned", text(before.assignee), text(assignee)));
        }
        if account != before.account {
            parts.push(("account", id(before.account.uuid()), id(account.uuid())));
        }
        if queue != before.queue {
            parts.push(("queue", id(before.queue.uuid()), id(queue.uuid())));
        }
        parts.extend(added.iter().map(|tag| ("tagged", None, id(tag.uuid()))));
        parts.extend(removed.iter().map(|tag| ("untagged", id(tag.uuid()), None)));
        for ((kind, from, to), activity) in parts.iter().zip(&self.activities) {
            let (from, to) = (from.as_deref(), to.as_deref());
            insert_activity(tx, self.id, *activity, kind, self.actor, from, to, self.now).await?;
        }
        Ok(())
    }
}

impl Write for ChangeConversation {
    /// Whether anything changed.
    type Out = bool;
    const USE: Option<Use> = Some(Use::Answer);

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        self.apply(tx).await.map(|applied| applied.changed)
    }
}

/// What became of one of many cases that were to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkOutcome {
    /// It is changed, and has this version now.
    Changed(i64),
    /// It was as was asked for already, with this version.
    Unchanged(i64),
    /// It does not exist for this access.
    NotFound,
    /// Somebody else changed it first.
    Conflict,
}

/// Changes of several cases in one write. One that is refused holds up none of the others.
pub struct ChangeConversations {
    changes: Vec<ChangeConversation>,
}

impl ChangeConversations {
    /// So many cases are changed in one transaction at most: it holds up others meanwhile.
    pub const MOST: usize = 25;

    /// Takes together what was prepared for each.
    #[must_use]
    pub fn of(mut changes: Vec<ChangeConversation>) -> Self {
        // In one order everywhere, so that two who change the same cases do not lock each other out.
        changes.sort_by_key(|change| change.id);
        Self { changes }
    }
}

impl Write for ChangeConversations {
    type Out = Vec<(ConversationId, BulkOutcome)>;
    const USE: Option<Use> = Some(Use::Answer);

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let mut outcomes = Vec::with_capacity(self.changes.len());
        for change in &self.changes {
            let outcome = match change.apply(tx).await {
                Ok(applied) if applied.changed => BulkOutcome::Changed(applied.version),
                Ok(applied) => BulkOutcome::Unchanged(applied.version),
                Err(StoreError::NotFound) => BulkOutcome::NotFound,
                Err(StoreError::Conflict) => BulkOutcome::Conflict,
                Err(error) => return Err(error),
            };
            outcomes.push((change.id, outcome));
        }
        Ok(outcomes)
    }
}

/// Brings a case back that was put off until now, and ends the job that did.
pub(crate) struct Wake {
    job: ClaimedJob,
    activity: ActivityId,
    now: Timestamp,
}

impl Wake {
    pub(crate) fn prepare(store: &Store, access: &Access, job: &ClaimedJob) -> Self {
        let now = access.clock().now();
        Self { job: job.clone(), activity: ActivityId::new(now, store.random().bytes()), now }
    }
}

impl Write for Wake {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (tenant, id) = (tx.tenant(), ConversationId(self.job.subject));
        // First the case and then its job, in the order in which those go who change the case.
        let before = Before::read(tx, id).await?;
        jobs::finish(tx, &self.job).await?;
        let Some((before, awake)) = before.and_then(|before| {
            let awake = before.standing.on_wake(self.now)?;
            Some((before, awake))
        }) else {
            return Ok(());
        };
        let status = awake.status();
        tx.execute_one(
            sql!(
                "UPDATE conversation SET status = $3, snoozed_until = NULL, woken_at = $4, placed_at = $4, \
                 waiting_since = coalesce(waiting_since, $4), version = version + 1 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, id, status.as_str(), self.now],
        )
        .await?;
        tags::follow(tx, id, status, self.now).await?;
        let (actor, from) = (("job", self.job.id.uuid()), before.standing.status().as_str());
        insert_activity(tx, id, self.activity, "woken", actor, Some(from), Some(status.as_str()), self.now)
            .await?;
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        let event = Event {
            conversation: Some(id),
            account: Some(before.account),
            queue: Some(before.queue),
            ..Event::new(EventKind::ConversationChanged, self.now)
        };
        event.append(tx, numbers.event).await
    }
}

/// Leaves what a message does to a case that was put off for the end of the transaction: the job that
/// would wake it is gone, and its tags know where it stands. One that is open again does not stay in a queue that
/// was archived.
pub(crate) async fn follow_message(
    tx: &mut Tx<'_>,
    id: ConversationId,
    before: ConversationStatus,
    status: ConversationStatus,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    if status != before && before == ConversationStatus::Resolved {
        queue_archives::follow(tx, id, now).await?;
    }
    if status != before && status == ConversationStatus::Resolved {
        queue_archives::forget(tx, id).await?;
    }
    if before == ConversationStatus::Snoozed && status != before {
        tx.late(
            sql!("DELETE FROM job WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'wake'"),
            params![tenant, id],
            Rows::Any,
        )
        .await?;
    }
    tags::follow_late(tx, id, status, now).await
}
