// SPDX-License-Identifier: EUPL-1.2
//! A transaction of either engine.

use belofte_model::TenantId;

use super::{Param, Row, Sql};
use crate::StoreError;

/// An open transaction, bound to one tenant (or to none, for the short list of system work).
pub struct Tx<'a> {
    inner: Inner<'a>,
    tenant: Option<TenantId>,
}

enum Inner<'a> {
    Lite(&'a mut rusqlite::Connection),
    Postgres(&'a deadpool_postgres::Object),
}

impl<'a> Tx<'a> {
    pub(super) fn lite(connection: &'a mut rusqlite::Connection, tenant: Option<TenantId>) -> Self {
        Self { inner: Inner::Lite(connection), tenant }
    }

    pub(super) fn postgres(client: &'a deadpool_postgres::Object, tenant: Option<TenantId>) -> Self {
        Self { inner: Inner::Postgres(client), tenant }
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
            Inner::Postgres(client) => {
                let statement = client.prepare_cached(sql.postgres()).await?;
                Ok(client.execute_raw(&statement, params).await?)
            }
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
            Inner::Postgres(client) => {
                let statement = client.prepare_cached(sql.postgres()).await?;
                let parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
                    params.iter().map(|param| param as _).collect();
                let rows = client.query(&statement, &parameters).await?;
                rows.iter().map(|row| map(&Row::Postgres(row))).collect()
            }
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
