// SPDX-License-Identifier: EUPL-1.2
//! Signing in with address and password, in three steps, since a password is checked outside any
//! transaction and takes long: take a try, check, tell how it ended.
//!
//! A try is counted before the password is looked at. What it is counted for stands under keyed
//! hashes: the account with the network or the known browser that it comes from, the account, the
//! network; who may try again when is decided in
//! [`belofte_model::LockOut`]. What follows the password, where there is a second factor, is in `sign_in_steps`.

use std::net::IpAddr;
use std::sync::Arc;

use belofte_model::{
    Actor, Duration, EmailAddress, Failures, Language, LedgerKind, LockOut, OperatorUserId, TenantId,
    Timestamp, UserId, UserState,
};
use belofte_vault::Pii;
use serde_json::json;

use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::keys::{SYSTEM, TenantKeys};
use crate::sessions::{FreshSession, NewSession, Standing};
use crate::sign_in_steps::Origin;
use crate::users::{Facts, UserStanding, facts};
use crate::{NewLeaf, Read, StoreError, SystemTx, Tx, Write, second_factor_rule};

/// What the marks and counts of users are kept under.
pub(crate) const USER: &str = "sign_in_account";

/// An account or a network whose tries are counted.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    subject: [u8; 16],
    rule: LockOut,
    /// Whether a success forgets the failures before it.
    washed_by_success: bool,
}

/// Whose password may be checked now.
#[derive(Debug)]
pub enum SignInStart<T> {
    /// Check the password, then tell how it ended.
    Proceed(T),
    /// Too many tries: not before this time has passed.
    Wait(Duration),
}

/// One of the users with the address that was given: an address may have an account with several
/// organisations, each with its own password.
#[derive(Clone, Debug)]
pub struct SignInCandidate {
    /// The organisation.
    pub tenant: TenantId,
    /// Its name, to choose by.
    pub tenant_name: String,
    /// The user.
    pub user: UserId,
    /// The password as a PHC string.
    pub password: Pii<String>,
    /// Whether the user can sign in.
    pub state: UserState,
    pub(crate) standing: Standing,
    /// What they were let in by when the password was looked up.
    pub(crate) facts: UserStanding,
    /// Whether they have a second factor.
    pub(crate) has_factor: bool,
}

/// A try that was taken.
pub struct SignInTry {
    pub(crate) counted: Vec<Counted>,
    pub(crate) origin: Origin,
    /// The users with this address; none for an unknown one, whose password is checked against a
    /// dummy all the same.
    pub candidates: Vec<SignInCandidate>,
}

impl std::fmt::Debug for SignInTry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignInTry({} candidates)", self.candidates.len())
    }
}

struct TakeTry {
    counted: Vec<Counted>,
    now: Timestamp,
}

fn failures(row: &crate::Row<'_>) -> Result<Failures, StoreError> {
    Ok(Failures {
        count: u32::try_from(row.int(0)?).unwrap_or(u32::MAX),
        last_at: row.time(1)?,
        locked_until: row.opt_time(2)?,
    })
}

/// So far apart clocks of nodes may be, and requests that are counted in another order than they came.
const SLACK: Duration = Duration::from_secs(600);

/// What is kept of tries, as far as it can be so at `now`. After a clock was set back the last of them lies
/// ahead: the tries count, and no pause is longer than its rule has any, or who knows the password would wait
/// until that time comes again.
pub(crate) fn believed(known: Failures, rule: &LockOut, now: Timestamp) -> Failures {
    let locked_until = known.locked_until.filter(|until| until.since(now) <= rule.longest_pause + SLACK);
    Failures { last_at: known.last_at.min(now), locked_until, ..known }
}

/// The failures of a subject, locked until the end of the transaction where engines need it.
async fn known(tx: &mut Tx<'_>, subject: &[u8; 16]) -> Result<Option<Failures>, StoreError> {
    let text = if tx.is_postgres() {
        sql!("SELECT failures, last_at, locked_until FROM sign_in_failure WHERE subject = $1 FOR UPDATE")
    } else {
        sql!("SELECT failures, last_at, locked_until FROM sign_in_failure WHERE subject = $1")
    };
    tx.query_opt(text, params![subject], failures).await
}

async fn put(tx: &mut Tx<'_>, subject: &[u8; 16], failures: Failures) -> Result<(), StoreError> {
    tx.execute_one(
        sql!("UPDATE sign_in_failure SET failures = $2, last_at = $3, locked_until = $4 WHERE subject = $1"),
        params![subject, failures.count, failures.last_at, failures.locked_until],
    )
    .await
}

