// SPDX-License-Identifier: EUPL-1.2
//! The second factor of a user (TOTP, RFC 6238; decision 38): setting it up, showing it, renewing the recovery codes,
//! taking it away.
//!
//! Which factor a user has stands in their own row, under its proof: to take the rows of this noun away, or to write
//! others, takes nobody's factor away and gives nobody another. Everything that changes it locks the tenant's row
//! first, and so does what makes a session: of two at the same moment the second sees what the first has done.

use belofte_model::{
    Duration, ENROLMENT_LIFE, EventKind, FactorMethod, Failures, GivenCode, KeyId, LedgerKind,
    RECOVERY_CODES, SecondFactorId, SessionId, TenantId, Timestamp, Use, UserId, code_period,
};
use belofte_vault::{Pii, SealContext, TotpSecret, new_recovery_code};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::sign_in::believed;
use crate::user_facts::{Facts, UserStanding};
use crate::users::OwnPassword;
use crate::{
    Access, Event, NewLeaf, Read, Store, StoreError, TenantKeys, Tx, Write, push_devices, second_factor_rule,
};

/// How the second factor of a user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// Since when they have one.
    pub since: Option<Timestamp>,
    /// How many of their recovery codes were not used.
    pub recovery_codes: u32,
    /// Whether the tenant asks one of their role.
    pub asked: bool,
}

/// A secret that was just made, told once.
#[derive(Debug)]
pub struct NewSecret {
    /// What an app is given: Base32.
    pub text: Pii<String>,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}

/// Recovery codes that were just made, told once: sixteen letters and digits each.
#[derive(Debug)]
pub struct NewRecoveryCodes(pub Vec<Pii<String>>);

/// Why nothing was done with a second factor.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// The code is wrong, or was used.
    #[error("the code is wrong or was used")]
    Wrong,
    /// Too many were wrong: not before this time has passed.
    #[error("too many codes were wrong")]
    Wait(Duration),
    /// What was begun is over, or was never begun.
    #[error("what was begun is over")]
    Over,
    /// Whoever asks a second factor of their own role has one.
    #[error("who asks it of their own role has a second factor")]
    OwnFirst,
    /// Nobody resets their own.
    #[error("nobody resets their own second factor")]
    Own,
    /// The store failed; [`StoreError::Conflict`] when it is there already, is not there, or was changed meanwhile.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends the steps of sign-ins of a user that wait, and what they are setting up.
pub(crate) async fn end_steps(tx: &mut Tx<'_>, user: UserId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    for text in [
        sql!("DELETE FROM sign_in_step WHERE tenant_id = $1 AND user_id = $2"),
        sql!("DELETE FROM second_factor_enrolment WHERE tenant_id = $1 AND user_id = $2"),
    ] {
        tx.execute(text, params![tenant, user]).await?;
    }
    Ok(())
}

/// Ends the sessions of a user but `keep`, and what belongs to them.
pub(crate) async fn end_sessions(
    tx: &mut Tx<'_>,
    user: UserId,
    keep: Option<SessionId>,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!("DELETE FROM session WHERE tenant_id = $1 AND user_id = $2 AND id <> $3"),
        params![tenant, user, keep.map_or_else(Uuid::nil, SessionId::uuid)],
    )
    .await?;
    push_devices::forget_ended(tx, user).await
}

/// Forgets the factor of a user, with what was counted for it.
pub(crate) async fn forget(tx: &mut Tx<'_>, user: UserId, factor: SecondFactorId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    tx.execute(
        sql!("DELETE FROM second_factor WHERE tenant_id = $1 AND user_id = $2"),
        params![tenant, user],
    )
    .await?;
    tx.execute(
        sql!("DELETE FROM recovery_code WHERE tenant_id = $1 AND factor_id = $2"),
        params![tenant, factor],
    )
    .await?;
    tx.execute(
        sql!("DELETE FROM second_factor_try WHERE tenant_id = $1 AND user_id = $2"),
        params![tenant, user],
    )
    .await?;
    end_steps(tx, user).await
}

/// The seal of a secret that is being set up names who holds it: a session or a step.
fn enrolment_place(tenant: TenantId, holder: Uuid) -> SealContext {
    SealContext { tenant, column: columns::SECOND_FACTOR_ENROLMENT_SECRET, row: holder }
}

fn factor_place(tenant: TenantId, factor: SecondFactorId) -> SealContext {
    SealContext { tenant, column: columns::SECOND_FACTOR_SECRET, row: factor.uuid() }
}

