// SPDX-License-Identifier: EUPL-1.2
//! Mail that waits because the server of its account did not take it: told with the account, and tried at once when
//! the account is mended.

use belofte_model::{ChannelAccountId, Timestamp, Use};

use crate::engine::{params, sql};
use crate::{Access, Read, Store, StoreError, Tx, Write};

/// What of one account waits for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingMail {
    /// The account.
    pub account: ChannelAccountId,
    /// The code of the last try.
    pub code: String,
    /// How many messages.
    pub messages: i64,
    /// When the oldest of them was written.
    pub since: Timestamp,
}

struct Waiting;

impl Read for Waiting {
    type Out = Vec<WaitingMail>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        // By their jobs: those are few, and deliveries are all that ever went out.
        tx.query(
            sql!(
                "SELECT m.channel_account_id, d.code, COUNT(DISTINCT d.message_id), MIN(d.created_at) FROM job j \
                 JOIN message m ON m.tenant_id = j.tenant_id AND m.id = j.subject_id \
                 JOIN delivery d ON d.tenant_id = j.tenant_id AND d.message_id = j.subject_id \
                 WHERE j.tenant_id = $1 AND j.state IN ('ready', 'leased') AND j.kind = 'deliver' \
                 AND d.state = 'queued' AND d.code IS NOT NULL AND m.channel_account_id IS NOT NULL \
                 GROUP BY m.channel_account_id, d.code ORDER BY MIN(d.created_at)"
            ),
            params![tenant],
            |row| {
                Ok(WaitingMail {
                    account: row.id(0)?,
                    code: row.text(1)?,
                    messages: row.int(2)?,
                    since: row.time(3)?,
                })
            },
        )
        .await
    }
}

struct TryWaiting {
    account: ChannelAccountId,
    now: Timestamp,
}

impl Write for TryWaiting {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        // What was never tried may wait to be taken back: it stays.
        tx.execute(
            sql!(
                "UPDATE delivery SET next_try_at = NULL, updated_at = $3 WHERE tenant_id = $1 AND state = 'queued' \
                 AND code IS NOT NULL AND message_id IN (SELECT j.subject_id FROM job j JOIN message m \
                 ON m.tenant_id = j.tenant_id AND m.id = j.subject_id WHERE j.tenant_id = $1 AND j.state = 'ready' \
                 AND j.kind = 'deliver' AND m.channel_account_id = $2)"
            ),
            params![tenant, self.account, self.now],
        )
        .await?;
        tx.execute(
            sql!(
                "UPDATE job SET run_at = $3, attempts = 0, changed_at = $3 WHERE tenant_id = $1 AND state = 'ready' \
                 AND kind = 'deliver' AND subject_id IN (SELECT m.id FROM job o JOIN message m \
                 ON m.tenant_id = o.tenant_id AND m.id = o.subject_id JOIN delivery d \
                 ON d.tenant_id = m.tenant_id AND d.message_id = m.id WHERE o.tenant_id = $1 AND o.state = 'ready' \
                 AND o.kind = 'deliver' AND m.channel_account_id = $2 AND d.state = 'queued' AND d.code IS NOT NULL)"
            ),
            params![tenant, self.account, self.now],
        )
        .await?;
        Ok(())
    }
}

impl Store {
    /// What waits because the server of its account did not take it, by account and reason, the oldest first.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn waiting_mail(&self, access: &Access) -> Result<Vec<WaitingMail>, StoreError> {
        access.to(Use::Name)?;
        let mut waiting = self.read(access, Waiting).await?;
        waiting.retain(|one| access.visible().channels.contains(&one.account));
        Ok(waiting)
    }

    /// Has what waits in an account tried at once: its settings are others now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such account for this access; the engine's errors.
    pub async fn try_waiting_mail(
        &self,
        access: &Access,
        account: ChannelAccountId,
    ) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        if !access.visible().channels.contains(&account) {
            return Err(StoreError::NotFound);
        }
        self.write(access, TryWaiting { account, now: access.clock().now() }).await
    }
}
