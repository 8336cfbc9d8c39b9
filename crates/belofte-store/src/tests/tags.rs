// SPDX-License-Identifier: EUPL-1.2
//! Tags: their names, lists by tag, and what becomes of them when they are merged or archived.

use belofte_model::{ConversationId, ConversationStatus, LedgerKind, Purpose, Standing, TagColour, TagId};

use super::desk::{Desk, person, says};
use super::house::{House, houses};
use crate::{
    Access, Assignee, ChangeConversation, ConversationChange, ConversationQuery, StoreError, TagChange,
    TagError,
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

async fn make(house: &House, access: &Access, name: &str) -> TagId {
    let access = access.as_for(Purpose::Administration);
    house.store.create_tag(&access, None, name, TagColour::Teal).await.expect("made").id
}

async fn change(
    house: &House,
    access: &Access,
    id: ConversationId,
    change: ConversationChange,
) -> Result<bool, StoreError> {
    let change = ChangeConversation::prepare(&house.store, access, id, change);
    house.store.write(access, change).await
}

fn tagging(add: &[TagId], remove: &[TagId]) -> ConversationChange {
    ConversationChange {
        add_tags: add.to_vec(),
        remove_tags: remove.to_vec(),
        ..ConversationChange::default()
    }
}

async fn listed(house: &House, access: &Access, query: ConversationQuery) -> Vec<ConversationId> {
    let page = house.store.conversations(access, query).await.expect("a page");
    page.into_iter().map(|case| case.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_one_tag_however_it_is_written() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, access) = (&house.store, &admin.access.as_for(Purpose::Administration));
        let spoed = make(&house, access, "  Met   spoed ").await;
        let retour = make(&house, access, "Retour").await;
        let again = store.create_tag(access, None, "met SPOED", TagColour::Red).await;
        assert!(matches!(again, Err(TagError::NameTaken)), "{}", house.name());
        let rename = |name: &str| TagChange { name: Some(name.to_owned()), ..TagChange::default() };
        let taken = store.change_tag(access, retour, rename("MET spoed")).await;
        assert!(matches!(taken, Err(TagError::NameTaken)), "{}", house.name());
        // Other capitals of its own name are no other tag's.
        let changed = store.change_tag(access, spoed, rename("MET SPOED")).await.expect("renamed");
        assert_eq!((changed.name.as_str(), changed.version), ("MET SPOED", 2));
        let names: Vec<_> = store.tags(access).await.expect("tags").into_iter().map(|tag| tag.name).collect();
        assert_eq!(names, ["MET SPOED", "Retour"], "{}", house.name());
        // Of another tenant the name is free, and its tags are its own.
        let other = house.tenant("slager").await;
        make(&house, &other.access, "Retour").await;
        assert_eq!(store.tags(&other.access).await.expect("tags").len(), 1);
        let stranger =
            store.change_tag(&other.access.as_for(Purpose::Administration), spoed, rename("x")).await;
        assert!(matches!(stranger, Err(TagError::Store(StoreError::NotFound))), "{}", house.name());
        let acts: Vec<_> = house
            .leaves(access, LedgerKind::Instruction)
            .await
            .iter()
            .filter(|leaf| leaf.detail.value()["what"] == "tag")
            .map(|leaf| leaf.detail.value()["act"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(acts, ["created", "created", "changed"], "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_by_tag_follows_its_cases_wherever_they_stand() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let access = &desk.admin.access;
        let tag = make(&house, access, "Retour").await;
        let mut stored = Vec::new();
        for n in 0..9 {
            house.pass(1);
            stored.push(desk.file(&house, says("Jan", &n.to_string(), "Dag."), &n.to_string(), &[]).await);
        }
        for one in stored.iter().skip(1).step_by(2) {
            assert!(
                change(&house, access, one.conversation, tagging(&[tag, tag], &[])).await.expect("tagged")
            );
            // The same again changes nothing and is not written down.
            assert!(!change(&house, access, one.conversation, tagging(&[tag], &[])).await.expect("read"));
        }
        let of_tag = ConversationQuery { tag: Some(tag), ..ALL };
        let [a, b, c, d] = [7, 5, 3, 1].map(|n| stored[n].conversation);
        assert_eq!(listed(&house, access, of_tag).await, [a, b, c, d], "{}", house.name());
        let told = house.store.conversation(access, a).await.expect("a case").tags;
        assert_eq!(told, [tag], "{}", house.name());

        // A case that is answered, resolved or written to again moves here as in every list.
        house.pass(1);
        desk.answer(&house, stored[1], person("Jan", "jan@klant.example"), "Ja.").await;
        let waiting = ConversationQuery { status: Some(ConversationStatus::Waiting), ..of_tag };
        assert_eq!(listed(&house, access, waiting).await, [d], "{}", house.name());
        let resolve =
            ConversationChange { standing: Some(Standing::Resolved), ..ConversationChange::default() };
        change(&house, access, b, resolve).await.expect("resolved");
        let open = ConversationQuery { status: Some(ConversationStatus::Open), ..of_tag };
        assert_eq!(listed(&house, access, open).await, [a, c], "{}", house.name());
        house.pass(1);
        desk.file(&house, says("Jan", "Re: 5", "Nog iets."), "5b", &["5"]).await;
        assert_eq!(listed(&house, access, open).await, [b, a, c], "{}", house.name());

        // Whose they are is tried on what was read, page by page.
        let mine =
            ConversationChange { assignee: Some(Some(desk.admin.id)), ..ConversationChange::default() };
        change(&house, access, c, mine).await.expect("taken");
        let own = ConversationQuery { assignee: Assignee::User(desk.admin.id), limit: 1, ..open };
        assert_eq!(listed(&house, access, own).await, [c], "{}", house.name());
        let after = house.store.conversation(access, b).await.expect("a case");
        let next = ConversationQuery { after: Some((after.placed_at, after.id)), limit: 1, ..open };
        assert_eq!(listed(&house, access, next).await, [a], "{}", house.name());

        change(&house, access, a, tagging(&[], &[tag])).await.expect("taken off");
        assert_eq!(listed(&house, access, open).await, [b, c], "{}", house.name());
        let activities = house.store.activities(access, a).await.expect("activities");
        let told: Vec<_> = activities.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(told, ["tagged", "untagged"], "{}", house.name());
        let unknown = change(&house, access, a, tagging(&[TagId(access.tenant().uuid())], &[])).await;
        assert!(matches!(unknown, Err(StoreError::NotFound)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_brings_the_tags_of_its_case_along() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let access = &desk.admin.access;
        let (one, two) = (make(&house, access, "Een").await, make(&house, access, "Twee").await);
        // So many that two readers share them, and a case that is found twice.
        let mut wanted = Vec::new();
        for n in 0..20 {
            house.pass(1);
            let id = n.to_string();
            let case = desk.file(&house, says("Jan", &id, "De ketel."), &id, &[]).await.conversation;
            let mut tags = [&[][..], &[one], &[one, two]][n % 3].to_vec();
            change(&house, access, case, tagging(&tags, &[])).await.expect("tagged");
            tags.sort_unstable();
            wanted.insert(0, (case, tags));
        }
        house.pass(1);
        desk.file(&house, says("Jan", "Re: 2", "Die ketel."), "2b", &["2"]).await;
        let third = wanted[17].clone();
        assert_eq!(third.1.len(), 2);
        wanted.insert(0, third);
        for indexed in [false, true] {
            if indexed {
                house.store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
            }
            let hits = house.store.search(access, "ketel ", None, 50).await.expect("found").items;
            let told: Vec<_> = hits
                .into_iter()
                .map(|hit| {
                    let mut tags = hit.conversation.tags;
                    tags.sort_unstable();
                    (hit.conversation.id, tags)
                })
                .collect();
            assert_eq!(told, wanted, "{} {indexed}", house.name());
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merged_tag_is_the_other_one_and_an_archived_one_stays_where_it_is() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let access = &desk.admin.access;
        let settings = &access.as_for(Purpose::Administration);
        let (old, new, last) = (
            make(&house, access, "Terug").await,
            make(&house, access, "Retour").await,
            make(&house, access, "Retouren").await,
        );
        let mut cases = Vec::new();
        for (n, tags) in [&[old][..], &[old, new][..], &[new][..]].into_iter().enumerate() {
            house.pass(1);
            let id = n.to_string();
            let case = desk.file(&house, says("Jan", &id, "Dag."), &id, &[]).await.conversation;
            change(&house, access, case, tagging(tags, &[])).await.expect("tagged");
            cases.insert(0, case);
        }
        let store = &house.store;
        let of = |tag| ConversationQuery { tag: Some(tag), ..ALL };
        let itself = store.merge_tag(settings, old, old).await;
        assert!(matches!(itself, Err(TagError::NoSuchTag)), "{}", house.name());
        store.merge_tag(settings, old, new).await.expect("merged");
        assert_eq!(listed(&house, access, of(new)).await, cases, "{}", house.name());
        // Who kept the old one finds the cases, also after a second merge; its name is free.
        store.merge_tag(settings, new, last).await.expect("merged");
        for tag in [old, new, last] {
            assert_eq!(listed(&house, access, of(tag)).await, cases, "{}", house.name());
        }
        assert_eq!(store.conversation(access, cases[1]).await.expect("a case").tags, [last]);
        let again = store.merge_tag(settings, old, last).await;
        assert!(matches!(again, Err(TagError::Store(StoreError::NotFound))), "{}", house.name());
        let gone = change(&house, access, cases[0], tagging(&[old], &[])).await;
        assert!(matches!(gone, Err(StoreError::NotFound)), "{}", house.name());
        make(&house, access, "terug").await;

        let archive = TagChange { archived: Some(true), ..TagChange::default() };
        assert!(store.change_tag(settings, last, archive).await.expect("archived").archived);
        assert_eq!(listed(&house, access, of(last)).await, cases, "{}", house.name());
        let refused = change(&house, access, cases[0], tagging(&[last], &[])).await;
        assert!(!refused.expect("it has it already"), "{}", house.name());
        change(&house, access, cases[0], tagging(&[], &[last])).await.expect("taken off");
        let refused = change(&house, access, cases[0], tagging(&[last], &[])).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_by_tag_reads_no_more_rows_than_it_gives() {
    for house in houses().await.into_iter().filter(|house| house.name() == "postgres") {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let tag = make(&house, access, "Retour").await;
        for n in 0..8 {
            let id = n.to_string();
            let case = desk.file(&house, says("Jan", &id, "Dag."), &id, &[]).await.conversation;
            change(&house, access, case, tagging(&[tag], &[])).await.expect("tagged");
        }
        // Newer ones without the tag and older ones with it: neither all of the list is read nor all of
        // the tag.
        let copies = "INSERT INTO conversation SELECT tenant_id, gen_random_uuid(), no + 100 * n, status, contact_id, queue_id, \
             channel_account_id, assignee_id, summary, key_id, message_count, last_message_at - 1000000 * n, \
             last_message_kind, unread, delivery_problem, waiting_since, first_reply_at, resolved_at, created_at, version, \
             placed_at - 1000000 * n FROM conversation, generate_series(-1000, 1000) n WHERE n <> 0";
        house.place.ask_content(copies).await;
        let tags = format!(
            "INSERT INTO conversation_tag SELECT tenant_id, id, '{}', status, placed_at FROM conversation WHERE no > 99",
            tag.uuid()
        );
        house.place.ask_content(&tags).await;
        house.place.ask_content("ANALYZE conversation").await;
        house.place.ask_content("ANALYZE conversation_tag").await;
        let pages = 10;
        let query = ConversationQuery { status: Some(ConversationStatus::Open), tag: Some(tag), ..ALL };
        for _ in 0..pages {
            assert_eq!(store.conversations(access, query).await.expect("a page").len(), 4);
        }
        store.close().await;
        let read = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_user_tables \
                    WHERE relname IN ('conversation', 'conversation_tag')";
        // Making the copies read 8 cases, and giving them tags 16,008.
        let least = 8 + 16_008 + 4 * pages;
        let mut rows = 0;
        for _ in 0..100 {
            rows = house.place.ask_content(read).await.expect("a number");
            if rows >= least {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert!((least..least + 500).contains(&rows), "{rows} rows read");
        house.close().await;
    }
}
