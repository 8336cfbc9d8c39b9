// SPDX-License-Identifier: EUPL-1.2
//! The second step of a sign-in (decision 38): the password was right, and a code is asked, or that a second factor is
//! set up. A cookie holds a token, the row its hash.
//!
//! Only who gave the right password opens a step. It stands on what the user was let in by at that moment: whoever
//! changes their password, role, state or second factor ends it. Wrong codes are counted for the account and not for the step, so
//! that a new step brings no new tries. Many steps may wait for one user: those from a network or browser put away older
//! ones from there alone, so that somebody else who knows the password cannot put the owner's away, whose browser is known.

use std::net::IpAddr;
use std::sync::Arc;

use belofte_model::{
    Actor, ENROLMENT_LIFE, EmailAddress, GivenCode, KeyId, Language, LedgerKind, STEPS_OF_ORIGIN,
    STEPS_OF_USER, SignInStepId, SignInStepKind, TenantId, Timestamp, UserId,
};
use belofte_vault::{Pii, Random, new_token, token_hash};
use serde_json::{Value, json};

use crate::clock::MOST_AHEAD;
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::keys::SYSTEM;
use crate::proof::{self, Grants, Part};
use crate::second_factor::{
    FreshFactor, Holder, NewRecoveryCodes, NewSecret, SecondFactorError, Showing, Shown,
};
use crate::second_factor_rule::RuleOf;
use crate::sessions::{FreshSession, NewSession, Standing};
use crate::sign_in::{Counted, SignInTry, USER, give_back, recognises, wash};
use crate::user_facts::{Facts, UserStanding, facts};
use crate::users::language;
use crate::{NewLeaf, Read, StoreError, SystemTx, TenantKeys, Tx, Write};

/// Where a step was opened, as a keyed hash.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    index: [u8; 16],
    /// Whether somebody has signed in there before, with everything that was asked.
    known: bool,
}

impl Origin {
    /// Of who has just become a user.
    pub(crate) const fn of_invitation() -> Self {
        Self { index: [0; 16], known: false }
    }
}

/// A step that was just opened.
#[derive(Debug)]
pub struct NewStep {
    /// The secret for the cookie, told once.
    pub token: Pii<String>,
    /// What it waits for.
    pub kind: SignInStepKind,
    /// Until when.
    pub expires_at: Timestamp,
}

/// What a right password leads to.
#[derive(Debug)]
pub enum SignInNext {
    /// It was all that is asked.
    Session(NewSession),
    /// Something more is asked.
    Step(NewStep),
}

/// A step found by its token.
#[derive(Debug)]
pub struct OpenStep {
    tenant: TenantId,
    id: SignInStepId,
    user: UserId,
    token_hash: [u8; 32],
    facts: UserStanding,
    standing: Standing,
    /// What it waits for.
    pub kind: SignInStepKind,
    /// Until when.
    pub expires_at: Timestamp,
    /// The name of the organisation.
    pub tenant_name: String,
    /// The address of who signs in.
    pub email: Pii<String>,
}

impl OpenStep {
    /// The organisation.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The language of who signs in.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.standing.language
    }

    const fn holder(&self) -> Holder {
        Holder { tenant: self.tenant, user: self.user, id: self.id.uuid() }
    }
}

/// From where the second step is done.
#[derive(Debug)]
pub struct SecondStep<'a> {
    /// What the browser calls itself.
    pub user_agent: &'a Pii<String>,
    /// Its network, as tries are counted.
    pub network: IpAddr,
    /// What it shows to be known.
    pub known: Option<&'a str>,
}

/// What the proof of a step covers.
fn parts<'a>(
    id: SignInStepId,
    user: UserId,
    token_hash: &'a [u8; 32],
    kind: SignInStepKind,
    facts: &'a UserStanding,
    expires_at: Timestamp,
) -> [Part<'a>; 6] {
    [
        Part::Id(id.uuid()),
        Part::Id(user.uuid()),
        Part::Bytes(token_hash),
        Part::Bytes(kind.as_str().as_bytes()),
        Part::Bytes(&facts.0),
        Part::Int(expires_at.as_micros()),
    ]
}

