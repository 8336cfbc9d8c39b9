// SPDX-License-Identifier: EUPL-1.2
//! The second factor: what it lets in, what it keeps out, and who waits.

use std::net::{IpAddr, Ipv4Addr};

use belofte_model::{GivenCode, LedgerKind, Purpose, Role, SignInStepKind, UserState, code_period};
use belofte_vault::{Pii, TotpSecret};

use super::house::{House, Person, email, houses, invite, somebody};
use super::upkeep::{Count, Tamper, sweep};
use crate::engine::sql;
use crate::user_facts::UserStanding;
use crate::{
    Access, NewSession, OpenStep, OwnPassword, SecondFactorError, SecondFactorRuleChange, SecondStep,
    SignInNext, SignInStart, SignInTry, StoreError, UserChange,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const AGENT: &str = "agent@bakker.example";

/// Why what is done to second factors need not look at what is visible.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("begin_second_factor", "changes; the second factor of the one who asks"),
    ("confirm_second_factor", "changes; the second factor of the one who asks"),
    ("remove_second_factor", "changes; the second factor of the one who asks"),
    ("renew_recovery_codes", "changes; the second factor of the one who asks"),
    ("reset_second_factor", "changes; users are the tenant's"),
    ("second_factor", "the second factor of the one who asks"),
    ("second_factor_reset_seen", "changes; the notice of the one who asks"),
    ("second_factor_rule", "settings of the tenant"),
    ("set_second_factor_rule", "changes; settings of the tenant"),
];

/// What no password was checked against.
pub(super) fn no_password() -> OwnPassword {
    OwnPassword { hash: Pii::new(String::new()), standing: UserStanding(Vec::new()) }
}

fn from(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, n))
}

fn own(person: &Person) -> Access {
    person.access.as_for(Purpose::Administration)
}

async fn password(house: &House, person: &Person) -> OwnPassword {
    house.store.own_password(&own(person)).await.expect("a password")
}

/// The app of a user.
struct App(TotpSecret);

impl App {
    /// What it shows `periods` from now.
    fn shows(&self, house: &House, periods: i64) -> GivenCode {
        GivenCode::Code(self.0.code(code_period(house.clock.now()) + periods))
    }

    /// What it does not show.
    fn wrong(&self, house: &House) -> GivenCode {
        let now = code_period(house.clock.now());
        let wrong = (0..).find(|code| self.0.period_of(*code, now).is_none()).expect("most are wrong");
        GivenCode::Code(wrong)
    }
}

fn recovery(codes: &crate::NewRecoveryCodes, at: usize) -> GivenCode {
    GivenCode::parse(codes.0[at].expose()).expect("a recovery code")
}

/// Sets a second factor up, and waits until its first code is over.
async fn enrol(house: &House, person: &Person) -> (App, crate::NewRecoveryCodes) {
    let (store, access, session) = (&house.store, own(person), person.session.id);
    let secret = store.begin_second_factor(&access, session).await.expect("begun");
    let app = App(TotpSecret::parse(secret.text.expose()).expect("a secret"));
    let checked = password(house, person).await;
    let code = app.shows(house, 0);
    let codes = store.confirm_second_factor(&access, session, &checked, &code).await.expect("confirmed");
    house.pass(60);
    (app, codes)
}

async fn begin(house: &House, address: &str, network: IpAddr, known: Option<&str>) -> SignInTry {
    let start = house.store.system().begin_sign_in_with(&email(address), network, known).await;
    match start.expect("asked") {
        SignInStart::Proceed(attempt) => attempt,
        SignInStart::Wait(wait) => panic!("{wait:?}"),
    }
}

fn agent() -> Pii<String> {
    Pii::new("Browser 7".to_owned())
}

/// Gives the right password, and the token of the step that follows.
async fn step_from(
    house: &House,
    person: &Person,
    network: IpAddr,
    known: Option<&str>,
) -> (String, OpenStep) {
    let system = house.store.system();
    let attempt = begin(house, AGENT, network, known).await;
    let next = system.after_password(&attempt, person.tenant, &agent()).await.expect("the password is right");
    let SignInNext::Step(step) = next else { panic!("no session is made of a password") };
    let token = step.token.expose().clone();
    let open = system.step_by_token(&token).await.expect("asked").expect("it waits");
    (token, open)
}