impl Write for TakeTry {
    /// How long to wait, when the try was refused.
    type Out = Option<Duration>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let (mut taken, mut wait) = (Vec::new(), None);
        for counted in &self.counted {
            // The row is there before it is read, so that two first tries take turns.
            tx.execute(
                sql!(
                    "INSERT INTO sign_in_failure (subject, failures, last_at, locked_until) \
                     VALUES ($1, 0, $2, NULL) ON CONFLICT DO NOTHING"
                ),
                params![&counted.subject, self.now],
            )
            .await?;
            let known = known(tx, &counted.subject).await?;
            let known = known.map(|known| believed(known, &counted.rule, self.now));
            match counted.rule.take(known, self.now) {
                Ok(failures) => taken.push((counted.subject, failures)),
                Err(pause) => wait = wait.max(Some(pause)),
            }
        }
        if wait.is_none() {
            for (subject, failures) in taken {
                put(tx, &subject, failures).await?;
            }
        }
        Ok(wait)
    }
}

/// Forgets the failures of an account, as a success of it does, without giving any try back.
pub(crate) async fn wash(tx: &mut Tx<'_>, counted: &[Counted]) -> Result<(), StoreError> {
    for counted in counted.iter().filter(|one| one.washed_by_success) {
        tx.execute(sql!("DELETE FROM sign_in_failure WHERE subject = $1"), params![&counted.subject]).await?;
    }
    Ok(())
}

/// Gives a try back; a success also forgets the failures of its account.
pub(crate) async fn give_back(tx: &mut Tx<'_>, counted: &[Counted], success: bool) -> Result<(), StoreError> {
    for counted in counted {
        let Some(known) = known(tx, &counted.subject).await? else { continue };
        match LockOut::given_back(known).filter(|_| !(success && counted.washed_by_success)) {
            Some(left) => put(tx, &counted.subject, left).await?,
            None => {
                tx.execute(sql!("DELETE FROM sign_in_failure WHERE subject = $1"), params![&counted.subject])
                    .await?;
            }
        }
    }
    Ok(())
}

struct GiveBack(Vec<Counted>);

impl Write for GiveBack {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        give_back(tx, &self.0, false).await
    }
}

struct Candidates([u8; 16]);

/// A user with the address, as the rows say.
struct Known {
    tenant: TenantId,
    tenant_name: String,
    language: Language,
    facts: Facts,
}

impl Read for Candidates {
    type Out = Vec<Known>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query(
            sql!(concat!(
                "SELECT l.tenant_id, t.name, u.language, ",
                facts!(),
                " FROM login l JOIN tenant t ON t.id = l.tenant_id \
                 JOIN user_account u ON u.tenant_id = l.tenant_id AND u.id = l.user_id \
                 AND u.login_index = l.login_index \
                 WHERE l.login_index = $1 AND t.state = 'active' ORDER BY t.slug"
            )),
            params![&self.0],
            |row| {
                Ok(Known {
                    tenant: row.id(0)?,
                    tenant_name: row.text(1)?,
                    language: row.name(2, crate::users::language)?,
                    facts: Facts::read(row, 3)?,
                })
            },
        )
        .await
    }
}

struct SignIn {
    session: FreshSession,
    user: UserId,
    standing: Standing,
    facts: UserStanding,
    counted: Vec<Counted>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for SignIn {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        // The tenant's row is locked first, as by what gives a second factor or asks one.
        counters::take(tx, Needs::default()).await?;
        if second_factor_rule::of(tx).await?.asks(self.standing.role) {
            return Err(StoreError::NotFound);
        }
        // Blocked between the look-up and now is blocked, and so for another password or a second factor.
        let active = tx
            .execute(
                sql!(
                    "UPDATE user_account SET last_seen_at = $3 WHERE tenant_id = $1 AND id = $2 \
                     AND state = 'active' AND factor_id IS NULL AND proof = $4"
                ),
                params![tenant, self.user, self.now, &self.facts.0],
            )
            .await?;
        if active == 0 {
            return Err(StoreError::NotFound);
        }
        self.session.insert(tx).await?;
        give_back(tx, &self.counted, true).await?;
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

struct Failed(NewLeaf);

impl Write for Failed {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.0.append(tx, numbers.leaf).await
    }
}

/// An operator user with the address that was given.
#[derive(Clone, Debug)]
pub struct OperatorCandidate {
    /// The operator user.
    pub operator: OperatorUserId,
    /// The password as a PHC string.
    pub password: Pii<String>,
}

/// A try of an operator user that was taken.
pub struct OperatorTry {
    pub(crate) counted: Vec<Counted>,
    /// The operator user with this address, if there is one.
    pub candidate: Option<OperatorCandidate>,
    pub(crate) network: IpAddr,
}

impl std::fmt::Debug for OperatorTry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorTry(..)")
    }
}