/// What is stored of a recovery code: keyed, so that who can write rows makes none, and for one factor.
fn code_hash(keys: &TenantKeys, factor: SecondFactorId, code: &str) -> [u8; 16] {
    keys.mac.tag("recovery code", &[factor.uuid().as_bytes().as_slice(), code.as_bytes()].concat())
}

/// Recovery codes before they are stored.
pub(crate) struct FreshCodes {
    factor: SecondFactorId,
    hashes: Vec<[u8; 16]>,
}

impl FreshCodes {
    fn new(keys: &TenantKeys, store: &Store, factor: SecondFactorId) -> (Self, NewRecoveryCodes) {
        let codes: Vec<_> = (0..RECOVERY_CODES).map(|_| new_recovery_code(store.random())).collect();
        let hashes = codes.iter().map(|code| code_hash(keys, factor, code)).collect();
        (Self { factor, hashes }, NewRecoveryCodes(codes.into_iter().map(Pii::new).collect()))
    }

    /// Puts them in the place of those that were there.
    async fn put(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!("DELETE FROM recovery_code WHERE tenant_id = $1 AND factor_id = $2"),
            params![tenant, self.factor],
        )
        .await?;
        for hash in &self.hashes {
            tx.execute_one(
                sql!("INSERT INTO recovery_code (tenant_id, factor_id, code_hash) VALUES ($1, $2, $3)"),
                params![tenant, self.factor, hash],
            )
            .await?;
        }
        Ok(())
    }
}

/// What a code would use up, as found before the transaction.
enum Spends {
    /// The period whose code it is.
    Period(i64),
    /// A recovery code.
    Code([u8; 16]),
    /// It is no code of the factor.
    Nothing,
}

/// Showing a second factor: counted, and used up, in the transaction of what it is shown for.
pub(crate) struct Shown {
    user: UserId,
    pub(crate) factor: SecondFactorId,
    pub(crate) method: FactorMethod,
    spends: Spends,
    now: Timestamp,
}

/// What came of it. All but `Good` leaves everything else as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Showing {
    Good,
    Wrong,
    Wait(Duration),
}

impl Showing {
    pub(crate) const fn refused(self) -> Result<(), SecondFactorError> {
        match self {
            Self::Good => Ok(()),
            Self::Wrong => Err(SecondFactorError::Wrong),
            Self::Wait(wait) => Err(SecondFactorError::Wait(wait)),
        }
    }
}

fn failures(row: &crate::Row<'_>) -> Result<Failures, StoreError> {
    Ok(Failures {
        count: u32::try_from(row.int(0)?).unwrap_or(u32::MAX),
        last_at: row.time(1)?,
        locked_until: row.opt_time(2)?,
    })
}

async fn tries(tx: &mut Tx<'_>, user: UserId, method: FactorMethod) -> Result<Option<Failures>, StoreError> {
    let tenant = tx.tenant();
    tx.query_opt(
        sql!(
            "SELECT failures, last_at, locked_until FROM second_factor_try \
             WHERE tenant_id = $1 AND user_id = $2 AND method = $3"
        ),
        params![tenant, user, method.as_str()],
        failures,
    )
    .await
}

