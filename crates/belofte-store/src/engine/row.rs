// SPDX-License-Identifier: EUPL-1.2
//! Rows of either engine, read by position.

use belofte_model::Timestamp;
use uuid::Uuid;

use crate::StoreError;

/// A row of a result.
pub enum Row<'a> {
    /// Of SQLite.
    Lite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

const SHAPE: StoreError = StoreError::Inconsistent { what: "a column has another type than its code" };

macro_rules! column {
    ($(#[$doc:meta])* $name:ident, $option:ident, $type:ty) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// [`StoreError::Inconsistent`] when the column has another type or is NULL.
        pub fn $name(&self, at: usize) -> Result<$type, StoreError> {
            self.$option(at)?.ok_or(SHAPE)
        }

        /// The same, `None` for NULL.
        ///
        /// # Errors
        /// [`StoreError::Inconsistent`] when the column has another type.
        pub fn $option(&self, at: usize) -> Result<Option<$type>, StoreError> {
            match self {
                Self::Lite(row) => row.get::<_, Option<$type>>(at).map_err(|_| SHAPE),
                Self::Postgres(row) => row.try_get::<_, Option<$type>>(at).map_err(|_| SHAPE),
            }
        }
    };
}

impl Row<'_> {
    column!(/// A BIGINT.
        int, opt_int, i64);
    column!(/// A `uuid` or BLOB(16).
        uuid, opt_uuid, Uuid);
    column!(/// A `bytea` or BLOB.
        bytes, opt_bytes, Vec<u8>);
    column!(/// A TEXT.
        text, opt_text, String);

    /// A `bytea` or BLOB, put behind what is in `bytes`.
    ///
    /// # Errors
    /// As [`Row::bytes`].
    pub fn bytes_onto(&self, at: usize, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
        let column = match self {
            Self::Lite(row) => row.get_ref(at).ok().and_then(|value| value.as_blob().ok()),
            Self::Postgres(row) => row.try_get(at).ok(),
        };
        bytes.extend_from_slice(column.ok_or(SHAPE)?);
        Ok(())
    }

    /// A BIGINT that holds a boolean.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn bool(&self, at: usize) -> Result<bool, StoreError> {
        Ok(self.int(at)? != 0)
    }

    /// A BIGINT that holds microseconds since 1970 in UTC.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn time(&self, at: usize) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_micros(self.int(at)?))
    }

    /// The same, `None` for NULL.
    ///
    /// # Errors
    /// As [`Row::opt_int`].
    pub fn opt_time(&self, at: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(at)?.map(Timestamp::from_micros))
    }

    /// A typed id.
    ///
    /// # Errors
    /// As [`Row::uuid`].
    pub fn id<T: From<Uuid>>(&self, at: usize) -> Result<T, StoreError> {
        Ok(T::from(self.uuid(at)?))
    }

    /// The same, `None` for NULL.
    ///
    /// # Errors
    /// As [`Row::opt_uuid`].
    pub fn opt_id<T: From<Uuid>>(&self, at: usize) -> Result<Option<T>, StoreError> {
        Ok(self.opt_uuid(at)?.map(T::from))
    }

    /// A TEXT that names a member of a closed set; `parse` reads it.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when the name is unknown.
    pub fn name<T>(&self, at: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let name = match self {
            Self::Lite(row) => row.get_ref(at).ok().and_then(|value| value.as_str().ok()),
            Self::Postgres(row) => row.try_get(at).ok(),
        };
        parse(name.ok_or(SHAPE)?).ok_or(StoreError::Inconsistent { what: "an unknown name of a closed set" })
    }
}