/// The proof that this installation marked `browser` for `address`.
fn browser_tag(keys: &TenantKeys, kind: &str, address: &str, browser: &str) -> String {
    hex::encode(keys.lookup.index("known_browser", &format!("{kind} {browser} {address}")))
}

pub(crate) fn recognises(keys: &TenantKeys, kind: &str, address: &str, known: &str) -> bool {
    known.split_once('.').is_some_and(|(browser, tag)| {
        let expected = browser_tag(keys, kind, address, browser);
        // Compared as hashes: how far a guess is right does not show in the time that this takes.
        belofte_vault::sha256(tag.as_bytes()) == belofte_vault::sha256(expected.as_bytes())
    })
}

impl SystemTx<'_> {
    /// Takes a try of `email` from `network` (an address, reduced to what one customer holds), and
    /// gives the users with that address.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn begin_sign_in(
        &self,
        email: &EmailAddress,
        network: IpAddr,
    ) -> Result<SignInStart<SignInTry>, StoreError> {
        self.begin_sign_in_with(email, network, None).await
    }

    /// As [`begin_sign_in`](Self::begin_sign_in), from a browser that shows `known`: what
    /// [`known_browser`](Self::known_browser) gave it for this address. It is counted by itself, so
    /// that what others try keeps it out never. What was given for another address, or made up,
    /// counts for nothing.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn begin_sign_in_with(
        &self,
        email: &EmailAddress,
        network: IpAddr,
        known: Option<&str>,
    ) -> Result<SignInStart<SignInTry>, StoreError> {
        let counted = self.counted(USER, email, network, known).await?;
        if let Some(wait) = self.take_try(&counted).await? {
            return Ok(SignInStart::Wait(wait));
        }
        let login = self.login_index(email).await?;
        let mut candidates = Vec::new();
        for known in self.store.read_for(None, Arc::new(Candidates(login))).await? {
            let keys = self.store.tenant_keys(known.tenant).await?;
            let facts = &known.facts;
            if !facts.hold(&keys) {
                continue;
            }
            candidates.push(SignInCandidate {
                tenant: known.tenant,
                tenant_name: known.tenant_name,
                user: facts.id,
                password: self.store.open_password(known.tenant, facts).await?,
                state: facts.state,
                standing: Standing {
                    role: facts.role,
                    privacy_officer: facts.privacy_officer,
                    language: known.language,
                },
                facts: facts.standing(),
                has_factor: facts.factor.is_some(),
            });
        }
        let origin = self.origin(email, network, known).await?;
        Ok(SignInStart::Proceed(SignInTry { counted, origin, candidates }))
    }

    /// The password was right for the candidate of `tenant`, and is all that is asked: makes a session. Where it may
    /// not be, [`after_password`](Self::after_password) says what follows.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such candidate, the user is blocked, has another
    /// password by now, or has or is asked a second factor; the engine's errors.
    pub async fn sign_in(
        &self,
        attempt: &SignInTry,
        tenant: TenantId,
        user_agent: &Pii<String>,
    ) -> Result<NewSession, StoreError> {
        let store = self.store;
        let candidate = attempt.candidates.iter().find(|one| one.tenant == tenant);
        let one = candidate.ok_or(StoreError::NotFound)?;
        let (keys, now, random) = (store.tenant_keys(tenant).await?, store.clock().now(), store.random());
        let (session, told) = FreshSession::new(&keys, random, now, one.user, one.standing, user_agent)?;
        let actor = Actor::User(one.user);
        let leaf = NewLeaf::by(actor, now, &keys, random, LedgerKind::SignIn, session.detail())?;
        let counted = attempt.counted.clone();
        let write = SignIn {
            session,
            user: one.user,
            standing: one.standing,
            facts: one.facts.clone(),
            counted,
            leaf,
            now,
        };
        store.write_for(Some(tenant), Arc::new(write)).await?;
        Ok(told)
    }

    /// The password was right for several organisations and nothing says which: the try does not
    /// count, and no session is made.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn sign_in_undecided(&self, attempt: &SignInTry) -> Result<(), StoreError> {
        self.store.write_for(None, Arc::new(GiveBack(attempt.counted.clone()))).await
    }

    /// The password was wrong, or the user is blocked: each organisation that knows the address
    /// finds a leaf in its ledger. The try was counted when it was taken.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn sign_in_failed(&self, attempt: &SignInTry) -> Result<(), StoreError> {
        let store = self.store;
        for one in &attempt.candidates {
            let keys = store.tenant_keys(one.tenant).await?;
            let detail = json!({
                "act": "signed_in",
                "outcome": "refused",
                "user": one.user,
                "state": one.state,
            });
            let (now, random) = (store.clock().now(), store.random());
            // Who tried is not known; the account is in the detail.
            let leaf = NewLeaf::by(Actor::System, now, &keys, random, LedgerKind::SignIn, detail)?;
            store.write_for(Some(one.tenant), Arc::new(Failed(leaf))).await?;
        }
        Ok(())
    }

    /// As [`begin_sign_in`](Self::begin_sign_in), for somebody of the operator. The counts are
    /// others than those of users with the same address.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn begin_operator_sign_in(
        &self,
        email: &EmailAddress,
        network: IpAddr,
    ) -> Result<SignInStart<OperatorTry>, StoreError> {
        self.begin_operator_sign_in_with(email, network, None).await
    }

    /// As [`begin_sign_in_with`](Self::begin_sign_in_with), for somebody of the operator.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn begin_operator_sign_in_with(
        &self,
        email: &EmailAddress,
        network: IpAddr,
        known: Option<&str>,
    ) -> Result<SignInStart<OperatorTry>, StoreError> {
        let counted = self.counted("sign_in_operator", email, network, known).await?;
        if let Some(wait) = self.take_try(&counted).await? {
            return Ok(SignInStart::Wait(wait));
        }
        let candidate = self.operator_candidate(email).await?;
        Ok(SignInStart::Proceed(OperatorTry { counted, candidate, network }))
    }

    pub(crate) async fn counted(
        &self,
        kind: &str,
        email: &EmailAddress,
        network: IpAddr,
        known: Option<&str>,
    ) -> Result<Vec<Counted>, StoreError> {
        let keys = self.store.tenant_keys(SYSTEM).await?;
        let (address, network) = (email.normalised(), network.to_string());
        let counted = |what: &str, rule, washed_by_success| Counted {
            subject: keys.lookup.index(kind, what),
            rule,
            washed_by_success,
        };
        if let Some(known) = known.filter(|known| recognises(&keys, kind, &address, known)) {
            return Ok(vec![counted(&format!("browser {known} {address}"), LockOut::ACCOUNT, true)]);
        }
        let mut counted = vec![
            counted(&format!("network {network} {address}"), LockOut::ACCOUNT, true),
            counted(&address, LockOut::ACCOUNT_FROM_ANYWHERE, true),
            Counted {
                subject: keys.lookup.index("sign_in_network", &network),
                rule: LockOut::NETWORK,
                washed_by_success: false,
            },
        ];
        // One order for all, so that no two wait for each other.
        counted.sort_by_key(|one| one.subject);
        Ok(counted)
    }

    /// What a browser is given that somebody has signed in with as `email`: 65 letters, which say
    /// nothing about them and which nobody can make up.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn known_browser(&self, email: &EmailAddress) -> Result<String, StoreError> {
        self.browser_mark(USER, email).await
    }

    /// As [`known_browser`](Self::known_browser), for somebody of the operator.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn known_operator_browser(&self, email: &EmailAddress) -> Result<String, StoreError> {
        self.browser_mark("sign_in_operator", email).await
    }

    async fn browser_mark(&self, kind: &str, email: &EmailAddress) -> Result<String, StoreError> {
        let keys = self.store.tenant_keys(SYSTEM).await?;
        let browser = hex::encode(self.store.random().bytes::<16>());
        Ok(format!("{browser}.{}", browser_tag(&keys, kind, &email.normalised(), &browser)))
    }

    async fn take_try(&self, counted: &[Counted]) -> Result<Option<Duration>, StoreError> {
        let take = TakeTry { counted: counted.to_vec(), now: self.store.clock().now() };
        self.store.write_for(None, Arc::new(take)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_that_a_clock_which_was_ahead_began_is_no_longer_than_any_other() {
        let now = Timestamp::from_secs(1_800_000_000);
        let (rule, year) = (LockOut::ACCOUNT, Duration::from_secs(365 * 86_400));
        let of = |at: Timestamp, pause| Failures { count: 9, last_at: at, locked_until: Some(at + pause) };
        let far = of(now + year, rule.longest_pause);
        let taken = rule.take(Some(believed(far, &rule, now)), now).expect("it may be tried");
        // The tries before count on, and so does the pause that they have earned.
        assert_eq!((taken.count, taken.last_at), (10, now));
        assert_eq!(rule.take(Some(believed(taken, &rule, now)), now), Err(rule.longest_pause));
        let right = of(now, rule.first_pause);
        assert_eq!(believed(right, &rule, now), right);
        // What is long past is forgotten as before.
        let old = of(now - year, rule.first_pause);
        assert_eq!(believed(old, &rule, now), old);
    }
}