impl Shown {
    /// Counts the try and uses up what was shown. The tenant's row is locked by who calls, and what stands in the
    /// user's row has been compared: two who show one code at the same moment take turns.
    pub(crate) async fn run(&self, tx: &mut Tx<'_>) -> Result<Showing, StoreError> {
        let (tenant, method) = (tx.tenant(), self.method.as_str());
        let known = tries(tx, self.user, self.method).await?;
        let (rule, now) = (self.method.rule(), self.now);
        let taken = rule.take(known.map(|known| believed(known, &rule, now)), now);
        let used = match &self.spends {
            // A recovery code that is right is good during a pause, too: it has 80 bits, and who makes the account wait
            // with wrong ones would keep its owner out for as long as they like.
            Spends::Period(_) if taken.is_err() => 0,
            // A period is accepted once, and none before it any more (RFC 6238, section 5.2).
            Spends::Period(period) => {
                tx.execute(
                    sql!(
                        "UPDATE second_factor SET last_period = $4 WHERE tenant_id = $1 AND id = $2 AND user_id = $3 \
                         AND last_period < $4"
                    ),
                    params![tenant, self.factor, self.user, *period],
                )
                .await?
            }
            Spends::Code(hash) => {
                tx.execute(
                    sql!("DELETE FROM recovery_code WHERE tenant_id = $1 AND factor_id = $2 AND code_hash = $3"),
                    params![tenant, self.factor, hash],
                )
                .await?
            }
            Spends::Nothing => 0,
        };
        if used == 1 {
            // Whoever has it need not wait for what somebody else guessed.
            tx.execute(
                sql!("DELETE FROM second_factor_try WHERE tenant_id = $1 AND user_id = $2"),
                params![tenant, self.user],
            )
            .await?;
            return Ok(Showing::Good);
        }
        let taken = match taken {
            Ok(taken) => taken,
            Err(wait) => return Ok(Showing::Wait(wait)),
        };
        tx.execute(
            sql!(
                "INSERT INTO second_factor_try (tenant_id, user_id, method, failures, last_at, locked_until) \
                 VALUES ($1, $2, $3, 0, $4, NULL) ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.user, method, self.now],
        )
        .await?;
        tx.execute_one(
            sql!(
                "UPDATE second_factor_try SET failures = $4, last_at = $5, locked_until = $6 \
                 WHERE tenant_id = $1 AND user_id = $2 AND method = $3"
            ),
            params![tenant, self.user, method, taken.count, taken.last_at, taken.locked_until],
        )
        .await?;
        Ok(Showing::Wrong)
    }
}

struct FactorRow {
    id: SecondFactorId,
    secret: Vec<u8>,
    key: KeyId,
    tries: Option<Failures>,
}

struct FactorOf {
    user: UserId,
    method: FactorMethod,
}

impl Read for FactorOf {
    type Out = Option<FactorRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let tries = tries(tx, self.user, self.method).await?;
        tx.query_opt(
            sql!("SELECT id, secret, key_id FROM second_factor WHERE tenant_id = $1 AND user_id = $2"),
            params![tenant, self.user],
            |row| Ok(FactorRow { id: row.id(0)?, secret: row.bytes(1)?, key: row.id(2)?, tries }),
        )
        .await
    }
}

/// Whether a recovery code is one that was not used.
struct HoldsCode {
    factor: SecondFactorId,
    hash: [u8; 16],
}

impl Read for HoldsCode {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!(
                    "SELECT factor_id FROM recovery_code WHERE tenant_id = $1 AND factor_id = $2 AND code_hash = $3"
                ),
                params![tenant, self.factor, &self.hash],
                |row| row.uuid(0),
            )
            .await?;
        Ok(found.is_some())
    }
}

struct SetUp {
    user: UserId,
    holder: Uuid,
    now: Timestamp,
}

impl Read for SetUp {
    type Out = Option<(Vec<u8>, KeyId)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!(
                "SELECT secret, key_id FROM second_factor_enrolment \
                 WHERE tenant_id = $1 AND user_id = $2 AND holder_id = $3 AND expires_at > $4"
            ),
            params![tenant, self.user, self.holder, self.now],
            |row| Ok((row.bytes(0)?, row.id(1)?)),
        )
        .await
    }
}

/// Who sets a second factor up, and from where: a session of theirs, or a step of their sign-in.
#[derive(Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    pub(crate) id: Uuid,
}

struct BeginSetUp {
    keys: Arc<TenantKeys>,
    holder: Holder,
    secret: Vec<u8>,
    now: Timestamp,
}

impl Write for BeginSetUp {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (tenant, Holder { user, id, .. }) = (tx.tenant(), self.holder);
        counters::take(tx, Needs::default()).await?;
        if Facts::of(tx, &self.keys, user).await?.factor.is_some() {
            return Err(StoreError::Conflict);
        }
        // What was begun here before; what others began elsewhere stays theirs.
        tx.execute(
            sql!(
                "DELETE FROM second_factor_enrolment WHERE tenant_id = $1 AND user_id = $2 \
                 AND (holder_id = $3 OR expires_at <= $4)"
            ),
            params![tenant, user, id, self.now],
        )
        .await?;
        tx.execute_one(
            sql!(
                "INSERT INTO second_factor_enrolment (tenant_id, user_id, holder_id, secret, key_id, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)"
            ),
            params![tenant, user, id, &self.secret, self.keys.settings.id(), self.now + ENROLMENT_LIFE],
        )
        .await
    }
}

