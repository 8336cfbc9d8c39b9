// SPDX-License-Identifier: EUPL-1.2
//! Views: each is in the ledger, in batches, also when the house shuts down or stumbles.

use belofte_model::{LedgerKind, Role};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::house::houses;
use crate::{StoreError, ViewKind, Views};

fn subject(n: u32) -> Uuid {
    Uuid::from_u128(u128::from(n))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_stand_in_the_ledger_of_their_tenant_one_leaf_a_batch() {
    for house in houses().await {
        let (admin, other) = (house.tenant("bakker").await, house.tenant("slager").await);
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let views = Views::new(house.store.clone());
        views.note(&admin.access, ViewKind::Conversation, subject(1)).expect("noted");
        views.note(&agent.access, ViewKind::Attachment, subject(2)).expect("noted");
        views.note(&other.access, ViewKind::Contact, subject(3)).expect("noted");
        views
            .note(&super::access(admin.tenant), ViewKind::Contact, subject(4))
            .expect("the house is no viewer");
        views.flush().await.expect("flushed");
        views.flush().await.expect("nothing left");
        let leaves = house.leaves(&admin.access, LedgerKind::Views).await;
        assert_eq!(leaves.len(), 1, "{}", house.name());
        let told = leaves[0].detail.value()["views"].as_array().expect("views").clone();
        assert_eq!(told.len(), 2);
        assert_eq!(told[0]["actor"]["id"], admin.id.to_string());
        assert_eq!(told[0]["view"], "conversation");
        assert_eq!(told[1]["actor"]["id"], agent.id.to_string());
        assert_eq!(told[1]["subject"], subject(2).to_string());
        let theirs = house.leaves(&other.access, LedgerKind::Views).await;
        assert_eq!(theirs[0].detail.value()["views"].as_array().expect("views").len(), 1);
        for n in 0..450 {
            views.note(&agent.access, ViewKind::SearchResult, subject(n)).expect("noted");
        }
        views.flush().await.expect("flushed");
        let sizes: Vec<_> = house
            .leaves(&admin.access, LedgerKind::Views)
            .await
            .iter()
            .map(|leaf| leaf.detail.value()["views"].as_array().expect("views").len())
            .collect();
        assert_eq!(sizes, [2, 200, 200, 50], "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_batch_and_the_end_do_not_wait_for_the_second() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (views, stop) = (Views::new(house.store.clone()), CancellationToken::new());
        let mut running = tokio::task::JoinSet::new();
        let (running_views, stopped) = (views.clone(), stop.clone());
        running.spawn(async move { running_views.run(stopped).await });
        for n in 0..200 {
            views.note(&admin.access, ViewKind::Conversation, subject(n)).expect("noted");
        }
        let mut waited = 0;
        while house.leaves(&admin.access, LedgerKind::Views).await.is_empty() {
            assert!(waited < 90, "{}: a full batch waited for the second", house.name());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            waited += 1;
        }
        views.note(&admin.access, ViewKind::Conversation, subject(999)).expect("noted");
        stop.cancel();
        running.join_all().await;
        // A request that was taken before the stop is answered after it.
        views.note(&admin.access, ViewKind::Conversation, subject(1_000)).expect("noted");
        views.finish().await.expect("flushed");
        let late = views.note(&admin.access, ViewKind::Conversation, subject(1_001));
        assert!(matches!(late, Err(StoreError::Busy)), "what cannot be recorded is not shown: {late:?}");
        let leaves = house.leaves(&admin.access, LedgerKind::Views).await;
        let last = leaves.last().expect("a leaf").detail.value()["views"].clone();
        assert_eq!(
            last.as_array().expect("views").last().expect("a view")["subject"],
            subject(1_000).to_string()
        );
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_recorded_waits_and_in_the_end_cannot_be_seen() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let views = Views::new(house.store.clone());
        views.note(&admin.access, ViewKind::Conversation, subject(0)).expect("noted");
        house.store.close().await;
        assert!(views.flush().await.is_err(), "{}", house.name());
        assert!(views.flush().await.is_err(), "{}: a failed view waits for the next flush", house.name());
        for n in 1..10_000 {
            views.note(&admin.access, ViewKind::Conversation, subject(n)).expect("noted");
        }
        let refused = views.note(&admin.access, ViewKind::Conversation, subject(10_000));
        assert!(matches!(refused, Err(StoreError::Busy)), "{}", house.name());
    }
}
