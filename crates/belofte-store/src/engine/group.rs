// SPDX-License-Identifier: EUPL-1.2
//! One transaction of PostgreSQL that carries the writes of several callers.
//!
//! A write that fails takes back what it did and leaves its neighbours alone. Statements that it
//! can leave for the end ([`Tx::late`](super::Tx::late)) are sent once for the whole group; when
//! such a statement fails, nobody can say whose row it was, and the group is run again in halves
//! until the failure has a name.

use belofte_model::TenantId;
use futures_util::future::{BoxFuture, try_join_all};
use futures_util::poll;
use std::task::Poll;
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::batch::{Batch, Late, Rows, for_many};
use super::postgres::Open;
use super::{Param, Read, Row, Sql, Tx, Write};
use crate::StoreError;

const PASSED_OVER: StoreError = StoreError::Inconsistent { what: "a write passed over a failed statement" };

/// A queued write of any type.
pub(super) trait Work: Send {
    /// Runs the body; `true` keeps its changes.
    fn run<'w>(&'w mut self, session: &'w mut Session) -> BoxFuture<'w, bool>;
    fn tenant(&self) -> Option<TenantId>;
    /// Gives the work an answer other than that of its body.
    fn refuse(&mut self, error: StoreError);
    /// Forgets what the body answered, since it will be run again.
    fn reset(&mut self);
    /// Whether the body was run and succeeded.
    fn succeeded(&self) -> bool;
}

/// The numbers of a tenant while this transaction holds its row.
#[derive(Clone, Copy)]
struct Held {
    tenant: TenantId,
    stored: [i64; 3],
    now: [i64; 3],
    keep: &'static Sql,
}

/// An open transaction and what the present write has done in it.
pub(super) struct Session {
    open: Open,
    command: &'static str,
    /// Commands that go ahead of the next statement, in the same packet.
    pending: String,
    /// Whether the server has been sent anything at all.
    begun: bool,
    /// The tenant that the transaction has named; row-level security sees its rows alone.
    named: Option<Option<TenantId>>,
    held: Vec<Held>,
    late: Batch,
    tenant: Option<TenantId>,
    alone: bool,
    saved: bool,
    failed: bool,
    /// A statement failed that no savepoint encloses but that of the group.
    broken: Option<StoreError>,
}

/// Begins a write.
pub(super) const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// Begins a group of writes. Its statements look rows up by their keys, many at once; a plan made
/// while a table was small would read all of it for ever.
pub(crate) const GROUP: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL enable_seqscan = off; \
     SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
     SET LOCAL plan_cache_mode = force_generic_plan";
/// Begins a question, or several that are asked together; their plans are those of [`GROUP`]. A plan made for
/// the values of one question also takes an absent one for a condition that few rows meet, and reads and sorts
/// all that it believes to be few.
pub(super) const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
     SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
     SET LOCAL plan_cache_mode = force_generic_plan";

impl Session {
    /// A transaction that begins with `command` as soon as there is something to send.
    pub(super) fn new(open: Open, command: &'static str) -> Self {
        Self {
            open,
            command,
            pending: command.to_owned(),
            begun: false,
            named: None,
            held: Vec::new(),
            late: Batch::default(),
            tenant: None,
            alone: false,
            saved: false,
            failed: false,
            broken: None,
        }
    }

