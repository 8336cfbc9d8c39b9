// SPDX-License-Identifier: EUPL-1.2
//! Saved views: whose they are, and what the ledger is told of them.

use belofte_model::{ConversationStatus, LedgerKind, Purpose, Role};

use super::house::houses;
use crate::{StoreError, ViewAssignee, ViewContent};

fn content(name: &str) -> ViewContent {
    ViewContent {
        name: name.to_owned(),
        status: Some(ConversationStatus::Waiting),
        assignee: ViewAssignee::Me,
        ..ViewContent::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_views_are_nobody_elses_and_shared_ones_are_the_tenants() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let other = house.tenant("slager").await;
        let store = &house.store;
        let (own, all) =
            (agent.access.as_for(Purpose::Administration), admin.access.as_for(Purpose::Administration));
        let mine = store.create_saved_view(&own, None, content("Van mij"), false).await.expect("kept");
        let shared = store.create_saved_view(&all, None, content("Van ons"), true).await.expect("kept");
        let names = async |access| {
            let views = store.saved_views(access).await.expect("views");
            views.into_iter().map(|view| view.content.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&agent.access).await, ["Van ons", "Van mij"], "{}", house.name());
        assert_eq!(names(&admin.access).await, ["Van ons"], "{}", house.name());
        assert!(names(&other.access).await.is_empty(), "{}", house.name());
        let strange = store.change_saved_view(&all, mine.id, content("x"), false).await;
        assert!(matches!(strange, Err(StoreError::NotFound)), "{}", house.name());
        let strange = store.remove_saved_view(&other.access.as_for(Purpose::Administration), shared.id).await;
        assert!(matches!(strange, Err(StoreError::NotFound)), "{}", house.name());

        let same = store.create_saved_view(&own, Some(mine.id), content("Twee keer"), false).await;
        assert_eq!(same.expect("the first one").content.name, "Van mij");
        let changed =
            store.change_saved_view(&own, mine.id, content("Anders"), false).await.expect("changed");
        assert_eq!((changed.content.name.as_str(), changed.version), ("Anders", 2));
        store.remove_saved_view(&own, mine.id).await.expect("removed");
        store.remove_saved_view(&all, shared.id).await.expect("removed");
        assert!(names(&agent.access).await.is_empty(), "{}", house.name());
        // What only its owner has stands in no ledger.
        let acts: Vec<_> = house
            .leaves(&admin.access, LedgerKind::Instruction)
            .await
            .iter()
            .filter(|leaf| leaf.detail.value()["what"] == "saved_view")
            .map(|leaf| leaf.detail.value()["act"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(acts, ["created", "removed"], "{}", house.name());
        house.close().await;
    }
}
