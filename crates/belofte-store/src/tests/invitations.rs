// SPDX-License-Identifier: EUPL-1.2
//! Invitations: once, in time, and never past a refusal.

use belofte_model::{EventKind, Purpose, Role};

use super::house::{houses, invite};
use crate::{Fact, StoreError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_is_accepted_exactly_once_however_many_try() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let invitation = invite(&house.store, &admin.access, Role::Agent, false).await.expect("invited");
        let open = house
            .store
            .system()
            .invitation_by_token(invitation.token.expose())
            .await
            .expect("asked")
            .expect("open");
        let mut tries = tokio::task::JoinSet::new();
        for n in 0..8 {
            let (store, open) = (house.store.clone(), open.clone());
            tries.spawn(async move {
                let user = super::house::somebody(&format!("agent{n}@bakker.example"));
                store.system().accept_invitation(&open, &user).await
            });
        }
        let (done, refused): (Vec<_>, Vec<_>) = tries.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!(done.len(), 1, "{}", house.name());
        assert!(refused.iter().all(|one| matches!(one, Err(StoreError::NotFound))), "{}", house.name());
        assert_eq!(house.store.users(&admin.access).await.expect("users").len(), 2);
        let gone = house.accept(invitation.token.expose(), "late@bakker.example").await;
        assert!(matches!(gone, Err(StoreError::NotFound)));
        let events = house.store.events(&admin.access, 0, 99).await.expect("events");
        let joined = |fact: &&Fact| matches!(fact, Fact::Seen(event) if event.kind == EventKind::UserChanged);
        let joined = events.items.iter().filter(joined).count();
        assert_eq!(joined, 2, "the admin and one agent");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_known_leaves_the_invitation_open() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let invitation = invite(&house.store, &admin.access, Role::Supervisor, true).await.expect("invited");
        let token = invitation.token.expose();
        let twice = house.accept(token, "ADMIN@bakker.example").await;
        assert!(matches!(twice, Err(StoreError::Conflict)), "{}", house.name());
        let other = house.accept(token, "super@bakker.example").await.expect("still open");
        let user = house.store.user(&admin.access, other.id).await.expect("a user");
        assert_eq!((user.role, user.privacy_officer), (Role::Supervisor, true));
        assert_eq!(user.email.expose(), "super@bakker.example");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_ends_with_time_or_when_it_is_taken_back() {
    for house in houses().await {
        let (admin, stranger) = (house.tenant("bakker").await, house.tenant("slager").await);
        let store = &house.store;
        let first = invite(store, &admin.access, Role::Agent, false).await.expect("invited");
        let second = invite(store, &admin.access, Role::Agent, false).await.expect("invited");
        let foreign =
            store.revoke_invitation(&stranger.access.as_for(Purpose::Administration), first.id).await;
        assert!(matches!(foreign, Err(StoreError::NotFound)), "{}", house.name());
        store
            .revoke_invitation(&admin.access.as_for(Purpose::Administration), first.id)
            .await
            .expect("taken back");
        let twice = store.revoke_invitation(&admin.access.as_for(Purpose::Administration), first.id).await;
        assert!(matches!(twice, Err(StoreError::NotFound)));
        let open: Vec<_> = store
            .invitations(&admin.access.as_for(Purpose::Administration))
            .await
            .expect("listed")
            .iter()
            .map(|one| one.id)
            .collect();
        assert_eq!(open, [second.id], "{}", house.name());
        let system = store.system();
        assert!(system.invitation_by_token(first.token.expose()).await.expect("asked").is_none());
        assert!(system.invitation_by_token("").await.expect("asked").is_none());
        house.pass(7 * 86_400 - 1);
        let late = system.invitation_by_token(second.token.expose()).await.expect("asked").expect("open");
        house.pass(1);
        assert!(system.invitation_by_token(second.token.expose()).await.expect("asked").is_none());
        let user = super::house::somebody("late@bakker.example");
        let refused = system.accept_invitation(&late, &user).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "looked at in time, accepted too late");
        house.close().await;
    }
}