/// A second factor whose first code was right, before it is stored.
pub(crate) struct FreshFactor {
    keys: Arc<TenantKeys>,
    holder: Holder,
    id: SecondFactorId,
    /// As it was set up, and as it is kept.
    set_up: Vec<u8>,
    secret: Vec<u8>,
    period: i64,
    codes: FreshCodes,
    standing: UserStanding,
    leaf: NewLeaf,
    event: Event,
    now: Timestamp,
}

impl FreshFactor {
    /// Gives it to its user, whose other sessions and steps end: they were made without it.
    pub(crate) async fn put(&self, tx: &mut Tx<'_>, keep: Option<SessionId>) -> Result<(), StoreError> {
        let (tenant, user) = (tx.tenant(), self.holder.user);
        let facts = Facts::standing_as(tx, &self.keys, user, &self.standing).await?;
        if facts.factor.is_some() {
            return Err(StoreError::Conflict);
        }
        let ended = tx
            .execute(
                sql!(
                    "DELETE FROM second_factor_enrolment WHERE tenant_id = $1 AND user_id = $2 AND holder_id = $3 \
                     AND secret = $4"
                ),
                params![tenant, user, self.holder.id, &self.set_up],
            )
            .await?;
        if ended == 0 {
            return Err(StoreError::Conflict);
        }
        tx.execute_one(
            sql!(
                "INSERT INTO second_factor (tenant_id, id, user_id, secret, key_id, last_period, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.id, user, &self.secret, self.keys.settings.id(), self.period, self.now],
        )
        .await?;
        self.codes.put(tx).await?;
        facts.set_factor(tx, &self.keys, Some(self.id)).await?;
        end_steps(tx, user).await?;
        end_sessions(tx, user, keep).await?;
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.event.append(tx, numbers.event).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

struct Confirm {
    factor: FreshFactor,
    session: SessionId,
}

impl Write for Confirm {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        counters::take(tx, Needs::default()).await?;
        self.factor.put(tx, Some(self.session)).await
    }
}

/// What is done once a second factor has been shown in one's own settings.
enum Doing {
    Renew(FreshCodes),
    /// The session that stays.
    Remove(SessionId),
}

struct WithFactor {
    keys: Arc<TenantKeys>,
    user: UserId,
    standing: UserStanding,
    shown: Shown,
    doing: Doing,
    leaf: NewLeaf,
    refused: NewLeaf,
    event: Event,
}

impl Write for WithFactor {
    type Out = Showing;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Showing, StoreError> {
        counters::take(tx, Needs::default()).await?;
        let facts = Facts::standing_as(tx, &self.keys, self.user, &self.standing).await?;
        if facts.factor != Some(self.shown.factor) {
            return Err(StoreError::Conflict);
        }
        let showing = self.shown.run(tx).await?;
        if showing == Showing::Wrong {
            let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
            self.refused.append(tx, numbers.leaf).await?;
        }
        if showing != Showing::Good {
            return Ok(showing);
        }
        match &self.doing {
            Doing::Renew(codes) => codes.put(tx).await?,
            Doing::Remove(keep) => {
                facts.set_factor(tx, &self.keys, None).await?;
                forget(tx, self.user, self.shown.factor).await?;
                end_sessions(tx, self.user, Some(*keep)).await?;
            }
        }
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.event.append(tx, numbers.event).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        Ok(Showing::Good)
    }
}

struct StandsOf(UserId);

impl Read for StandsOf {
    type Out = SecondFactor;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<SecondFactor, StoreError> {
        let tenant = tx.tenant();
        let (role, since) = tx
            .query_one(
                sql!(
                    "SELECT u.role, f.created_at FROM user_account u LEFT JOIN second_factor f \
                     ON f.tenant_id = u.tenant_id AND f.id = u.factor_id WHERE u.tenant_id = $1 AND u.id = $2"
                ),
                params![tenant, self.0],
                |row| Ok((row.name(0, belofte_model::Role::parse)?, row.opt_time(1)?)),
            )
            .await?;
        let left = tx
            .query_one(
                sql!(
                    "SELECT CAST(count(*) AS bigint) FROM recovery_code c JOIN user_account u \
                     ON u.tenant_id = c.tenant_id AND u.factor_id = c.factor_id WHERE u.tenant_id = $1 AND u.id = $2"
                ),
                params![tenant, self.0],
                |row| row.int(0),
            )
            .await?;
        let asked = second_factor_rule::of(tx).await?.asks(role);
        Ok(SecondFactor { since, recovery_codes: u32::try_from(left).unwrap_or(0), asked })
    }
}

struct ResetSeen(UserId);

impl Write for ResetSeen {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!("UPDATE user_account SET factor_reset_at = NULL WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.0],
        )
        .await
        .map(drop)
    }
}

impl Store {
    /// Makes a secret for `holder` to set up, in the place of what they began there before.
    pub(crate) async fn begin_set_up(&self, holder: Holder) -> Result<NewSecret, StoreError> {
        let (keys, now) = (self.tenant_keys(holder.tenant).await?, self.clock().now());
        let secret = TotpSecret::generate(self.random());
        let sealed = secret.seal(&keys.settings, self.random(), &enrolment_place(holder.tenant, holder.id));
        let begin = BeginSetUp { keys, holder, secret: sealed, now };
        self.write_for(Some(holder.tenant), Arc::new(begin)).await?;
        Ok(NewSecret { text: Pii::new(secret.text().to_string()), expires_at: now + ENROLMENT_LIFE })
    }

