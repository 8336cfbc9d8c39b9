// SPDX-License-Identifier: EUPL-1.2
//! Every tenant has its upkeep once, and a checkpoint comes when there is something to sign.

use belofte_model::{JobId, JobKind, Purpose, Timestamp};

use super::super::house::{houses, invite, upload};
use super::{Count, Tamper, shop, take};
use crate::engine::sql;
use crate::jobs::NewJob;
use crate::{Access, Clock, NewFile, StoreError, Tx, Write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tenant_has_its_upkeep_once_however_many_nodes_start() {
    for house in houses().await {
        let (one, other) = (house.tenant("one").await, house.tenant("other").await);
        let now = house.clock.now();
        // A tenant is founded with its upkeep; those of earlier versions lack it.
        assert_eq!(house.store.system().ensure_upkeep(now).await.expect("scheduled"), 0);
        for person in [&one, &other] {
            let forget = sql!("DELETE FROM job WHERE tenant_id = $1");
            assert_eq!(house.store.write(&person.access, Tamper(forget)).await.expect("forgotten"), 2);
        }
        // Two nodes on one SQLite file are not a thing; there two tasks of one node stand for them.
        let second = if house.store.is_postgres() {
            house.place.open_at(&house.clock).await.expect("stores")
        } else {
            house.store.clone()
        };
        let (mine, theirs) = (house.store.system(), second.system());
        let (a, b) = tokio::join!(mine.ensure_upkeep(now), theirs.ensure_upkeep(now));
        assert_eq!(a.expect("scheduled") + b.expect("scheduled"), 4, "{}", house.name());
        assert_eq!(mine.ensure_upkeep(now).await.expect("scheduled"), 0, "{}", house.name());
        for person in [&one, &other] {
            for jobs in [
                sql!("SELECT CAST(count(*) AS bigint) FROM job WHERE tenant_id = $1 AND kind = 'sweep'"),
                sql!("SELECT CAST(count(*) AS bigint) FROM job WHERE tenant_id = $1 AND kind = 'checkpoint'"),
            ] {
                assert_eq!(house.store.read(&person.access, Count(jobs)).await.expect("counted"), 1);
            }
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_comes_every_hour_in_which_something_happened() {
    for house in houses().await {
        let (admin, _) = shop(&house, "bakker").await;
        let (store, system) = (&house.store, house.store.system());
        let checkpoints = sql!("SELECT CAST(count(*) AS bigint) FROM ledger_checkpoint WHERE tenant_id = $1");
        let mut expected = 0;
        for hour in 0..6 {
            house.pass(3_600);
            let due = system.claim_jobs(admin.tenant, 10, house.clock.now()).await.expect("claimed");
            assert_eq!(due.len(), 2, "{}: both are due every hour", house.name());
            for job in &due {
                let access = Access::job(job, house.clock.clone());
                store.upkeep(&access, job).await.expect("done");
                // The lease is over: who still works on it does no more harm.
                let late = store.upkeep(&access, job).await;
                assert!(late.is_ok() || matches!(late, Err(StoreError::Conflict)), "{}", house.name());
            }
            assert!(
                system.claim_jobs(admin.tenant, 10, house.clock.now()).await.expect("claimed").is_empty()
            );
            expected += i64::from(hour == 0 || hour == 3);
            let made = store.read(&admin.access, Count(checkpoints)).await.expect("counted");
            assert_eq!(made, expected, "{} in hour {hour}", house.name());
            let page =
                store.ledger_page(&admin.access.as_for(Purpose::Oversight), None, 1).await.expect("a page");
            assert_eq!(page.checkpoint.expect("signed").size, page.size, "{}", house.name());
            if hour == 2 {
                invite(store, &admin.access, belofte_model::Role::Agent, false).await.expect("a leaf");
            }
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_lost_the_lease_changes_nothing() {
    for house in houses().await {
        let (admin, _) = shop(&house, "bakker").await;
        let file = NewFile {
            name: "offer.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            content_id: None,
            inline: false,
            bytes: vec![1; 10],
        };
        upload(&house.store, &admin.access, file).await.expect("uploaded");
        house.pass(25 * 3_600);
        let uploads = sql!("SELECT count(*) FROM attachment WHERE tenant_id = $1");
        for kind in [JobKind::Sweep, JobKind::Checkpoint] {
            let (access, slow) = take(&house, admin.tenant, kind).await;
            let (_, quick) = take(&house, admin.tenant, kind).await;
            assert!(quick.fence > slow.fence);
            let lost = house.store.upkeep(&access, &slow).await;
            assert!(matches!(lost, Err(StoreError::Conflict)), "{}: {kind:?}", house.name());
            let left = house.store.read(&admin.access, Count(uploads)).await.expect("counted");
            assert_eq!(left, i64::from(kind == JobKind::Sweep), "{}: {kind:?}", house.name());
            house.store.upkeep(&access, &quick).await.expect("done");
        }
        house.close().await;
    }
}

/// A job that nobody asked for.
struct Extra(NewJob, Timestamp);

impl Write for Extra {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.0.enqueue(tx, self.1).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_job_that_is_not_the_standing_one_ends() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (system, now) = (house.store.system(), house.clock.now());
        let (kind, subject) = (JobKind::Checkpoint, admin.tenant.uuid());
        let job = NewJob { id: JobId::new(now, [7; 10]), kind, subject, run_at: now, lease: None };
        house.store.write(&admin.access, Extra(job, now)).await.expect("enqueued");
        let jobs = system.claim_jobs(admin.tenant, 10, now).await.expect("claimed");
        let job = jobs.iter().find(|claimed| claimed.id == job.id).expect("it is due");
        house.store.upkeep(&Access::job(job, Clock::System), job).await.expect("signed");
        let left = sql!("SELECT CAST(count(*) AS bigint) FROM job WHERE tenant_id = $1");
        let left = house.store.read(&admin.access, Count(left)).await.expect("counted");
        assert_eq!(left, 2, "{}: the standing ones", house.name());
        house.close().await;
    }
}