/// A step before it is stored.
pub(crate) struct FreshStep {
    id: SignInStepId,
    user: UserId,
    token_hash: [u8; 32],
    kind: SignInStepKind,
    facts: UserStanding,
    origin: Origin,
    proof: [u8; 16],
    now: Timestamp,
}

impl FreshStep {
    pub(crate) fn new(
        keys: &TenantKeys,
        random: &Random,
        now: Timestamp,
        user: UserId,
        kind: SignInStepKind,
        facts: UserStanding,
        origin: Origin,
    ) -> (Self, NewStep) {
        let (id, token, expires_at) =
            (SignInStepId::new(now, random.bytes()), new_token(random), now + kind.life());
        let token_hash = token_hash(token.as_bytes());
        let proof = proof::of(keys, Grants::Step, &parts(id, user, &token_hash, kind, &facts, expires_at));
        let step = Self { id, user, token_hash, kind, facts, origin, proof, now };
        (step, NewStep { token: Pii::new(token), kind, expires_at })
    }

    /// What the ledger says of it.
    pub(crate) fn detail(user: UserId) -> Value {
        json!({ "act": "signed_in", "outcome": "asked", "user": user })
    }

    /// Stores it, in the place of older ones of the same user that are too many.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!("DELETE FROM sign_in_step WHERE tenant_id = $1 AND user_id = $2 AND expires_at <= $3"),
            params![tenant, self.user, self.now],
        )
        .await?;
        tx.execute(
            sql!(
                "DELETE FROM sign_in_step WHERE tenant_id = $1 AND token_hash IN (SELECT token_hash FROM sign_in_step \
                 WHERE tenant_id = $1 AND user_id = $2 AND origin = $3 ORDER BY created_at DESC, id DESC \
                 LIMIT 1000 OFFSET $4)"
            ),
            params![tenant, self.user, &self.origin.index, STEPS_OF_ORIGIN - 1],
        )
        .await?;
        // Those of browsers that are known are out of reach of who only has the password.
        if !self.origin.known {
            tx.execute(
                sql!(
                    "DELETE FROM sign_in_step WHERE tenant_id = $1 AND token_hash IN (SELECT token_hash \
                     FROM sign_in_step WHERE tenant_id = $1 AND user_id = $2 AND known = 0 \
                     ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET $3)"
                ),
                params![tenant, self.user, STEPS_OF_USER - 1],
            )
            .await?;
        }
        tx.execute_one(
            sql!(
                "INSERT INTO sign_in_step (tenant_id, token_hash, id, user_id, kind, standing, origin, known, created_at, \
                 expires_at, proof) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            ),
            params![
                tenant,
                &self.token_hash,
                self.id,
                self.user,
                self.kind.as_str(),
                &self.facts.0,
                &self.origin.index,
                self.origin.known,
                self.now,
                self.now + self.kind.life(),
                &self.proof
            ],
        )
        .await
    }
}

/// Removes at most `limit` steps and unfinished set-ups each that are over; gives the larger number. For the sweep.
pub(crate) async fn expire(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let tenant = tx.tenant();
    let steps = tx
        .execute(
            sql!(
                "DELETE FROM sign_in_step WHERE tenant_id = $1 AND token_hash IN (SELECT token_hash FROM sign_in_step \
                 WHERE tenant_id = $1 AND expires_at <= $2 LIMIT $3)"
            ),
            params![tenant, now, limit],
        )
        .await?;
    let set_ups = tx
        .execute(
            sql!(
                "DELETE FROM second_factor_enrolment WHERE tenant_id = $1 AND (user_id, holder_id) IN \
                 (SELECT user_id, holder_id FROM second_factor_enrolment WHERE tenant_id = $1 AND expires_at <= $2 \
                 LIMIT $3)"
            ),
            params![tenant, now, limit],
        )
        .await?;
    Ok(steps.max(set_ups))
}

