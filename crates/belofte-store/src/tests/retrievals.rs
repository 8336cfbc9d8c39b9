// SPDX-License-Identifier: EUPL-1.2
//! Mailboxes that are read: their passwords, their one job, and how far they were read.

use std::collections::HashMap;

use belofte_model::{
    AccountState, ChannelAccountId, Duration, FolderPosition, JobKind, Purpose, RetrievalProblem,
};
use belofte_vault::Pii;

use super::channel_accounts::{mailbox, read_at};
use super::house::{House, Person, houses};
use crate::{
    Access, ChannelAccountChange, ClaimedJob, NewChannelAccount, Noted, PasswordChange, RetrievalStanding,
    StoreError,
};

fn secret(text: &str) -> PasswordChange {
    PasswordChange::Set(Pii::new(text.to_owned()))
}

async fn add(house: &House, admin: &Person) -> ChannelAccountId {
    let retrieval = Some(read_at("mail.bakker.example", secret("geheim")));
    let new = NewChannelAccount { retrieval, ..mailbox("info@bakker.example") };
    let access = admin.access.as_for(Purpose::Administration);
    house.store.create_channel_account(&access, None, new).await.expect("added").id
}

async fn change(house: &House, admin: &Person, id: ChannelAccountId, change: ChannelAccountChange) {
    let access = admin.access.as_for(Purpose::Administration);
    house.store.change_channel_account(&access, id, change).await.expect("changed");
}

/// The job of the mailbox, when it can be claimed.
async fn claim(house: &House, admin: &Person) -> Option<(Access, ClaimedJob)> {
    let jobs = house.store.system().claim_jobs(admin.tenant, 100, house.clock.now()).await.expect("claimed");
    let job = jobs.into_iter().find(|job| job.kind == JobKind::Retrieve)?;
    Some((Access::job(&job, house.clock.clone()), job))
}

async fn standing(house: &House, admin: &Person, id: ChannelAccountId) -> Option<RetrievalStanding> {
    let access = admin.access.as_for(Purpose::Administration);
    house.store.retrieval_standings(&access).await.expect("standings").get(&id).copied()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_has_one_job_and_who_read_by_old_settings_ends() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, name) = (&house.store, house.name());
        let id = add(&house, &admin).await;
        let (access, job) = claim(&house, &admin).await.expect("a job");
        let account = store.account_for_retrieval(&access, id).await.expect("read").expect("an account");
        assert_eq!(account.password.map(Pii::into_inner).as_deref(), Some("geheim"), "{name}");
        assert!(account.recorded && account.positions.is_empty(), "{name}");
        assert_eq!(account.retrieval.since, Some(house.clock.now()), "{name}: from now on");

        let position = FolderPosition { validity: 7, next: 12, older: 3 };
        let positions = HashMap::from([("INBOX".to_owned(), position)]);
        let reading = Noted::Reading { older: 2, left_there: 1, caught_up: false, problem: None };
        let note = |standing, again| {
            store.note_retrieval(&access, &job, &account.retrieval, Some(&positions), standing, again)
        };
        note(reading, None).await.expect("noted");
        house.pass(100);
        note(reading, None).await.expect("the lease was kept");
        house.pass(100);
        assert!(claim(&house, &admin).await.is_none(), "{name}: it is being read");
        let told = standing(&house, &admin, id).await.expect("a standing");
        assert_eq!((told.older, told.left_there, told.problem), (2, 2, None), "{name}");

        // A pause ends reading; what was read is known when it goes on.
        let state = |state| ChannelAccountChange { state: Some(state), ..ChannelAccountChange::default() };
        change(&house, &admin, id, state(AccountState::Paused)).await;
        assert!(matches!(note(reading, None).await, Err(StoreError::Conflict)), "{name}");
        assert!(store.account_for_retrieval(&access, id).await.expect("read").is_none(), "{name}");
        assert!(claim(&house, &admin).await.is_none(), "{name}");
        change(&house, &admin, id, state(AccountState::Active)).await;
        let (access, job) = claim(&house, &admin).await.expect("a job");
        let account = store.account_for_retrieval(&access, id).await.expect("read").expect("an account");
        assert_eq!(account.positions, positions, "{name}");

        // What fails says so, is tried again later, and begins to count.
        let failed = Noted::Failed(RetrievalProblem::AuthenticationFailed);
        let pause = Some(Duration::from_secs(60));
        store.note_retrieval(&access, &job, &account.retrieval, None, failed, pause).await.expect("noted");
        let since = house.clock.now();
        assert!(claim(&house, &admin).await.is_none(), "{name}");
        house.pass(61);
        let (access, job) = claim(&house, &admin).await.expect("a job");
        let again = store.account_for_retrieval(&access, id).await.expect("read").expect("an account");
        assert_eq!(again.failures, 1, "{name}");
        store.note_retrieval(&access, &job, &again.retrieval, None, failed, pause).await.expect("noted");
        let told = standing(&house, &admin, id).await.expect("a standing");
        assert_eq!(
            told.problem,
            Some((RetrievalProblem::AuthenticationFailed, since)),
            "{name}: since the first"
        );

        let access = admin.access.as_for(Purpose::Administration);
        store.remove_channel_account(&access, id).await.expect("removed");
        house.pass(61);
        assert!(claim(&house, &admin).await.is_none(), "{name}");
        assert_eq!(standing(&house, &admin, id).await, None, "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_and_a_position_stay_with_their_mailbox() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, name) = (&house.store, house.name());
        let id = add(&house, &admin).await;
        let (access, job) = claim(&house, &admin).await.expect("a job");
        let account = store.account_for_retrieval(&access, id).await.expect("read").expect("an account");
        let positions =
            HashMap::from([("INBOX".to_owned(), FolderPosition { validity: 7, next: 12, older: 1 })]);
        let same =
            store.note_retrieval(&access, &job, &account.retrieval, Some(&positions), Noted::Same, None);
        same.await.expect("noted");
        let with = |host: &str| ChannelAccountChange {
            retrieval: Some(Some(read_at(host, PasswordChange::Keep))),
            ..ChannelAccountChange::default()
        };
        change(&house, &admin, id, with("mail.bakker.example")).await;
        let kept = store.account_for_retrieval(&access, id).await.expect("read").expect("an account");
        assert_eq!((kept.password.is_some(), kept.positions.len()), (true, 1), "{name}");
        assert_eq!(kept.retrieval.since, account.retrieval.since, "{name}: the day stays");
        change(&house, &admin, id, with("mail.elders.example")).await;
        let other = store.account_for_retrieval(&access, id).await.expect("read").expect("an account");
        assert_eq!((other.password.is_some(), other.positions.len()), (false, 0), "{name}");
        assert!(other.recorded, "{name}");
        // Both hosts of the account are on record, and the one before is ended.
        let told =
            store.chosen_recipients(&admin.access.as_for(Purpose::Administration)).await.expect("told");
        let mut hosts: Vec<_> = told.iter().map(|one| (one.host.as_str(), one.ended_at.is_none())).collect();
        hosts.sort_unstable();
        assert_eq!(hosts, [("mail.bakker.example", true), ("mail.elders.example", true)], "{name}");
        house.close().await;
    }
}
