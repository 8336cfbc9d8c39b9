// SPDX-License-Identifier: EUPL-1.2
//! Queues that are archived and restored, and where their cases are meanwhile.

use belofte_model::{ConversationId, Duration, JobKind, JobState, Purpose, QueueId, Standing, Timestamp};
use uuid::Uuid;

use super::desk::{Desk, again, says};
use super::house::{House, houses};
use super::queues::make;
use crate::engine::{params, sql};
use crate::queue_archives::steps;
use crate::{
    Access, ChangeConversation, ClaimedJob, ConversationChange, FailJob, QueueError, Read, ReviveJob,
    StoreError, Tx, Write,
};

/// Cases with open ends in queues of their own.
struct Scene {
    desk: Desk,
    admin: Access,
    cases: Vec<ConversationId>,
}

impl Scene {
    async fn new(house: &House, cases: usize) -> Self {
        let desk = Desk::new(house).await;
        let admin = desk.admin.access.as_for(Purpose::Administration);
        let mut made = Vec::new();
        for no in 0..cases {
            let id = format!("<{no}@klant.example>");
            made.push(desk.file(house, says("Els", "Brood", "Vraag"), &id, &[]).await.conversation);
        }
        Self { desk, admin, cases: made }
    }

    async fn change(
        &self,
        house: &House,
        case: ConversationId,
        change: ConversationChange,
    ) -> Result<bool, StoreError> {
        let access = &self.desk.admin.access;
        let change = ChangeConversation::prepare(&house.store, access, case, change);
        house.store.write(access, change).await
    }

    async fn put(&self, house: &House, case: ConversationId, queue: QueueId) {
        let change = ConversationChange { queue: Some(queue), ..ConversationChange::default() };
        self.change(house, case, change).await.expect("moved");
    }

    async fn stand(&self, house: &House, case: ConversationId, standing: Standing) {
        let change = ConversationChange { standing: Some(standing), ..ConversationChange::default() };
        self.change(house, case, change).await.expect("changed");
    }

    async fn lies(&self, house: &House, case: ConversationId) -> QueueId {
        house.store.conversation(&self.desk.admin.access, case).await.expect("a case").queue
    }

    /// Claims what moves cases and is due.
    async fn due(&self, house: &House) -> Vec<ClaimedJob> {
        let jobs = house.store.system().claim_jobs(self.admin.tenant(), 20, house.clock.now()).await;
        jobs.expect("claimed").into_iter().filter(|job| job.kind == JobKind::SettleQueue).collect()
    }

    /// Does what is due.
    async fn settle(&self, house: &House) -> usize {
        let due = self.due(house).await;
        for job in &due {
            let access = Access::job(job, house.clock.clone());
            house.store.upkeep(&access, job).await.expect("settled");
        }
        due.len()
    }
}

struct JobOf(QueueId);