    /// The factor that `holder` has set up, when `given` is its code.
    pub(crate) async fn set_up_factor(
        &self,
        holder: Holder,
        given: &GivenCode,
        standing: UserStanding,
    ) -> Result<(FreshFactor, NewRecoveryCodes), SecondFactorError> {
        let Holder { tenant, user, id: holder_id } = holder;
        let (keys, now) = (self.tenant_keys(tenant).await?, self.clock().now());
        let set_up = SetUp { user, holder: holder_id, now };
        let found = self.read_for(Some(tenant), Arc::new(set_up)).await?;
        let (set_up, key) = found.ok_or(SecondFactorError::Over)?;
        let key = self.key(tenant, key).await?;
        let secret = TotpSecret::open(&key, &enrolment_place(tenant, holder_id), &set_up);
        let secret = secret.map_err(StoreError::from)?;
        let GivenCode::Code(code) = given else { return Err(SecondFactorError::Wrong) };
        let period = secret.period_of(*code, code_period(now)).ok_or(SecondFactorError::Wrong)?;
        let id = SecondFactorId::new(now, self.random().bytes());
        let (codes, told) = FreshCodes::new(&keys, self, id);
        let detail = json!({ "act": "second_factor_on", "user": user });
        let actor = belofte_model::Actor::User(user);
        let factor = FreshFactor {
            holder,
            id,
            set_up,
            secret: secret.seal(&keys.settings, self.random(), &factor_place(tenant, id)),
            period,
            codes,
            standing,
            leaf: NewLeaf::by(actor, now, &keys, self.random(), LedgerKind::Membership, detail)?,
            event: Event { user: Some(user), ..Event::new(EventKind::UserChanged, now) },
            keys,
            now,
        };
        Ok((factor, told))
    }

    /// What showing `given` would use up. Nothing is counted yet; who must wait is told so without a write.
    pub(crate) async fn shown(
        &self,
        tenant: TenantId,
        user: UserId,
        given: &GivenCode,
    ) -> Result<Shown, SecondFactorError> {
        let (keys, now, method) = (self.tenant_keys(tenant).await?, self.clock().now(), given.method());
        let found = self.read_for(Some(tenant), Arc::new(FactorOf { user, method })).await?;
        let found = found.ok_or(StoreError::Conflict)?;
        let rule = method.rule();
        if let Err(wait) = rule.take(found.tries.map(|known| believed(known, &rule, now)), now) {
            let good = match given {
                GivenCode::Code(_) => false,
                GivenCode::RecoveryCode(code) => {
                    let hash = code_hash(&keys, found.id, code);
                    self.read_for(Some(tenant), Arc::new(HoldsCode { factor: found.id, hash })).await?
                }
            };
            if !good {
                return Err(SecondFactorError::Wait(wait));
            }
        }
        let spends = match given {
            GivenCode::Code(code) => {
                let key = self.key(tenant, found.key).await?;
                let secret = TotpSecret::open(&key, &factor_place(tenant, found.id), &found.secret);
                let period = secret.map_err(StoreError::from)?.period_of(*code, code_period(now));
                period.map_or(Spends::Nothing, Spends::Period)
            }
            GivenCode::RecoveryCode(code) => Spends::Code(code_hash(&keys, found.id, code)),
        };
        Ok(Shown { user, factor: found.id, method, spends, now })
    }

