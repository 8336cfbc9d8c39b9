// SPDX-License-Identifier: EUPL-1.2
//! Channel accounts: one owner per address, secrets that stay secret, a leaf for each change.

use belofte_model::{
    AccountState, ChannelKind, EventKind, Language, LedgerKind, LineSecurity, Purpose, QueueId, SignInWith,
    Subset, Visible,
};
use belofte_vault::Pii;
use uuid::Uuid;

use super::house::{House, Person, email, houses};
use crate::{
    Access, ChannelAccountChange, ChannelAccountError, Fact, NewChannelAccount, NewSubmission,
    PasswordChange, StoreError,
};

const SECRET: &str = "correct horse battery staple";

fn server(host: &str, password: PasswordChange) -> NewSubmission {
    NewSubmission {
        host: host.to_owned(),
        port: 587,
        security: LineSecurity::StartTls,
        username: Some("desk".to_owned()),
        sign_in: SignInWith::Password,
        password,
    }
}

pub(super) fn mailbox(address: &str) -> NewChannelAccount {
    NewChannelAccount {
        kind: ChannelKind::Email,
        address: email(address),
        from_name: "De Bakker".to_owned(),
        signature: String::new(),
        queue: None,
        reply_language: Language::Nl,
        submission: Some(server("mail.bakker.example", PasswordChange::Set(Pii::new(SECRET.to_owned())))),
        retrieval: None,
        authorisation: None,
    }
}

/// A mailbox that is read at `host`, from now on.
pub(super) fn read_at(host: &str, password: PasswordChange) -> crate::NewRetrieval {
    crate::NewRetrieval {
        host: host.to_owned(),
        port: 993,
        security: LineSecurity::Tls,
        username: "desk".to_owned(),
        sign_in: SignInWith::Password,
        password,
        folders: vec!["INBOX".to_owned()],
        after: belofte_model::AfterRetrieval::Seen,
        existing: false,
    }
}

fn with_server(host: &str, password: PasswordChange) -> ChannelAccountChange {
    ChannelAccountChange { submission: Some(Some(server(host, password))), ..ChannelAccountChange::default() }
}

