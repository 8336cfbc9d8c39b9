// SPDX-License-Identifier: EUPL-1.2
//! Users: there is always an admin, and who is blocked is out at once.

use belofte_model::{ColourScheme, Language, LedgerKind, Purpose, Role, UserState};
use belofte_vault::Pii;
use serde_json::json;

use super::house::{Person, houses, invite};
use crate::{Preferences, StoreError, UserChange, UserChangeError};

const DEMOTED: UserChange = UserChange { role: Some(Role::Agent), state: None, privacy_officer: None };
const BLOCKED: UserChange = UserChange { role: None, state: Some(UserState::Blocked), privacy_officer: None };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_admin_stays_one() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let store = &house.store;
        let before = house.ledger(&admin.access).await.len();
        for change in [DEMOTED, BLOCKED] {
            let refused =
                store.change_user(&admin.access.as_for(Purpose::Administration), admin.id, change).await;
            assert!(matches!(refused, Err(UserChangeError::LastAdmin)), "{}", house.name());
        }
        assert_eq!(house.ledger(&admin.access).await.len(), before, "a refusal leaves no gap and no leaf");
        // A blocked admin does not count.
        let second = house.join(&admin, Role::Admin, "second@bakker.example").await;
        store
            .change_user(&admin.access.as_for(Purpose::Administration), second.id, BLOCKED)
            .await
            .expect("blocked");
        let refused =
            store.change_user(&admin.access.as_for(Purpose::Administration), admin.id, DEMOTED).await;
        assert!(matches!(refused, Err(UserChangeError::LastAdmin)));
        let promoted = UserChange { role: Some(Role::Admin), ..UserChange::default() };
        assert_eq!(
            store
                .change_user(&admin.access.as_for(Purpose::Administration), agent.id, promoted)
                .await
                .expect("changed")
                .role,
            Role::Admin
        );
        let demoted = store
            .change_user(&agent.access.as_for(Purpose::Administration), admin.id, DEMOTED)
            .await
            .expect("changed");
        assert_eq!((demoted.role, demoted.privacy_officer), (Role::Agent, true));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_admins_who_demote_each_other_at_once_do_not_both_succeed() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        for round in 0..10 {
            let second = house.join(&admin, Role::Admin, &format!("second{round}@bakker.example")).await;
            let store = &house.store;
            let by = |person: &Person| person.access.as_for(Purpose::Administration);
            let (one, other) = (by(&admin), by(&second));
            let (a, b) = tokio::join!(
                store.change_user(&one, second.id, DEMOTED),
                store.change_user(&other, admin.id, DEMOTED)
            );
            assert!(a.is_ok() != b.is_ok(), "{}: round {round}: {a:?} {b:?}", house.name());
            let back = UserChange { role: Some(Role::Admin), ..UserChange::default() };
            store
                .change_user(&admin.access.as_for(Purpose::Administration), admin.id, back)
                .await
                .expect("changed");
            store
                .change_user(&admin.access.as_for(Purpose::Administration), second.id, DEMOTED)
                .await
                .expect("changed");
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_blocked_is_out_at_once_and_stays_out_until_let_in_again() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let (store, system) = (&house.store, house.store.system());
        let token = agent.session.token.expose();
        assert!(system.session_by_token(token).await.expect("asked").is_some());
        store
            .change_user(&admin.access.as_for(Purpose::Administration), agent.id, BLOCKED)
            .await
            .expect("blocked");
        assert!(system.session_by_token(token).await.expect("asked").is_none(), "{}", house.name());
        let active = UserChange { state: Some(UserState::Active), ..UserChange::default() };
        store
            .change_user(&admin.access.as_for(Purpose::Administration), agent.id, active)
            .await
            .expect("let in");
        assert!(system.session_by_token(token).await.expect("asked").is_none(), "the old session is gone");
        let leaves = house.leaves(&admin.access, LedgerKind::Instruction).await;
        let states = |when: &str| {
            let changes = leaves.iter().map(|leaf| leaf.detail.value()).filter(|one| one["what"] == "user");
            changes.map(|change| change[when]["state"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(states("before"), ["active", "blocked"], "{}", house.name());
        assert_eq!(states("after"), ["blocked", "active"], "{}", house.name());
        house.close().await;
    }
}

/// The duty of privacy officer, given or taken.
const fn duty(given: bool) -> UserChange {
    UserChange { role: None, state: None, privacy_officer: Some(given) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_privacy_officer_makes_one_and_the_last_one_keeps_the_duty() {
    for house in houses().await {
        let first = house.tenant("bakker").await;
        let second = house.join(&first, Role::Admin, "second@bakker.example").await;
        let agent = house.join(&first, Role::Agent, "agent@bakker.example").await;
        let (store, name) = (&house.store, house.name());
        // An admin alone: not themselves, not another, not by way of an invitation, not taking it.
        let before = house.ledger(&first.access).await.len();
        for (whom, change) in [(second.id, duty(true)), (agent.id, duty(true)), (first.id, duty(false))] {
            let refused =
                store.change_user(&second.access.as_for(Purpose::Administration), whom, change).await;
            assert!(matches!(refused, Err(UserChangeError::Store(StoreError::NotOfficer))), "{name}");
        }
        let invited = invite(store, &second.access, Role::Agent, true).await;
        assert!(matches!(invited, Err(StoreError::NotOfficer)), "{name}");
        assert_eq!(house.ledger(&first.access).await.len(), before, "{name}: a refusal leaves no leaf");
        assert!(!store.user(&first.access, second.id).await.expect("a user").privacy_officer);
        // Nor does a program or the house.
        let nobody = super::access(first.tenant).as_for(Purpose::Administration);
        let refused = store.change_user(&nobody, agent.id, duty(true)).await;
        assert!(matches!(refused, Err(UserChangeError::Store(StoreError::NotOfficer))), "{name}");
        // What does not change needs no duty.
        store
            .change_user(&second.access.as_for(Purpose::Administration), agent.id, duty(false))
            .await
            .expect("nothing to refuse");

        // The last one does not lay it down.
        store
            .change_user(&second.access.as_for(Purpose::Administration), second.id, duty(false))
            .await
            .expect("nothing to refuse");
        let refused =
            store.change_user(&first.access.as_for(Purpose::Administration), first.id, duty(false)).await;
        assert!(matches!(refused, Err(UserChangeError::LastOfficer)), "{name}: {refused:?}");
        // Passed on, and each change of it is told with what was there before.
        store
            .change_user(&first.access.as_for(Purpose::Administration), agent.id, duty(true))
            .await
            .expect("given");
        store
            .change_user(&agent.access.as_for(Purpose::Administration), first.id, duty(false))
            .await
            .expect("taken");
        let refused =
            store.change_user(&first.access.as_for(Purpose::Administration), first.id, duty(true)).await;
        assert!(matches!(refused, Err(UserChangeError::Store(StoreError::NotOfficer))), "{name}");
        let leaves = house.leaves(&agent.access, LedgerKind::Instruction).await;
        let told: Vec<_> = leaves
            .iter()
            .map(|leaf| leaf.detail.value())
            .filter(|one| one["before"]["privacy_officer"] != one["after"]["privacy_officer"])
            .filter(|one| one["what"] == "user")
            .map(|one| (one["user"].clone(), one["after"]["privacy_officer"].clone()))
            .collect();
        let expected = [(agent.id, true), (first.id, false)];
        assert_eq!(told, expected.map(|(id, given)| (json!(id), json!(given))), "{name}");
        // A privacy officer who is blocked passes nothing on, and does not count.
        let third = invite(store, &agent.access, Role::Agent, true).await.expect("invited");
        let third = house.accept(third.token.expose(), "third@bakker.example").await.expect("a user");
        store
            .change_user(&first.access.as_for(Purpose::Administration), third.id, BLOCKED)
            .await
            .expect("blocked");
        let refused =
            store.change_user(&third.access.as_for(Purpose::Administration), first.id, duty(true)).await;
        assert!(matches!(refused, Err(UserChangeError::Store(StoreError::NotOfficer))), "{name}");
        let laid_down = UserChange { state: Some(UserState::Blocked), ..duty(false) };
        let refused =
            store.change_user(&agent.access.as_for(Purpose::Administration), agent.id, laid_down).await;
        assert!(matches!(refused, Err(UserChangeError::LastOfficer)), "{name}");
        // Whoever must be kept out can be, also the last one: it opens the duty to nobody else.
        let admin = first.access.as_for(Purpose::Administration);
        store.change_user(&admin, agent.id, BLOCKED).await.expect("blocked");
        for whom in [first.id, second.id] {
            let refused = store.change_user(&admin, whom, duty(true)).await;
            assert!(matches!(refused, Err(UserChangeError::Store(StoreError::NotOfficer))), "{name}");
        }
        assert!(matches!(invite(store, &admin, Role::Agent, true).await, Err(StoreError::NotOfficer)));
        let back = UserChange { state: Some(UserState::Active), ..UserChange::default() };
        let back = store.change_user(&admin, agent.id, back).await.expect("let in");
        assert!(back.privacy_officer, "{name}: and has it still");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_set_their_own_desk_and_the_rest_stays() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let store = &house.store;
        let wanted = Preferences {
            name: Some(Pii::new("Álvaro d'Été".to_owned())),
            colour_scheme: Some(ColourScheme::Dark),
            ..Preferences::default()
        };
        let user =
            store.set_preferences(&admin.access.as_for(Purpose::Administration), wanted).await.expect("set");
        assert_eq!(user.name.expose(), "Álvaro d'Été");
        assert_eq!((user.colour_scheme, user.language), (ColourScheme::Dark, Language::Nl));
        let wanted = Preferences {
            language: Some(Language::En),
            single_key_shortcuts: Some(false),
            ..Preferences::default()
        };
        let user =
            store.set_preferences(&admin.access.as_for(Purpose::Administration), wanted).await.expect("set");
        assert_eq!((user.language, user.single_key_shortcuts), (Language::En, false));
        assert_eq!((user.name.expose().as_str(), user.colour_scheme), ("Álvaro d'Été", ColourScheme::Dark));
        let leaf = house.leaves(&admin.access, LedgerKind::Membership).await.pop().expect("a leaf");
        assert_eq!(leaf.detail.value()["changed"], json!(["language", "single_key_shortcuts"]));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_the_other_sessions() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let (store, system) = (&house.store, house.store.system());
        let address = super::house::email("agent@bakker.example");
        let start = system.begin_sign_in(&address, [192, 0, 2, 1].into());
        let crate::SignInStart::Proceed(attempt) = start.await.expect("asked") else { panic!("not locked") };
        let agent_name = Pii::new("Browser 2".to_owned());
        let second = system.sign_in(&attempt, agent.tenant, &agent_name).await.expect("signed in");
        assert_eq!(
            store
                .own_password(&agent.access.as_for(Purpose::Administration))
                .await
                .expect("a hash")
                .hash
                .expose(),
            "hash of agent@bakker.example"
        );
        let new = Pii::new("new hash".to_owned());
        let own = agent.access.as_for(Purpose::Administration);
        let checked = store.own_password(&own).await.expect("a hash");
        let change = store.prepare_password(&own, &checked, new, Some(agent.session.id));
        store.write(&agent.access, change.await.expect("prepared")).await.expect("changed");
        assert_eq!(
            store
                .own_password(&agent.access.as_for(Purpose::Administration))
                .await
                .expect("a hash")
                .hash
                .expose(),
            "new hash"
        );
        assert!(system.session_by_token(second.token.expose()).await.expect("asked").is_none());
        assert!(system.session_by_token(agent.session.token.expose()).await.expect("asked").is_some());
        assert!(system.session_by_token(admin.session.token.expose()).await.expect("asked").is_some());
        let sessions = store.sessions(&agent.access.as_for(Purpose::Administration)).await.expect("sessions");
        assert_eq!(sessions.len(), 1, "{}", house.name());
        let nobody = super::access(agent.tenant);
        assert!(matches!(
            store.own_password(&nobody.as_for(Purpose::Administration)).await,
            Err(StoreError::NotFound)
        ));
        house.close().await;
    }
}
