// SPDX-License-Identifier: EUPL-1.2
//! Signing in: who is looked for where, and who waits.

use std::net::IpAddr;

use belofte_model::{Actor, LedgerKind, Purpose, Role, UserState};
use belofte_vault::Pii;

use super::house::{House, email, houses};
use super::upkeep::sweep;
use crate::{SignInStart, SignInTry, StoreError, UserChange};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

async fn begin(house: &House, address: &str, network: IpAddr) -> Result<SignInTry, u64> {
    match house.store.system().begin_sign_in(&email(address), network).await.expect("asked") {
        SignInStart::Proceed(attempt) => Ok(attempt),
        SignInStart::Wait(wait) => Err(wait.as_secs()),
    }
}

fn agent() -> Pii<String> {
    Pii::new("Browser 3".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_found_with_each_organisation_that_knows_it() {
    for house in houses().await {
        let (one, other) = (house.tenant("one").await, house.tenant("other").await);
        house.join(&other, Role::Agent, "admin@one.example").await;
        let attempt = begin(&house, "Admin@ONE.example", HERE).await.expect("free");
        let names: Vec<_> = attempt.candidates.iter().map(|one| one.tenant_name.as_str()).collect();
        assert_eq!(names, ["Tenant one", "Tenant other"], "{}", house.name());
        assert_eq!(attempt.candidates[0].password.expose(), "hash of admin@one.example");
        let system = house.store.system();
        let session = system.sign_in(&attempt, one.tenant, &agent()).await.expect("signed in");
        assert_eq!(session.who.tenant(), one.tenant);
        assert!(system.session_by_token(session.token.expose()).await.expect("asked").is_some());
        let none = begin(&house, "nobody@one.example", HERE).await.expect("free");
        assert!(none.candidates.is_empty());
        system.sign_in_failed(&none).await.expect("nobody to tell");
        let stranger = house.tenant("stranger").await;
        let refused = system.sign_in(&attempt, stranger.tenant, &agent()).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_at_one_account_locks_it_and_lets_the_others_in() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let system = house.store.system();
        for _ in 0..5 {
            let attempt = begin(&house, "agent@bakker.example", HERE).await.expect("free");
            system.sign_in_failed(&attempt).await.expect("told");
        }
        assert_eq!(begin(&house, "agent@bakker.example", HERE).await.err(), Some(30), "{}", house.name());
        begin(&house, "agent@bakker.example", THERE).await.expect("its owner elsewhere is let in");
        let other = begin(&house, "admin@bakker.example", HERE).await.expect("the colleague is let in");
        system.sign_in(&other, admin.tenant, &agent()).await.expect("signed in");
        house.pass(30);
        begin(&house, "agent@bakker.example", HERE).await.expect("open again");
        assert_eq!(begin(&house, "agent@bakker.example", HERE).await.err(), Some(60), "the pause grows");
        house.pass(60);
        let attempt = begin(&house, "agent@bakker.example", HERE).await.expect("open again");
        system.sign_in(&attempt, admin.tenant, &agent()).await.expect("signed in");
        for _ in 0..5 {
            begin(&house, "agent@bakker.example", HERE).await.expect("a success forgets the failures");
        }
        let leaves = house.leaves(&admin.access, LedgerKind::SignIn).await;
        let refused: Vec<_> =
            leaves.iter().filter(|leaf| leaf.detail.value()["outcome"] == "refused").collect();
        assert_eq!(refused.len(), 5, "{}", house.name());
        assert!(refused.iter().all(|leaf| leaf.actor == Actor::System));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_guesses_from_everywhere_does_not_keep_the_owner_out() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (system, address) = (house.store.system(), email("admin@bakker.example"));
        let known = system.known_browser(&address).await.expect("a mark");
        let network = |n: u8| IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, n));
        for n in 0..100 {
            begin(&house, "admin@bakker.example", network(n / 4)).await.expect("free");
        }
        let locked = begin(&house, "admin@bakker.example", network(99)).await;
        assert_eq!(locked.err(), Some(30), "guessing from many networks is slowed down, {}", house.name());
        let with = async |address: &str, known: &str| {
            let start = system.begin_sign_in_with(&email(address), network(0), Some(known)).await;
            matches!(start.expect("asked"), SignInStart::Proceed(_))
        };
        for _ in 0..4 {
            assert!(with("admin@bakker.example", &known).await, "a browser of the owner's is let in");
        }
        let made_up = format!("{}.{}", "0".repeat(32), "0".repeat(32));
        let others = system.known_browser(&email("other@bakker.example")).await.expect("a mark");
        for wrong in [made_up.as_str(), others.as_str(), ""] {
            assert!(!with("admin@bakker.example", wrong).await, "{wrong}");
        }
        let start = system.begin_sign_in_with(&address, network(0), Some(&known)).await.expect("asked");
        let SignInStart::Proceed(attempt) = start else { panic!("the fifth is free") };
        assert!(!with("admin@bakker.example", &known).await, "a known browser has tries of its own");
        system.sign_in(&attempt, admin.tenant, &agent()).await.expect("signed in");
        assert!(with("admin@bakker.example", &known).await);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_guesses_at_many_accounts_waits_alone() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        for n in 0..29 {
            begin(&house, &format!("nobody{n}@bakker.example"), HERE).await.expect("free");
        }
        // Somebody with an account of their own cannot wash the count away.
        let own = begin(&house, "admin@bakker.example", HERE).await.expect("free");
        house.store.system().sign_in(&own, admin.tenant, &agent()).await.expect("signed in");
        begin(&house, "nobody29@bakker.example", HERE).await.expect("the thirtieth");
        assert_eq!(begin(&house, "nobody30@bakker.example", HERE).await.err(), Some(30), "{}", house.name());
        begin(&house, "admin@bakker.example", THERE).await.expect("other networks are not meant");
        house.pass(3600);
        begin(&house, "nobody30@bakker.example", HERE).await.expect("forgotten after an hour");
        house.pass(86_400);
        sweep(&house, admin.tenant).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_of_the_same_moment_are_counted_and_undecided_ones_are_not() {
    for house in houses().await {
        house.tenant("bakker").await;
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let store = house.store.clone();
            tries.spawn(async move {
                let start = store.system().begin_sign_in(&email("admin@bakker.example"), HERE).await;
                matches!(start.expect("asked"), SignInStart::Proceed(_))
            });
        }
        let taken = tries.join_all().await.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 5, "{}", house.name());
        for _ in 0..40 {
            let attempt = begin(&house, "choose@bakker.example", THERE).await.expect("given back each time");
            house.store.system().sign_in_undecided(&attempt).await.expect("given back");
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocked_between_look_up_and_session_is_blocked() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let user = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let attempt = begin(&house, "agent@bakker.example", HERE).await.expect("free");
        assert_eq!(attempt.candidates[0].state, UserState::Active);
        let blocked = UserChange { state: Some(UserState::Blocked), ..UserChange::default() };
        house
            .store
            .change_user(&admin.access.as_for(Purpose::Administration), user.id, blocked)
            .await
            .expect("blocked");
        let refused = house.store.system().sign_in(&attempt, admin.tenant, &agent()).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}", house.name());
        let attempt = begin(&house, "agent@bakker.example", HERE).await.expect("free");
        assert_eq!(attempt.candidates[0].state, UserState::Blocked);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_another_kind() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let system = house.store.system();
        let address = email("admin@bakker.example");
        let name = Pii::new("Operator".to_owned());
        let hash = Pii::new("operator hash".to_owned());
        let id = system.create_operator(&name, &address, hash.clone()).await.expect("made");
        let twice = system.create_operator(&name, &address, hash).await;
        assert!(matches!(twice, Err(StoreError::Conflict)), "{}", house.name());
        let start = system.begin_operator_sign_in(&address, HERE).await.expect("asked");
        let SignInStart::Proceed(attempt) = start else { panic!("not locked") };
        let candidate = attempt.candidate.as_ref().expect("known");
        assert_eq!((candidate.operator, candidate.password.expose().as_str()), (id, "operator hash"));
        let session = system.operator_sign_in(&attempt).await.expect("signed in");
        let token = session.token.expose();
        let operator = system.operator_by_token(token).await.expect("asked").expect("held");
        assert_eq!((operator.id, operator.name.expose().as_str()), (id, "Operator"));
        assert!(system.session_by_token(token).await.expect("asked").is_none(), "no session of a user");
        assert!(system.operator_by_token(admin.session.token.expose()).await.expect("asked").is_none());
        assert!(system.all_dead_letters().await.expect("asked").is_empty());
        // Guesses at the user do not lock the operator, and the other way round.
        for _ in 0..5 {
            begin(&house, "admin@bakker.example", HERE).await.expect("free");
        }
        assert!(begin(&house, "admin@bakker.example", HERE).await.is_err());
        let start = system.begin_operator_sign_in(&address, HERE).await.expect("asked");
        assert!(matches!(start, SignInStart::Proceed(_)), "{}", house.name());
        house.pass(12 * 3600);
        assert!(system.operator_by_token(token).await.expect("asked").is_none(), "{}", house.name());
        house.close().await;
    }
}