async fn password(house: &House, access: &Access, id: belofte_model::ChannelAccountId) -> Option<String> {
    let account =
        house.store.account_for_delivery(&access.as_for(Purpose::Delivery), id).await.expect("an account");
    account.password.map(Pii::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_found_by_its_address_and_nobody_else_gets_it() {
    for house in houses().await {
        let (admin, stranger) = (house.tenant("bakker").await, house.tenant("slager").await);
        let (store, system) = (&house.store, house.store.system());
        let account = store
            .create_channel_account(
                &admin.access.as_for(Purpose::Administration),
                None,
                mailbox("Info@bakker.example"),
            )
            .await
            .expect("added");
        assert_eq!((account.version, account.state), (1, AccountState::Active));
        assert_eq!(account.queue, store.default_queue(&admin.access).await.expect("a queue"));
        assert_eq!(account.address.as_sent(), "Info@bakker.example");
        let found =
            system.account_by_address(&email("INFO@bakker.example")).await.expect("asked").expect("found");
        assert_eq!((found.tenant(), found.id, found.queue), (admin.tenant, account.id, account.queue));
        assert!(system.account_by_address(&email("other@bakker.example")).await.expect("asked").is_none());

        for access in [&admin.access, &stranger.access] {
            let taken = store
                .create_channel_account(
                    &access.as_for(Purpose::Administration),
                    None,
                    mailbox("info@bakker.example"),
                )
                .await;
            assert!(matches!(taken, Err(ChannelAccountError::AddressTaken)), "{}", house.name());
        }
        let own = store
            .create_channel_account(
                &stranger.access.as_for(Purpose::Administration),
                None,
                mailbox("info@slager.example"),
            )
            .await
            .expect("added");
        let moved =
            ChannelAccountChange { address: Some(email("info@bakker.example")), ..Default::default() };
        let taken = store
            .change_channel_account(&stranger.access.as_for(Purpose::Administration), own.id, moved)
            .await;
        assert!(matches!(taken, Err(ChannelAccountError::AddressTaken)), "{}", house.name());
        assert!(system.account_by_address(&email("info@slager.example")).await.expect("asked").is_some());

        let foreign = store.channel_account(&stranger.access, account.id).await;
        assert!(matches!(foreign, Err(StoreError::NotFound)));
        let foreign =
            store.account_for_delivery(&stranger.access.as_for(Purpose::Delivery), account.id).await;
        assert!(matches!(foreign, Err(StoreError::NotFound)));
        let listed = store.channel_accounts(&stranger.access).await.expect("listed");
        assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [own.id], "{}", house.name());
        let blind = Visible { channels: Subset::Only(Vec::new()), ..Visible::all() };
        let blind = Access::for_test(
            admin.tenant,
            admin.access.actor(),
            admin.access.purpose(),
            admin.access.request(),
            blind,
            house.clock.clone(),
        );
        assert!(store.channel_accounts(&blind).await.expect("listed").is_empty());
        assert!(matches!(store.channel_account(&blind, account.id).await, Err(StoreError::NotFound)));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_take_an_address_at_once_one_gets_it() {
    for house in houses().await {
        let (one, other) = (house.tenant("one").await, house.tenant("other").await);
        let by = |person: &Person| person.access.as_for(Purpose::Administration);
        let (one, other) = (by(&one), by(&other));
        for round in 0..5 {
            let address = format!("info{round}@shop.example");
            let (a, b) = tokio::join!(
                house.store.create_channel_account(&one, None, mailbox(&address)),
                house.store.create_channel_account(&other, None, mailbox(&address))
            );
            assert!(a.is_ok() != b.is_ok(), "{}: {a:?} {b:?}", house.name());
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_names_its_version_moves_the_address_and_can_be_undone_by_nobody_else() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, system) = (&house.store, house.store.system());
        let account = store
            .create_channel_account(
                &admin.access.as_for(Purpose::Administration),
                None,
                mailbox("info@bakker.example"),
            )
            .await
            .expect("added");
        let change = ChannelAccountChange {
            version: Some(1),
            address: Some(email("hallo@bakker.example")),
            from_name: Some("Bakkerij".to_owned()),
            signature: Some("Groet, {name}".to_owned()),
            reply_language: Some(Language::En),
            ..ChannelAccountChange::default()
        };
        let changed = store
            .change_channel_account(&admin.access.as_for(Purpose::Administration), account.id, change.clone())
            .await
            .expect("changed");
        assert_eq!((changed.version, changed.from_name.as_str()), (2, "Bakkerij"));
        assert_eq!(changed.reply_language, Language::En);
        assert_eq!(changed.signature, "Groet, {name}");
        assert!(system.account_by_address(&email("info@bakker.example")).await.expect("asked").is_none());
        assert!(system.account_by_address(&email("hallo@bakker.example")).await.expect("asked").is_some());
        let stale = store
            .change_channel_account(&admin.access.as_for(Purpose::Administration), account.id, change)
            .await;
        assert!(matches!(stale, Err(ChannelAccountError::Store(StoreError::Conflict))), "{}", house.name());
        let nowhere = ChannelAccountChange { queue: Some(QueueId(Uuid::from_u128(9))), ..Default::default() };
        let refused = store
            .change_channel_account(&admin.access.as_for(Purpose::Administration), account.id, nowhere)
            .await;
        assert!(matches!(refused, Err(ChannelAccountError::NoSuchQueue)), "{}", house.name());
        let paused = ChannelAccountChange { state: Some(AccountState::Paused), ..Default::default() };
        store
            .change_channel_account(&admin.access.as_for(Purpose::Administration), account.id, paused)
            .await
            .expect("paused");
        let found =
            system.account_by_address(&email("hallo@bakker.example")).await.expect("asked").expect("found");
        assert_eq!(found.state, AccountState::Paused, "{}", house.name());
        // Of those that were planned on one version, one is carried out and the others look again.
        let before = store.channel_account(&admin.access, account.id).await.expect("an account").version;
        let mut changes = tokio::task::JoinSet::new();
        for n in 0..24 {
            let (store, access, id) = (store.clone(), admin.access.clone(), account.id);
            changes.spawn(async move {
                let rename =
                    ChannelAccountChange { from_name: Some(format!("Name {n}")), ..Default::default() };
                store.change_channel_account(&access.as_for(Purpose::Administration), id, rename).await
            });
        }
        let (done, refused): (Vec<_>, Vec<_>) = changes.join_all().await.into_iter().partition(Result::is_ok);
        let conflict =
            |one: &Result<_, _>| matches!(one, Err(ChannelAccountError::Store(StoreError::Conflict)));
        assert!(refused.iter().all(conflict), "{}: {refused:?}", house.name());
        assert!(!refused.is_empty(), "{}: no two changes ever met", house.name());
        let after = store.channel_account(&admin.access, account.id).await.expect("an account").version;
        assert_eq!(after - before, i64::try_from(done.len()).expect("few"), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_goes_to_no_other_server_and_into_no_leaf() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let store = &house.store;
        let id = store
            .create_channel_account(
                &admin.access.as_for(Purpose::Administration),
                None,
                mailbox("info@bakker.example"),
            )
            .await
            .expect("added")
            .id;
        assert_eq!(password(&house, &admin.access, id).await.as_deref(), Some(SECRET));
        let keep = with_server("mail.bakker.example", PasswordChange::Keep);
        store
            .change_channel_account(&admin.access.as_for(Purpose::Administration), id, keep)
            .await
            .expect("changed");
        assert_eq!(password(&house, &admin.access, id).await.as_deref(), Some(SECRET));
        let set =
            with_server("mail.bakker.example", PasswordChange::Set(Pii::new("another secret".to_owned())));
        let set = store
            .change_channel_account(&admin.access.as_for(Purpose::Administration), id, set)
            .await
            .expect("changed");
        assert!(set.submission.expect("a server").password_set);
        let elsewhere = with_server("mail.thief.example", PasswordChange::Keep);
        let moved = store
            .change_channel_account(&admin.access.as_for(Purpose::Administration), id, elsewhere)
            .await
            .expect("changed");
        assert!(!moved.submission.expect("a server").password_set, "{}", house.name());
        assert_eq!(password(&house, &admin.access, id).await, None);

        let leaves = house.leaves(&admin.access, LedgerKind::Instruction).await;
        let changed: Vec<_> = leaves.iter().map(|leaf| leaf.detail.value()["changed"].clone()).collect();
        let json = |names: &[&str]| serde_json::json!(names);
        assert_eq!(
            changed,
            [
                json(&[]),
                json(&[]),
                json(&["submission.password"]),
                json(&["submission", "submission.password"])
            ],
            "{}",
            house.name()
        );
        for leaf in &leaves {
            let text = leaf.detail.value().to_string();
            assert!(!text.contains(SECRET) && !text.contains("another secret"), "{text}");
            assert!(text.contains("info@bakker.example"), "the ledger says which mailbox");
        }
        let events = store.events(&admin.access, 0, 99).await.expect("events");
        let told = |fact: &&Fact| {
            matches!(fact, Fact::Seen(event) if event.kind == EventKind::ChannelAccountChanged
                && event.account == Some(id))
        };
        assert_eq!(events.items.iter().filter(told).count(), 4, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_account_frees_its_address_and_forgets_its_password() {
    for house in houses().await {
        let (admin, stranger) = (house.tenant("bakker").await, house.tenant("slager").await);
        let (store, system) = (&house.store, house.store.system());
        let id = store
            .create_channel_account(
                &admin.access.as_for(Purpose::Administration),
                None,
                mailbox("info@bakker.example"),
            )
            .await
            .expect("added")
            .id;
        store
            .remove_channel_account(&admin.access.as_for(Purpose::Administration), id)
            .await
            .expect("removed");
        assert!(system.account_by_address(&email("info@bakker.example")).await.expect("asked").is_none());
        let account = store.channel_account(&admin.access, id).await.expect("kept for its history");
        assert_eq!(account.state, AccountState::Removed, "{}", house.name());
        assert_eq!(password(&house, &admin.access, id).await, None);
        let twice = store.remove_channel_account(&admin.access.as_for(Purpose::Administration), id).await;
        assert!(matches!(twice, Err(ChannelAccountError::Store(StoreError::NotFound))));
        let back = ChannelAccountChange { state: Some(AccountState::Active), ..Default::default() };
        let refused =
            store.change_channel_account(&admin.access.as_for(Purpose::Administration), id, back).await;
        assert!(matches!(refused, Err(ChannelAccountError::Store(StoreError::NotFound))), "{}", house.name());
        store
            .create_channel_account(
                &stranger.access.as_for(Purpose::Administration),
                None,
                mailbox("info@bakker.example"),
            )
            .await
            .expect("free again");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_was_resolved_is_at_hand_for_a_second_and_not_after_a_change() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, name) = (&house.store, house.name());
        let access = admin.access.as_for(Purpose::Administration);
        let address = email("info@bakker.example");
        let account =
            store.create_channel_account(&access, None, mailbox("info@bakker.example")).await.expect("added");
        let other = house.place.open_at(&house.clock).await.expect("stores");
        let state = async |store: &crate::Store| {
            store.system().resolve_address(&address).await.expect("asked").map(|account| account.state)
        };
        let set = async |state| {
            let change = ChannelAccountChange { state: Some(state), ..ChannelAccountChange::default() };
            store.change_channel_account(&access, account.id, change).await.expect("changed");
        };
        for wanted in [AccountState::Paused, AccountState::Active, AccountState::Paused] {
            set(wanted).await;
            assert_eq!(state(store).await, Some(wanted), "{name}: at once where it was changed");
        }
        assert_eq!(state(&other).await, Some(AccountState::Paused), "{name}");
        set(AccountState::Active).await;
        assert_eq!(state(&other).await, Some(AccountState::Paused), "{name}: still at hand elsewhere");
        house.pass(1);
        assert_eq!(state(&other).await, Some(AccountState::Active), "{name}");
        store.remove_channel_account(&access, account.id).await.expect("removed");
        assert_eq!(state(store).await, None, "{name}");
        house.pass(1);
        assert_eq!(state(&other).await, None, "{name}: what is not found is asked for each time");
        other.close().await;
        house.close().await;
    }
}
