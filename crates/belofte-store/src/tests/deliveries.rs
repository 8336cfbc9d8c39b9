// SPDX-License-Identifier: EUPL-1.2
//! Deliveries: whoever waits for an answer is tried again, by one job a message, whatever becomes
//! of the other recipients.

use belofte_model::{DeliveryState, Duration, JobId, JobKind, MessageId, NotificationId, Timestamp};

use super::desk::{Desk, Stored, person, says};
use super::house::{House, houses};
use super::upkeep::sweep;
use crate::access::ClaimedJob;
use crate::engine::{params, sql};
use crate::{
    AbandonSending, Access, BeginDelivery, Delivery, Message, NothingDue, Outcome, Reconciled,
    RecordOutcomes, RetryDeliveries, StoreError, Tx, Write,
};

/// Whom the answer is for.
const NAMES: [&str; 3] = ["jan", "piet", "klaas"];

/// A job's id.
fn look(house: &House) -> JobId {
    JobId::new(house.clock.now(), house.store.random().bytes())
}

/// The id of a line that tells of a failure.
fn told(house: &House) -> NotificationId {
    NotificationId::new(house.clock.now(), house.store.random().bytes())
}

/// An answer on its way to three people.
struct Answer {
    desk: Desk,
    case: Stored,
    id: MessageId,
}

impl Answer {
    async fn written(house: &House) -> Self {
        let desk = Desk::new(house).await;
        let case = desk.file(house, says("Jan", "Vraag", "Dag."), "a@klant.example", &[]).await;
        let people = NAMES.map(|name| person(name, &format!("{name}@klant.example")));
        let id = desk.answer_all(house, case, &people, "Dag.").await;
        Self { desk, case, id }
    }

    async fn message(&self, house: &House) -> Message {
        let message = house.store.message(&self.desk.admin.access, self.id).await;
        let mut message = message.expect("the answer");
        let place = |one: &Delivery| NAMES.iter().position(|name| *name == one.recipient.name);
        message.deliveries.sort_by_key(place);
        message
    }

    async fn states(&self, house: &House) -> Vec<DeliveryState> {
        self.message(house).await.deliveries.iter().map(|one| one.state).collect()
    }

    async fn problem(&self, house: &House) -> bool {
        let case = house.store.conversation(&self.desk.admin.access, self.case.conversation).await;
        case.expect("the case").delivery_problem
    }

    /// The claims that a worker gets now, of deliveries.
    async fn claim(&self, house: &House) -> Vec<ClaimedJob> {
        let tenant = self.desk.admin.tenant;
        let jobs = house.store.system().claim_jobs(tenant, 10, house.clock.now()).await.expect("claimed");
        jobs.into_iter().filter(|job| job.kind == JobKind::Deliver).collect()
    }

    /// What a worker does before it opens a connection; those whom it will try.
    async fn begin(&self, house: &House, job: &ClaimedJob) -> (Access, Message, Vec<Delivery>) {
        let (access, now) = (Access::job(job, house.clock.clone()), house.clock.now());
        let abandon =
            AbandonSending { job: job.clone(), message: self.id, look: look(house), told: told(house), now };
        house.store.write(&access, abandon).await.expect("the lease is held");
        let message = self.message(house).await;
        let mut due = message.deliveries.clone();
        due.retain(|one| one.state == DeliveryState::Queued && one.next_try_at.is_none_or(|at| at <= now));
        let deliveries = due.iter().map(|one| one.id).collect();
        let begin = BeginDelivery { job: job.clone(), message: self.id, deliveries, now };
        house.store.write(&access, begin).await.expect("the lease is held");
        (access, message, due)
    }