struct Open {
    keys: Arc<TenantKeys>,
    step: FreshStep,
    counted: Vec<Counted>,
    leaf: NewLeaf,
}

impl Write for Open {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        counters::take(tx, Needs::default()).await?;
        let FreshStep { user, facts, .. } = &self.step;
        Facts::standing_as(tx, &self.keys, *user, facts).await?;
        self.step.insert(tx).await?;
        // The password was right, and nothing is forgotten for it: there is no success yet.
        give_back(tx, &self.counted, false).await?;
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

struct Found {
    tenant: TenantId,
    id: SignInStepId,
    user: UserId,
    kind: SignInStepKind,
    standing: UserStanding,
    expires_at: Timestamp,
    proof: Vec<u8>,
    tenant_name: String,
    language: Language,
    profile: Vec<u8>,
    key: KeyId,
    facts: Facts,
}

struct ByToken {
    token_hash: [u8; 32],
    now: Timestamp,
}

impl Read for ByToken {
    type Out = Option<Found>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query_opt(
            sql!(concat!(
                "SELECT s.tenant_id, s.id, s.user_id, s.kind, s.standing, s.expires_at, s.proof, t.name, u.language, \
                 u.profile, u.key_id, ",
                facts!(),
                " FROM sign_in_step s JOIN user_account u ON u.tenant_id = s.tenant_id AND u.id = s.user_id \
                 JOIN tenant t ON t.id = s.tenant_id \
                 WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.expires_at <= $3 AND u.state = 'active' \
                 AND t.state = 'active'"
            )),
            params![&self.token_hash, self.now, self.now + ENROLMENT_LIFE + MOST_AHEAD],
            |row| {
                Ok(Found {
                    tenant: row.id(0)?,
                    id: row.id(1)?,
                    user: row.id(2)?,
                    kind: row.name(3, SignInStepKind::parse)?,
                    standing: UserStanding(row.bytes(4)?),
                    expires_at: row.time(5)?,
                    proof: row.bytes(6)?,
                    tenant_name: row.text(7)?,
                    language: row.name(8, language)?,
                    profile: row.bytes(9)?,
                    key: row.id(10)?,
                    facts: Facts::read(row, 11)?,
                })
            },
        )
        .await
    }
}

/// What makes a session of a step.
enum With {
    Shown(Shown),
    SetUp(Box<FreshFactor>),
}

struct Finish {
    keys: Arc<TenantKeys>,
    user: UserId,
    token_hash: [u8; 32],
    facts: UserStanding,
    with: With,
    session: FreshSession,
    counted: Vec<Counted>,
    signed_in: NewLeaf,
    refused: NewLeaf,
    now: Timestamp,
}

impl Finish {
    async fn show(&self, tx: &mut Tx<'_>, facts: &Facts) -> Result<Showing, StoreError> {
        let With::Shown(shown) = &self.with else { return Ok(Showing::Good) };
        if facts.factor != Some(shown.factor) {
            return Err(StoreError::Conflict);
        }
        let showing = shown.run(tx).await?;
        if showing == Showing::Wrong {
            let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
            self.refused.append(tx, numbers.leaf).await?;
        }
        Ok(showing)
    }
}

