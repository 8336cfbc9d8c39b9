// SPDX-License-Identifier: EUPL-1.2
//! Browsers that are told when something is new: whose they are, with what they end, and that many causes are one
//! job.

use belofte_model::{
    JobKind, LedgerKind, Purpose, PushDeviceId, PushProblem, Role, SessionId, TenantId, UserId, UserState,
};
use belofte_vault::Pii;
use serde_json::json;

use super::house::{House, Person, houses};
use super::upkeep::{Count, Tamper, sweep};
use crate::engine::sql;
use crate::push_devices::tell_devices;
use crate::{
    Access, ClaimedJob, NewPushDevice, PUSH_DEVICES, PushDevice, PushDeviceError, PushOutcome, StoreError,
    Tx, UserChange, Write,
};

const HOUR: u64 = 3_600;

/// A browser at the push service of nobody.
pub(super) fn browser(session: SessionId, name: &str) -> NewPushDevice {
    NewPushDevice {
        session,
        endpoint: Pii::new(format!("https://push.example/send/{name}")),
        user_agent: Pii::new(format!("Browser of {name}")),
    }
}

/// The write of something that is new for a user.
struct New(UserId, belofte_model::Timestamp);

impl Write for New {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tell_devices(tx, self.0, self.1).await
    }
}

fn settings(person: &Person) -> Access {
    person.access.as_for(Purpose::Administration)
}

async fn add(house: &House, person: &Person, name: &str) -> Result<PushDeviceId, PushDeviceError> {
    let new = browser(person.session.id, name);
    house.store.add_push_device(&settings(person), None, new).await
}

async fn devices(house: &House, person: &Person) -> Vec<PushDevice> {
    house.store.push_devices(&settings(person)).await.expect("devices")
}

async fn tell(house: &House, person: &Person) {
    let write = New(person.id, house.clock.now());
    house.store.write(&person.access, write).await.expect("told");
}

/// The jobs that are due, each for the device with its id.
async fn due(house: &House, tenant: TenantId) -> Vec<ClaimedJob> {
    let jobs = house.store.system().claim_jobs(tenant, 100, house.clock.now()).await.expect("claimed");
    jobs.into_iter().filter(|job| job.kind == JobKind::Push).collect()
}