    /// One whole run with what becomes of each that is due, by the beginning of their address.
    async fn run(&self, house: &House, job: &ClaimedJob, became: &[(&str, DeliveryState, u64)]) {
        let (access, message, due) = self.begin(house, job).await;
        let tried: Vec<&str> = due.iter().map(|one| one.recipient.name.as_str()).collect();
        assert_eq!(tried, became.iter().map(|(name, ..)| *name).collect::<Vec<_>>(), "{}", house.name());
        let now = house.clock.now();
        let outcomes = due
            .iter()
            .zip(became)
            .map(|(one, (_, state, wait))| outcome(one, *state, (*wait > 0).then(|| now + secs(*wait))))
            .collect();
        let record = RecordOutcomes::prepare(&house.store, &access, job.clone(), &message, outcomes);
        house.store.write(&access, record.await.expect("sealed")).await.expect("recorded");
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn outcome(of: &Delivery, state: DeliveryState, next_try_at: Option<Timestamp>) -> Outcome {
    Outcome { id: of.id, state, next_try_at, code: None, reply: None }
}

use DeliveryState::{Failed, Queued, Sending, Sent, Unknown};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_left_behind_when_others_are_tried_first() {
    for house in houses().await {
        let answer = Answer::written(&house).await;
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("jan", Queued, 60), ("piet", Queued, 90), ("klaas", Queued, 7)]).await;
        assert_eq!(answer.claim(&house).await.len(), 0);
        house.pass(8);
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("klaas", Sent, 0)]).await;
        assert_eq!(answer.states(&house).await, [Queued, Queued, Sent]);
        house.pass(53);
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("jan", Sent, 0)]).await;
        house.pass(30);
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("piet", Sent, 0)]).await;
        assert_eq!(answer.states(&house).await, [Sent, Sent, Sent]);
        house.pass(90 * 24 * 3_600);
        assert_eq!(answer.claim(&house).await.len(), 0, "the job is gone");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_one_leaves_the_wait_of_another() {
    for house in houses().await {
        let answer = Answer::written(&house).await;
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("jan", Failed, 0), ("piet", Queued, 600), ("klaas", Sent, 0)]).await;
        assert!(answer.problem(&house).await);
        let admin = &answer.desk.admin.access;
        let retry = RetryDeliveries::prepare(&house.store, admin, &answer.message(&house).await, Vec::new());
        assert_eq!(house.store.write(admin, retry).await.expect("asked"), 1);
        assert!(!answer.problem(&house).await, "it is tried again");
        let jobs = answer.claim(&house).await;
        assert_eq!(jobs.len(), 1, "one job a message");
        answer.run(&house, &jobs[0], &[("jan", Failed, 0)]).await;
        assert!(answer.problem(&house).await);
        assert_eq!(answer.states(&house).await, [Failed, Queued, Sent]);
        house.pass(601);
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("piet", Sent, 0)]).await;
        assert!(answer.problem(&house).await, "one of them never had it");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_while_a_worker_sends_takes_nothing_from_it() {
    for house in houses().await {
        let answer = Answer::written(&house).await;
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("jan", Failed, 0), ("piet", Queued, 60), ("klaas", Sent, 0)]).await;
        house.pass(61);
        let job = &answer.claim(&house).await[0];
        let (access, message, due) = answer.begin(&house, job).await;
        assert_eq!(answer.states(&house).await, [Failed, Sending, Sent]);

        let admin = &answer.desk.admin.access;
        let retry = RetryDeliveries::prepare(&house.store, admin, &answer.message(&house).await, Vec::new());
        assert_eq!(house.store.write(admin, retry).await.expect("asked"), 1);
        assert_eq!(answer.claim(&house).await.len(), 0, "no second worker while the first one sends");
        assert_eq!(answer.states(&house).await, [Queued, Sending, Sent]);

        let outcomes = vec![outcome(&due[0], Sent, None)];
        let record = RecordOutcomes::prepare(&house.store, &access, job.clone(), &message, outcomes);
        house.store.write(&access, record.await.expect("sealed")).await.expect("the outcome is not lost");
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("jan", Sent, 0)]).await;
        assert_eq!(answer.states(&house).await, [Sent, Sent, Sent]);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_holds_the_job_may_say_that_a_send_was_abandoned() {
    for house in houses().await {
        let answer = Answer::written(&house).await;
        let old = &answer.claim(&house).await[0];
        house.pass(JobKind::Deliver.lease().as_secs() + 1);
        let job = &answer.claim(&house).await[0];
        answer.begin(&house, job).await;
        let (access, now) = (Access::job(old, house.clock.clone()), house.clock.now());
        let late = AbandonSending {
            job: old.clone(),
            message: answer.id,
            look: look(&house),
            told: told(&house),
            now,
        };
        let refused = house.store.write(&access, late).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
        assert_eq!(answer.states(&house).await, [Sending; 3]);
        // The holder went away: the next one says so, and tries none of them again.
        house.pass(JobKind::Deliver.lease().as_secs() + 1);
        let job = &answer.claim(&house).await[0];
        let (access, _, due) = answer.begin(&house, job).await;
        assert_eq!(due.len(), 0);
        assert_eq!(answer.states(&house).await, [Unknown; 3]);
        assert!(answer.problem(&house).await);
        let nothing = NothingDue { job: job.clone(), message: answer.id, now: house.clock.now() };
        house.store.write(&access, nothing).await.expect("the lease is held");
        house.pass(90 * 24 * 3_600);
        assert_eq!(answer.claim(&house).await.len(), 0, "the job is gone");
        house.close().await;
    }
}