impl Write for Finish {
    type Out = Showing;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Showing, StoreError> {
        let tenant = tx.tenant();
        // The tenant's row is locked first: what is looked at here stays so until COMMIT.
        counters::take(tx, Needs::default()).await?;
        let open = tx
            .query_opt(
                sql!(
                    "SELECT expires_at FROM sign_in_step WHERE tenant_id = $1 AND token_hash = $2 AND expires_at > $3"
                ),
                params![tenant, &self.token_hash, self.now],
                |row| row.time(0),
            )
            .await?;
        if open.is_none() {
            return Err(StoreError::Conflict);
        }
        let facts = Facts::standing_as(tx, &self.keys, self.user, &self.facts).await?;
        let showing = self.show(tx, &facts).await?;
        if showing != Showing::Good {
            return Ok(showing);
        }
        tx.execute_one(
            sql!("DELETE FROM sign_in_step WHERE tenant_id = $1 AND token_hash = $2"),
            params![tenant, &self.token_hash],
        )
        .await?;
        if let With::SetUp(factor) = &self.with {
            factor.put(tx, None).await?;
        }
        self.session.insert(tx).await?;
        tx.execute_one(
            sql!("UPDATE user_account SET last_seen_at = $3 WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.user, self.now],
        )
        .await?;
        wash(tx, &self.counted).await?;
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.signed_in.append(tx, numbers.leaf).await?;
        Ok(Showing::Good)
    }
}

/// What was begun is over when anything that it stood on has changed.
fn over(error: StoreError) -> SecondFactorError {
    match error {
        StoreError::Conflict | StoreError::NotFound => SecondFactorError::Over,
        error => SecondFactorError::Store(error),
    }
}

impl SystemTx<'_> {
    /// Where a sign-in comes from, as its steps are kept.
    pub(crate) async fn origin(
        &self,
        email: &EmailAddress,
        network: IpAddr,
        known: Option<&str>,
    ) -> Result<Origin, StoreError> {
        let keys = self.store.tenant_keys(SYSTEM).await?;
        let known = known.filter(|known| recognises(&keys, USER, &email.normalised(), known));
        let from = known.map_or_else(|| format!("network {network}"), |known| format!("browser {known}"));
        Ok(Origin { index: keys.lookup.index("sign_in_step", &from), known: known.is_some() })
    }

