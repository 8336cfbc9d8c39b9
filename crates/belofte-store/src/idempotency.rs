// SPDX-License-Identifier: EUPL-1.2
//! Idempotency keys: a POST that is sent twice is done once, and answered twice.
//!
//! A marker is written before the request is carried out: of two at the same moment one finds
//! the other's. Who dies between doing and answering leaves a marker that somebody may take
//! over after a while. What a request changes is not done again then, in one of three ways:
//!
//! - its answer is known before the change, and becomes durable with it, in one transaction
//!   ([`Store::write_answered`]): what is told once, such as a key, is told again;
//! - that it was done becomes durable with the change ([`Store::write_marked`]), and who takes over
//!   only makes the answer;
//! - who takes over is given the same [`intended id`](IdempotencyTicket::intended) as the one who
//!   died, finds the row that was made under it, and makes no second one.

use std::fmt::Write as _;

use belofte_model::{Duration, KeyId, NodeId, Timestamp, Use, uuid_v7};
use belofte_vault::{SealContext, sha256};
use uuid::Uuid;

use crate::access::actor_columns;
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::fail::{self, FailPoint};
use crate::keys::SealedKey;
use crate::{Access, Store, StoreError, Tx, Write};

/// Keys are remembered this long.
pub(crate) const MEMORY: Duration = Duration::from_secs(24 * 3600);
/// A request that has not ended after this long has died.
const LEASE: Duration = Duration::from_secs(120);
/// What the status of a request is instead of one of HTTP: it is carried out.
const RUNNING: i64 = 0;
/// As [`RUNNING`], and what it changes is durable; only its answer is not known yet.
const DONE: i64 = 1;

/// What to do with a request that carries an idempotency key.
#[derive(Debug)]
pub enum Begun {
    /// Carry it out, then call [`Store::finish_request`] or [`Store::abandon_request`].
    Proceed(IdempotencyTicket),
    /// It was carried out: answer this again.
    Stored(StoredAnswer),
    /// The key belongs to another request.
    OtherRequest,
    /// The same request is being carried out at this moment; the client tries again.
    Running,
}

/// The right to carry out a request.
#[derive(Clone, Debug)]
pub struct IdempotencyTicket {
    actor: Uuid,
    key_hash: [u8; 32],
    begun_at: Timestamp,
    /// An id for what the request makes, the same for everybody who carries it out.
    pub intended: Uuid,
    /// Whether what it changes was done by who carried it out before and died.
    pub done: bool,
}

/// The answer that was given.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A body holds content.
impl std::fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredAnswer({})", self.status)
    }
}

