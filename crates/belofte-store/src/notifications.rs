// SPDX-License-Identifier: EUPL-1.2
//! Telling users what concerns them, in the write that makes it so (decision 35).
//!
//! A line holds ids, a kind, a count and times, and no word of what was said: what it is about is looked up by who
//! reads it, as far as they see it then. A message that names somebody or was refused has a line of its own; a
//! conversation that was given or written in has one, which counts until it is read.

use std::collections::BTreeMap;

use belofte_model::{
    ChannelAccountId, ConversationId, EventKind, MessageId, NotificationId, NotificationKind,
    NotificationWays, QueueId, Timestamp, UserId,
};
use uuid::Uuid;

use crate::access::visible_of;
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::messages::Mention;
use crate::push_devices::tell_devices;
use crate::{Access, Read, Rows, Store, StoreError, Tx};

/// Something that a user is told of.
pub(crate) struct News {
    /// The id of its line, should there be none yet; another one each time that somebody is told of something.
    pub(crate) id: NotificationId,
    pub(crate) user: UserId,
    pub(crate) kind: NotificationKind,
    pub(crate) conversation: ConversationId,
    /// The message that it is about.
    pub(crate) message: Option<MessageId>,
    /// The colleague who did it.
    pub(crate) by: Option<UserId>,
    pub(crate) at: Timestamp,
}

impl News {
    /// What its line is about: one for each message, or one for the conversation.
    pub(crate) fn subject(&self) -> Uuid {
        let message = self.message.filter(|_| self.kind.of_message());
        message.map_or(self.conversation.uuid(), MessageId::uuid)
    }
}

/// The line that a user has about something already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    None,
    Read,
    Unread,
}

/// How a user is told of one kind of thing, and whether there is a line about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    ways: NotificationWays,
    line: Line,
    /// Whether there are devices that could be told.
    devices: bool,
}

impl Standing {
    /// Reads it from the number that [`standing`] gives; none for who wants to hear nothing of it.
    pub(crate) fn of(number: i64) -> Option<Self> {
        let ways = NotificationWays { desk: number & 1 != 0, push: number & 2 != 0 };
        let line = match number >> 2 & 3 {
            0 => Line::None,
            1 => Line::Read,
            _ => Line::Unread,
        };
        ways.any().then_some(Self { ways, line, devices: number & 16 != 0 })
    }
}

/// How a user is told of one kind (1 in the desk, 2 on devices), of the line about a subject that there is (4 read, 8
/// unread), and whether they have devices (16), as one number; NULL for who cannot sign in. `$1` is the tenant.
macro_rules! standing {
    ($user:literal, $kind:literal, $subject:literal) => {
        concat!(
            "(SELECT coalesce((SELECT p.desk + 2 * p.push FROM notification_preference p WHERE p.tenant_id = $1 \
             AND p.user_id = u.id AND p.kind = ",
            $kind,
            "), 3) + coalesce((SELECT CASE WHEN n.read_at IS NULL THEN 8 ELSE 4 END FROM notification n \
             WHERE n.tenant_id = $1 AND n.user_id = u.id AND n.kind = ",
            $kind,
            " AND n.subject_id = ",
            $subject,
            "), 0) + CASE WHEN EXISTS (SELECT 1 FROM push_device d WHERE d.tenant_id = $1 AND d.user_id = u.id) THEN 16 \
             ELSE 0 END FROM user_account u WHERE u.tenant_id = $1 AND u.id = ",
            $user,
            " AND u.state = 'active')"
        )
    };
}
pub(crate) use standing;

/// The number of [`standing`] for one user.
async fn standing_of(
    tx: &mut Tx<'_>,
    user: UserId,
    kind: NotificationKind,
    subject: Uuid,
) -> Result<Option<i64>, StoreError> {
    let tenant = tx.tenant();
    tx.query_one(
        sql!(concat!("SELECT ", standing!("$2", "$3", "$4"))),
        params![tenant, user, kind.as_str(), subject],
        |row| row.opt_int(0),
    )
    .await
}

