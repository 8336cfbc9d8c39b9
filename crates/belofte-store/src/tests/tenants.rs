// SPDX-License-Identifier: EUPL-1.2
//! Founding: keys that stay, one tenant per name, an invitation and nobody.

use std::sync::Arc;

use belofte_model::{Actor, LedgerKind, Purpose, Role};
use belofte_vault::Pii;

use super::house::{email, houses};
use super::place::places;
use crate::{Clock, SYSTEM, SignInStart, Slug, StoreError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_have_the_same_keys_and_keep_them() {
    for place in places().await {
        // Two nodes on one SQLite file are not a thing; there the second start comes later.
        let first = place.open_at(&Clock::System).await.expect("stores");
        let second = if first.is_postgres() {
            place.open_at(&Clock::System).await.expect("stores")
        } else {
            first.clone()
        };
        let (system, other) = (first.system(), second.system());
        let (a, b) = tokio::join!(system.found_system(), other.found_system());
        a.and(b).expect("founded");
        let index = |keys: Arc<crate::TenantKeys>| keys.lookup.index("login", "a@b.example");
        let mine = index(first.tenant_keys(SYSTEM).await.expect("keys"));
        assert_eq!(mine, index(second.tenant_keys(SYSTEM).await.expect("keys")), "{}", place.name);
        // What one node seals under them the other opens.
        for (n, (one, two)) in [(&first, &second), (&second, &first)].into_iter().enumerate() {
            let address = email(&format!("operator{n}@house.example"));
            let (name, hash) = (Pii::new("Operator".to_owned()), Pii::new("hash".to_owned()));
            one.system().create_operator(&name, &address, hash).await.expect("made");
            let network = [192, 0, 2, 1].into();
            let start = two.system().begin_operator_sign_in(&address, network).await.expect("asked");
            let SignInStart::Proceed(attempt) = start else { panic!("not locked") };
            let session = two.system().operator_sign_in(&attempt).await.expect("signed in");
            for node in [one, two] {
                let operator = node.system().operator_by_token(session.token.expose()).await.expect("opened");
                assert_eq!(operator.expect("held").name.expose(), "Operator", "{}", place.name);
            }
        }
        first.close().await;
        second.close().await;
        let again = place.open_at(&Clock::System).await.expect("stores");
        again.system().found_system().await.expect("founded before");
        assert_eq!(mine, index(again.tenant_keys(SYSTEM).await.expect("keys")), "{}", place.name);
        again.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_founded_with_a_queue_and_an_invitation_and_nobody() {
    for house in houses().await {
        let system = house.store.system();
        let slug = Slug::parse("bakker").expect("a slug");
        let founded = system.create_tenant(&slug, "De Bakker", "Algemeen").await.expect("a tenant");
        let open = system
            .invitation_by_token(founded.invitation.token.expose())
            .await
            .expect("asked")
            .expect("an open invitation");
        assert_eq!((open.role, open.privacy_officer), (Role::Admin, true));
        assert_eq!((open.tenant_name.as_str(), open.tenant()), ("De Bakker", founded.tenant));
        let all = system.tenant_summaries().await.expect("tenants");
        let sizes: Vec<_> =
            all.iter().map(|one| (one.tenant.slug.as_str(), one.users, one.messages)).collect();
        assert_eq!(sizes, [("bakker", 0, 0)], "{}", house.name());

        let again = system.create_tenant(&slug, "Another", "Algemeen").await;
        assert!(matches!(again, Err(StoreError::Conflict)), "{}", house.name());

        let admin = house.accept(founded.invitation.token.expose(), "a@bakker.example").await.expect("admin");
        let queues = house.store.queues(&admin.access).await.expect("queues");
        assert_eq!(queues.len(), 1);
        assert_eq!((queues[0].name.as_str(), queues[0].is_default), ("Algemeen", true));
        assert_eq!(house.store.default_queue(&admin.access).await.expect("a queue"), queues[0].id);
        assert_eq!(house.store.tenant(&admin.access).await.expect("a tenant").name, "De Bakker");
        let ledger = house.ledger(&admin.access).await;
        let kinds: Vec<_> = ledger.iter().map(|entry| entry.kind).collect();
        use LedgerKind::{Keys, Membership, SignIn};
        assert_eq!(kinds, [Keys, Membership, Membership, SignIn], "{}", house.name());
        assert_eq!(ledger[0].actor, Actor::System);
        assert_eq!(ledger[2].actor, Actor::User(admin.id));
        assert_eq!(ledger[0].detail.value()["keys"].as_array().expect("keys").len(), 5);
        assert_eq!(system.tenant_summaries().await.expect("tenants")[0].users, 1);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_found_the_same_name_at_once_one_succeeds() {
    for house in houses().await {
        let mut tries = tokio::task::JoinSet::new();
        for n in 0..6 {
            let store = house.store.clone();
            tries.spawn(async move {
                let slug = Slug::parse("one-name").expect("a slug");
                store.system().create_tenant(&slug, &format!("Number {n}"), "Algemeen").await
            });
        }
        let made = tries.join_all().await.into_iter().filter(Result::is_ok).count();
        assert_eq!(made, 1, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_do_not_see_each_other() {
    for house in houses().await {
        let (one, other) = (house.tenant("one").await, house.tenant("other").await);
        let store = &house.store;
        assert!(matches!(store.user(&one.access, other.id).await, Err(StoreError::NotFound)));
        let users = store.users(&one.access).await.expect("users");
        assert_eq!(users.iter().map(|user| user.id).collect::<Vec<_>>(), [one.id], "{}", house.name());
        let ended = store.end_session(&one.access.as_for(Purpose::Administration), other.session.id).await;
        assert!(matches!(ended, Err(StoreError::NotFound)));
        // The same address may have an account with both.
        let same = house.join(&other, Role::Agent, "admin@one.example").await;
        assert_ne!(same.id, one.id);
        let start = store.system().login_index(&email("admin@one.example")).await;
        assert!(start.is_ok());
        house.close().await;
    }
}
