// SPDX-License-Identifier: EUPL-1.2
//! Work by what it waits for: found and claimed class by class, so that none keeps another from running.

use std::collections::BTreeSet;

use belofte_model::{JobId, JobKind, TenantId, Timestamp, WorkClass};
use uuid::Uuid;

use super::house::{House, houses};
use crate::engine::{params, sql};
use crate::jobs::NewJob;
use crate::{StoreError, Tx, Write};

const CLASSES: [WorkClass; 2] = [WorkClass::Inside, WorkClass::Outside];

/// Jobs of these kinds, each due a second after the one before, and no others: upkeep comes at a moment of its own.
struct Jobs(Vec<JobKind>, Timestamp);

impl Write for Jobs {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(sql!("DELETE FROM job WHERE tenant_id = $1"), params![tenant]).await?;
        for (number, kind) in (1_u8..).zip(&self.0) {
            let run_at = self.1 + std::time::Duration::from_secs(u64::from(number));
            let id = JobId::new(run_at, [number; 10]);
            let job =
                NewJob { id, kind: *kind, subject: Uuid::from_u128(number.into()), run_at, lease: None };
            job.enqueue(tx, self.1).await?;
        }
        Ok(())
    }
}

/// A tenant whose jobs are of `kinds`.
async fn tenant_with(house: &House, slug: &str, kinds: &[JobKind]) -> TenantId {
    let admin = house.tenant(slug).await;
    let jobs = Jobs(kinds.to_vec(), house.clock.now());
    house.store.write(&admin.access, jobs).await.expect("enqueued");
    admin.tenant
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_is_found_and_claimed_in_its_class_and_in_no_other() {
    for house in houses().await {
        let tenant = tenant_with(&house, "bakker", &JobKind::ALL).await;
        house.pass(60);
        let (system, now) = (house.store.system(), house.clock.now());
        let due = system.due_work(now).await.expect("found");
        assert_eq!(due, CLASSES.map(|class| (tenant, class)), "{}", house.name());
        assert_eq!(system.tenants_with_due_jobs(now).await.expect("found"), [tenant], "{}", house.name());
        for class in CLASSES {
            let claimed = system.claim_work(tenant, class, 20, now).await.expect("claimed");
            let kinds: Vec<_> = claimed.iter().map(|job| job.kind).collect();
            let expected: Vec<_> = JobKind::ALL.into_iter().filter(|kind| kind.class() == class).collect();
            assert_eq!(kinds, expected, "{}: {class:?}, as they became due", house.name());
            let left = system.due_work(now).await.expect("found");
            assert!(!left.contains(&(tenant, class)), "{}: {left:?}", house.name());
        }
        assert_eq!(system.due_work(now).await.expect("found"), [], "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_of_mail_hides_neither_other_work_nor_other_tenants() {
    for house in houses().await {
        let mut kinds = vec![JobKind::Deliver; 40];
        kinds.push(JobKind::Wake);
        let flooded = tenant_with(&house, "bakker", &kinds).await;
        let other = tenant_with(&house, "slager", &[JobKind::Deliver]).await;
        house.pass(60);
        let (system, now) = (house.store.system(), house.clock.now());
        let due: BTreeSet<_> =
            system.due_work(now).await.expect("found").into_iter().map(|(who, _)| who).collect();
        assert_eq!(due, BTreeSet::from([flooded, other]), "{}", house.name());
        let woken = system.claim_work(flooded, WorkClass::Inside, 4, now).await.expect("claimed");
        assert_eq!(woken.iter().map(|job| job.kind).collect::<Vec<_>>(), [JobKind::Wake], "{}", house.name());
        // Two nodes that claim at once have no job in common, and each at most its turn.
        let second = if house.store.is_postgres() {
            house.place.open_at(&house.clock).await.expect("stores")
        } else {
            house.store.clone()
        };
        let (mine, theirs) = (house.store.system(), second.system());
        let (a, b) = tokio::join!(
            mine.claim_work(flooded, WorkClass::Outside, 4, now),
            theirs.claim_work(flooded, WorkClass::Outside, 4, now),
        );
        let (a, b) = (a.expect("claimed"), b.expect("claimed"));
        let both: BTreeSet<_> = a.iter().chain(&b).map(|job| job.id).collect();
        assert!(a.len() <= 4 && b.len() <= 4 && both.len() == a.len() + b.len(), "{}", house.name());
        assert!(!both.is_empty(), "{}", house.name());
        house.close().await;
    }
}
