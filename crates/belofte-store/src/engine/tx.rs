// SPDX-License-Identifier: EUPL-1.2
//! A transaction of either engine.

use belofte_model::TenantId;

use super::group::Session;
use super::{Param, Row, Rows, Sql};
use crate::StoreError;

/// An open transaction, bound to one tenant (or to none, for the short list of system work).
pub struct Tx<'a> {
    inner: Inner<'a>,
    tenant: Option<TenantId>,
}

enum Inner<'a> {
    Lite(&'a mut rusqlite::Connection),
    Postgres(&'a mut Session),
}

impl<'a> Tx<'a> {
    pub(super) fn lite(connection: &'a mut rusqlite::Connection, tenant: Option<TenantId>) -> Self {
        Self { inner: Inner::Lite(connection), tenant }
    }

    pub(super) fn postgres(session: &'a mut Session, tenant: Option<TenantId>) -> Self {
        Self { inner: Inner::Postgres(session), tenant }
    }

    /// The tenant whose rows this transaction can reach: the first parameter of every statement.
    ///
    /// # Panics
    /// In a system transaction, which names its tenants itself; that is a defect of the caller.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant.expect("a transaction of a tenant")
    }

    /// Whether the engine is PostgreSQL, for statements whose dialects part.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }

    /// Runs a statement and gives the number of rows that it changed.
    ///
    /// # Errors
    /// [`StoreError::Driver`], [`StoreError::Full`] or [`StoreError::Busy`] of the engine.
    pub async fn execute(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<u64, StoreError> {
        match &mut self.inner {
            Inner::Lite(connection) => {
                let mut statement = connection.prepare_cached(sql.lite())?;
                Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
            }
            Inner::Postgres(session) => session.execute(sql, params).await,
        }
    }

    /// Leaves a statement for the end of the transaction, where PostgreSQL takes it together with
    /// those of the same text that other writes have left: an INSERT of one row of VALUES, or an
    /// UPDATE or DELETE with one WHERE. Statements that stand later in the body run after it all
    /// the same ([`Tx::execute`] and the queries send first what was left), so that this is only
    /// a matter of speed; the order among late statements of different texts is not kept.
    /// SQLite runs it at once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was to change exactly one row and did not, which may come
    /// out only after the body has ended; the engine's errors.
    pub async fn late(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        expect: Rows,
    ) -> Result<(), StoreError> {
        match (&mut self.inner, expect) {
            (Inner::Postgres(session), _) => session.late(sql, params, expect),
            (Inner::Lite(_), Rows::One) => self.execute_one(sql, params).await,
            (Inner::Lite(_), Rows::Any) => self.execute(sql, params).await.map(drop),
        }
    }

    /// As [`Tx::late`], for an INSERT that adds to numbers where the row is there already, by way
    /// of `excluded`: rows that agree in all but the last `sums` parameters are added up first.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn late_sum(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        sums: usize,
    ) -> Result<(), StoreError> {
        match &mut self.inner {
            Inner::Postgres(session) => session.late_sum(sql, params, sums),
            Inner::Lite(_) => self.execute(sql, params).await.map(drop),
        }
    }

    /// Takes the next three numbers of the tenant, in PostgreSQL: `lock` reads and locks them
    /// (`$1` is the tenant), once for all writes of a transaction; `keep` stores them at its end
    /// (`$2` to `$4`). `None` on SQLite, where a statement does both.
    pub(crate) async fn take_locked(
        &mut self,
        lock: &'static Sql,
        keep: &'static Sql,
        needs: [i64; 3],
    ) -> Result<Option<[i64; 3]>, StoreError> {
        match &mut self.inner {
            Inner::Postgres(session) => session.take(lock, keep, needs).await.map(Some),
            Inner::Lite(_) => Ok(None),
        }
    }

    /// Runs a statement that must change exactly one row.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it changed none; the engine's errors.
    pub async fn execute_one(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<(), StoreError> {
        match self.execute(sql, params).await? {
            1 => Ok(()),
            0 => Err(StoreError::Conflict),
            _ => Err(StoreError::Inconsistent { what: "a statement changed more rows than one" }),
        }
    }

    /// Runs a query and maps every row.
    ///
    /// # Errors
    /// The engine's errors and those of `map`.
    pub async fn query<T: Send>(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        match &mut self.inner {
            Inner::Lite(connection) => {
                let mut statement = connection.prepare_cached(sql.lite())?;
                let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                let mut out = Vec::new();
                while let Some(row) = rows.next()? {
                    out.push(map(&Row::Lite(row))?);
                }
                Ok(out)
            }
            Inner::Postgres(session) => session.query(sql, params, map).await,
        }
    }

    /// Runs a query once for each of several sets of parameters and maps every row, in order. It is
    /// prepared once, and on PostgreSQL all travel together.
    ///
    /// # Errors
    /// The engine's errors and those of `map`.
    pub async fn query_each<T: Send, const N: usize>(
        &mut self,
        sql: &'static Sql,
        sets: Vec<[Param<'_>; N]>,
        mut map: impl FnMut(&Row<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        match &mut self.inner {
            Inner::Lite(connection) => {
                let mut out = Vec::with_capacity(sets.len());
                let mut statement = connection.prepare_cached(sql.lite())?;
                for params in sets {
                    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                    while let Some(row) = rows.next()? {
                        out.push(map(&Row::Lite(row))?);
                    }
                }
                Ok(out)
            }
            Inner::Postgres(session) => session.query_each(sql, &sets, map).await,
        }
    }

    /// Runs a query and maps its first row, if there is one.
    ///
    /// # Errors
    /// The engine's errors and those of `map`.
    pub async fn query_opt<T: Send>(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.query(sql, params, map).await?.into_iter().next())
    }

    /// Runs a query and maps its one row.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without a row; the engine's errors and those of `map`.
    pub async fn query_one<T: Send>(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.query_opt(sql, params, map).await?.ok_or(StoreError::NotFound)
    }
}
