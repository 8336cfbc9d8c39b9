// SPDX-License-Identifier: EUPL-1.2
//! What a user was told of, as they read it: their lines, what they have read of them, and what they want to hear.
//!
//! Where a line leads is found when it is read: a message lies where it lies by now, and a case that became part of
//! another one is read there, so that merging and splitting touch no line. What its reader does not see is not there.

use std::collections::HashMap;

use belofte_model::{
    ChannelAccountId, ConversationId, Duration, MessageId, NotificationId, NotificationKind,
    NotificationWays, QueueId, Timestamp, Use, UserId, Visible,
};

use crate::access::visible_of;
use crate::engine::{params, sql};
use crate::notifications::{self, changed_for};
use crate::{Access, Conversation, Read, Store, StoreError, Tx, User, Write, merges, visibility};

/// So many lines of one user are kept, and shown.
const MOST: i64 = 200;
/// A line that was read goes after so long.
const READ_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// A line that nobody read goes after so long.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);

/// Something that a user was told of.
#[derive(Clone, Copy, Debug)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// What it tells.
    pub kind: NotificationKind,
    /// The case that it is about, as it is by now.
    pub conversation: ConversationId,
    /// The message that it is about; of several that are unread the first.
    pub message: Option<MessageId>,
    /// How often it happened since it was read.
    pub happened: i64,
    /// The colleague who did it.
    pub by: Option<UserId>,
    /// When it happened last.
    pub at: Timestamp,
    /// Whether it was read.
    pub read: bool,
    /// Whether it is shown; of one that is not, devices alone were told.
    pub in_desk: bool,
}

/// Which lines are marked.
#[derive(Clone, Debug)]
pub enum NotificationLines {
    /// These.
    These(Vec<NotificationId>),
    /// Those about a case.
    Of(ConversationId),
    /// Those of this moment and before.
    Until(Timestamp),
}

/// Where the case of a line lies; none when it is not there under this id.
type Lies = Option<(QueueId, ChannelAccountId)>;

/// The lines of a user about what `visible` shows, the latest first.
async fn lines(tx: &mut Tx<'_>, user: UserId, visible: &Visible) -> Result<Vec<Notification>, StoreError> {
    let tenant = tx.tenant();
    let rows = tx
        .query(
            sql!(
                "SELECT n.id, n.kind, coalesce(m.conversation_id, n.conversation_id), n.message_id, n.happened, n.by_id, n.at, \
                 n.read_at, n.in_desk, m.id, m.channel_account_id, c.queue_id, c.channel_account_id FROM notification n \
                 LEFT JOIN message m ON m.tenant_id = n.tenant_id AND m.id = n.message_id \
                 LEFT JOIN conversation c ON c.tenant_id = n.tenant_id \
                 AND c.id = coalesce(m.conversation_id, n.conversation_id) \
                 WHERE n.tenant_id = $1 AND n.user_id = $2 \
                 ORDER BY CASE WHEN n.read_at IS NULL THEN 0 ELSE 1 END, n.at DESC, n.id LIMIT $3"
            ),
            params![tenant, user, MOST],
            |row| {
                let line = Notification {
                    id: row.id(0)?,
                    kind: row.name(1, NotificationKind::parse)?,
                    conversation: row.id(2)?,
                    message: row.opt_id(3)?,
                    happened: row.int(4)?,
                    by: row.opt_id(5)?,
                    at: row.time(6)?,
                    read: row.opt_time(7)?.is_some(),
                    in_desk: row.bool(8)?,
                };
                let gone = line.message.is_some() && row.opt_id::<MessageId>(9)?.is_none();
                let through: Option<ChannelAccountId> = row.opt_id(10)?;
                let lies: Lies = row.opt_id(11)?.zip(row.opt_id(12)?);
                Ok((line, !gone && visible.sees_message(through), lies))
            },
        )
        .await?;
    let mut all = Vec::with_capacity(rows.len());
    for (mut line, seen, lies) in rows {
        if !seen {
            continue;
        }
        let seen = match lies {
            Some((queue, account)) => visible.sees_case(queue, account),
            None => {
                line.conversation = merges::in_force(tx, line.conversation).await?;
                visibility::sees_case(tx, visible, line.conversation).await?
            }
        };
        if seen {
            all.push(line);
        }
    }
    all.sort_by_key(|line| (std::cmp::Reverse(line.at), line.id));
    Ok(all)
}

struct LinesOf {
    user: UserId,
    visible: Visible,
}

impl Read for LinesOf {
    type Out = Vec<Notification>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        lines(tx, self.user, &self.visible).await
    }
}

struct Mark {
    user: UserId,
    visible: Visible,
    which: NotificationLines,
    read: bool,
    now: Timestamp,
}

impl Write for Mark {
    type Out = Vec<NotificationId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut marked = Vec::new();
        for line in lines(tx, self.user, &self.visible).await? {
            let asked = match &self.which {
                NotificationLines::These(ids) => ids.contains(&line.id),
                NotificationLines::Of(case) => line.conversation == *case,
                NotificationLines::Until(at) => line.at <= *at,
            };
            if !asked || line.read == self.read {
                continue;
            }
            // One that happened again meanwhile is another line than the one that was read.
            let changed = tx
                .execute(
                    sql!(
                        "UPDATE notification SET read_at = $4 WHERE tenant_id = $1 AND user_id = $2 AND id = $3 AND at = $5"
                    ),
                    params![tenant, self.user, line.id, self.read.then_some(self.now), line.at],
                )
                .await?;
            if changed > 0 {
                marked.push(line.id);
            }
        }
        if !marked.is_empty() {
            changed_for(tx, &[self.user], self.now).await?;
        }
        Ok(marked)
    }
}

