// SPDX-License-Identifier: EUPL-1.2
//! The two engines behind one door: a value that implements [`Write`] or [`Read`] has one body
//! for SQLite and PostgreSQL.
//!
//! Where the dialects part, [`Tx::is_postgres`] lets two functions stand side by side.

mod batch;
mod group;
mod lanes;
pub(crate) mod migrate;
mod param;
mod postgres;
mod postgres_tls;
mod readers;
mod row;
mod sql;
mod sqlite;
mod statistics;
mod together;
mod tx;

pub use batch::Rows;
pub(crate) use group::GROUP;
pub use migrate::Migrations;
pub use param::Param;
pub(crate) use param::params;
pub use postgres::{Postgres, PostgresSettings};
pub use postgres_tls::{PostgresTls, read_address};
pub(crate) use readers::Hands;
pub use row::Row;
pub use sql::Sql;
pub(crate) use sql::sql;
pub use sqlite::{Sqlite, SqliteSettings};
pub(crate) use together::{Gathering, Together};
pub use tx::Tx;

use belofte_model::{KeyId, Use};

use crate::StoreError;
use crate::keys::SealedKey;

/// A change, prepared outside the transaction: ids, nonces and times are in the value, so that
/// running it twice (after a serialisation failure) writes the same.
pub trait Write: Send + Sync + 'static {
    /// What the change answers.
    type Out: Send + 'static;

    /// What the change is, for the purpose of who makes it (decision 13). `None` for what only this
    /// crate can make, where the function that makes it asks, and for what is done for any purpose.
    const USE: Option<Use> = None;

    /// Keys that must be durable before the content that they seal.
    fn new_keys(&self) -> &[SealedKey] {
        &[]
    }

    /// Keys that are destroyed once the content no longer needs them.
    fn dead_keys(&self) -> &[KeyId] {
        &[]
    }

    /// The statements. On SQLite nothing in here ever waits.
    ///
    /// # Errors
    /// Any [`StoreError`] undoes the whole change.
    fn run(&self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Out, StoreError>> + Send;
}

/// A question. Runs on a snapshot and changes nothing.
pub trait Read: Send + Sync + 'static {
    /// What it answers.
    type Out: Send + 'static;

    /// The statements.
    ///
    /// # Errors
    /// Any [`StoreError`] of the engine.
    fn run(&self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Out, StoreError>> + Send;
}
