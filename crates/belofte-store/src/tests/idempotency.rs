// SPDX-License-Identifier: EUPL-1.2
//! Idempotency: done once, answered twice.

use belofte_model::{NodeId, Role};
use uuid::Uuid;

use super::house::houses;
use super::upkeep::{Count, sweep};
use crate::engine::{params, sql};
use crate::{Begun, IdempotencyTicket, Read, StoreError, Tx, Write};

const REQUEST: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

fn ticket(begun: Begun) -> IdempotencyTicket {
    match begun {
        Begun::Proceed(ticket) => ticket,
        other => panic!("not to be carried out: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_gets_the_same_answer_and_another_is_refused() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let store = &house.store;
        let begin = async |access, request| store.begin_request(access, "key", request).await.expect("begun");
        let first = ticket(begin(&admin.access, &REQUEST).await);
        assert!(matches!(begin(&admin.access, &REQUEST).await, Begun::Running), "{}", house.name());
        assert!(matches!(begin(&admin.access, &OTHER).await, Begun::OtherRequest));
        store.finish_request(&admin.access, &first, 201, b"{\"id\":1}").await.expect("finished");
        match begin(&admin.access, &REQUEST).await {
            Begun::Stored(answer) => assert_eq!((answer.status, answer.body), (201, b"{\"id\":1}".to_vec())),
            other => panic!("{}: {other:?}", house.name()),
        }
        assert!(matches!(begin(&admin.access, &OTHER).await, Begun::OtherRequest));
        // The same key of somebody else is another key.
        let theirs = ticket(begin(&agent.access, &OTHER).await);
        store.abandon_request(&agent.access, &theirs).await.expect("abandoned");
        ticket(begin(&agent.access, &REQUEST).await);
        // An answer that was given is not abandoned.
        store.abandon_request(&admin.access, &first).await.expect("nothing to abandon");
        assert!(matches!(begin(&admin.access, &REQUEST).await, Begun::Stored(_)));
        house.pass(86_399);
        assert!(matches!(begin(&admin.access, &REQUEST).await, Begun::Stored(_)));
        house.pass(1);
        ticket(begin(&admin.access, &OTHER).await);
        house.pass(86_400);
        sweep(&house, admin.tenant).await;
        let left = sql!("SELECT CAST(count(*) AS bigint) FROM idempotency WHERE tenant_id = $1");
        assert_eq!(store.read(&admin.access, Count(left)).await.expect("counted"), 0, "{}", house.name());
        house.close().await;
    }
}

/// How many requests are kept whose hash can be computed by who has no key.
struct Guessable;

impl Read for Guessable {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let tenant = tx.tenant();
        let text = sql!(
            "SELECT CAST(count(*) AS bigint) FROM idempotency WHERE tenant_id = $1 AND (request_hash = $2 OR length(request_hash) <> 16)"
        );
        tx.query_one(text, params![tenant, &REQUEST], |row| row.int(0)).await
    }
}

/// Makes the row what a version before had stored.
struct AsBefore;

impl Write for AsBefore {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let tenant = tx.tenant();
        let text = sql!("UPDATE idempotency SET request_hash = $2 WHERE tenant_id = $1");
        tx.execute(text, params![tenant, &REQUEST]).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_cannot_be_guessed_from_what_is_kept() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let store = &house.store;
        let begin = async |request| store.begin_request(&admin.access, "key", request).await.expect("begun");
        ticket(begin(&REQUEST).await);
        assert_eq!(store.read(&admin.access, Guessable).await.expect("read"), 0, "{}", house.name());
        // One that was begun before an upgrade is known all the same.
        assert_eq!(store.write(&admin.access, AsBefore).await.expect("written"), 1);
        assert_eq!(store.read(&admin.access, Guessable).await.expect("read"), 1);
        assert!(matches!(begin(&REQUEST).await, Begun::Running), "{}", house.name());
        assert!(matches!(begin(&OTHER).await, Begun::OtherRequest));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_the_same_moment_one_is_carried_out() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        for round in 0..5 {
            let mut requests = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let (store, access) = (house.store.clone(), admin.access.clone());
                requests.spawn(async move {
                    store.begin_request(&access, &format!("key {round}"), &REQUEST).await.expect("begun")
                });
            }
            let begun = requests.join_all().await;
            let carried = begun.iter().filter(|one| matches!(one, Begun::Proceed(_))).count();
            let waiting = begun.iter().filter(|one| matches!(one, Begun::Running)).count();
            assert_eq!((carried, waiting), (1, 7), "{}", house.name());
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_over_from_the_dead_makes_the_same_row() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let store = &house.store;
        let begin = async || store.begin_request(&admin.access, "key", &REQUEST).await.expect("begun");
        let dead = ticket(begin().await);
        house.pass(119);
        assert!(matches!(begin().await, Begun::Running));
        house.pass(1);
        let heir = ticket(begin().await);
        assert_eq!(heir.intended, dead.intended, "{}", house.name());
        assert!(matches!(begin().await, Begun::Running), "the heir has its own time");
        let late = store.finish_request(&admin.access, &dead, 500, b"late").await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{}", house.name());
        store.abandon_request(&admin.access, &dead).await.expect("without effect");
        store.finish_request(&admin.access, &heir, 201, b"done").await.expect("finished");
        assert!(matches!(begin().await, Begun::Stored(answer) if answer.body == b"done"));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_process_of_a_node_takes_over_at_once_and_leaves_other_nodes_alone() {
    let (one, two) = (NodeId(Uuid::from_u128(1)), NodeId(Uuid::from_u128(2)));
    for house in houses().await {
        let system = house.store.system();
        assert_eq!(system.serve_as(one).await.expect("a node"), 0, "{}", house.name());
        let admin = house.tenant("bakker").await;
        let begin = async |store: &crate::Store| {
            store.begin_request(&admin.access, "key", &REQUEST).await.expect("begun")
        };
        let dead = ticket(begin(&house.store).await);
        let now = house.clock.now() + std::time::Duration::from_secs(3_600);
        let held = system.claim_jobs(admin.tenant, 9, now).await.expect("claimed");
        assert!(!held.is_empty());

        // Beside it on a server; instead of it where there is only one process at a time.
        let other = house.place.open_at(&house.clock).await.expect("stores");
        let taken = other.system().serve_as(two).await.expect("a node");
        if house.store.is_postgres() {
            assert_eq!(taken, 0);
            assert!(matches!(begin(&other).await, Begun::Running));
            let next = house.place.open_at(&house.clock).await.expect("stores");
            assert_eq!(next.system().serve_as(one).await.expect("a node"), held.len() as u64);
            next.close().await;
        } else {
            assert_eq!(taken, held.len() as u64);
        }
        let heir = ticket(begin(&other).await);
        assert_eq!(heir.intended, dead.intended, "{}", house.name());
        let again = other.system().claim_jobs(admin.tenant, 9, house.clock.now()).await.expect("claimed");
        assert_eq!(again.len(), held.len(), "{}", house.name());
        for (job, before) in again.iter().zip(&held) {
            assert_eq!((job.id, job.attempts, job.fence), (before.id, 1, before.fence + 1));
        }
        other.close().await;
        house.close().await;
    }
}