/// The row of the seal: an actor's key, folded into an id.
fn seal_row(actor: Uuid, key_hash: &[u8; 32]) -> Uuid {
    let mut bytes = actor.as_bytes().to_vec();
    bytes.extend_from_slice(key_hash);
    let hash = sha256(&bytes);
    Uuid::from_bytes(*hash.first_chunk().expect("SHA-256 has 32 bytes"))
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

struct Begin {
    actor: Uuid,
    key_hash: [u8; 32],
    /// Keyed: a body may hold what is guessed, such as a password, and who reads the row is to have nothing to guess by.
    request_hash: [u8; 16],
    /// The hash without a key, which a version before stored: a request that is repeated across its end is still known.
    unkeyed: [u8; 32],
    intended: Uuid,
    key: KeyId,
    holder: Option<NodeId>,
    now: Timestamp,
}

enum Placed {
    Mine { intended: Uuid, done: bool },
    Other,
    Running,
    Answered { status: i64, answer: Vec<u8>, key: KeyId },
}

impl Write for Begin {
    type Out = Placed;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Placed, StoreError> {
        let tenant = tx.tenant();
        let nothing: &[u8] = &[];
        tx.execute(
            sql!(
                "DELETE FROM idempotency WHERE tenant_id = $1 AND actor_id = $2 AND key_hash = $3 AND at <= $4"
            ),
            params![tenant, self.actor, &self.key_hash, self.now - MEMORY],
        )
        .await?;
        let placed = tx
            .execute(
                sql!(
                    "INSERT INTO idempotency (tenant_id, actor_id, key_hash, request_hash, status, answer, key_id, at, \
                     intended_id, holder) VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
                ),
                params![
                    tenant,
                    self.actor,
                    &self.key_hash,
                    &self.request_hash,
                    nothing,
                    self.key,
                    self.now,
                    self.intended,
                    self.holder
                ],
            )
            .await?;
        if placed == 1 {
            return Ok(Placed::Mine { intended: self.intended, done: false });
        }
        let row = tx
            .query_opt(
                sql!(
                    "SELECT request_hash, status, answer, key_id, at, intended_id FROM idempotency \
                     WHERE tenant_id = $1 AND actor_id = $2 AND key_hash = $3"
                ),
                params![tenant, self.actor, &self.key_hash],
                |row| Ok((row.bytes(0)?, row.int(1)?, row.bytes(2)?, row.id(3)?, row.time(4)?, row.uuid(5)?)),
            )
            .await?;
        // Given up between the two statements: the client's next try finds nothing in its way.
        let Some((request, status, answer, key, at, intended)) = row else { return Ok(Placed::Running) };
        if request != self.request_hash && request != self.unkeyed {
            return Ok(Placed::Other);
        }
        if status != RUNNING && status != DONE {
            return Ok(Placed::Answered { status, answer, key });
        }
        if self.now < at + LEASE {
            return Ok(Placed::Running);
        }
        let taken = tx
            .execute(
                sql!(
                    "UPDATE idempotency SET at = $4, holder = $6 WHERE tenant_id = $1 AND actor_id = $2 \
                     AND key_hash = $3 AND at = $5 AND status = $7"
                ),
                params![tenant, self.actor, &self.key_hash, self.now, at, self.holder, status],
            )
            .await?;
        Ok(if taken == 1 { Placed::Mine { intended, done: status == DONE } } else { Placed::Running })
    }
}

struct Finish {
    ticket: IdempotencyTicket,
    status: i64,
    answer: Vec<u8>,
    key: KeyId,
}

impl Write for Finish {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "UPDATE idempotency SET status = $5, answer = $6, key_id = $7 WHERE tenant_id = $1 \
                 AND actor_id = $2 AND key_hash = $3 AND at = $4 AND status IN (0, 1)"
            ),
            params![
                tenant,
                self.ticket.actor,
                &self.ticket.key_hash,
                self.ticket.begun_at,
                self.status,
                &self.answer,
                self.key
            ],
        )
        .await
    }
}

/// A change, and the end of the request that asked for it.
struct Answered<W> {
    change: W,
    finish: Finish,
}

impl<W: Write> Write for Answered<W> {
    type Out = W::Out;
    const USE: Option<Use> = W::USE;

    fn new_keys(&self) -> &[SealedKey] {
        self.change.new_keys()
    }

    fn dead_keys(&self) -> &[KeyId] {
        self.change.dead_keys()
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<W::Out, StoreError> {
        let out = self.change.run(tx).await?;
        // Finds nothing when somebody else took the request over, and undoes the change.
        self.finish.run(tx).await?;
        Ok(out)
    }
}

struct Abandon {
    ticket: IdempotencyTicket,
    /// As old as a request that has died.
    died: Timestamp,
}

impl Write for Abandon {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (tenant, ticket) = (tx.tenant(), &self.ticket);
        tx.execute(
            sql!(
                "DELETE FROM idempotency WHERE tenant_id = $1 AND actor_id = $2 AND key_hash = $3 AND at = $4 \
                 AND status = 0"
            ),
            params![tenant, ticket.actor, &ticket.key_hash, ticket.begun_at],
        )
        .await?;
        // What was done stays done: the next try makes its answer, and need not wait for that.
        tx.execute(
            sql!(
                "UPDATE idempotency SET at = $5 WHERE tenant_id = $1 AND actor_id = $2 AND key_hash = $3 AND at = $4 \
                 AND status = 1"
            ),
            params![tenant, ticket.actor, &ticket.key_hash, ticket.begun_at, self.died],
        )
        .await?;
        Ok(())
    }
}

/// Lets requests be taken over at once that a node carried out whose process is gone; on an embedded
/// engine, which one process serves at a time, all that had not ended.
pub(crate) struct VoidRequests {
    pub(crate) node: NodeId,
    pub(crate) now: Timestamp,
}

impl Write for VoidRequests {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        // As old as a request that has died; another `at` also fences its first carrier.
        let died = self.now - LEASE;
        if tx.is_postgres() {
            return tx
                .execute(
                    sql!("UPDATE idempotency SET at = $2 WHERE status IN (0, 1) AND at > $2 AND holder = $1"),
                    params![self.node, died],
                )
                .await;
        }
        tx.execute(sql!("UPDATE idempotency SET at = $1 WHERE status IN (0, 1) AND at > $1"), params![died])
            .await
    }
}

