// SPDX-License-Identifier: EUPL-1.2
//! Mail accounting: the sum holds, and each sees the mailboxes that they may see.

use belofte_model::{
    ChannelAccountId, Duration, IntakeId, IntakeState, Purpose, QuarantineReason, Subset, Timestamp, Visible,
};
use uuid::Uuid;

use super::channel_accounts::mailbox;
use super::house::{House, Person, houses};
use crate::engine::{params, sql};
use crate::{Access, Accounting, QuarantinePlace, StoreError, Tx, Write};

struct Received {
    account: ChannelAccountId,
    id: u128,
    state: IntakeState,
    at: Timestamp,
}

impl Write for Received {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (tenant, id, nothing) = (tx.tenant(), IntakeId(Uuid::from_u128(self.id)), b"".as_slice());
        let reason = (self.state == IntakeState::Quarantined).then_some(QuarantineReason::NoSender.as_str());
        tx.execute_one(
            sql!(
                "INSERT INTO intake (tenant_id, id, account_id, state, reason, blob_id, envelope, key_id, size_bytes, \
                 received_at) VALUES ($1, $2, $3, $4, $5, $2, $6, $2, 100, $7)"
            ),
            params![tenant, id, self.account, self.state.as_str(), reason, nothing, self.at],
        )
        .await
    }
}

async fn receive(house: &House, person: &Person, account: ChannelAccountId, id: u128, state: IntakeState) {
    // Two of each second, so that pages must part equal times.
    let at = Timestamp::from_secs(1_800_000_000) + Duration::from_secs(u64::try_from(id / 2).expect("small"));
    house.store.write(&person.access, Received { account, id, state, at }).await.expect("received");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn received_is_the_sum_of_where_it_went() {
    for house in houses().await {
        let (admin, stranger) = (house.tenant("bakker").await, house.tenant("slager").await);
        let store = &house.store;
        let info = store
            .create_channel_account(
                &admin.access.as_for(Purpose::Administration),
                None,
                mailbox("info@bakker.example"),
            )
            .await
            .expect("added")
            .id;
        let shop = store
            .create_channel_account(
                &admin.access.as_for(Purpose::Administration),
                None,
                mailbox("shop@bakker.example"),
            )
            .await
            .expect("added")
            .id;
        use IntakeState::{Duplicate, Imported, Quarantined, Received};
        let states = [
            Imported,
            Imported,
            Imported,
            Duplicate,
            Quarantined,
            Quarantined,
            Received,
            Imported,
            Duplicate,
        ];
        for (state, id) in states.into_iter().zip(1..) {
            receive(&house, &admin, info, id, state).await;
        }
        receive(&house, &admin, shop, 50, Quarantined).await;
        let sums = store.accounting(&admin.access, info).await.expect("sums");
        let expected = Accounting { received: 9, imported: 4, duplicates: 2, quarantined: 2, pending: 1 };
        assert_eq!(sums, expected, "{}", house.name());
        assert_eq!(sums.received, sums.imported + sums.duplicates + sums.quarantined + sums.pending);
        let foreign = store.accounting(&stranger.access, info).await;
        assert!(matches!(foreign, Err(StoreError::NotFound)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quarantine_is_listed_page_by_page_without_gap_or_repetition() {
    for house in houses().await {
        let (admin, stranger) = (house.tenant("bakker").await, house.tenant("slager").await);
        let store = &house.store;
        let info = store
            .create_channel_account(
                &admin.access.as_for(Purpose::Administration),
                None,
                mailbox("info@bakker.example"),
            )
            .await
            .expect("added")
            .id;
        let shop = store
            .create_channel_account(
                &admin.access.as_for(Purpose::Administration),
                None,
                mailbox("shop@bakker.example"),
            )
            .await
            .expect("added")
            .id;
        for id in 1..=21_u128 {
            let account = if id % 3 == 0 { shop } else { info };
            receive(&house, &admin, account, id, IntakeState::Quarantined).await;
        }
        receive(&house, &admin, info, 99, IntakeState::Imported).await;
        let see = |channels| {
            Access::for_test(
                admin.tenant,
                admin.access.actor(),
                admin.access.purpose(),
                admin.access.request(),
                Visible { channels, ..Visible::all() },
                house.clock.clone(),
            )
        };
        let all = async |access: &Access, account| {
            let (mut ids, mut place) = (Vec::new(), None);
            loop {
                let page = store.quarantine(access, account, place, 3).await.expect("a page");
                assert!(page.len() <= 3);
                let Some(last) = page.last() else { return ids };
                place = Some(QuarantinePlace { received_at: last.received_at, id: last.id });
                assert!(page.iter().all(|item| item.reason == QuarantineReason::NoSender));
                ids.extend(page.iter().map(|item| item.id.uuid().as_u128()));
            }
        };
        let down = |keep: fn(&u128) -> bool| (1..=21).rev().filter(keep).collect::<Vec<u128>>();
        assert_eq!(all(&admin.access, None).await, down(|_| true), "{}", house.name());
        assert_eq!(all(&admin.access, Some(shop)).await, down(|id| id % 3 == 0), "{}", house.name());
        let both = see(Subset::Only(vec![shop, info]));
        assert_eq!(all(&both, None).await, down(|_| true), "{}", house.name());
        let one = see(Subset::Only(vec![shop]));
        assert_eq!(all(&one, None).await, down(|id| id % 3 == 0), "{}", house.name());
        assert_eq!(all(&one, Some(info)).await, Vec::<u128>::new());
        assert!(matches!(store.accounting(&one, info).await, Err(StoreError::NotFound)));
        assert_eq!(all(&stranger.access, None).await, Vec::<u128>::new(), "{}", house.name());
        house.close().await;
    }
}