    /// Commits, if there is anything to commit.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if self.begun {
            self.open.end("COMMIT").await
        } else {
            self.open.release();
            Ok(())
        }
    }

    /// Ends a question: nobody waits for the answer to its COMMIT.
    pub(super) async fn leave(mut self) {
        if self.begun {
            self.open.end_unheard("COMMIT").await;
        } else {
            self.open.release();
        }
    }

    /// Undoes everything.
    pub(super) async fn abandon(mut self) -> Result<(), StoreError> {
        if self.begun {
            self.open.end("ROLLBACK").await
        } else {
            self.open.release();
            Ok(())
        }
    }

    /// Runs `value` as the only write of this transaction, up to its COMMIT.
    pub(super) async fn only<W: Write>(
        &mut self,
        tenant: Option<TenantId>,
        value: &W,
    ) -> Result<W::Out, StoreError> {
        self.begin(tenant, true);
        let out = value.run(&mut Tx::postgres(self, tenant)).await?;
        if self.failed {
            return Err(PASSED_OVER);
        }
        self.end(true, Vec::new()).await?;
        self.finish().await?;
        Ok(out)
    }

    /// Asks `value`, the only question of this transaction.
    pub(super) async fn asked<R: Read>(
        &mut self,
        tenant: Option<TenantId>,
        value: &R,
    ) -> Result<R::Out, StoreError> {
        self.begin(tenant, true);
        value.run(&mut Tx::postgres(self, tenant)).await
    }

    fn enqueue(&mut self, command: &str) {
        if !self.pending.is_empty() {
            self.pending.push_str("; ");
        }
        self.pending.push_str(command);
    }

    fn name(&mut self, tenant: Option<TenantId>) {
        if self.named != Some(tenant) {
            // The tenant is a UUID, never text of somebody else; the second wall (row-level
            // security) reads it. System work sees all rows and says so.
            match tenant {
                Some(tenant) => self.enqueue(&format!("SET LOCAL belofte.tenant = '{tenant}'")),
                None => self.enqueue("SET LOCAL belofte.scope = 'system'"),
            }
            self.named = Some(tenant);
        }
    }

    /// Sends what is pending, and waits for it.
    async fn send(&mut self) -> Result<(), StoreError> {
        let commands = std::mem::take(&mut self.pending);
        self.begun = true;
        Ok(self.open.client().batch_execute(&commands).await?)
    }

    pub(super) fn begin(&mut self, tenant: Option<TenantId>, alone: bool) {
        self.tenant = tenant;
        (self.alone, self.saved, self.failed) = (alone, false, false);
    }

    /// Makes everything so far visible to the next statement of the present write, which can be
    /// taken back from here on.
    async fn enter(&mut self) -> Result<(), StoreError> {
        if !self.saved {
            let kept = self.late.take_kept();
            if let Err(error) = self.flush(kept).await {
                self.broken = Some(error);
                return Err(StoreError::Conflict);
            }
            if !self.alone {
                self.enqueue("SAVEPOINT body");
            }
            self.saved = true;
        }
        let own = std::mem::take(&mut self.late);
        self.flush(own).await?;
        self.name(self.tenant);
        Ok(())
    }

    /// Runs a statement after everything that came before it.
    pub(super) async fn execute(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
    ) -> Result<u64, StoreError> {
        let result = async {
            self.enter().await?;
            let statement = self.open.client().prepare_cached(sql.postgres()).await?;
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
            let pending = std::mem::take(&mut self.pending);
            self.begun = true;
            let client = self.open.client();
            ahead(client, &pending, client.execute(&statement, &params)).await
        }
        .await;
        self.failed |= result.is_err();
        result
    }

    /// Runs a query after everything that came before it.
    pub(super) async fn query<T: Send>(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let result = match self.enter().await {
            Ok(()) => self.ask(sql, params, map).await,
            Err(error) => Err(error),
        };
        self.failed |= result.is_err();
        result
    }

    async fn ask<T: Send>(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let statement = self.open.client().prepare_cached(sql.postgres()).await?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        let pending = std::mem::take(&mut self.pending);
        self.begun = true;
        let client = self.open.client();
        let rows = ahead(client, &pending, client.query(&statement, &params)).await?;
        rows.iter().map(|row| map(&Row::Postgres(row))).collect()
    }

    /// Runs a query for each of several sets of parameters, all sent together, after everything
    /// that came before them.
    pub(super) async fn query_each<T: Send, const N: usize>(
        &mut self,
        sql: &'static Sql,
        sets: &[[Param<'_>; N]],
        mut map: impl FnMut(&Row<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let result: Result<Vec<T>, StoreError> = async {
            self.enter().await?;
            let statement = self.open.client().prepare_cached(sql.postgres()).await?;
            let pending = std::mem::take(&mut self.pending);
            self.begun = true;
            let client = self.open.client();
            let (asking, statement) = (&**client, &statement);
            let asked = sets.iter().map(|params| async move {
                let params = params.each_ref().map(|param| param as &(dyn ToSql + Sync));
                asking.query(statement, &params).await
            });
            let rows = ahead(client, &pending, try_join_all(asked)).await?;
            rows.iter().flatten().map(|row| map(&Row::Postgres(row))).collect()
        }
        .await;
        self.failed |= result.is_err();
        result
    }

    /// Leaves a row for the end of the group.
    pub(super) fn late(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        expect: Rows,
    ) -> Result<(), StoreError> {
        self.late.push(self.tenant, sql, params, expect)
    }

    /// Leaves numbers for the end of the group, added up with others.
    pub(super) fn late_sum(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        sums: usize,
    ) -> Result<(), StoreError> {
        self.late.add(self.tenant, sql, params, sums)
    }

    /// Takes the next numbers of the tenant. The first write of a group reads and locks the row
    /// with `lock`; the others count on, and `keep` stores where they came to.
    pub(super) async fn take(
        &mut self,
        lock: &'static Sql,
        keep: &'static Sql,
        needs: [i64; 3],
    ) -> Result<[i64; 3], StoreError> {
        let tenant = self.tenant.expect("numbers of a tenant");
        if !self.held.iter().any(|held| held.tenant == tenant) {
            self.name(Some(tenant));
            let row = |row: &Row<'_>| Ok([row.int(0)?, row.int(1)?, row.int(2)?]);
            let found = self.ask(lock, &[tenant.into()], row).await;
            if let (Err(error), false) = (&found, self.saved) {
                self.broken = Some(error.copy());
            }
            self.failed |= found.is_err();
            let numbers = found?.into_iter().next().ok_or(StoreError::NotFound)?;
            self.held.push(Held { tenant, stored: numbers, now: numbers, keep });
        }
        let held = self.held.iter_mut().find(|held| held.tenant == tenant).expect("just pushed");
        let first = held.now;
        for (number, need) in held.now.iter_mut().zip(needs) {
            *number += need;
        }
        Ok(first)
    }

    /// Sends late rows, each kind of statement once, all in one packet.
    async fn flush(&mut self, batch: Batch) -> Result<(), StoreError> {
        let lates = batch.into_statements()?;
        if lates.is_empty() {
            return Ok(());
        }
        let mut steps = Vec::with_capacity(lates.len());
        for late in &lates {
            let statement = self.for_many(late).await?;
            self.name(late.tenant);
            steps.push((std::mem::take(&mut self.pending), statement, late.params()));
        }
        self.begun = true;
        let changed = pipeline(self.open.client(), &steps).await?;
        for (late, changed) in lates.iter().zip(changed) {
            if late.expect == Rows::One && late.rows != changed {
                return Err(StoreError::Conflict);
            }
        }
        Ok(())
    }

    async fn for_many(&self, late: &Late) -> Result<Statement, StoreError> {
        let client = self.open.client();
        let many = match late.sql.many().get() {
            Some(many) => many,
            None => {
                let one = client.prepare(late.sql.postgres()).await?;
                late.sql.many().get_or_init(|| for_many(late.sql.postgres(), one.params()))
            }
        };
        Ok(client.prepare_cached(many).await?)
    }

    /// Sends everything that was left for the end.
    async fn finish(&mut self) -> Result<(), StoreError> {
        let late = std::mem::take(&mut self.late);
        self.flush(late).await?;
        let mut held = std::mem::take(&mut self.held);
        let mut steps = Vec::new();
        let moved: Vec<(TenantId, [i64; 3])> =
            held.iter().filter(|held| held.stored != held.now).map(|held| (held.tenant, held.now)).collect();
        let params: Vec<[Param<'_>; 4]> = moved
            .iter()
            .map(|(tenant, [a, b, c])| [(*tenant).into(), (*a).into(), (*b).into(), (*c).into()])
            .collect();
        for (params, held) in params.iter().zip(held.iter().filter(|held| held.stored != held.now)) {
            let statement = self.open.client().prepare_cached(held.keep.postgres()).await?;
            self.name(Some(held.tenant));
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
            steps.push((std::mem::take(&mut self.pending), statement, params));
        }
        if !steps.is_empty() {
            self.begun = true;
            pipeline(self.open.client(), &steps).await?;
        }
        held.iter_mut().for_each(|held| held.stored = held.now);
        self.held = held;
        Ok(())
    }

    /// Ends the present write.
    async fn end(&mut self, keep: bool, before: Vec<Held>) -> Result<(), StoreError> {
        let nested = self.saved && !self.alone;
        if keep {
            self.late.keep();
            if nested {
                self.enqueue("RELEASE SAVEPOINT body");
            }
            return Ok(());
        }
        self.late.drop_own();
        self.held = before;
        if nested && self.broken.is_none() {
            self.enqueue("ROLLBACK TO SAVEPOINT body; RELEASE SAVEPOINT body");
            self.named = None;
            self.send().await?;
        }
        Ok(())
    }

    /// Undoes everything since the last savepoint of a part, or since the beginning.
    async fn undo(&mut self, nested: bool) -> Result<(), StoreError> {
        self.late = Batch::default();
        (self.named, self.broken) = (None, None);
        self.pending.clear();
        if nested {
            self.pending.push_str("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part");
        } else {
            if self.begun {
                self.pending.push_str("ROLLBACK; ");
            }
            self.pending.push_str(self.command);
        }
        self.send().await
    }
}

/// A statement, with the commands before it and its parameters.
type Step<'a> = (String, Statement, Vec<&'a (dyn ToSql + Sync)>);

/// Sends all statements before it waits for the first; gives how many rows each changed.
async fn pipeline(client: &tokio_postgres::Client, steps: &[Step<'_>]) -> Result<Vec<u64>, StoreError> {
    let mut answers: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>> = Vec::with_capacity(steps.len());
    for (commands, statement, params) in steps {
        if !commands.is_empty() {
            answers.push(Box::pin(async move { client.batch_execute(commands).await.map(|()| 0) }));
        }
        answers.push(Box::pin(client.execute(statement, params)));
    }
    // A statement is sent when its answer is asked for the first time.
    let mut known = Vec::with_capacity(answers.len());
    for answer in &mut answers {
        known.push(poll!(answer));
    }
    let mut all = Vec::with_capacity(answers.len());
    for (answer, known) in answers.into_iter().zip(known) {
        all.push(match known {
            Poll::Ready(known) => known?,
            Poll::Pending => answer.await?,
        });
    }
    let mut changed = all.into_iter();
    let mut out = Vec::with_capacity(steps.len());
    for (commands, ..) in steps {
        if !commands.is_empty() {
            changed.next();
        }
        out.extend(changed.next());
    }
    Ok(out)
}

/// Sends `commands` and `statement` together, and waits for both.
async fn ahead<T>(
    client: &tokio_postgres::Client,
    commands: &str,
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    if commands.is_empty() {
        return Ok(statement.await?);
    }
    let mut sent = Box::pin(client.batch_execute(commands));
    let first = poll!(&mut sent);
    let mut statement = Box::pin(statement);
    let known = poll!(&mut statement);
    match first {
        Poll::Ready(first) => first?,
        Poll::Pending => sent.await?,
    }
    match known {
        Poll::Ready(known) => Ok(known?),
        Poll::Pending => Ok(statement.await?),
    }
}

/// Runs every work of a group, or of a `nested` part of it, and sends what they leave for the end.
/// A work that failed has its answer; the others are ready to be committed.
///
/// # Errors
/// Of the connection: the group as a whole was not run.
pub(super) fn settle<'s>(
    session: &'s mut Session,
    works: &'s mut [&mut dyn Work],
    nested: bool,
) -> BoxFuture<'s, Result<(), StoreError>> {
    Box::pin(async move {
        let before = session.held.clone();
        if nested {
            session.enqueue("SAVEPOINT part");
            session.send().await?;
        }
        let alone = works.len() == 1;
        for work in works.iter_mut() {
            let own_before = session.held.clone();
            session.begin(work.tenant(), alone);
            let keep = work.run(session).await;
            if keep && session.failed {
                work.refuse(PASSED_OVER);
            }
            session.end(keep && !session.failed, own_before).await?;
            if session.broken.is_some() {
                break;
            }
        }
        let result = match session.broken.take() {
            Some(error) => Err(error),
            None if alone && !works[0].succeeded() => Err(StoreError::Busy),
            None => session.finish().await,
        };
        let Err(error) = result else {
            if nested {
                session.enqueue("RELEASE SAVEPOINT part");
            }
            return Ok(());
        };
        if session.open.client().is_closed() {
            return Err(error);
        }
        session.undo(nested).await?;
        session.held = before;
        if alone {
            if works[0].succeeded() {
                works[0].refuse(error);
            }
            return Ok(());
        }
        works.iter_mut().for_each(|work| work.reset());
        let (left, right) = works.split_at_mut(works.len() / 2);
        settle(session, left, true).await?;
        settle(session, right, true).await
    })
}