    /// How the second factor of the user who asks stands.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when a program asks; the engine's errors.
    pub async fn second_factor(&self, access: &Access) -> Result<SecondFactor, StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        self.read(access, StandsOf(user)).await
    }

    /// Makes a secret that the user who asks sets up in `session`, and confirms with its first code.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when they have a second factor, [`StoreError::NotFound`] when a program asks; the
    /// engine's errors and those of sealing.
    pub async fn begin_second_factor(
        &self,
        access: &Access,
        session: SessionId,
    ) -> Result<NewSecret, StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        self.begin_set_up(Holder { tenant: access.tenant(), user, id: session.uuid() }).await
    }

    /// Confirms what was begun in `session` with a code of the app; `password` is what the current password was
    /// checked against. The user's other sessions end.
    ///
    /// # Errors
    /// [`SecondFactorError::Wrong`], [`SecondFactorError::Over`]; [`StoreError::Conflict`] when they have one by now,
    /// or their password was changed meanwhile.
    pub async fn confirm_second_factor(
        &self,
        access: &Access,
        session: SessionId,
        password: &OwnPassword,
        given: &GivenCode,
    ) -> Result<NewRecoveryCodes, SecondFactorError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        let holder = Holder { tenant: access.tenant(), user, id: session.uuid() };
        let (factor, told) = self.set_up_factor(holder, given, password.standing.clone()).await?;
        self.write(access, Confirm { factor, session }).await?;
        Ok(told)
    }

    async fn with_factor(
        &self,
        access: &Access,
        password: &OwnPassword,
        given: &GivenCode,
        act: &str,
        doing: impl FnOnce(&TenantKeys, SecondFactorId) -> Doing,
    ) -> Result<(), SecondFactorError> {
        let user = access.user().ok_or(StoreError::NotFound)?;
        let keys = self.keys(access).await?;
        let shown = self.shown(access.tenant(), user, given).await?;
        let doing = doing(&keys, shown.factor);
        let detail = json!({ "act": act, "user": user });
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Membership, detail)?;
        let how = shown.method.as_str();
        let refused = json!({ "act": "signed_in", "outcome": "refused", "user": user, "second_factor": how });
        let refused = NewLeaf::new(access, &keys, self.random(), LedgerKind::SignIn, refused)?;
        let event = Event { user: Some(user), ..Event::new(EventKind::UserChanged, access.clock().now()) };
        let standing = password.standing.clone();
        let write = WithFactor { keys, user, standing, shown, doing, leaf, refused, event };
        self.write(access, write).await?.refused()
    }

    /// Makes new recovery codes for the user who asks; the old ones are good no more. `password` is what the current
    /// password was checked against.
    ///
    /// # Errors
    /// [`SecondFactorError::Wrong`], [`SecondFactorError::Wait`]; [`StoreError::Conflict`] when they have no second
    /// factor, or anything was changed meanwhile.
    pub async fn renew_recovery_codes(
        &self,
        access: &Access,
        password: &OwnPassword,
        given: &GivenCode,
    ) -> Result<NewRecoveryCodes, SecondFactorError> {
        access.to(Use::Configure)?;
        let mut told = None;
        let renew = |keys: &TenantKeys, factor| {
            let (codes, new) = FreshCodes::new(keys, self, factor);
            told = Some(new);
            Doing::Renew(codes)
        };
        self.with_factor(access, password, given, "recovery_codes_renewed", renew).await?;
        told.ok_or(SecondFactorError::Store(StoreError::Inconsistent { what: "codes that were not made" }))
    }

    /// Takes the second factor of the user who asks away, and ends their sessions but `session`. Where the tenant
    /// asks one of their role, that one does not hold either: they set another one up at once.
    ///
    /// # Errors
    /// As [`renew_recovery_codes`](Self::renew_recovery_codes).
    pub async fn remove_second_factor(
        &self,
        access: &Access,
        session: SessionId,
        password: &OwnPassword,
        given: &GivenCode,
    ) -> Result<(), SecondFactorError> {
        access.to(Use::Configure)?;
        self.with_factor(access, password, given, "second_factor_off", |_, _| Doing::Remove(session)).await
    }

    /// The user who asks has seen that an admin took their second factor away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when a program asks; the engine's errors.
    pub async fn second_factor_reset_seen(&self, access: &Access) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let user = access.user().ok_or(StoreError::NotFound)?;
        self.write(access, ResetSeen(user)).await
    }
}