/// Tells a user of `news`, with the event `no`; and their devices, when the line is new or unread again and they want
/// to hear of such things there. Gives whether devices are told.
///
/// This is the one place in which a line becomes unread.
pub(crate) async fn tell(
    tx: &mut Tx<'_>,
    news: &News,
    standing: Standing,
    no: i64,
) -> Result<bool, StoreError> {
    let (tenant, Standing { ways, line, devices }) = (tx.tenant(), standing);
    match line {
        Line::None => {
            tx.late(
                sql!(
                    "INSERT INTO notification (tenant_id, user_id, kind, subject_id, id, conversation_id, message_id, by_id, \
                     happened, in_desk, at, read_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, NULL) \
                     ON CONFLICT DO NOTHING"
                ),
                params![
                    tenant,
                    news.user,
                    news.kind.as_str(),
                    news.subject(),
                    news.id,
                    news.conversation,
                    news.message,
                    news.by,
                    ways.desk,
                    news.at
                ],
                Rows::Any,
            )
            .await?;
        }
        // Where it leads is where the user has not been: to the first of what came since.
        Line::Read | Line::Unread => {
            tx.late(
                sql!(
                    "UPDATE notification SET happened = CASE WHEN read_at IS NULL THEN happened + 1 ELSE 1 END, \
                     message_id = CASE WHEN read_at IS NULL THEN message_id ELSE $6 END, conversation_id = $5, by_id = $7, \
                     in_desk = $8, at = $9, read_at = NULL \
                     WHERE tenant_id = $1 AND user_id = $2 AND kind = $3 AND subject_id = $4"
                ),
                params![
                    tenant,
                    news.user,
                    news.kind.as_str(),
                    news.subject(),
                    news.conversation,
                    news.message,
                    news.by,
                    ways.desk,
                    news.at
                ],
                Rows::Any,
            )
            .await?;
        }
    }
    changed(news.user, news.at).append(tx, no).await?;
    let push = devices && ways.push && line != Line::Unread;
    if push {
        tell_devices(tx, news.user, news.at).await?;
    }
    Ok(push)
}

/// What tells `user`, and nobody else, to look again.
pub(crate) const fn changed(user: UserId, at: Timestamp) -> Event {
    Event { user: Some(user), ..Event::new(EventKind::NotificationsChanged, at) }
}

/// Tells each of `users` to look again.
pub(crate) async fn changed_for(tx: &mut Tx<'_>, users: &[UserId], at: Timestamp) -> Result<(), StoreError> {
    if users.is_empty() {
        return Ok(());
    }
    let events = i64::try_from(users.len()).unwrap_or(i64::MAX);
    let mut no = counters::take(tx, Needs { events, ..Needs::default() }).await?.event;
    for user in users {
        changed(*user, at).append(tx, no).await?;
        no += 1;
    }
    Ok(())
}

/// Where a case lies, for who is told of it.
pub(crate) type Place = (QueueId, ChannelAccountId);

fn sees(user: UserId, (queue, account): Place) -> bool {
    visible_of(user).sees_case(queue, account)
}

/// Who is told that the customer wrote in a case that is theirs, and how; read with what the mail is filed by.
pub(crate) fn customer_wrote(
    assignee: Option<UserId>,
    standing: Option<i64>,
    place: Place,
    through: ChannelAccountId,
) -> Option<(UserId, Standing)> {
    let (user, standing) = (assignee?, Standing::of(standing?)?);
    let may = sees(user, place) && visible_of(user).sees_message(Some(through));
    may.then_some((user, standing))
}

/// A case that is somebody else's by now, or nobody's.
pub(crate) struct Given {
    pub(crate) id: NotificationId,
    pub(crate) conversation: ConversationId,
    pub(crate) place: Place,
    pub(crate) from: Option<UserId>,
    pub(crate) to: Option<UserId>,
    /// Who did it, when it was a user.
    pub(crate) by: Option<UserId>,
    pub(crate) at: Timestamp,
}

/// Tells who gets a case of it, unless they took it themselves; who had it has no unread line any more that says so.
pub(crate) async fn given(tx: &mut Tx<'_>, given: &Given) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    if let Some(former) = given.from {
        let gone = tx
            .execute(
                sql!(
                    "DELETE FROM notification WHERE tenant_id = $1 AND subject_id = $2 AND user_id = $3 AND read_at IS NULL"
                ),
                params![tenant, given.conversation, former],
            )
            .await?;
        if gone > 0 {
            changed_for(tx, &[former], given.at).await?;
        }
    }
    let Some(user) = given.to.filter(|user| given.by != Some(*user) && sees(*user, given.place)) else {
        return Ok(());
    };
    let news = News {
        id: given.id,
        user,
        kind: NotificationKind::Assigned,
        conversation: given.conversation,
        message: None,
        by: given.by,
        at: given.at,
    };
    tell_now(tx, &news).await
}