struct PreferencesOf(UserId);

impl Read for PreferencesOf {
    type Out = Vec<(NotificationKind, NotificationWays)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let chosen = notifications::preferences(tx, self.0).await?;
        let ways = |kind: NotificationKind| chosen.get(kind.as_str()).copied();
        Ok(NotificationKind::ALL
            .map(|kind| (kind, ways(kind).unwrap_or(NotificationWays::ALL)))
            .into_iter()
            .collect())
    }
}

struct Prefer {
    user: UserId,
    ways: Vec<(NotificationKind, NotificationWays)>,
    now: Timestamp,
}

impl Write for Prefer {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        for (kind, ways) in &self.ways {
            tx.execute(
                sql!(
                    "INSERT INTO notification_preference (tenant_id, user_id, kind, desk, push) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (tenant_id, user_id, kind) DO UPDATE SET desk = excluded.desk, push = excluded.push"
                ),
                params![tenant, self.user, kind.as_str(), ways.desk, ways.push],
            )
            .await?;
        }
        // Other browsers of the same user look again.
        changed_for(tx, &[self.user], self.now).await
    }
}

/// Removes what was read long ago, what nobody read for longer, and what is more than one user keeps: of that first
/// what was read. Gives how many are gone.
pub(crate) async fn expire(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let tenant = tx.tenant();
    let mut gone = tx
        .execute(
            sql!(
                "DELETE FROM notification WHERE tenant_id = $1 AND (user_id, kind, subject_id) IN (SELECT user_id, kind, \
                 subject_id FROM notification WHERE tenant_id = $1 AND at <= $2 AND (read_at IS NOT NULL OR at <= $3) \
                 LIMIT $4) AND at <= $2 AND (read_at IS NOT NULL OR at <= $3)"
            ),
            params![tenant, now - READ_KEPT, now - KEPT, limit],
        )
        .await?;
    let many: Vec<UserId> = tx
        .query(
            sql!(
                "SELECT user_id FROM notification WHERE tenant_id = $1 GROUP BY user_id HAVING COUNT(*) > $2 \
                 ORDER BY user_id"
            ),
            params![tenant, MOST],
            |row| row.id(0),
        )
        .await?;
    for user in many {
        gone += tx
            .execute(
                sql!(
                    "DELETE FROM notification WHERE tenant_id = $1 AND user_id = $2 AND (kind, subject_id) IN (SELECT kind, \
                     subject_id FROM notification WHERE tenant_id = $1 AND user_id = $2 \
                     ORDER BY CASE WHEN read_at IS NULL THEN 0 ELSE 1 END, at DESC, id LIMIT $4 OFFSET $3)"
                ),
                params![tenant, user, MOST, limit],
            )
            .await?;
    }
    Ok(gone)
}

impl Store {
    /// What the user of `access` was told of and sees, the latest first, each with its case; also what devices alone
    /// were told. A program is told of nothing.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn notifications(
        &self,
        access: &Access,
    ) -> Result<Vec<(Notification, Conversation)>, StoreError> {
        access.to(Use::Look)?;
        let Some(user) = access.user() else { return Ok(Vec::new()) };
        let lines = self.read(access, LinesOf { user, visible: access.visible().clone() }).await?;
        let mut ids: Vec<ConversationId> = lines.iter().map(|line| line.conversation).collect();
        ids.sort_unstable();
        ids.dedup();
        let cases = self.conversations_by_id(access, &ids).await?;
        let cases: HashMap<ConversationId, Conversation> =
            cases.into_iter().map(|case| (case.id, case)).collect();
        let with_case = |line: Notification| Some((line, cases.get(&line.conversation)?.clone()));
        Ok(lines.into_iter().filter_map(with_case).collect())
    }

    /// Marks lines of the user of `access` as read, or as unread again. Gives those that were not so before.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn mark_notifications(
        &self,
        access: &Access,
        which: NotificationLines,
        read: bool,
    ) -> Result<Vec<NotificationId>, StoreError> {
        access.to(Use::Answer)?;
        let Some(user) = access.user() else { return Ok(Vec::new()) };
        let (visible, now) = (access.visible().clone(), access.clock().now());
        self.write(access, Mark { user, visible, which, read, now }).await
    }

    /// By which ways the user of `access` wants to be told, of each kind.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no user acts; the engine's errors.
    pub async fn notification_ways(
        &self,
        access: &Access,
    ) -> Result<Vec<(NotificationKind, NotificationWays)>, StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        self.read(access, PreferencesOf(user)).await
    }

    /// Chooses by which ways the user of `access` is told; of kinds that are not named it stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no user acts; the engine's errors.
    pub async fn choose_notification_ways(
        &self,
        access: &Access,
        ways: Vec<(NotificationKind, NotificationWays)>,
    ) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        self.write(access, Prefer { user, ways, now: access.clock().now() }).await
    }

    /// The colleagues who can be named in a note of a case: those who can sign in and see it, by name, without the one
    /// who asks.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the case does not exist for this access.
    pub async fn mentionable(
        &self,
        access: &Access,
        conversation: ConversationId,
    ) -> Result<Vec<User>, StoreError> {
        access.to(Use::Look)?;
        let case = self.conversation(access, conversation).await?;
        let own = access.user();
        let mut users = self.users(access).await?;
        users.retain(|user| {
            user.state == belofte_model::UserState::Active
                && own != Some(user.id)
                && visible_of(user.id).sees_case(case.queue, case.account)
        });
        Ok(users)
    }
}
