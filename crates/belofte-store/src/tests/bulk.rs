// SPDX-License-Identifier: EUPL-1.2
//! Changes of many cases at once: each has its own outcome, and one that is refused holds up no other.

use belofte_model::{
    ConversationId, ConversationStatus, Duration, QueueId, Standing, Subset, Timestamp, Visible,
};
use uuid::Uuid;

use super::desk::{Desk, says};
use super::house::{House, houses};
use crate::data_map::columns;
use crate::queues::NewQueue;
use crate::sealing::seal_json;
use crate::{
    Access, BulkOutcome, ChangeConversation, ChangeConversations, ConversationChange, StoreError, Tx, Write,
};

async fn bulk(
    house: &House,
    access: &Access,
    changes: &[(ConversationId, ConversationChange)],
) -> Vec<BulkOutcome> {
    let store = &house.store;
    let prepared = changes
        .iter()
        .map(|(id, change)| ChangeConversation::prepare(store, access, *id, change.clone()))
        .collect();
    let told = store.write(access, ChangeConversations::of(prepared)).await.expect("written");
    let of = |id: &ConversationId| told.iter().find(|(known, _)| known == id).expect("an outcome").1;
    changes.iter().map(|(id, _)| of(id)).collect()
}

struct SecondQueue(NewQueue, Timestamp);

impl Write for SecondQueue {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.0.insert(tx, self.1).await
    }
}

/// Another queue of the tenant of `access`.
async fn second_queue(house: &House, access: &Access) -> QueueId {
    let (store, now) = (&house.store, house.clock.now());
    let keys = store.keys(access).await.expect("keys");
    let id = QueueId::new(now, store.random().bytes());
    let name = seal_json(&keys, store.random(), columns::QUEUE_NAME, id.uuid(), &"Winkel").expect("sealed");
    let queue = NewQueue { id, name, key: keys.settings.id(), is_default: false };
    store.write(access, SecondQueue(queue, now)).await.expect("a queue");
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_case_has_its_own_outcome() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let mut cases = Vec::new();
        for n in 0..4 {
            let id = n.to_string();
            cases.push(desk.file(&house, says("Jan", &id, "Dag."), &id, &[]).await.conversation);
        }
        let until = house.clock.now() + Duration::from_secs(3_600);
        let snooze = |version| ConversationChange {
            version: Some(version),
            standing: Some(Standing::Snoozed(until)),
            ..ConversationChange::default()
        };
        let already = ChangeConversation::prepare(store, access, cases[3], snooze(1));
        store.write(access, already).await.expect("put off");
        let nowhere = ConversationId(Uuid::from_u128(7));
        let changes = [
            (cases[0], snooze(1)),
            (cases[1], snooze(9)),
            (nowhere, snooze(1)),
            (cases[2], snooze(1)),
            // As asked for already: also on an old version, as for who asks twice.
            (cases[3], snooze(1)),
        ];
        let told = bulk(&house, access, &changes).await;
        let expected = [
            BulkOutcome::Changed(2),
            BulkOutcome::Conflict,
            BulkOutcome::NotFound,
            BulkOutcome::Changed(2),
            BulkOutcome::Unchanged(2),
        ];
        assert_eq!(told, expected, "{}", house.name());
        let counts = store.conversation_counts(access).await.expect("counts");
        assert_eq!((counts.open, counts.snoozed), (1, 3), "{}", house.name());
        // Each goes back to what it was, but for the one that somebody else has changed meanwhile.
        let resolve =
            ConversationChange { standing: Some(Standing::Resolved), ..ConversationChange::default() };
        store
            .write(access, ChangeConversation::prepare(store, access, cases[2], resolve))
            .await
            .expect("done");
        let back = ConversationChange {
            version: Some(2),
            standing: Some(Standing::Open),
            ..ConversationChange::default()
        };
        let told = bulk(&house, access, &[(cases[0], back.clone()), (cases[2], back)]).await;
        assert_eq!(told, [BulkOutcome::Changed(3), BulkOutcome::Conflict], "{}", house.name());
        let kept = store.conversation(access, cases[2]).await.expect("a case");
        assert_eq!(kept.status, ConversationStatus::Resolved, "{}", house.name());
        let events = store.events(access, 0, 1_000).await.expect("events");
        assert!(!events.gap && events.newest == events.items.len() as i64, "each number is one event");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_moved_out_of_sight_or_from_where_nobody_looks() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let full = &desk.admin.access;
        let case = desk.file(&house, says("Jan", "Factuur", "Dag."), "1", &[]).await.conversation;
        let own = house.store.default_queue(full).await.expect("a queue");
        let seeing = |queues: Vec<QueueId>| {
            Access::for_test(
                full.tenant(),
                full.actor(),
                full.purpose(),
                full.request(),
                Visible { queues: Subset::Only(queues), ..Visible::all() },
                house.clock.clone(),
            )
        };
        let elsewhere = second_queue(&house, full).await;
        let to = |queue| ConversationChange { queue: Some(queue), ..ConversationChange::default() };
        let blind = bulk(&house, &seeing(vec![elsewhere]), &[(case, to(elsewhere))]).await;
        assert_eq!(blind, [BulkOutcome::NotFound], "{}", house.name());
        let away = bulk(&house, &seeing(vec![own]), &[(case, to(elsewhere))]).await;
        assert_eq!(away, [BulkOutcome::NotFound], "{}", house.name());
        let kept = house.store.conversation(full, case).await.expect("a case");
        assert_eq!((kept.queue, kept.version), (own, 1), "{}", house.name());
        // Who sees both moves it, and from then on it is seen where it lies.
        let moved = bulk(&house, &seeing(vec![own, elsewhere]), &[(case, to(elsewhere))]).await;
        assert_eq!(moved, [BulkOutcome::Changed(2)], "{}", house.name());
        let gone = bulk(&house, &seeing(vec![own]), &[(case, to(own))]).await;
        assert_eq!(gone, [BulkOutcome::NotFound], "{}", house.name());
        house.close().await;
    }
}
