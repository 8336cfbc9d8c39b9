// SPDX-License-Identifier: EUPL-1.2
//! What can go wrong between the house and its stores.

use std::io;

use belofte_model::{KeyId, Purpose, Use};
use belofte_vault::VaultError;

/// An error of a store. None of them carries a value that was stored or asked for: drivers quote
/// values in their messages (a unique violation names the key), so only codes are kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine refused or failed; `code` is the SQLSTATE or the SQLite result code.
    #[error("the database failed with code {code}")]
    Driver {
        /// SQLSTATE (PostgreSQL) or extended result code (SQLite).
        code: String,
    },
    /// A row does not have the shape that the code expects of it.
    #[error("stored data is inconsistent: {what}")]
    Inconsistent {
        /// Which table and column, never the value.
        what: &'static str,
    },
    /// Somebody else changed what this write was planned on; plan again.
    #[error("changed by somebody else in the meantime")]
    Conflict,
    /// A colleague has answered, and who answers now has not seen it.
    #[error("a colleague has answered in the meantime")]
    Overtaken,
    /// The row does not exist for this tenant.
    #[error("does not exist")]
    NotFound,
    /// Who acts is not privacy officer, and so neither gives nor takes that duty.
    #[error("only a privacy officer gives or takes that duty")]
    NotOfficer,
    /// An access was used for what its purpose does not serve for: a defect of the caller.
    #[error("an access for {} was used to {}", purpose.as_str(), what.as_str())]
    Purpose {
        /// Why the access was made.
        purpose: Purpose,
        /// What it was used for.
        what: Use,
    },
    /// There is no room on the disk.
    #[error("the disk is full")]
    Full,
    /// The store is shutting down or its queue is full.
    #[error("the store cannot take work now")]
    Busy,
    /// A key does not exist, is marked for erasure or is destroyed.
    #[error("the key is not available")]
    KeyGone(KeyId),
    /// A seal did not open.
    #[error("a sealed value did not open")]
    Vault(#[from] VaultError),
    /// A blob's file could not be read or written.
    #[error("a blob file failed with {0}")]
    Blob(io::ErrorKind),
    /// A migration failed.
    #[error("the schema could not be brought up to date: {0}")]
    Migration(String),
    /// The configured database cannot be used.
    #[error("the database cannot be used: {0}")]
    Setup(String),
}

impl StoreError {
    /// Whether the same value may be tried again at once (serialisation failure, deadlock).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Driver { code } if code == "40001" || code == "40P01")
    }

    /// One failure, told to each member of a group.
    pub(crate) fn copy(&self) -> Self {
        match self {
            Self::Driver { code } => Self::Driver { code: code.clone() },
            Self::Inconsistent { what } => Self::Inconsistent { what },
            Self::Conflict => Self::Conflict,
            Self::Overtaken => Self::Overtaken,
            Self::NotFound => Self::NotFound,
            Self::NotOfficer => Self::NotOfficer,
            Self::Purpose { purpose, what } => Self::Purpose { purpose: *purpose, what: *what },
            Self::Busy => Self::Busy,
            Self::KeyGone(key) => Self::KeyGone(*key),
            Self::Full | Self::Vault(_) | Self::Blob(_) | Self::Migration(_) | Self::Setup(_) => Self::Full,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                rusqlite::ErrorCode::DiskFull => Self::Full,
                // A write that fails below SQLite for want of room is reported as an I/O error
                // by some file systems; to the sender it is the same: keep the mail.
                rusqlite::ErrorCode::SystemIoFailure => Self::Full,
                _ => Self::Driver { code: failure.extended_code.to_string() },
            },
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::InvalidColumnIndex(_) => {
                Self::Inconsistent { what: "a column has another type than its code" }
            }
            _ => Self::Driver { code: "sqlite".to_owned() },
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            // 53100 disk_full
            Some(state) if state.code() == "53100" => Self::Full,
            Some(state) => Self::Driver { code: state.code().to_owned() },
            None if error.is_closed() => Self::Busy,
            None => Self::Driver { code: "connection".to_owned() },
        }
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            _ => Self::Busy,
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::Blob(kind),
        }
    }
}
