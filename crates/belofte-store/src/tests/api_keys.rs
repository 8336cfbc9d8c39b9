// SPDX-License-Identifier: EUPL-1.2
//! Keys for programs: hashed, scoped, with an end.

use belofte_model::{Duration, LedgerKind, Permission, Purpose, Scope, Timestamp};

use super::house::houses;
use crate::{Access, NewApiKey, Store, StoreError};

async fn create(
    store: &Store,
    access: &Access,
    name: &str,
    scope: Scope,
    ends: Timestamp,
) -> Result<NewApiKey, StoreError> {
    let (change, told) =
        store.prepare_api_key(&access.as_for(Purpose::Administration), name, scope, ends).await?;
    store.write(access, change).await?;
    Ok(told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_holds_for_its_scope_until_it_ends_or_is_revoked() {
    for house in houses().await {
        let (admin, stranger) = (house.tenant("bakker").await, house.tenant("slager").await);
        let (store, system) = (&house.store, house.store.system());
        let ends = house.clock.now() + Duration::from_secs(3600);
        let read = create(store, &admin.access, "Kassa", Scope::Read, ends).await.expect("made");
        let write = create(store, &admin.access, "Bot", Scope::Write, ends).await.expect("made");
        let who = system.api_key_by_token(read.key.expose()).await.expect("asked").expect("held");
        assert_eq!(who.tenant(), admin.tenant);
        assert!(who.may(Permission::ReadConversations) && !who.may(Permission::Answer));
        let who = system.api_key_by_token(write.key.expose()).await.expect("asked").expect("held");
        assert!(who.may(Permission::Answer) && !who.may(Permission::ManageUsers));
        assert!(!who.may(Permission::ReadLedger));

        let listed = store.api_keys(&admin.access).await.expect("listed");
        let names: Vec<_> = listed.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names.len(), 2);
        assert!(names.contains(&"Kassa") && names.contains(&"Bot"), "{}", house.name());
        assert_eq!(listed[0].last_used_at, Some(house.clock.now()));
        assert!(store.api_keys(&stranger.access).await.expect("listed").is_empty());
        let foreign = store.revoke_api_key(&stranger.access.as_for(Purpose::Administration), read.id).await;
        assert!(matches!(foreign, Err(StoreError::NotFound)), "{}", house.name());

        store.revoke_api_key(&admin.access.as_for(Purpose::Administration), read.id).await.expect("revoked");
        assert!(system.api_key_by_token(read.key.expose()).await.expect("asked").is_none());
        house.pass(3599);
        assert!(system.api_key_by_token(write.key.expose()).await.expect("asked").is_some());
        house.pass(1);
        assert!(
            system.api_key_by_token(write.key.expose()).await.expect("asked").is_none(),
            "{}",
            house.name()
        );
        for no_key in ["", "belofte_", admin.session.token.expose()] {
            assert!(system.api_key_by_token(no_key).await.expect("asked").is_none());
        }
        let acts: Vec<_> = house
            .leaves(&admin.access, LedgerKind::Instruction)
            .await
            .iter()
            .map(|leaf| leaf.detail.value()["act"].as_str().expect("an act").to_owned())
            .collect();
        assert_eq!(acts, ["created", "created", "revoked"], "{}", house.name());
        house.close().await;
    }
}
