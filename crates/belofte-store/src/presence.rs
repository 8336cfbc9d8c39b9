// SPDX-License-Identifier: EUPL-1.2
//! Who is where, as one node tells the others: rows that end by themselves (decision 29).

use belofte_model::{
    ChannelAccountId, ConversationId, Duration, LineId, NodeId, PresenceState, Present, QueueId, Timestamp,
    Use,
};

use crate::engine::{params, sql};
use crate::{Access, Read, Store, StoreError, Tx, Write};

/// So long a row counts that is not written again.
const COUNTS: Duration = Duration::from_secs(45);
/// What says that it counts longer was written before the clock was set back, and nobody may be there any
/// more. Twice the time, since the clocks of two nodes are not one.
const MOST: Duration = Duration::from_secs(90);

/// One browser in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceRow {
    /// The line of the browser.
    pub line: LineId,
    /// The case.
    pub conversation: ConversationId,
    /// Where the case lies.
    pub place: (QueueId, ChannelAccountId),
    /// Who, and what they do.
    pub present: Present,
}

struct Keep {
    node: NodeId,
    rows: Vec<PresenceRow>,
    now: Timestamp,
}

impl Write for Keep {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "DELETE FROM presence WHERE tenant_id = $1 AND (node_id = $2 OR expires_at <= $3 OR expires_at > $4)"
            ),
            params![tenant, self.node, self.now, self.now + MOST],
        )
        .await?;
        for row in &self.rows {
            tx.execute(
                sql!(
                    "INSERT INTO presence (tenant_id, line_id, node_id, user_id, conversation_id, state, since, taken_at, \
                     expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
                ),
                params![
                    tenant,
                    row.line,
                    self.node,
                    row.present.user,
                    row.conversation,
                    row.present.state.as_str(),
                    row.present.since,
                    row.present.taken_at,
                    self.now + COUNTS
                ],
            )
            .await?;
        }
        Ok(())
    }
}

struct Elsewhere {
    node: NodeId,
    now: Timestamp,
}

impl Read for Elsewhere {
    type Out = Vec<PresenceRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT p.line_id, p.conversation_id, c.queue_id, c.channel_account_id, p.user_id, p.state, p.since, p.taken_at \
                 FROM presence p JOIN conversation c ON c.tenant_id = p.tenant_id AND c.id = p.conversation_id \
                 WHERE p.tenant_id = $1 AND p.node_id <> $2 AND p.expires_at > $3 AND p.expires_at <= $4 \
                 ORDER BY p.line_id"
            ),
            params![tenant, self.node, self.now, self.now + MOST],
            |row| {
                Ok(PresenceRow {
                    line: row.id(0)?,
                    conversation: row.id(1)?,
                    place: (row.id(2)?, row.id(3)?),
                    present: Present {
                        user: row.id(4)?,
                        state: row.name(5, PresenceState::parse)?,
                        since: row.time(6)?,
                        taken_at: row.opt_time(7)?,
                    },
                })
            },
        )
        .await
    }
}

struct PlaceOf(ConversationId);

impl Read for PlaceOf {
    type Out = Option<(QueueId, ChannelAccountId)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!("SELECT queue_id, channel_account_id FROM conversation WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.0],
            |row| Ok((row.id(0)?, row.id(1)?)),
        )
        .await
    }
}

impl Store {
    /// Where a case lies; `None` when this access does not see it.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn place_of_case(
        &self,
        access: &Access,
        id: ConversationId,
    ) -> Result<Option<(QueueId, ChannelAccountId)>, StoreError> {
        access.to(Use::Follow)?;
        let place = self.read(access, PlaceOf(id)).await?;
        Ok(place.filter(|(queue, account)| access.visible().sees_case(*queue, *account)))
    }

    /// Tells other nodes who is where on `node`, in place of what it told before.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn keep_presence(
        &self,
        access: &Access,
        node: NodeId,
        rows: Vec<PresenceRow>,
    ) -> Result<(), StoreError> {
        access.to(Use::Maintain)?;
        self.write(access, Keep { node, rows, now: access.clock().now() }).await
    }

    /// Who is where on other nodes than `node`.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn presence_elsewhere(
        &self,
        access: &Access,
        node: NodeId,
    ) -> Result<Vec<PresenceRow>, StoreError> {
        access.to(Use::Maintain)?;
        let rows = self.read(access, Elsewhere { node, now: access.clock().now() }).await?;
        let visible = access.visible();
        Ok(rows.into_iter().filter(|row| visible.sees_case(row.place.0, row.place.1)).collect())
    }
}