/// Tells who wrote `message` that it was refused, or that nobody knows.
pub(crate) async fn delivery_failed(
    tx: &mut Tx<'_>,
    message: MessageId,
    id: NotificationId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let found = tx
        .query_opt(
            sql!(
                "SELECT m.author_id, m.channel_account_id, c.id, c.queue_id, c.channel_account_id FROM message m \
                 JOIN conversation c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id \
                 WHERE m.tenant_id = $1 AND m.id = $2 AND m.author_kind = 'user'"
            ),
            params![tenant, message],
            |row| Ok((row.id(0)?, row.opt_id(1)?, row.id(2)?, (row.id(3)?, row.id(4)?))),
        )
        .await?;
    let Some((user, through, conversation, place)) = found else { return Ok(()) };
    if !sees(user, place) || !visible_of(user).sees_message(through) {
        return Ok(());
    }
    let kind = NotificationKind::DeliveryFailed;
    tell_now(tx, &News { id, user, kind, conversation, message: Some(message), by: None, at }).await
}

async fn tell_now(tx: &mut Tx<'_>, news: &News) -> Result<(), StoreError> {
    let number = standing_of(tx, news.user, news.kind, news.subject()).await?;
    let Some(standing) = number.and_then(Standing::of) else { return Ok(()) };
    let no = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?.event;
    tell(tx, news, standing, no).await.map(drop)
}

/// Takes the lines of a message away that is taken back.
pub(crate) async fn forget_message(
    tx: &mut Tx<'_>,
    message: MessageId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let users: Vec<UserId> = tx
        .query(
            sql!(
                "SELECT DISTINCT user_id FROM notification WHERE tenant_id = $1 AND subject_id = $2 ORDER BY user_id"
            ),
            params![tenant, message],
            |row| row.id(0),
        )
        .await?;
    tx.execute(
        sql!("DELETE FROM notification WHERE tenant_id = $1 AND subject_id = $2"),
        params![tenant, message],
    )
    .await?;
    changed_for(tx, &users, at).await
}

/// Takes the lines of a case away that was never begun.
pub(crate) async fn end_case(tx: &mut Tx<'_>, case: ConversationId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!("DELETE FROM notification WHERE tenant_id = $1 AND subject_id = $2"),
        params![tenant, case],
    )
    .await
    .map(drop)
}

/// Takes what a user was told of away, who cannot sign in any more.
pub(crate) async fn end_user(tx: &mut Tx<'_>, user: UserId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(sql!("DELETE FROM notification WHERE tenant_id = $1 AND user_id = $2"), params![tenant, user])
        .await
        .map(drop)
}

/// How each of some users is told of being named; none for who cannot sign in.
struct StandingOfEach {
    users: Vec<UserId>,
    message: MessageId,
}

impl Read for StandingOfEach {
    type Out = Vec<Option<i64>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let mut all = Vec::with_capacity(self.users.len());
        for user in &self.users {
            let kind = NotificationKind::Mentioned;
            all.push(standing_of(tx, *user, kind, self.message.uuid()).await?);
        }
        Ok(all)
    }
}

impl Store {
    /// Whom a note tells of being named in it, each once, its author not at all.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when one of them cannot sign in, is of no such tenant, or does not see the case.
    pub(crate) async fn news_of_mentions(
        &self,
        access: &Access,
        conversation: ConversationId,
        place: Place,
        message: MessageId,
        mentions: &[Mention],
    ) -> Result<Vec<(News, Standing)>, StoreError> {
        if mentions.is_empty() {
            return Ok(Vec::new());
        }
        let (at, by) = (access.clock().now(), access.user());
        let mut users: Vec<UserId> = mentions.iter().map(|mention| mention.user).collect();
        users.sort_unstable();
        users.dedup();
        let found = self.read(access, StandingOfEach { users: users.clone(), message }).await?;
        let mut news = Vec::with_capacity(users.len());
        for (user, standing) in users.into_iter().zip(found) {
            let number = standing.filter(|_| sees(user, place)).ok_or(StoreError::NotFound)?;
            let Some(standing) = Standing::of(number).filter(|_| by != Some(user)) else { continue };
            let id = NotificationId::new(at, self.random().bytes());
            let kind = NotificationKind::Mentioned;
            news.push((News { id, user, kind, conversation, message: Some(message), by, at }, standing));
        }
        Ok(news)
    }
}

/// The preferences of a user; what is not there was not chosen.
pub(crate) async fn preferences(
    tx: &mut Tx<'_>,
    user: UserId,
) -> Result<BTreeMap<&'static str, NotificationWays>, StoreError> {
    let tenant = tx.tenant();
    let chosen = tx
        .query(
            sql!(
                "SELECT kind, desk, push FROM notification_preference WHERE tenant_id = $1 AND user_id = $2"
            ),
            params![tenant, user],
            |row| {
                let ways = NotificationWays { desk: row.bool(1)?, push: row.bool(2)? };
                Ok((row.name(0, NotificationKind::parse)?.as_str(), ways))
            },
        )
        .await?;
    Ok(chosen.into_iter().collect())
}