/// Takes the job away from under its message, as no code of ours does.
struct LoseJob(MessageId);

impl Write for LoseJob {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!("DELETE FROM job WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'deliver'"),
            params![tenant, self.0],
        )
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_gives_a_job_to_what_waits_without_one() {
    for house in houses().await {
        let answer = Answer::written(&house).await;
        let admin = &answer.desk.admin;
        house.store.system().ensure_upkeep(house.clock.now()).await.expect("standing jobs");
        house.store.write(&admin.access, LoseJob(answer.id)).await.expect("lost");
        assert_eq!(answer.claim(&house).await.len(), 0);
        sweep(&house, admin.tenant).await;
        sweep(&house, admin.tenant).await;
        let jobs = answer.claim(&house).await;
        assert_eq!(jobs.len(), 1);
        answer.run(&house, &jobs[0], &[("jan", Sent, 0), ("piet", Sent, 0), ("klaas", Sent, 0)]).await;
        sweep(&house, admin.tenant).await;
        assert_eq!(answer.claim(&house).await.len(), 0);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_found_among_what_was_sent_was_sent_to_and_a_person_is_not_contradicted() {
    for house in houses().await {
        let answer = Answer::written(&house).await;
        let job = &answer.claim(&house).await[0];
        answer.run(&house, job, &[("jan", Unknown, 0), ("piet", Failed, 0), ("klaas", Unknown, 0)]).await;
        let looks = async || {
            let tenant = answer.desk.admin.tenant;
            let jobs = house.store.system().claim_jobs(tenant, 10, house.clock.now()).await.expect("claimed");
            jobs.into_iter().find(|job| job.kind == JobKind::Reconcile)
        };
        assert!(looks().await.is_none(), "a server takes some seconds to file its copy");
        house.pass(5);
        let look = looks().await.expect("a look");
        let access = Access::job(&look, house.clock.clone());
        let message = answer.message(&house).await;
        let again = Some(house.clock.now() + Duration::from_secs(55));
        let missed = Reconciled::new(&access, look, &message, false, again);
        assert_eq!(house.store.write(&access, missed).await.expect("noted"), 0);
        assert_eq!(answer.states(&house).await, [Unknown, Failed, Unknown]);
        // In the meantime somebody has it sent to one of them again, who is tried anew.
        let admin = &answer.desk.admin.access;
        let jan = vec![message.deliveries[0].id];
        let retry = RetryDeliveries::prepare(&house.store, admin, &message, jan);
        assert_eq!(house.store.write(admin, retry).await.expect("asked"), 1);
        house.pass(55);
        let look = looks().await.expect("another look");
        let access = Access::job(&look, house.clock.clone());
        let found = Reconciled::new(&access, look.clone(), &message, true, again);
        assert_eq!(house.store.write(&access, found).await.expect("found"), 1);
        assert_eq!(answer.states(&house).await, [Queued, Failed, Sent]);
        assert!(answer.problem(&house).await, "one of them never had it");
        let late = Reconciled::new(&access, look, &message, true, None);
        assert!(matches!(house.store.write(&access, late).await, Err(StoreError::Conflict)));
        house.close().await;
    }
}