async fn again(house: &House, admin: &Person, person: &Person, address: &str) -> Person {
    let system = house.store.system();
    let email = super::house::email(address);
    let start = system.begin_sign_in(&email, "192.0.2.1".parse().expect("an address")).await;
    let crate::SignInStart::Proceed(attempt) = start.expect("begun") else { panic!("nobody waits") };
    let session = system.sign_in(&attempt, admin.tenant, &Pii::new("Browser 1.0".to_owned())).await;
    let session = session.expect("signed in");
    Person { id: person.id, tenant: person.tenant, access: house.access(&session.who), session }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_before_the_tenant_allows_it_and_after_it_does_not_any_more() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, name, access) = (&house.store, house.name(), settings(&admin));
        assert_eq!(store.push_setting(&access).await.expect("asked"), None, "{name}: off by itself");
        assert!(matches!(add(&house, &admin, "a").await, Err(PushDeviceError::NotAllowed)), "{name}");
        let services = ["push.example".to_owned()];
        store.allow_push(&access, true, &services).await.expect("allowed");
        store.allow_push(&access, true, &services).await.expect("is so already");
        let first = store.push_setting(&access).await.expect("asked").expect("allowed");
        let device = add(&house, &admin, "a").await.expect("added");
        let upkeep = store.system().upkeep(admin.tenant);
        let target = store.push_target(&upkeep, device, None).await.expect("asked").expect("a target");
        assert_eq!(target.key.public_key(), first.public_key, "{name}: what browsers are told by");
        assert_eq!(target.endpoint.expose(), "https://push.example/send/a");

        store.allow_push(&access, false, &services).await.expect("forbidden");
        assert!(devices(&house, &admin).await.is_empty(), "{name}: forgotten");
        assert!(store.push_target(&upkeep, device, None).await.expect("asked").is_none());
        store.allow_push(&access, true, &services).await.expect("allowed");
        let second = store.push_setting(&access).await.expect("asked").expect("allowed");
        assert_ne!(second.public_key, first.public_key, "{name}: another key");
        let told = house.leaves(&admin.access, LedgerKind::Instruction).await;
        let told: Vec<_> = told.iter().map(|leaf| leaf.detail.value()).collect();
        let of: Vec<_> = told.iter().filter(|detail| detail["what"] == "browser_push").collect();
        assert_eq!(of.len(), 3, "{name}: what changed nothing is no instruction");
        assert_eq!(of[0]["before"], json!({ "allowed": false }));
        assert_eq!(of[0]["after"], json!({ "allowed": true, "services": services }));
        assert_eq!(of[1]["after"], json!({ "allowed": false }));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_have_their_own_devices_and_no_others() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let other = house.tenant("slager").await;
        let (store, name) = (&house.store, house.name());
        for person in [&admin, &other] {
            store.allow_push(&settings(person), true, &[]).await.expect("allowed");
        }
        let own = add(&house, &agent, "a").await.expect("added");
        let [device] = &devices(&house, &agent).await[..] else { panic!("{name}: one") };
        assert_eq!((device.id, device.session), (own, agent.session.id), "{name}");
        assert_eq!(device.user_agent.expose(), "Browser of a");
        for person in [&admin, &other] {
            let access = settings(person);
            assert!(devices(&house, person).await.is_empty(), "{name}");
            let removed = store.remove_push_device(&access, own).await;
            assert!(matches!(removed, Err(StoreError::NotFound)), "{name}");
            assert!(store.push_target(&access, own, None).await.expect("asked").is_none(), "{name}");
            let noted = store.note_push(&access, own, PushOutcome::Gone, None).await;
            assert!(matches!(noted, Err(StoreError::NotFound)), "{name}");
        }
        // With the session of somebody else nothing is added.
        let borrowed = browser(agent.session.id, "b");
        let added = store.add_push_device(&settings(&admin), None, borrowed).await;
        assert!(matches!(added, Err(PushDeviceError::Store(StoreError::NotFound))), "{name}");
        // A row that was given to somebody else by hand is nobody's.
        store
            .write(&admin.access, Tamper(sql!(
                "UPDATE push_device SET user_id = (SELECT id FROM user_account WHERE tenant_id = $1 AND role = 'admin'), \
                 session_id = (SELECT s.id FROM session s JOIN user_account u ON u.id = s.user_id WHERE s.tenant_id = $1 \
                 AND u.role = 'admin') WHERE tenant_id = $1"
            )))
            .await
            .expect("tampered");
        let upkeep = store.system().upkeep(admin.tenant);
        assert!(devices(&house, &admin).await.is_empty(), "{name}");
        assert!(store.push_target(&upkeep, own, None).await.expect("asked").is_none(), "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_has_one_user_and_a_user_ten_browsers() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let (store, name) = (&house.store, house.name());
        store.allow_push(&settings(&admin), true, &[]).await.expect("allowed");
        let first = add(&house, &agent, "a").await.expect("added");
        let second = add(&house, &agent, "a").await.expect("says where it is again");
        assert_ne!(first, second);
        assert_eq!(devices(&house, &agent).await.len(), 1, "{name}");
        // Its push service gave it another address: still one browser, since the session is.
        add(&house, &agent, "b").await.expect("added");
        assert_eq!(devices(&house, &agent).await.len(), 1, "{name}");
        // Somebody else sits down at it.
        add(&house, &admin, "b").await.expect("added");
        assert!(devices(&house, &agent).await.is_empty(), "{name}");
        assert_eq!(devices(&house, &admin).await.len(), 1, "{name}");
        let acts: Vec<_> = house.leaves(&admin.access, LedgerKind::Membership).await;
        let added = acts.iter().filter(|leaf| leaf.detail.value()["act"] == "push_device_added").count();
        assert_eq!(added, 2, "{name}: what a browser says again is no news");

        for number in 1..=PUSH_DEVICES {
            let agent = again(&house, &admin, &agent, "agent@bakker.example").await;
            add(&house, &agent, &format!("n{number}")).await.expect("added");
        }
        let one_more = again(&house, &admin, &agent, "agent@bakker.example").await;
        assert!(matches!(add(&house, &one_more, "x").await, Err(PushDeviceError::TooMany)), "{name}");
        assert_eq!(devices(&house, &agent).await.len() as i64, PUSH_DEVICES, "{name}");
        let known = add(&house, &one_more, "n3").await.expect("one of the ten");
        store.remove_push_device(&settings(&agent), known).await.expect("removed");
        add(&house, &one_more, "x").await.expect("there is room again");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_ends_with_its_session() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let (store, name) = (&house.store, house.name());
        let upkeep = store.system().upkeep(admin.tenant);
        store.allow_push(&settings(&admin), true, &[]).await.expect("allowed");
        let kept = add(&house, &admin, "admin").await.expect("added");
        // Signing out.
        let elsewhere = again(&house, &admin, &agent, "agent@bakker.example").await;
        add(&house, &agent, "here").await.expect("added");
        add(&house, &elsewhere, "there").await.expect("added");
        store.end_session(&settings(&agent), agent.session.id).await.expect("ended");
        let left = devices(&house, &elsewhere).await;
        assert_eq!(left.iter().map(|one| one.session).collect::<Vec<_>>(), [elsewhere.session.id], "{name}");
        // Another password ends the others.
        let here = again(&house, &admin, &agent, "agent@bakker.example").await;
        let hash = Pii::new("another hash".to_owned());
        let checked = store.own_password(&settings(&here)).await.expect("a hash");
        let change = store.prepare_password(&settings(&here), &checked, hash, Some(here.session.id)).await;
        store.write(&settings(&here), change.expect("prepared")).await.expect("changed");
        assert!(devices(&house, &here).await.is_empty(), "{name}");
        // Who is blocked is told nothing.
        add(&house, &here, "here").await.expect("added");
        let blocked = UserChange { state: Some(UserState::Blocked), ..UserChange::default() };
        store.change_user(&settings(&admin), agent.id, blocked).await.expect("blocked");
        assert!(devices(&house, &here).await.is_empty(), "{name}");
        // Who does not come back is told nothing after half a day, and the row goes with the next sweep.
        house.pass(12 * HOUR - 1);
        assert!(store.push_target(&upkeep, kept, None).await.expect("asked").is_some(), "{name}");
        house.pass(1);
        assert!(store.push_target(&upkeep, kept, None).await.expect("asked").is_none(), "{name}");
        let rows = sql!("SELECT count(*) FROM push_device WHERE tenant_id = $1");
        assert_eq!(store.read(&admin.access, Count(rows)).await.expect("counted"), 1, "{name}");
        sweep(&house, admin.tenant).await;
        assert_eq!(store.read(&admin.access, Count(rows)).await.expect("counted"), 0, "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_new_is_one_job_for_each_device_while_it_waits() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let (store, name, tenant) = (&house.store, house.name(), admin.tenant);
        store.allow_push(&settings(&admin), true, &[]).await.expect("allowed");
        tell(&house, &agent).await;
        house.pass(60);
        assert!(due(&house, tenant).await.is_empty(), "{name}: nobody is told who has no device");
        let phone = again(&house, &admin, &agent, "agent@bakker.example").await;
        let (desk, phone) = (add(&house, &agent, "desk").await, add(&house, &phone, "phone").await);
        let (desk, phone) = (desk.expect("added"), phone.expect("added"));
        add(&house, &admin, "other").await.expect("added");
        let began = house.clock.now();
        for _ in 0..5 {
            tell(&house, &agent).await;
        }
        assert!(due(&house, tenant).await.is_empty(), "{name}: several causes are waited for");
        house.pass(2);
        let jobs = due(&house, tenant).await;
        let mut told: Vec<_> = jobs.iter().map(|job| PushDeviceId(job.subject)).collect();
        told.sort_unstable();
        let mut both = vec![desk, phone];
        both.sort_unstable();
        assert_eq!(told, both, "{name}: each device once, and nobody else's");
        let of = |id: PushDeviceId| jobs.iter().find(|job| job.subject == id.uuid()).expect("a job");
        let access = Access::job(of(desk), house.clock.clone());
        assert_eq!(access.purpose(), Purpose::Upkeep, "{name}: it reads no content");
        let target =
            store.push_target(&access, desk, Some(of(desk))).await.expect("asked").expect("a target");
        assert_eq!((target.user, target.cause), (agent.id, began), "{name}");

        // One is told, the other's service has no time.
        store.note_push(&access, desk, PushOutcome::Told, Some(of(desk))).await.expect("noted");
        let later = house.clock.now() + belofte_model::Duration::from_secs(30);
        store.note_push(&access, phone, PushOutcome::Later(later), Some(of(phone))).await.expect("noted");
        let shown = devices(&house, &agent).await;
        let state = |id| shown.iter().find(|one| one.id == id).map(|one| (one.told_at, one.problem));
        assert_eq!(state(desk), Some((Some(house.clock.now()), None)), "{name}");
        assert_eq!(state(phone), Some((None, None)), "{name}");
        // What is new meanwhile adds to what waits, and does not hurry it.
        tell(&house, &agent).await;
        house.pass(2);
        let jobs = due(&house, tenant).await;
        assert_eq!(jobs.iter().map(|job| job.subject).collect::<Vec<_>>(), [desk.uuid()], "{name}");
        let problem = PushOutcome::Failed(PushProblem::Refused);
        store.note_push(&access, desk, problem, jobs.first()).await.expect("noted");
        house.pass(28);
        let jobs = due(&house, tenant).await;
        assert_eq!(jobs.iter().map(|job| job.subject).collect::<Vec<_>>(), [phone.uuid()], "{name}");
        let lost = ClaimedJob { fence: jobs[0].fence - 1, ..jobs[0].clone() };
        let late = store.note_push(&access, phone, PushOutcome::Gone, Some(&lost)).await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{name}: its lease was lost");
        store.note_push(&access, phone, PushOutcome::Gone, jobs.first()).await.expect("noted");
        let shown = devices(&house, &agent).await;
        let shown: Vec<_> = shown.iter().map(|one| (one.id, one.problem)).collect();
        assert_eq!(shown, [(desk, Some(PushProblem::Refused))], "{name}: the other one is gone");
        // A device that is removed while it is being told ends its job all the same.
        tell(&house, &agent).await;
        house.pass(2);
        let jobs = due(&house, tenant).await;
        store.remove_push_device(&settings(&agent), desk).await.expect("removed");
        assert!(store.push_target(&access, desk, jobs.first()).await.expect("asked").is_none());
        store.note_push(&access, desk, PushOutcome::NotNeeded, jobs.first()).await.expect("ended");
        house.pass(HOUR);
        assert!(due(&house, tenant).await.is_empty(), "{name}");
        house.close().await;
    }
}