impl Store {
    /// Begins a request with an idempotency `key`. `request` is a hash of method, path and body; of it
    /// a keyed one is kept. Keys of different users and programs do not meet.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn begin_request(
        &self,
        access: &Access,
        key: &str,
        request: &[u8; 32],
    ) -> Result<Begun, StoreError> {
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let (actor, key_hash) = (actor_columns(access.actor()).1, sha256(key.as_bytes()));
        let begin = Begin {
            actor,
            key_hash,
            request_hash: keys.lookup.index("request", &hex(request)),
            unkeyed: *request,
            intended: uuid_v7(now, self.random().bytes()),
            key: keys.settings.id(),
            holder: self.node(),
            now,
        };
        Ok(match self.write(access, begin).await? {
            Placed::Mine { intended, done } => {
                Begun::Proceed(IdempotencyTicket { actor, key_hash, begun_at: now, intended, done })
            }
            Placed::Other => Begun::OtherRequest,
            Placed::Running => Begun::Running,
            Placed::Answered { status, answer, key } => {
                let context = SealContext {
                    tenant: access.tenant(),
                    column: columns::IDEMPOTENCY_ANSWER,
                    row: seal_row(actor, &key_hash),
                };
                let body = self.key(access.tenant(), key).await?.open(&context, &answer)?;
                let status = u16::try_from(status)
                    .map_err(|_| StoreError::Inconsistent { what: "idempotency.status" })?;
                Begun::Stored(StoredAnswer { status, body })
            }
        })
    }

    /// Remembers the answer to a request that was carried out, sealed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it took so long that somebody else took the request over; the
    /// engine's errors.
    pub async fn finish_request(
        &self,
        access: &Access,
        ticket: &IdempotencyTicket,
        status: u16,
        body: &[u8],
    ) -> Result<(), StoreError> {
        fail::hit(FailPoint::RequestDone);
        let finish = self.end_of_request(access, ticket, i64::from(status), body).await?;
        self.write(access, finish).await
    }

    /// Makes `change` and remembers the answer to the request that asked for it, in one transaction:
    /// there is no moment at which one is durable without the other.
    ///
    /// # Errors
    /// As [`Store::write`]; [`StoreError::Conflict`] when somebody else took the request over.
    /// Nothing is changed then.
    pub async fn write_answered<W: Write>(
        &self,
        access: &Access,
        ticket: &IdempotencyTicket,
        status: u16,
        body: &[u8],
        change: W,
    ) -> Result<W::Out, StoreError> {
        let finish = self.end_of_request(access, ticket, i64::from(status), body).await?;
        let out = self.write(access, Answered { change, finish }).await?;
        fail::hit(FailPoint::RequestDone);
        Ok(out)
    }

    /// Makes `change` and remembers that it was made, in one transaction. The answer, which can only
    /// be made afterwards, is remembered by [`Store::finish_request`].
    ///
    /// # Errors
    /// As [`Store::write_answered`].
    pub async fn write_marked<W: Write>(
        &self,
        access: &Access,
        ticket: &IdempotencyTicket,
        change: W,
    ) -> Result<W::Out, StoreError> {
        let finish = self.end_of_request(access, ticket, DONE, &[]).await?;
        self.write(access, Answered { change, finish }).await
    }

    async fn end_of_request(
        &self,
        access: &Access,
        ticket: &IdempotencyTicket,
        status: i64,
        body: &[u8],
    ) -> Result<Finish, StoreError> {
        let keys = self.keys(access).await?;
        let context = SealContext {
            tenant: access.tenant(),
            column: columns::IDEMPOTENCY_ANSWER,
            row: seal_row(ticket.actor, &ticket.key_hash),
        };
        let answer = keys.settings.seal(self.random(), &context, body);
        Ok(Finish { ticket: ticket.clone(), status, answer, key: keys.settings.id() })
    }

    /// Forgets a request that changed nothing (it was refused or failed), so that the same key can
    /// be used again. One whose change is durable, and whose answer could not be made, may be taken
    /// over at once.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn abandon_request(
        &self,
        access: &Access,
        ticket: &IdempotencyTicket,
    ) -> Result<(), StoreError> {
        let died = access.clock().now() - LEASE;
        self.write(access, Abandon { ticket: ticket.clone(), died }).await
    }
}