impl Read for JobOf {
    type Out = Option<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text =
            sql!("SELECT state FROM job WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'settle_queue'");
        tx.query_opt(text, params![tenant, self.0], |row| row.text(0)).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_archived_says_where_its_cases_go_and_they_come_back() {
    for house in houses().await {
        let scene = Scene::new(&house, 4).await;
        let (store, admin) = (&house.store, &scene.admin);
        let first = store.default_queue(admin).await.expect("a queue");
        let (shop, desk) = (make(&house, admin, "Winkel").await, make(&house, admin, "Balie").await);
        for case in &scene.cases {
            scene.put(&house, *case, shop).await;
        }
        let [one, by_hand, solved, old] = scene.cases[..] else { panic!("four cases") };
        scene.stand(&house, old, Standing::Resolved).await;
        let is_default = store.archive_queue(admin, first, Some(desk)).await;
        assert!(matches!(is_default, Err(QueueError::IsDefault)), "{}", house.name());
        let without = store.archive_queue(admin, shop, None).await;
        assert!(matches!(without, Err(QueueError::NotEmpty)), "{}", house.name());
        let theirs = store.default_queue(&house.tenant("slager").await.access).await.expect("a queue");
        for wrong in [shop, theirs, QueueId(Uuid::nil())] {
            let refused = store.archive_queue(admin, shop, Some(wrong)).await;
            assert!(matches!(refused, Err(QueueError::NoSuchTarget)), "{}", house.name());
        }
        let archived = store.archive_queue(admin, shop, Some(desk)).await.expect("archived");
        let moving = archived.moving.expect("something moves");
        assert_eq!((moving.left, moving.moved, moving.failed), (3, 0, false), "{}", house.name());
        // Nobody puts a case there any more, and nothing is archived into it.
        let refused = scene.change(
            &house,
            one,
            ConversationChange { queue: Some(theirs), ..ConversationChange::default() },
        );
        assert!(matches!(refused.await, Err(StoreError::NotFound)), "{}", house.name());
        let into_shut = store.archive_queue(admin, desk, Some(shop)).await;
        assert!(matches!(into_shut, Err(QueueError::NoSuchTarget)), "{}", house.name());
        assert_eq!(scene.settle(&house).await, 1);
        for case in [one, by_hand, solved] {
            assert_eq!(scene.lies(&house, case).await, desk, "{}", house.name());
        }
        assert_eq!(scene.lies(&house, old).await, shop, "what is resolved stays, {}", house.name());
        let told = store.activities(&scene.desk.admin.access, one).await.expect("told");
        let moves = told.iter().filter(|one| one.kind == "queue").count();
        assert_eq!(moves, 2, "{}", house.name());
        let refused = scene.change(
            &house,
            one,
            ConversationChange { queue: Some(shop), ..ConversationChange::default() },
        );
        assert!(matches!(refused.await, Err(StoreError::NotFound)), "{}", house.name());
        scene.put(&house, by_hand, first).await;
        scene.stand(&house, solved, Standing::Resolved).await;
        scene.stand(&house, solved, Standing::Open).await;
        let restored = store.restore_queue(admin, shop).await.expect("restored");
        assert_eq!(restored.moving.map(|moving| moving.left), Some(1), "{}", house.name());
        scene.settle(&house).await;
        assert_eq!(scene.lies(&house, one).await, shop, "{}", house.name());
        assert_eq!(scene.lies(&house, by_hand).await, first, "{}", house.name());
        assert_eq!(scene.lies(&house, solved).await, desk, "{}", house.name());
        assert_eq!(store.queue_set_up(admin, shop).await.expect("there").moving, None, "{}", house.name());
        assert_eq!(store.read(admin, JobOf(shop)).await.expect("asked"), None, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_is_undone_in_any_order() {
    for house in houses().await {
        let scene = Scene::new(&house, 6).await;
        let (store, admin) = (&house.store, &scene.admin);
        let mut queues = Vec::new();
        for name in ["A", "B", "C"] {
            queues.push(make(&house, admin, name).await);
        }
        let [a, b, c] = queues[..] else { panic!("three") };
        let [in_a, in_b, moved, solved, in_c, late] = scene.cases[..] else { panic!("six cases") };
        for (case, queue) in [(in_a, a), (in_b, b), (moved, a), (solved, a), (in_c, c), (late, a)] {
            scene.put(&house, case, queue).await;
        }
        scene.stand(&house, late, Standing::Resolved).await;
        store.archive_queue(admin, a, Some(b)).await.expect("archived");
        scene.settle(&house).await;
        scene.put(&house, moved, c).await;
        store.archive_queue(admin, b, Some(c)).await.expect("archived");
        scene.settle(&house).await;
        for case in [in_a, in_b, moved, solved] {
            assert_eq!(scene.lies(&house, case).await, c, "{}", house.name());
        }
        scene.stand(&house, solved, Standing::Resolved).await;
        // Resolved in A before it was archived, and open again: it goes to where A leads by now.
        scene.stand(&house, late, Standing::Open).await;
        scene.settle(&house).await;
        assert_eq!(scene.lies(&house, late).await, c, "{}", house.name());
        // The middle first: what went through it comes as far as that.
        store.restore_queue(admin, b).await.expect("restored");
        scene.settle(&house).await;
        assert_eq!(scene.lies(&house, in_a).await, b, "{}", house.name());
        assert_eq!(scene.lies(&house, in_b).await, b, "{}", house.name());
        store.restore_queue(admin, a).await.expect("restored");
        scene.settle(&house).await;
        for (case, queue) in [(in_a, a), (in_b, b), (moved, c), (solved, c), (in_c, c), (late, a)] {
            assert_eq!(scene.lies(&house, case).await, queue, "{}", house.name());
        }
        // And the beginning first: it does not come back by way of the middle.
        store.archive_queue(admin, a, Some(b)).await.expect("archived");
        scene.settle(&house).await;
        store.archive_queue(admin, b, Some(c)).await.expect("archived");
        scene.settle(&house).await;
        store.restore_queue(admin, a).await.expect("restored");
        scene.settle(&house).await;
        assert_eq!(scene.lies(&house, in_a).await, a, "{}", house.name());
        assert_eq!(scene.lies(&house, in_b).await, c, "{}", house.name());
        store.restore_queue(admin, b).await.expect("restored");
        scene.settle(&house).await;
        assert_eq!(scene.lies(&house, in_a).await, a, "{}", house.name());
        assert_eq!(scene.lies(&house, in_b).await, b, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_the_archiving_goes_on_as_well() {
    for house in houses().await {
        let scene = Scene::new(&house, 1).await;
        let (store, admin) = (&house.store, &scene.admin);
        let (shop, desk) = (make(&house, admin, "Winkel").await, make(&house, admin, "Balie").await);
        let case = scene.cases[0];
        scene.put(&house, case, shop).await;
        scene.stand(&house, case, Standing::Resolved).await;
        store.archive_queue(admin, shop, Some(desk)).await.expect("archived");
        scene.settle(&house).await;
        // The job waits for a mail that was planned before, and then ends.
        assert!(store.read(admin, JobOf(shop)).await.expect("asked").is_some(), "{}", house.name());
        house.clock.advance(Duration::from_secs(61));
        scene.settle(&house).await;
        assert_eq!(store.read(admin, JobOf(shop)).await.expect("asked"), None, "{}", house.name());
        // Its customer writes again.
        let again = scene.desk.file(
            &house,
            says("Els", "Re: Brood", "Nog iets"),
            "<x@klant.example>",
            &["<0@klant.example>"],
        );
        assert_eq!(again.await.conversation, case, "{}", house.name());
        assert_eq!(scene.settle(&house).await, 1, "{}", house.name());
        assert_eq!(scene.lies(&house, case).await, desk, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_dies_among_many_goes_on_where_it_was() {
    for house in houses().await {
        let scene = Scene::new(&house, 60).await;
        let admin = scene.admin.clone();
        let (shop, desk) = (make(&house, &admin, "Winkel").await, make(&house, &admin, "Balie").await);
        for case in &scene.cases {
            scene.put(&house, *case, shop).await;
        }
        house.store.archive_queue(&admin, shop, Some(desk)).await.expect("archived");
        let job = scene.due(&house).await.pop().expect("a job");
        // The process goes in the third step.
        let access = Access::job(&job, house.clock.clone());
        assert!(steps(&house.store, &access, &job, 2).await.expect("two steps"), "{}", house.name());
        let left = house.store.queue_set_up(&admin, shop).await.expect("there").moving.expect("some left");
        assert_eq!((left.left, left.moved), (10, 50), "{}", house.name());
        let house = again(house).await;
        // Its lease ends.
        house.clock.advance(JobKind::SettleQueue.lease() + Duration::from_secs(1));
        assert_eq!(scene.settle(&house).await, 1, "{}", house.name());
        for case in &scene.cases {
            assert_eq!(scene.lies(&house, *case).await, desk, "{}", house.name());
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_failed_for_good_is_seen_and_stops_nobody() {
    for house in houses().await {
        let scene = Scene::new(&house, 1).await;
        let (store, admin) = (&house.store, &scene.admin);
        let (shop, desk) = (make(&house, admin, "Winkel").await, make(&house, admin, "Balie").await);
        let case = scene.cases[0];
        scene.put(&house, case, shop).await;
        store.archive_queue(admin, shop, Some(desk)).await.expect("archived");
        let die = async || {
            for _ in 0..JobKind::SettleQueue.max_attempts() {
                let job = scene.due(&house).await.pop().expect("a job");
                let (now, retry_in) = (house.clock.now(), Duration::from_secs(0));
                let fail = FailJob { job, code: "test", retry_in, now, counts: true };
                if store.write(admin, fail).await.expect("failed") == JobState::Dead {
                    return;
                }
            }
            panic!("it never dies");
        };
        die().await;
        let moving = store.queue_set_up(admin, shop).await.expect("there").moving.expect("moving");
        assert!(moving.failed, "{}", house.name());
        let letters = store.dead_letters(&admin.as_for(Purpose::Service)).await.expect("letters");
        assert_eq!(letters.len(), 1, "{}", house.name());
        let revive = ReviveJob { id: letters[0].id, now: house.clock.now() };
        store.write(&admin.as_for(Purpose::Service), revive).await.expect("revived");
        die().await;
        // Restoring begins it anew, and so does archiving.
        store.restore_queue(admin, shop).await.expect("restored");
        assert_eq!(scene.settle(&house).await, 1, "{}", house.name());
        assert_eq!(scene.lies(&house, case).await, shop, "{}", house.name());
        store.archive_queue(admin, shop, Some(desk)).await.expect("archived");
        assert_eq!(scene.settle(&house).await, 1, "{}", house.name());
        assert_eq!(scene.lies(&house, case).await, desk, "{}", house.name());
        house.close().await;
    }
}

struct Plan;

impl Read for Plan {
    type Out = String;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<String, StoreError> {
        let (tenant, queue) = (tx.tenant(), QueueId(Uuid::nil()));
        let text = sql!(
            "EXPLAIN QUERY PLAN SELECT id FROM conversation WHERE tenant_id = $1 AND queue_id = $2 \
             AND status IN ('open', 'snoozed', 'waiting') LIMIT $3"
        );
        let lines = tx.query(text, params![tenant, queue, 25_i64], |row| row.text(3)).await?;
        Ok(lines.join("\n"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_in_a_queue_is_read_from_an_index() {
    for house in houses().await {
        // PostgreSQL plans by what is in the table, which is nothing here.
        if !house.store.is_postgres() {
            let admin = house.tenant("bakker").await;
            let plan = house.store.read(&admin.access, Plan).await.expect("a plan");
            assert!(plan.contains("USING INDEX conversation_counts"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sweep_finds_what_came_by_another_way() {
    for house in houses().await {
        let scene = Scene::new(&house, 1).await;
        let (store, admin) = (&house.store, &scene.admin);
        let (shop, desk) = (make(&house, admin, "Winkel").await, make(&house, admin, "Balie").await);
        store.archive_queue(admin, shop, Some(desk)).await.expect("archived");
        house.clock.advance(Duration::from_secs(61));
        scene.settle(&house).await;
        store.write(admin, PutThere(scene.cases[0], shop)).await.expect("put");
        assert_eq!(scene.settle(&house).await, 0, "{}", house.name());
        store.write(admin, Sweep(house.clock.now())).await.expect("swept");
        assert_eq!(scene.settle(&house).await, 1, "{}", house.name());
        assert_eq!(scene.lies(&house, scene.cases[0]).await, desk, "{}", house.name());
        house.close().await;
    }
}

struct PutThere(ConversationId, QueueId);

impl Write for PutThere {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let text = sql!("UPDATE conversation SET queue_id = $3 WHERE tenant_id = $1 AND id = $2");
        tx.execute_one(text, params![tenant, self.0, self.1]).await
    }
}

struct Sweep(Timestamp);

impl Write for Sweep {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        crate::queue_archives::follow_all(tx, self.0).await
    }
}
