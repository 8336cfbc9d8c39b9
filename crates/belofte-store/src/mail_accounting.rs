// SPDX-License-Identifier: EUPL-1.2
//! Mail accounting: for each account received = imported + duplicates + quarantined + pending, from
//! the intake's own rows; and the list of what lies in quarantine.

use belofte_model::{ChannelAccountId, IntakeId, IntakeState, QuarantineReason, Subset, Timestamp, Use};

use crate::engine::{params, sql};
use crate::{Access, Read, Row, Store, StoreError, Tx};

/// Where the mails of an account went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accounting {
    /// All that was acknowledged.
    pub received: i64,
    /// Messages of conversations.
    pub imported: i64,
    /// Seen before.
    pub duplicates: i64,
    /// Kept aside, with their reason.
    pub quarantined: i64,
    /// Not processed yet.
    pub pending: i64,
}

/// A mail in quarantine.
#[derive(Clone, Debug)]
pub struct Quarantined {
    /// The received mail.
    pub id: IntakeId,
    /// The account that received it.
    pub account: ChannelAccountId,
    /// When it was received.
    pub received_at: Timestamp,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// Why it lies there.
    pub reason: QuarantineReason,
    /// When somebody last had it tried again.
    pub retried_at: Option<Timestamp>,
    /// What a scanner found in it, by the name of its signature.
    pub signature: Option<String>,
}

/// A place in the list of quarantined mails: that of the last item of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarantinePlace {
    /// When it was received.
    pub received_at: Timestamp,
    /// Which it is.
    pub id: IntakeId,
}

struct Sums(ChannelAccountId);

impl Read for Sums {
    type Out = Accounting;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Accounting, StoreError> {
        let tenant = tx.tenant();
        let known = tx
            .query_opt(
                sql!("SELECT created_at FROM channel_account WHERE tenant_id = $1 AND id = $2"),
                params![tenant, self.0],
                |row| row.time(0),
            )
            .await?;
        if known.is_none() {
            return Err(StoreError::NotFound);
        }
        let counts = tx
            .query(
                sql!(
                    "SELECT state, count(*) FROM intake WHERE tenant_id = $1 AND account_id = $2 GROUP BY state"
                ),
                params![tenant, self.0],
                |row| Ok((row.name(0, IntakeState::parse)?, row.int(1)?)),
            )
            .await?;
        let mut sums = Accounting::default();
        for (state, count) in counts {
            sums.received += count;
            match state {
                IntakeState::Received => sums.pending += count,
                IntakeState::Imported => sums.imported += count,
                IntakeState::Duplicate => sums.duplicates += count,
                IntakeState::Quarantined => sums.quarantined += count,
            }
        }
        Ok(sums)
    }
}

struct InQuarantine {
    /// The accounts to look at; `None` for all.
    accounts: Option<Vec<ChannelAccountId>>,
    after: Option<QuarantinePlace>,
    limit: usize,
}

fn quarantined(row: &Row<'_>) -> Result<Quarantined, StoreError> {
    Ok(Quarantined {
        id: row.id(0)?,
        account: row.id(1)?,
        received_at: row.time(2)?,
        size_bytes: row.int(3)?,
        reason: row.name(4, QuarantineReason::parse)?,
        retried_at: row.opt_time(5)?,
        signature: row.opt_text(6)?,
    })
}

impl Read for InQuarantine {
    type Out = Vec<Quarantined>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let far = QuarantinePlace {
            received_at: Timestamp::from_micros(i64::MAX),
            id: IntakeId(uuid::Uuid::max()),
        };
        let QuarantinePlace { received_at, id } = self.after.unwrap_or(far);
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let Some(accounts) = &self.accounts else {
            let text = sql!(
                "SELECT id, account_id, received_at, size_bytes, reason, retried_at, signature FROM intake \
                 WHERE tenant_id = $1 AND state = 'quarantined' \
                 AND (received_at < $2 OR (received_at = $2 AND id < $3)) \
                 ORDER BY received_at DESC, id DESC LIMIT $4"
            );
            return tx.query(text, params![tenant, received_at, id, limit], quarantined).await;
        };
        let mut all = Vec::new();
        for account in accounts {
            let text = sql!(
                "SELECT id, account_id, received_at, size_bytes, reason, retried_at, signature FROM intake \
                 WHERE tenant_id = $1 AND account_id = $5 AND state = 'quarantined' \
                 AND (received_at < $2 OR (received_at = $2 AND id < $3)) \
                 ORDER BY received_at DESC, id DESC LIMIT $4"
            );
            all.extend(tx.query(text, params![tenant, received_at, id, limit, *account], quarantined).await?);
        }
        all.sort_unstable_by_key(|item| std::cmp::Reverse((item.received_at, item.id)));
        all.truncate(self.limit);
        Ok(all)
    }
}

impl Store {
    /// Where the mails of an account went, of one moment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors.
    pub async fn accounting(
        &self,
        access: &Access,
        account: ChannelAccountId,
    ) -> Result<Accounting, StoreError> {
        access.to(Use::Account)?;
        if !access.visible().channels.contains(&account) {
            return Err(StoreError::NotFound);
        }
        self.read(access, Sums(account)).await
    }

    /// The mails in quarantine that `access` can see, newest first: of one account or of all, from
    /// `after` on.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn quarantine(
        &self,
        access: &Access,
        account: Option<ChannelAccountId>,
        after: Option<QuarantinePlace>,
        limit: usize,
    ) -> Result<Vec<Quarantined>, StoreError> {
        access.to(Use::Account)?;
        let accounts = match (account, &access.visible().channels) {
            (Some(account), channels) if channels.contains(&account) => Some(vec![account]),
            (Some(_), _) => Some(Vec::new()),
            (None, Subset::All) => None,
            (None, Subset::Only(channels)) => Some(channels.clone()),
        };
        self.read(access, InQuarantine { accounts, after, limit }).await
    }
}
