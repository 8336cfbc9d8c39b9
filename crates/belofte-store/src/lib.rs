// SPDX-License-Identifier: EUPL-1.2
//! The stores of Belofte: content, keys, index and blobs, on SQLite or PostgreSQL. The only crate
//! that knows SQL.
//!
//! What this crate does *not* know: HTTP, sockets other than the database's, mail formats, and
//! who may do what (it enforces the [`Visible`](belofte_model::Visible) it is given).

mod access;
mod blobs;
mod clock;
mod counters;
pub mod data_map;
mod engine;
mod error;
mod events;
mod fail;
mod hints;
mod index;
mod jobs;
mod keys;
mod ledger;
mod store;
mod system;

pub use access::{Access, Authenticated, ClaimedJob, ResolvedAccount, Who};
pub use blobs::{Blobs, INLINE};
pub use clock::Clock;
pub use engine::{Migrations, Param, PostgresSettings, Read, Row, Sql, Tx, Write};
pub use error::StoreError;
pub use events::{Event, Events, EventsSince};
pub use fail::FailPoint;
pub use hints::Hints;
pub use index::Index;
pub use jobs::{DeadLetter, DeadLetters, FailJob, FinishJob, ReviveJob};
pub use keys::{SYSTEM, SealedKey, TenantKeys};
pub use ledger::NewLeaf;
pub use store::{EngineSettings, MIGRATIONS, Store, StoreSettings};
pub use system::SystemTx;

#[cfg(test)]
mod tests;
