// SPDX-License-Identifier: EUPL-1.2
//! Cases: pages, changes, who takes part, and what an access cannot see.

use belofte_model::{ConversationStatus, Purpose, Standing, Subset, Visible};

use super::desk::{Desk, person, says};
use super::house::houses;
use crate::{
    Access, Assignee, ChangeConversation, ConversationChange, ConversationQuery, MarkSeen, StoreError,
};

const ALL: ConversationQuery = ConversationQuery {
    status: None,
    assignee: Assignee::Any,
    queue: None,
    tag: None,
    contact: None,
    after: None,
    limit: 4,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_part_cases_of_one_moment_and_of_every_state() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        for n in 0..11 {
            // Two of each second, so that pages must part equal times.
            if n % 2 == 0 {
                house.pass(1);
            }
            let stored = desk.file(&house, says("Jan", &n.to_string(), "Dag."), &n.to_string(), &[]).await;
            let standing = [Standing::Open, Standing::Waiting, Standing::Resolved][n % 3];
            let change = ConversationChange { standing: Some(standing), ..ConversationChange::default() };
            let change = ChangeConversation::prepare(store, access, stored.conversation, change);
            store.write(access, change).await.expect("changed");
        }
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let query = ConversationQuery { after, ..ALL };
            let page = store.conversations(access, query).await.expect("a page");
            let Some(last) = page.last() else { break };
            after = Some((last.placed_at, last.id));
            seen.extend(page.iter().map(|row| (row.placed_at, row.id)));
        }
        let mut sorted = seen.clone();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        sorted.dedup();
        assert_eq!((seen.len(), &seen), (11, &sorted), "{}", house.name());
        let open = ConversationQuery { status: Some(ConversationStatus::Open), limit: 100, ..ALL };
        assert_eq!(store.conversations(access, open).await.expect("a page").len(), 4, "{}", house.name());
        let counts = store.conversation_counts(access).await.expect("counts");
        assert_eq!((counts.open, counts.waiting, counts.resolved), (4, 4, 3), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_reads_no_more_rows_than_it_gives() {
    // On the embedded engine a plan never depends on values; PostgreSQL makes the first five of a connection
    // for the values that it is given.
    for house in houses().await.into_iter().filter(|house| house.name() == "postgres") {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        for n in 0..8 {
            desk.file(&house, says("Jan", &n.to_string(), "Dag."), &n.to_string(), &[]).await;
        }
        // Older ones, of which no page is asked for.
        let copies = "INSERT INTO conversation SELECT tenant_id, gen_random_uuid(), no + 100 * n, status, contact_id, queue_id, \
             channel_account_id, assignee_id, summary, key_id, message_count, last_message_at - 1000000 * n, \
             last_message_kind, unread, delivery_problem, waiting_since, first_reply_at, resolved_at, created_at, version, \
             placed_at - 1000000 * n FROM conversation, generate_series(1, 1000) n";
        house.place.ask_content(copies).await;
        house.place.ask_content("ANALYZE conversation").await;
        let pages = 10;
        for assignee in [Assignee::Any, Assignee::Nobody, Assignee::User(desk.admin.id)] {
            let query = ConversationQuery { status: Some(ConversationStatus::Open), assignee, ..ALL };
            let full = if matches!(assignee, Assignee::User(_)) { 0 } else { 4 };
            for _ in 0..pages {
                assert_eq!(store.conversations(access, query).await.expect("a page").len(), full);
            }
        }
        // A connection that ends tells what it has read; filing the eight is among it.
        store.close().await;
        let read =
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'conversation'";
        let mut rows = 0;
        for _ in 0..100 {
            rows = house.place.ask_content(read).await.expect("a number");
            if rows >= 2 * 4 * pages {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert!((2 * 4 * pages..1_000).contains(&rows), "{rows} rows read");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_on_an_old_version_is_refused_and_each_change_is_written_down() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let id = desk.file(&house, says("Jan", "Factuur", "Dag."), "1", &[]).await.conversation;
        let case = store.conversation(access, id).await.expect("a case");
        let change = |version, standing, assignee| {
            let change = ConversationChange {
                version: Some(version),
                standing,
                assignee,
                ..ConversationChange::default()
            };
            ChangeConversation::prepare(store, access, id, change)
        };
        let taken = change(case.version, None, Some(Some(desk.admin.id)));
        assert!(store.write(access, taken).await.expect("changed"), "{}", house.name());
        let stale = store.write(access, change(case.version, Some(Standing::Resolved), None)).await;
        assert!(matches!(stale, Err(StoreError::Conflict)), "{}", house.name());
        // The same again changes nothing and is not written down.
        let same = change(case.version + 1, None, Some(Some(desk.admin.id)));
        assert!(!store.write(access, same).await.expect("read"), "{}", house.name());
        let activities = store.activities(access, id).await.expect("activities");
        let told: Vec<_> = activities.iter().map(|one| (one.kind.as_str(), one.to.clone())).collect();
        assert_eq!(told, [("assigned", Some(desk.admin.id.to_string()))], "{}", house.name());
        let now = house.clock.now();
        assert!(store.conversation(access, id).await.expect("a case").unread);
        store.write(access, MarkSeen { id, now }).await.expect("marked");
        assert!(!store.conversation(access, id).await.expect("a case").unread, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_are_named_once_and_threads_in_order() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let first = desk.file(&house, says("Jan", "Factuur", "Dag."), "1", &[]).await;
        house.pass(60);
        let mut second = says("Piet", "Re: Factuur", "Ook dag.");
        second.cc = vec![person("", "JAN@klant.example"), person("Kees", "kees@klant.example")];
        let answer = desk.file(&house, second, "2", &["1"]).await;
        assert_eq!(answer.conversation, first.conversation, "{}", house.name());
        let found = store.participants(access, first.conversation).await.expect("participants");
        let told: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.address.as_str())).collect();
        assert_eq!(
            told,
            [
                ("Piet", "piet@klant.example"),
                ("", "info@bakker.example"),
                // The name of the older message serves where the newer one had none.
                ("Jan", "JAN@klant.example"),
                ("Kees", "kees@klant.example"),
            ],
            "{}",
            house.name()
        );
        let threads = store.threads(access, first.conversation).await.expect("threads");
        assert!(threads.len() == 1 && threads[0].account == desk.account.id, "{}", house.name());
        let stranger = house.tenant("slager").await;
        assert!(store.threads(&stranger.access, first.conversation).await.expect("asked").is_empty());
        assert!(store.participants(&stranger.access, first.conversation).await.expect("asked").is_empty());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_that_sees_no_queue_sees_no_case() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let id = desk.file(&house, says("Jan", "Factuur", "De ketel lekt."), "1", &[]).await.conversation;
        let full = &desk.admin.access;
        let blind = Access::for_test(
            full.tenant(),
            full.actor(),
            full.purpose(),
            full.request(),
            Visible { queues: Subset::Only(Vec::new()), ..Visible::all() },
            house.clock.clone(),
        );
        let store = &house.store;
        store.index(&full.as_for(Purpose::Upkeep)).await.expect("indexed");
        assert_eq!(store.search(full, "ketel", None, 10).await.expect("found").items.len(), 1);
        assert!(store.conversations(&blind, ALL).await.expect("a page").is_empty(), "{}", house.name());
        assert!(matches!(store.conversation(&blind, id).await, Err(StoreError::NotFound)));
        assert!(matches!(store.activities(&blind, id).await, Err(StoreError::NotFound)));
        assert_eq!(store.conversation_counts(&blind).await.expect("counts").open, 0);
        assert!(store.messages(&blind, id, None, 10).await.expect("asked").is_empty(), "{}", house.name());
        assert!(store.search(&blind, "ketel", None, 10).await.expect("asked").items.is_empty());
        assert!(
            store.suggest_contacts(&blind, "jan", 10).await.expect("asked").is_empty(),
            "{}",
            house.name()
        );
        house.close().await;
    }
}
