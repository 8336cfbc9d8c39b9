// SPDX-License-Identifier: EUPL-1.2
//! Search and the lexicon: what is found before and after indexing, by whole words and by their
//! beginnings, and what a restart keeps.

use std::sync::Arc;

use super::desk::{Desk, again, says};
use super::house::{House, email, houses};
use super::place::open_with_root;
use crate::engine::{params, sql};
use crate::hits::{Question, Wanted};
use crate::{Access, MessageContent, Store, StoreError, Tx, Write};
use belofte_model::{Actor, MessageId, Purpose, RequestId, Subset, Visible};
use belofte_vault::RootKey;

async fn found(store: &Store, access: &Access, query: &str) -> Vec<String> {
    let hits = store.search(access, query, None, 100).await.expect("found");
    hits.items.into_iter().map(|hit| hit.message.content.subject).collect()
}

async fn words(store: &Store, access: &Access, prefix: &str) -> Vec<String> {
    store.suggest_words(access, prefix, 10).await.expect("words")
}

/// Three contacts write of a thermostat, one of a thermometer.
async fn four_mails(house: &House, desk: &Desk) {
    for (n, name) in ["Jan", "Piet", "Kees"].into_iter().enumerate() {
        let content = says(name, &format!("Vraag {n}"), "Mijn thermostaat, nummer 123456, doet het niet.");
        desk.file(house, content, &n.to_string(), &[]).await;
    }
    desk.file(house, says("Jan", "Anders", "De thermometer is zoek."), "9", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beginnings_of_words_are_found_once_three_contacts_used_them() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        four_mails(&house, &desk).await;
        // Before the index has them they are looked through one by one: every beginning is found.
        assert_eq!(found(store, access, "thermom").await, ["Anders"], "{}", house.name());
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        assert_eq!(
            found(store, access, "thermo").await,
            ["Vraag 2", "Vraag 1", "Vraag 0"],
            "{}",
            house.name()
        );
        assert_eq!(found(store, access, "thermometer").await, ["Anders"], "{}", house.name());
        assert_eq!(found(store, access, "nummer therm").await.len(), 3, "{}", house.name());
        // White space after a word says that it is whole.
        assert!(found(store, access, "thermo ").await.is_empty(), "{}", house.name());
        assert_eq!(found(store, access, "thermostaat ").await.len(), 3, "{}", house.name());
        assert_eq!(words(store, access, "therm").await, ["thermostaat"], "{}", house.name());
        // What has a digit in it is never suggested.
        assert!(words(store, access, "123").await.is_empty(), "{}", house.name());
        let stranger = house.tenant("slager").await;
        assert!(words(store, &stranger.access, "therm").await.is_empty(), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_count_as_words_of_their_contact_and_quotes_as_nobodys() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        for (n, name) in ["Jan", "Piet", "Kees"].into_iter().enumerate() {
            let text = "Dag.\n> Over de warmtepomp".to_owned();
            let quoted_from = Some(5);
            let content = MessageContent { quoted_from, ..says(name, "Vraag", &text) };
            let stored = desk.file(&house, content, &n.to_string(), &[]).await;
            let to = super::desk::person(name, "klant@klant.example");
            desk.answer(&house, stored, to.clone(), "Zie de handleiding.").await;
            // Often to one contact is not to many.
            if n == 0 {
                for _ in 0..4 {
                    desk.answer(&house, stored, to.clone(), "Ontkalken helpt.").await;
                }
            }
        }
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        assert_eq!(words(store, access, "handl").await, ["handleiding"], "{}", house.name());
        assert!(words(store, access, "ontk").await.is_empty(), "{}", house.name());
        assert!(words(store, access, "warm").await.is_empty(), "{}", house.name());
        assert_eq!(found(store, access, "warmtepomp").await.len(), 3, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lexicon_that_was_not_saved_is_read_again_and_a_saved_one_goes_on() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let access = &desk.admin.access;
        four_mails(&house, &desk).await;
        house.store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        assert_eq!(words(&house.store, access, "therm").await, ["thermostaat"]);
        let house = again(house).await;
        assert_eq!(words(&house.store, access, "therm").await, ["thermostaat"], "{}", house.name());

        // Minutes later the next message brings a save with it.
        house.pass(600);
        let last = desk.file(&house, says("Kees", "Nog een", "Dag."), "10", &[]).await;
        house.store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        words(&house.store, access, "therm").await;
        house.store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        let saved = house.store.saved_lexicon(access).await.expect("asked").expect("a saved lexicon");
        assert!(saved.through >= last.no, "{}: {} of {}", house.name(), saved.through, last.no);
        let sealed = String::from_utf8_lossy(&saved.content);
        assert!(!sealed.contains("thermostaat"), "{}", house.name());

        let house = again(house).await;
        // Two more contacts, and the word of before is known with theirs.
        for (n, name) in ["Piet", "Kees"].into_iter().enumerate() {
            desk.file(&house, says(name, "Zoek", "De thermometer."), &format!("2{n}"), &[]).await;
        }
        house.store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        let known = words(&house.store, access, "therm").await;
        assert_eq!(known, ["thermometer", "thermostaat"], "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_a_search_goes_on_where_the_last_ended_also_before_indexing() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        for n in 0..9 {
            desk.file(&house, says("Jan", &n.to_string(), "De ketel lekt."), &n.to_string(), &[]).await;
            if n == 3 {
                store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
            }
        }
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = store.search(access, "ketel", before, 2).await.expect("a page");
            seen.extend(page.items.into_iter().map(|hit| hit.message.content.subject));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["8", "7", "6", "5", "4", "3", "2", "1", "0"], "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_suggested_by_what_begins_their_name_or_address() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        for (n, name) in ["Janneke", "Jansje", "Piet", "Janneke"].into_iter().enumerate() {
            desk.file(&house, says(name, "Vraag", "Over Janus."), &n.to_string(), &[]).await;
        }
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        let suggested = async |prefix: &str| {
            let found = store.suggest_contacts(access, prefix, 10).await.expect("contacts");
            found.into_iter().map(|contact| contact.name).collect::<Vec<_>>()
        };
        assert_eq!(suggested("jan").await, ["Janneke", "Jansje"], "{}", house.name());
        assert_eq!(suggested("JANSJE@kl").await, ["Jansje"], "{}", house.name());
        assert_eq!(suggested("piet").await, ["Piet"], "{}", house.name());
        // Our own address stands in every mail and is nobody's; two characters are too few.
        assert!(suggested("info").await.is_empty() && suggested("ja").await.is_empty(), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_finds_what_another_wrote() {
    for house in houses().await {
        // The embedded engine has one node (decision 6).
        if !house.store.is_postgres() {
            continue;
        }
        let desk = Desk::new(&house).await;
        let access = &desk.admin.access;
        four_mails(&house, &desk).await;
        house.store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        let (folder, root) = (tempfile::tempdir().expect("a folder"), house.place.folder.path());
        let root = RootKey::open_file(&root.join("root.key")).expect("read").expect("a root key");
        let engine = house.place.engine.clone();
        let other = open_with_root(folder.path(), engine, root, house.clock.clone()).await.expect("stores");
        // Its own index is empty: everything is looked through one by one.
        assert_eq!(found(&other, access, "thermostaat").await.len(), 3);
        let seen = other.system().newest_events().await.expect("known");
        assert_eq!(other.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed"), 4);
        assert_eq!(words(&other, access, "therm").await, ["thermostaat"]);
        desk.file(&house, says("Kees", "Later", "Nog een thermostaat."), "10", &[]).await;
        assert_eq!(found(&other, access, "thermostaat").await, ["Later", "Vraag 2", "Vraag 1", "Vraag 0"]);
        assert_ne!(other.system().newest_events().await.expect("known"), seen, "it hears of it");
        assert_eq!(other.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed"), 1);
        let hits = other.search(access, "thermostaat", None, 10).await.expect("found");
        assert_eq!((hits.items.len(), hits.lag), (4, 0));
        other.close().await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_another_content_is_made_anew() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        four_mails(&house, &desk).await;
        let upkeep = access.as_for(Purpose::Upkeep);
        assert_eq!(store.index(&upkeep).await.expect("indexed"), 4, "{}", house.name());
        assert_eq!(store.index(&upkeep).await.expect("indexed"), 0, "{}", house.name());
        // As after a restore: a message of another day has the number of the last one.
        let last = desk.file(&house, says("Kees", "Nog een", "Een radiator."), "10", &[]).await;
        assert_eq!(store.index(&upkeep).await.expect("indexed"), 1, "{}", house.name());
        let other = desk.file(&house, says("Kees", "Anders", "Een kraan."), "11", &[]).await;
        store
            .write(access, InsteadOf { last: last.message, other: other.message, no: last.no })
            .await
            .expect("done");
        assert_eq!(store.index(&upkeep).await.expect("indexed"), 5, "{}", house.name());
        assert!(found(store, access, "radiator").await.is_empty(), "{}", house.name());
        assert_eq!(found(store, access, "kraan").await, ["Anders"], "{}", house.name());
        assert_eq!(words(store, access, "therm").await, ["thermostaat"], "{}", house.name());
        house.close().await;
    }
}

/// Puts a message in the place of another one.
struct InsteadOf {
    last: MessageId,
    other: MessageId,
    no: i64,
}

impl Write for InsteadOf {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(sql!("DELETE FROM message WHERE tenant_id = $1 AND id = $2"), params![tenant, self.last])
            .await?;
        let text = sql!("UPDATE message SET no = $3 WHERE tenant_id = $1 AND id = $2");
        tx.execute(text, params![tenant, self.other, self.no]).await.map(drop)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_the_index_is_known_without_opening_it() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        for n in 0..30 {
            let text = if n % 3 == 0 { "De ketel lekt." } else { "De kraan drupt." };
            desk.file(&house, says("Jan", &n.to_string(), text), &n.to_string(), &[]).await;
            if n == 11 {
                store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
            }
        }
        let hits = store.search(access, "ketel ", None, 50).await.expect("found");
        assert_eq!((hits.items.len(), hits.lag), (10, 0), "{}: none is looked through", house.name());
        // Fewer than wait: each page ends in the middle of those.
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = store.search(access, "drupt", before, 3).await.expect("a page");
            seen.extend(page.items.into_iter().map(|hit| hit.message.content.subject));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let all: Vec<String> = (0..30).rev().filter(|n| n % 3 != 0).map(|n| n.to_string()).collect();
        assert_eq!(seen, all, "{}", house.name());
        assert_eq!(found(store, access, "ketel drupt").await, Vec::<String>::new(), "{}", house.name());
        // Beginnings of words that few have used are found as long as the words are at hand.
        assert_eq!(found(store, access, "ket").await.len(), 6, "{}", house.name());
        // A name is suggested before the index has it.
        desk.file(&house, says("Wilhelmina", "Nieuw", "Dag."), "99", &[]).await;
        let suggested = store.suggest_contacts(access, "wilh", 5).await.expect("contacts");
        assert_eq!(suggested.len(), 1, "{}", house.name());
        // After a restart nothing is at hand: the same is found by looking through what waits.
        let house = again(house).await;
        let hits = house.store.search(access, "ketel ", None, 50).await.expect("found");
        assert_eq!((hits.items.len(), hits.lag), (10, 19), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_and_is_not_seen_hides_nothing_older() {
    for house in houses().await {
        let mut desk = Desk::new(&house).await;
        let (store, admin) = (&house.store, desk.admin.access.clone());
        let address = "shop@bakker.example";
        let new = super::channel_accounts::mailbox(address);
        store.create_channel_account(&admin.as_for(Purpose::Administration), None, new).await.expect("added");
        let found = store.system().account_by_address(&email(address)).await.expect("asked");
        for n in 0..5 {
            desk.file(&house, says("Jan", &n.to_string(), "De ketel lekt."), &n.to_string(), &[]).await;
        }
        let seen = std::mem::replace(&mut desk.account, found.expect("an account"));
        for n in 5..30 {
            desk.file(&house, says("Piet", &n.to_string(), "De ketel lekt."), &n.to_string(), &[]).await;
        }
        let visible = Visible { channels: Subset::Only(vec![seen.id]), ..Visible::all() };
        let of = Actor::User(desk.admin.id);
        let some = Access::for_test(
            desk.admin.tenant,
            of,
            Purpose::Service,
            RequestId(uuid::Uuid::nil()),
            visible,
            house.clock.clone(),
        );
        let hits = store.search(&some, "ketel ", None, 3).await.expect("found");
        let seen: Vec<_> = hits.items.iter().map(|hit| hit.message.content.subject.as_str()).collect();
        assert_eq!((seen, hits.lag), (vec!["4", "3", "2"], 0), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_two_readers_bring_stands_in_order_whatever_waits_for_the_index() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let mut written = Vec::new();
        for n in 0..70 {
            // Forty in the index, thirty that wait.
            if n == 40 {
                store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
            }
            let name = format!("N{n}");
            written.push(desk.file(&house, says(&name, "Ketel", "De ketel lekt."), &name, &[]).await.no);
        }
        written.reverse();
        let keys = store.keys(access).await.expect("keys");
        let token = keys.search.query_word("ketel").expect("a word");
        // 20 cuts what waits, 50 does not: the page goes on in the index.
        for limit in [20_usize, 50] {
            let (mut found, mut before, mut exhausted) = (Vec::new(), i64::MAX, false);
            while !exhausted {
                let question = Question {
                    any: vec![token],
                    all: Vec::new(),
                    before,
                    limit: u32::try_from(limit).expect("small"),
                    wanted: Wanted::of("ketel ").map(Arc::new),
                    tail: true,
                    scan: false,
                };
                let page = store.page(access, &keys, question).await.expect("a page");
                let numbers: Vec<i64> = page.hits.iter().map(|hit| hit.message.no).collect();
                let from = found.len();
                assert_eq!(numbers, written[from..from + numbers.len()], "{}, {limit}", house.name());
                found.extend(numbers);
                (before, exhausted) = (page.cursor, page.exhausted);
            }
            assert_eq!(found, written, "{}, {limit}", house.name());
        }
        house.store.close().await;
    }
}
