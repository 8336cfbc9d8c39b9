// SPDX-License-Identifier: EUPL-1.2
//! Messages: pages by number, answers with their deliveries, and what was erased.

use belofte_model::{DeliveryState, KeyId, MessageId, Purpose};
use uuid::Uuid;

use super::desk::{Desk, again, person, says};
use super::house::houses;
use crate::engine::{params, sql};
use crate::{Read, RetryDeliveries, StoreError, Tx, Write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_come_in_pages_from_the_newest_back() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let first = desk.file(&house, says("Jan", "Factuur", "0"), "0", &[]).await;
        for n in 1..7 {
            desk.file(&house, says("Jan", "Re: Factuur", &n.to_string()), &n.to_string(), &["0"]).await;
        }
        let (mut before, mut pages) = (None, Vec::new());
        loop {
            let page = store.messages(access, first.conversation, before, 3).await.expect("a page");
            let Some(oldest) = page.first() else { break };
            before = Some(oldest.no);
            pages.push(page.into_iter().map(|message| message.content.text).collect::<Vec<_>>());
        }
        assert_eq!(pages, [vec!["4", "5", "6"], vec!["1", "2", "3"], vec!["0"]], "{}", house.name());
        let missing = store.message(access, MessageId(Uuid::from_u128(7))).await;
        assert!(matches!(missing, Err(StoreError::NotFound)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_for_its_recipients_and_only_what_failed_is_tried_again() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let stored = desk.file(&house, says("Jan", "Factuur", "Dag."), "1", &[]).await;
        let id = desk.answer(&house, stored, person("Jan", "jan@klant.example"), "Dat klopt.").await;
        let message = store.message(access, id).await.expect("a message");
        assert!(message.no > stored.no && message.content.text == "Dat klopt.", "{}", house.name());
        assert_eq!(message.deliveries.len(), 1, "{}", house.name());
        assert_eq!(message.deliveries[0].state, DeliveryState::Queued, "{}", house.name());
        let retry = RetryDeliveries::prepare(store, access, &message, Vec::new());
        let refused = store.write(access, retry).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{}", house.name());
        house.close().await;
    }
}

struct KeyOf(MessageId);

impl Read for KeyOf {
    type Out = KeyId;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<KeyId, StoreError> {
        let tenant = tx.tenant();
        let text = sql!("SELECT key_id FROM message WHERE tenant_id = $1 AND id = $2");
        tx.query_one(text, params![tenant, self.0], |row| row.id(0)).await
    }
}

struct Erase(Vec<KeyId>);

impl Write for Erase {
    type Out = ();
    fn dead_keys(&self) -> &[KeyId] {
        &self.0
    }
    async fn run(&self, _: &mut Tx<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_is_gone_and_stops_neither_index_nor_search() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let erased = desk.file(&house, says("Jan", "Ketel", "De ketel lekt."), "1", &[]).await;
        let kept = desk.file(&house, says("Piet", "Ketel", "De ketel ook."), "2", &[]).await;
        let key = store.read(access, KeyOf(erased.message)).await.expect("a key");
        store.write(access, Erase(vec![key])).await.expect("erased");
        // After a start what was prepared is gone, and tokens are made of the messages again.
        let house = again(house).await;
        let store = &house.store;
        let gone = store.message(access, erased.message).await;
        assert!(matches!(gone, Err(StoreError::KeyGone(_))), "{}: {gone:?}", house.name());
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        let found = store.search(access, "ketel", None, 10).await.expect("found");
        let ids: Vec<_> = found.items.iter().map(|hit| hit.message.id).collect();
        assert_eq!(ids, [kept.message], "{}", house.name());
        house.close().await;
    }
}