async fn step(house: &House, person: &Person) -> OpenStep {
    step_from(house, person, HERE, None).await.1
}

async fn show(
    house: &House,
    step: &OpenStep,
    given: &GivenCode,
    network: IpAddr,
) -> Result<NewSession, SecondFactorError> {
    let (user_agent, known) = (agent(), None);
    let from = SecondStep { user_agent: &user_agent, network, known };
    house.store.system().show_second_factor(step, given, &from).await
}

async fn holds(house: &House, session: &NewSession) -> bool {
    house.store.system().session_by_token(session.token.expose()).await.expect("asked").is_some()
}

async fn tenant(house: &House) -> (Person, Person) {
    let admin = house.tenant("bakker").await;
    let agent = house.join(&admin, Role::Agent, AGENT).await;
    (admin, agent)
}

fn wrong<T>(result: Result<T, SecondFactorError>) -> bool {
    matches!(result, Err(SecondFactorError::Wrong))
}

fn waits<T>(result: Result<T, SecondFactorError>) -> Option<u64> {
    match result {
        Err(SecondFactorError::Wait(wait)) => Some(wait.as_secs()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_set_up_with_its_first_code_and_ends_what_was_made_without_it() {
    for house in houses().await {
        let (admin, agent) = tenant(&house).await;
        let (store, name, access, session) = (&house.store, house.name(), own(&agent), agent.session.id);
        // A second browser, and a sign-in that was under way with the password alone.
        let attempt = begin(&house, AGENT, HERE, None).await;
        let other = store.system().sign_in(&attempt, agent.tenant, &self::agent()).await.expect("signed in");
        let late = begin(&house, AGENT, HERE, None).await;

        let checked = password(&house, &agent).await;
        let never = store.confirm_second_factor(&access, session, &checked, &GivenCode::Code(1)).await;
        assert!(matches!(never, Err(SecondFactorError::Over)), "{name}: nothing was begun");
        let first = store.begin_second_factor(&access, session).await.expect("begun");
        let secret = store.begin_second_factor(&access, session).await.expect("begun again");
        let old = App(TotpSecret::parse(first.text.expose()).expect("a secret"));
        let app = App(TotpSecret::parse(secret.text.expose()).expect("a secret"));
        for code in [app.wrong(&house), old.shows(&house, 0), app.shows(&house, 2)] {
            let refused = store.confirm_second_factor(&access, session, &checked, &code).await;
            assert!(wrong(refused), "{name}");
        }
        let code = app.shows(&house, 0);
        // What somebody began in another session is theirs.
        let elsewhere = store.confirm_second_factor(&access, other.id, &checked, &code).await;
        assert!(matches!(elsewhere, Err(SecondFactorError::Over)), "{name}");
        let stale = store.confirm_second_factor(&access, session, &no_password(), &code).await;
        assert!(
            matches!(stale, Err(SecondFactorError::Store(StoreError::Conflict))),
            "{name}: another password"
        );
        let codes = store.confirm_second_factor(&access, session, &checked, &code).await.expect("confirmed");
        assert_eq!(codes.0.len(), 10, "{name}");
        let stands = store.second_factor(&access).await.expect("asked");
        assert_eq!((stands.since, stands.recovery_codes), (Some(house.clock.now()), 10), "{name}");
        let twice = store.begin_second_factor(&access, session).await;
        assert!(matches!(twice, Err(StoreError::Conflict)), "{name}");

        assert!(holds(&house, &agent.session).await, "{name}: the session in which it was set up stays");
        assert!(!holds(&house, &other).await, "{name}: others end");
        let system = store.system();
        for refused in [
            system.sign_in(&late, agent.tenant, &self::agent()).await.map(drop),
            system.after_password(&late, agent.tenant, &self::agent()).await.map(drop),
        ] {
            assert!(
                matches!(refused, Err(StoreError::NotFound)),
                "{name}: what was under way makes no session"
            );
        }
        // The code that confirmed it is used.
        let step = step(&house, &agent).await;
        assert!(wrong(show(&house, &step, &code, HERE).await), "{name}");
        house.pass(30);
        let signed = show(&house, &step, &app.shows(&house, 0), HERE).await.expect("signed in");
        assert!(holds(&house, &signed).await, "{name}");
        let leaves = house.leaves(&admin.access, LedgerKind::Membership).await;
        assert_eq!(leaves.last().expect("one").detail.value()["act"], "second_factor_on", "{name}");
        let told = house.leaves(&admin.access, LedgerKind::SignIn).await;
        let told: Vec<_> =
            told.iter().rev().take(3).map(|leaf| leaf.detail.value()["outcome"].clone()).collect();
        assert_eq!(told, ["done", "refused", "asked"], "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_good_once_and_near_its_time_alone() {
    for house in houses().await {
        let (_, agent) = tenant(&house).await;
        let (app, codes) = enrol(&house, &agent).await;
        let name = house.name();
        let open = step(&house, &agent).await;
        for periods in [-2, 2] {
            assert!(wrong(show(&house, &open, &app.shows(&house, periods), HERE).await), "{name}: {periods}");
        }
        let next = app.shows(&house, 1);
        let session = show(&house, &open, &next, HERE).await.expect("one period ahead");
        assert!(holds(&house, &session).await, "{name}");
        let gone = show(&house, &open, &app.shows(&house, 0), HERE).await;
        assert!(matches!(gone, Err(SecondFactorError::Over)), "{name}: a step is used once");
        let open = step(&house, &agent).await;
        for replayed in [next, app.shows(&house, 0), app.shows(&house, -1)] {
            assert!(
                wrong(show(&house, &open, &replayed, HERE).await),
                "{name}: it, and those before it, are used"
            );
        }
        let one = recovery(&codes, 3);
        show(&house, &open, &one, HERE).await.expect("signed in");
        assert_eq!(house.store.second_factor(&own(&agent)).await.expect("asked").recovery_codes, 9, "{name}");
        let open = step(&house, &agent).await;
        assert!(wrong(show(&house, &open, &one, HERE).await), "{name}: a recovery code is good once");
        show(&house, &open, &recovery(&codes, 4), HERE).await.expect("signed in");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_show_one_code_at_the_same_moment_one_is_let_in() {
    for house in houses().await {
        let (_, agent) = tenant(&house).await;
        let (app, codes) = enrol(&house, &agent).await;
        for given in [app.shows(&house, 0), recovery(&codes, 0)] {
            let mut tries = tokio::task::JoinSet::new();
            for n in 0..4 {
                let (_, step) = step_from(&house, &agent, from(n), None).await;
                let (store, given) = (house.store.clone(), given.clone());
                tries.spawn(async move {
                    let user_agent = self::agent();
                    let from = SecondStep { user_agent: &user_agent, network: from(n), known: None };
                    store.system().show_second_factor(&step, &given, &from).await.is_ok()
                });
            }
            let let_in = tries.join_all().await.into_iter().filter(|let_in| *let_in).count();
            assert_eq!(let_in, 1, "{}: {given:?}", house.name());
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_codes_are_counted_for_the_account_from_wherever_they_come() {
    for house in houses().await {
        let (admin, agent) = tenant(&house).await;
        let (app, codes) = enrol(&house, &agent).await;
        let (name, system) = (house.name(), house.store.system());
        let known = system.known_browser(&email(AGENT)).await.expect("a mark");
        // Each from another network, with another step, and the password given anew.
        for n in 0..5 {
            let (_, open) = step_from(&house, &agent, from(n), None).await;
            assert!(wrong(show(&house, &open, &app.wrong(&house), from(n)).await), "{name}: {n}");
        }
        for (n, known) in [(6, None), (7, Some(known.as_str()))] {
            let (_, open) = step_from(&house, &agent, from(n), known).await;
            let locked = show(&house, &open, &app.shows(&house, 0), from(n)).await;
            assert_eq!(waits(locked), Some(30), "{name}: also with the right one, and in a known browser");
        }
        house.pass(30);
        let open = step(&house, &agent).await;
        assert!(wrong(show(&house, &open, &app.wrong(&house), HERE).await), "{name}");
        assert_eq!(waits(show(&house, &open, &app.wrong(&house), HERE).await), Some(60), "{name}: it grows");
        // Nothing that is swept, and no password that is right, brings new tries.
        house.pass(2 * 86_400);
        sweep(&house, admin.tenant).await;
        let open = step(&house, &agent).await;
        assert!(wrong(show(&house, &open, &app.wrong(&house), HERE).await), "{name}");
        assert_eq!(waits(show(&house, &open, &app.wrong(&house), HERE).await), Some(120), "{name}");
        // Its owner comes in with a recovery code, and their codes are good again.
        show(&house, &open, &recovery(&codes, 0), HERE).await.expect("signed in");
        let open = step(&house, &agent).await;
        show(&house, &open, &app.shows(&house, 0), HERE).await.expect("signed in");
        // Recovery codes have a limit of their own, and a short one.
        let open = step(&house, &agent).await;
        let none = GivenCode::RecoveryCode("A".repeat(16));
        for _ in 0..10 {
            assert!(wrong(show(&house, &open, &none, HERE).await), "{name}");
        }
        assert_eq!(waits(show(&house, &open, &none, HERE).await), Some(30), "{name}");
        show(&house, &open, &app.shows(&house, 1), HERE).await.expect("codes are counted by themselves");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_code_that_is_right_does_not_wait_for_those_that_were_wrong() {
    for house in houses().await {
        let (_, agent) = tenant(&house).await;
        let (app, codes) = enrol(&house, &agent).await;
        let name = house.name();
        // Somebody with the password keeps both ways waiting.
        let invented = GivenCode::parse("aaaa-bbbb-cccc-dddd").expect("the form of one");
        for n in 0..30 {
            let open = step_from(&house, &agent, from(n), None).await.1;
            let _ = show(&house, &open, &app.wrong(&house), from(n)).await;
            let _ = show(&house, &open, &invented, from(n)).await;
        }
        let open = step(&house, &agent).await;
        assert!(waits(show(&house, &open, &app.shows(&house, 0), HERE).await).is_some(), "{name}");
        assert!(waits(show(&house, &open, &invented, HERE).await).is_some(), "{name}");
        show(&house, &open, &recovery(&codes, 3), HERE).await.expect("its owner comes in");
        // It is good once, and with it the app's codes are good again.
        let open = step(&house, &agent).await;
        assert!(wrong(show(&house, &open, &recovery(&codes, 3), HERE).await), "{name}");
        show(&house, &open, &app.shows(&house, 0), HERE).await.expect("the pause is over");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_have_the_password_keeps_nobody_from_the_second_step() {
    for house in houses().await {
        let (admin, agent) = tenant(&house).await;
        let (app, _) = enrol(&house, &agent).await;
        let (name, system) = (house.name(), house.store.system());
        let open = step(&house, &agent).await;
        let mut refused = 0;
        for n in 0..200 {
            match system.begin_sign_in(&email(AGENT), from(n)).await.expect("asked") {
                SignInStart::Proceed(attempt) => system.sign_in_failed(&attempt).await.expect("told"),
                SignInStart::Wait(_) => refused += 1,
            }
        }
        assert!(refused > 50, "{name}: the password is locked by then");
        show(&house, &open, &app.shows(&house, 0), HERE).await.expect("the step is its owner's");
        let rows = sql!("SELECT CAST(count(*) AS bigint) FROM second_factor_try WHERE tenant_id = $1");
        assert_eq!(house.store.read(&admin.access, Count(rows)).await.expect("counted"), 0, "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_the_password_puts_no_step_of_another_network_away() {
    for house in houses().await {
        let (admin, agent) = tenant(&house).await;
        enrol(&house, &agent).await;
        let (name, system) = (house.name(), house.store.system());
        let known = system.known_browser(&email(AGENT)).await.expect("a mark");
        let (known_token, _) = step_from(&house, &agent, from(1), Some(&known)).await;
        let (own, _) = step_from(&house, &agent, HERE, None).await;
        let mut others = Vec::new();
        for _ in 0..40 {
            house.pass(1);
            others.push(step_from(&house, &agent, from(1), None).await.0);
        }
        let waits = async |token: &str| system.step_by_token(token).await.expect("asked").is_some();
        assert!(waits(&own).await, "{name}: another network puts its own away");
        assert!(!waits(&others[34]).await && waits(&others[35]).await, "{name}: but for the last five");
        for n in 0..110 {
            house.pass(1);
            step_from(&house, &agent, from(100 + n), None).await;
        }
        assert!(waits(&known_token).await, "{name}: a browser that is known is out of reach");
        let rows = sql!("SELECT CAST(count(*) AS bigint) FROM sign_in_step WHERE tenant_id = $1");
        assert_eq!(house.store.read(&admin.access, Count(rows)).await.expect("counted"), 101, "{name}");
        house.pass(5 * 60);
        assert!(!waits(&known_token).await, "{name}: five minutes");
        sweep(&house, admin.tenant).await;
        assert_eq!(house.store.read(&admin.access, Count(rows)).await.expect("counted"), 0, "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_stands_on_what_its_user_was_let_in_by() {
    for house in houses().await {
        let (admin, agent) = tenant(&house).await;
        let (app, _) = enrol(&house, &agent).await;
        let (name, store) = (house.name(), &house.store);
        let open = step(&house, &agent).await;
        let hash = Pii::new("another hash".to_owned());
        let checked = store.own_password(&own(&agent)).await.expect("a hash");
        let change = store.prepare_password(&own(&agent), &checked, hash, Some(agent.session.id)).await;
        store.write(&own(&agent), change.expect("prepared")).await.expect("changed");
        let hash = Pii::new("of who came second".to_owned());
        let change = store.prepare_password(&own(&agent), &checked, hash, Some(agent.session.id)).await;
        let second = store.write(&own(&agent), change.expect("prepared")).await;
        assert!(matches!(second, Err(StoreError::Conflict)), "{name}: it was checked against the first");
        let late = show(&house, &open, &app.shows(&house, 0), HERE).await;
        assert!(matches!(late, Err(SecondFactorError::Over)), "{name}: another password ends it");
        let open = step(&house, &agent).await;
        let blocked = UserChange { state: Some(UserState::Blocked), ..UserChange::default() };
        store.change_user(&own(&admin), agent.id, blocked).await.expect("blocked");
        let late = show(&house, &open, &app.shows(&house, 0), HERE).await;
        assert!(matches!(late, Err(SecondFactorError::Over)), "{name}: who is blocked is");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_renewed_and_taken_away_with_the_password_and_a_code() {
    for house in houses().await {
        let (_, agent) = tenant(&house).await;
        let (app, codes) = enrol(&house, &agent).await;
        let (name, store, access) = (house.name(), &house.store, own(&agent));
        let checked = password(&house, &agent).await;
        let stale = store.renew_recovery_codes(&access, &no_password(), &app.shows(&house, 0)).await;
        assert!(matches!(stale, Err(SecondFactorError::Store(StoreError::Conflict))), "{name}");
        assert!(wrong(store.renew_recovery_codes(&access, &checked, &app.wrong(&house)).await), "{name}");
        let new =
            store.renew_recovery_codes(&access, &checked, &app.shows(&house, 0)).await.expect("renewed");
        let open = step(&house, &agent).await;
        assert!(
            wrong(show(&house, &open, &recovery(&codes, 0), HERE).await),
            "{name}: the old ones are gone"
        );
        let elsewhere = show(&house, &open, &recovery(&new, 0), HERE).await.expect("signed in");

        let session = agent.session.id;
        // What is wrong here counts as at the sign-in.
        for _ in 0..5 {
            let refused = store.remove_second_factor(&access, session, &checked, &app.wrong(&house)).await;
            assert!(wrong(refused), "{name}");
        }
        let locked = store.remove_second_factor(&access, session, &checked, &app.shows(&house, 1)).await;
        assert_eq!(waits(locked), Some(30), "{name}");
        let open = step(&house, &agent).await;
        assert_eq!(waits(show(&house, &open, &app.shows(&house, 1), HERE).await), Some(30), "{name}");
        house.pass(30);
        store.remove_second_factor(&access, session, &checked, &app.shows(&house, 0)).await.expect("removed");
        assert!(holds(&house, &agent.session).await && !holds(&house, &elsewhere).await, "{name}");
        let late = show(&house, &open, &recovery(&new, 1), HERE).await;
        assert!(matches!(late, Err(SecondFactorError::Over)), "{name}: the step that waited is over");
        let attempt = begin(&house, AGENT, HERE, None).await;
        let next =
            store.system().after_password(&attempt, agent.tenant, &self::agent()).await.expect("let in");
        assert!(matches!(next, SignInNext::Session(_)), "{name}: the password is all again");
        for table in [
            sql!("SELECT CAST(count(*) AS bigint) FROM second_factor WHERE tenant_id = $1"),
            sql!("SELECT CAST(count(*) AS bigint) FROM recovery_code WHERE tenant_id = $1"),
            sql!("SELECT CAST(count(*) AS bigint) FROM second_factor_try WHERE tenant_id = $1"),
        ] {
            assert_eq!(store.read(&access, Count(table)).await.expect("counted"), 0, "{name}");
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_asked_one_does_nothing_before_it_is_set_up() {
    for house in houses().await {
        let (admin, agent) = tenant(&house).await;
        let (name, store, system) = (house.name(), &house.store, house.store.system());
        let everybody =
            SecondFactorRuleChange { admin: Some(true), supervisor: Some(true), agent: Some(true) };
        let unfit = store.set_second_factor_rule(&own(&admin), everybody).await;
        assert!(matches!(unfit, Err(SecondFactorError::OwnFirst)), "{name}");
        let late = begin(&house, AGENT, HERE, None).await;
        let agents = SecondFactorRuleChange { agent: Some(true), ..SecondFactorRuleChange::default() };
        let set = store.set_second_factor_rule(&own(&admin), agents).await.expect("set");
        assert!(set.agent && !set.supervisor && !set.admin, "{name}: what was not named stays");
        assert_eq!(store.second_factor_rule(&own(&admin)).await.expect("asked"), set, "{name}");
        assert!(holds(&house, &admin.session).await && !holds(&house, &agent.session).await, "{name}");
        let refused = system.sign_in(&late, agent.tenant, &self::agent()).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{name}: the password alone makes no session");

        let (token, open) = step_from(&house, &agent, HERE, None).await;
        assert_eq!(open.kind, SignInStepKind::Enrolment, "{name}");
        let code = show(&house, &open, &GivenCode::Code(1), HERE).await;
        assert!(matches!(code, Err(SecondFactorError::Over)), "{name}: it waits for no code");
        let secret = system.begin_step_set_up(&open).await.expect("begun");
        let app = App(TotpSecret::parse(secret.text.expose()).expect("a secret"));
        let user_agent = self::agent();
        let from = SecondStep { user_agent: &user_agent, network: HERE, known: None };
        let refused = system.confirm_step_set_up(&open, &app.wrong(&house), &from).await;
        assert!(wrong(refused), "{name}");
        house.pass(14 * 60);
        let (session, codes) =
            system.confirm_step_set_up(&open, &app.shows(&house, 0), &from).await.expect("set up");
        assert_eq!(codes.0.len(), 10);
        assert!(holds(&house, &session).await, "{name}");
        assert!(system.step_by_token(&token).await.expect("asked").is_none(), "{name}");

        // Who joins is asked too, and who gets a role of which it is asked.
        let invitation = invite(store, &admin.access, Role::Agent, false).await.expect("invited");
        let invitation = system.invitation_by_token(invitation.token.expose()).await.expect("asked");
        let joined = system.join(&invitation.expect("open"), &somebody("nieuw@bakker.example")).await;
        let Ok(SignInNext::Step(step)) = joined else { panic!("{name}: no session") };
        assert_eq!(step.kind, SignInStepKind::Enrolment);
        let open = system.step_by_token(step.token.expose()).await.expect("asked").expect("it waits");
        system.begin_step_set_up(&open).await.expect("begun");
        let supervisor = house.join(&admin, Role::Supervisor, "chef@bakker.example").await;
        assert!(holds(&house, &supervisor.session).await, "{name}");
        let demoted = UserChange { role: Some(Role::Agent), ..UserChange::default() };
        store.change_user(&own(&admin), supervisor.id, demoted).await.expect("changed");
        assert!(!holds(&house, &supervisor.session).await, "{name}");

        let leaf = house.leaves(&admin.access, LedgerKind::Instruction).await;
        let leaf =
            leaf.iter().find(|leaf| leaf.detail.value()["what"] == "second_factor_rule").expect("a leaf");
        let detail = leaf.detail.value();
        assert_eq!((&detail["before"]["agent"], &detail["after"]["agent"]), (&false.into(), &true.into()));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_takes_a_colleagues_away_and_they_are_told() {
    for house in houses().await {
        let (admin, agent) = tenant(&house).await;
        let (app, codes) = enrol(&house, &agent).await;
        let (name, store) = (house.name(), &house.store);
        let open = step(&house, &agent).await;
        let none = store.reset_second_factor(&own(&admin), admin.id).await;
        assert!(matches!(none, Err(SecondFactorError::Own)), "{name}");
        store.reset_second_factor(&own(&admin), agent.id).await.expect("reset");
        let twice = store.reset_second_factor(&own(&admin), agent.id).await;
        assert!(matches!(twice, Err(SecondFactorError::Store(StoreError::Conflict))), "{name}");
        assert!(!holds(&house, &agent.session).await, "{name}: their sessions end");
        for given in [app.shows(&house, 0), recovery(&codes, 0)] {
            let late = show(&house, &open, &given, HERE).await;
            assert!(matches!(late, Err(SecondFactorError::Over)), "{name}: and their steps");
        }
        let attempt = begin(&house, AGENT, HERE, None).await;
        let session =
            store.system().sign_in(&attempt, agent.tenant, &self::agent()).await.expect("signed in");
        let access = house.access(&session.who).as_for(Purpose::Administration);
        let told = store.user(&access, agent.id).await.expect("a user");
        assert_eq!(
            (told.second_factor, told.second_factor_reset_at),
            (false, Some(house.clock.now())),
            "{name}"
        );
        store.second_factor_reset_seen(&access).await.expect("seen");
        assert_eq!(
            store.user(&access, agent.id).await.expect("a user").second_factor_reset_at,
            None,
            "{name}"
        );
        let leaf = house.leaves(&admin.access, LedgerKind::Instruction).await.pop().expect("a leaf");
        let detail = leaf.detail.value();
        assert_eq!((&detail["what"], &detail["act"]), (&"second_factor".into(), &"reset".into()), "{name}");
        let away = house.tenant("ander").await;
        let other = store.reset_second_factor(&own(&away), agent.id).await;
        assert!(matches!(other, Err(SecondFactorError::Store(StoreError::NotFound))), "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d88_who_holds_the_database_takes_no_factor_away_and_gives_none() {
    for house in houses().await {
        let (admin, agent) = tenant(&house).await;
        let (app, codes) = enrol(&house, &agent).await;
        let (name, store, system) = (house.name(), &house.store, house.store.system());
        let tamper = async |text| store.write(&admin.access, Tamper(text)).await.expect("written");
        let (token, open) = step_from(&house, &agent, HERE, None).await;
        // A step of somebody else's is not moved to another user, nor made to last.
        tamper(sql!("UPDATE sign_in_step SET kind = 'enrolment' WHERE tenant_id = $1")).await;
        assert!(system.step_by_token(&token).await.expect("asked").is_none(), "{name}");
        tamper(sql!("UPDATE sign_in_step SET kind = 'code' WHERE tenant_id = $1")).await;
        assert!(system.step_by_token(&token).await.expect("asked").is_some(), "{name}");
        // Its rows gone, a user has a second factor still, and nobody shows it.
        tamper(sql!("DELETE FROM second_factor WHERE tenant_id = $1")).await;
        for given in [app.shows(&house, 0), recovery(&codes, 0)] {
            assert!(show(&house, &open, &given, HERE).await.is_err(), "{name}");
        }
        let attempt = begin(&house, AGENT, HERE, None).await;
        let next = system.after_password(&attempt, agent.tenant, &self::agent()).await.expect("asked");
        assert!(matches!(next, SignInNext::Step(ref step) if step.kind == SignInStepKind::Code), "{name}");
        // Without what their row names they are nobody.
        tamper(sql!("UPDATE user_account SET factor_id = NULL WHERE tenant_id = $1 AND role = 'agent'"))
            .await;
        let attempt = begin(&house, AGENT, HERE, None).await;
        assert!(attempt.candidates.is_empty(), "{name}");
        assert!(!holds(&house, &agent.session).await, "{name}");
        house.close().await;
    }
}