    /// The password was right for the candidate of `tenant`: makes a session where that is all that is asked, and
    /// otherwise opens the step that follows.
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in).
    pub async fn after_password(
        &self,
        attempt: &SignInTry,
        tenant: TenantId,
        user_agent: &Pii<String>,
    ) -> Result<SignInNext, StoreError> {
        let store = self.store;
        let one = attempt.candidates.iter().find(|one| one.tenant == tenant).ok_or(StoreError::NotFound)?;
        let kind = if one.has_factor {
            SignInStepKind::Code
        } else if store.read_for(Some(tenant), Arc::new(RuleOf)).await?.asks(one.standing.role) {
            SignInStepKind::Enrolment
        } else {
            return self.sign_in(attempt, tenant, user_agent).await.map(SignInNext::Session);
        };
        let (keys, now, random) = (store.tenant_keys(tenant).await?, store.clock().now(), store.random());
        let (step, told) =
            FreshStep::new(&keys, random, now, one.user, kind, one.facts.clone(), attempt.origin);
        let detail = FreshStep::detail(one.user);
        let leaf = NewLeaf::by(Actor::User(one.user), now, &keys, random, LedgerKind::SignIn, detail)?;
        let open = Open { keys, step, counted: attempt.counted.clone(), leaf };
        match store.write_for(Some(tenant), Arc::new(open)).await {
            Ok(()) => Ok(SignInNext::Step(told)),
            // Blocked, or given another password, between the look-up and now.
            Err(StoreError::Conflict) => Err(StoreError::NotFound),
            Err(error) => Err(error),
        }
    }

    /// The step of `token`, if it waits and nothing that it stands on has changed.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn step_by_token(&self, token: &str) -> Result<Option<OpenStep>, StoreError> {
        let store = self.store;
        let (token_hash, now) = (token_hash(token.as_bytes()), store.clock().now());
        let found = store.read_for(None, Arc::new(ByToken { token_hash, now })).await?;
        let Some(found) = found else { return Ok(None) };
        let keys = store.tenant_keys(found.tenant).await?;
        let parts = parts(found.id, found.user, &token_hash, found.kind, &found.standing, found.expires_at);
        let good = proof::holds(&keys, Grants::Step, &parts, Some(&found.proof)) && found.facts.hold(&keys);
        if !good || found.facts.standing() != found.standing {
            return Ok(None);
        }
        let email = store.open_email(found.tenant, found.user, found.key, &found.profile).await?;
        Ok(Some(OpenStep {
            tenant: found.tenant,
            id: found.id,
            user: found.user,
            token_hash,
            standing: Standing {
                role: found.facts.role,
                privacy_officer: found.facts.privacy_officer,
                language: found.language,
            },
            facts: found.standing,
            kind: found.kind,
            expires_at: found.expires_at,
            tenant_name: found.tenant_name,
            email,
        }))
    }

    async fn finish(
        &self,
        step: &OpenStep,
        with: With,
        how: &str,
        from: &SecondStep<'_>,
    ) -> Result<NewSession, SecondFactorError> {
        let (store, user) = (self.store, step.user);
        let (keys, now, random) =
            (store.tenant_keys(step.tenant).await?, store.clock().now(), store.random());
        let (session, told) = FreshSession::new(&keys, random, now, user, step.standing, from.user_agent)?;
        let mut detail = session.detail();
        detail["second_factor"] = json!(how);
        let refused = json!({ "act": "signed_in", "outcome": "refused", "user": user, "second_factor": how });
        let signed_in = NewLeaf::by(Actor::User(user), now, &keys, random, LedgerKind::SignIn, detail)?;
        // Who tried knows the password, and is not known to be the user.
        let refused = NewLeaf::by(Actor::System, now, &keys, random, LedgerKind::SignIn, refused)?;
        let email = EmailAddress::parse(step.email.expose())
            .map_err(|_| StoreError::Inconsistent { what: "a user has an address that is none" })?;
        let counted = self.counted(USER, &email, from.network, from.known).await?;
        let (facts, token_hash) = (step.facts.clone(), step.token_hash);
        let finish =
            Finish { keys, user, token_hash, facts, with, session, counted, signed_in, refused, now };
        store.write_for(Some(step.tenant), Arc::new(finish)).await.map_err(over)?.refused()?;
        Ok(told)
    }

    /// Makes a session of a step that waits for a code, when `given` is one. What is wrong is counted for the account,
    /// whatever step, browser or network it comes from.
    ///
    /// # Errors
    /// [`SecondFactorError::Wrong`], [`SecondFactorError::Wait`]; [`SecondFactorError::Over`] when the step waits for
    /// something else, has ended, or what it stands on has changed.
    pub async fn show_second_factor(
        &self,
        step: &OpenStep,
        given: &GivenCode,
        from: &SecondStep<'_>,
    ) -> Result<NewSession, SecondFactorError> {
        if step.kind != SignInStepKind::Code {
            return Err(SecondFactorError::Over);
        }
        let shown = match self.store.shown(step.tenant, step.user, given).await {
            Err(SecondFactorError::Store(error)) => return Err(over(error)),
            shown => shown?,
        };
        let how = shown.method.as_str();
        self.finish(step, With::Shown(shown), how, from).await
    }

    /// Makes a secret that is set up in a step that waits for that.
    ///
    /// # Errors
    /// [`SecondFactorError::Over`] as for [`show_second_factor`](Self::show_second_factor).
    pub async fn begin_step_set_up(&self, step: &OpenStep) -> Result<NewSecret, SecondFactorError> {
        if step.kind != SignInStepKind::Enrolment {
            return Err(SecondFactorError::Over);
        }
        self.store.begin_set_up(step.holder()).await.map_err(over)
    }

    /// Confirms what was begun in a step with a code of the app, and makes a session of it.
    ///
    /// # Errors
    /// [`SecondFactorError::Wrong`]; [`SecondFactorError::Over`] also when nothing was begun.
    pub async fn confirm_step_set_up(
        &self,
        step: &OpenStep,
        given: &GivenCode,
        from: &SecondStep<'_>,
    ) -> Result<(NewSession, NewRecoveryCodes), SecondFactorError> {
        if step.kind != SignInStepKind::Enrolment {
            return Err(SecondFactorError::Over);
        }
        let (factor, codes) = self.store.set_up_factor(step.holder(), given, step.facts.clone()).await?;
        let session = self.finish(step, With::SetUp(Box::new(factor)), "set_up", from).await?;
        Ok((session, codes))
    }
}
