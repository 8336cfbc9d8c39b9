// SPDX-License-Identifier: EUPL-1.2
//! Cases that are put off: they leave the open list, and come back by the clock or by the customer.

use belofte_model::{ConversationId, ConversationStatus, Duration, JobKind, Standing, Timestamp};

use super::desk::{Desk, person, says};
use super::house::{House, houses};
use crate::{
    Access, Assignee, ChangeConversation, ClaimedJob, Conversation, ConversationChange, ConversationQuery,
    StoreError,
};

const MONTH: u64 = 30 * 24 * 3_600;

async fn stand(house: &House, access: &Access, id: ConversationId, standing: Standing) {
    let change = ConversationChange { standing: Some(standing), ..ConversationChange::default() };
    let change = ChangeConversation::prepare(&house.store, access, id, change);
    assert!(house.store.write(access, change).await.expect("changed"), "{}", house.name());
}

/// The jobs that are due now, done; gives those that wake a case.
async fn work(house: &House, access: &Access) -> Vec<ClaimedJob> {
    let jobs =
        house.store.system().claim_jobs(access.tenant(), 10, house.clock.now()).await.expect("claimed");
    let mut woke = Vec::new();
    for job in jobs.into_iter().filter(|job| job.kind == JobKind::Wake) {
        let access = Access::job(&job, house.clock.clone());
        house.store.upkeep(&access, &job).await.expect("woken");
        woke.push(job);
    }
    woke
}

async fn open(house: &House, access: &Access) -> Vec<Conversation> {
    let query = ConversationQuery {
        status: Some(ConversationStatus::Open),
        assignee: Assignee::Any,
        queue: None,
        tag: None,
        contact: None,
        after: None,
        limit: 10,
    };
    house.store.conversations(access, query).await.expect("a page")
}

fn in_months(house: &House, months: u64) -> Timestamp {
    house.clock.now() + Duration::from_secs(months * MONTH)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_comes_back_at_the_top_months_later_to_whom_it_belongs() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let first = desk.file(&house, says("Jan", "Factuur", "Dag."), "1", &[]).await.conversation;
        house.pass(60);
        let second = desk.file(&house, says("Piet", "Levering", "Dag."), "2", &[]).await.conversation;
        let mine =
            ConversationChange { assignee: Some(Some(desk.admin.id)), ..ConversationChange::default() };
        store.write(access, ChangeConversation::prepare(store, access, first, mine)).await.expect("taken");
        house.pass(1);
        let until = in_months(&house, 3);
        stand(&house, access, first, Standing::Snoozed(until)).await;
        let counts = store.conversation_counts(access).await.expect("counts");
        assert_eq!((counts.open, counts.mine, counts.snoozed), (1, 0, 1), "{}", house.name());
        let case = store.conversation(access, first).await.expect("a case");
        assert_eq!(
            (case.snoozed_until, case.waiting_since.is_some()),
            (Some(until), true),
            "{}",
            house.name()
        );

        house.pass(2 * MONTH);
        assert!(work(&house, access).await.is_empty(), "{}", house.name());
        house.pass(MONTH);
        assert_eq!(work(&house, access).await.len(), 1, "{}", house.name());
        let list = open(&house, access).await;
        let ids: Vec<_> = list.iter().map(|case| case.id).collect();
        assert_eq!(ids, [first, second], "{}", house.name());
        let back = &list[0];
        assert_eq!(back.assignee, Some(desk.admin.id), "{}", house.name());
        assert_eq!((back.woken_at, back.snoozed_until), (Some(house.clock.now()), None), "{}", house.name());
        assert_eq!(back.last_message_at, case.last_message_at, "{}", house.name());
        assert_eq!(store.conversation_counts(access).await.expect("counts").mine, 1);
        assert!(work(&house, access).await.is_empty(), "its job is gone");
        let told: Vec<_> = store.activities(access, first).await.expect("activities");
        let told: Vec<_> = told.iter().map(|one| (one.kind.as_str(), one.actor_kind.as_str())).collect();
        assert_eq!(told, [("assigned", "user"), ("snoozed", "user"), ("woken", "job")], "{}", house.name());
        // Whoever deals with it takes the mark away.
        stand(&house, access, first, Standing::Resolved).await;
        assert_eq!(store.conversation(access, first).await.expect("a case").woken_at, None);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_customer_wakes_a_case_at_once_and_an_answer_ends_the_wait() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let stored = desk.file(&house, says("Jan", "Factuur", "Dag."), "1", &[]).await;
        let id = stored.conversation;
        stand(&house, access, id, Standing::Snoozed(in_months(&house, 1))).await;
        house.pass(3_600);
        desk.file(&house, says("Jan", "Re: Factuur", "Hallo?"), "2", &["1"]).await;
        let case = store.conversation(access, id).await.expect("a case");
        let stands = (case.status, case.snoozed_until, case.woken_at, case.unread);
        assert_eq!(stands, (ConversationStatus::Open, None, None, true), "{}", house.name());

        stand(&house, access, id, Standing::Snoozed(in_months(&house, 1))).await;
        // Put off once more, further: it comes back then and not before.
        stand(&house, access, id, Standing::Snoozed(in_months(&house, 2))).await;
        house.pass(MONTH);
        assert!(work(&house, access).await.is_empty(), "{}", house.name());
        desk.answer(&house, stored, person("Jan", "jan@klant.example"), "Ja.").await;
        let case = store.conversation(access, id).await.expect("a case");
        assert_eq!(
            (case.status, case.snoozed_until),
            (ConversationStatus::Waiting, None),
            "{}",
            house.name()
        );
        house.pass(6 * MONTH);
        assert!(work(&house, access).await.is_empty(), "no job is left: {}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_late_to_wake_a_case_changes_nothing() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let id = desk.file(&house, says("Jan", "Factuur", "Dag."), "1", &[]).await.conversation;
        stand(&house, access, id, Standing::Snoozed(in_months(&house, 1))).await;
        house.pass(MONTH);
        let due = store.system().claim_jobs(access.tenant(), 10, house.clock.now()).await.expect("claimed");
        let job = due.into_iter().find(|job| job.kind == JobKind::Wake).expect("its time has come");
        // Somebody puts it off again while the worker has the job in its hands.
        stand(&house, access, id, Standing::Snoozed(in_months(&house, 1))).await;
        let worker = Access::job(&job, house.clock.clone());
        let late = store.upkeep(&worker, &job).await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{}: {late:?}", house.name());
        let case = store.conversation(access, id).await.expect("a case");
        assert_eq!(case.status, ConversationStatus::Snoozed, "{}", house.name());
        house.pass(MONTH);
        assert_eq!(work(&house, access).await.len(), 1, "{}", house.name());
        house.close().await;
    }
}
