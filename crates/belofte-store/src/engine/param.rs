// SPDX-License-Identifier: EUPL-1.2
//! Parameters that both engines take.

use belofte_model::Timestamp;
use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// A parameter. The NULL has no type, so that it fits every column of PostgreSQL.
#[derive(Clone, Copy, PartialEq)]
pub enum Param<'a> {
    /// BIGINT; also times and booleans.
    Int(i64),
    /// `uuid` or BLOB(16).
    Uuid(Uuid),
    /// `bytea` or BLOB.
    Bytes(&'a [u8]),
    /// TEXT.
    Text(&'a str),
    /// `int8[]`; PostgreSQL only.
    Ints(&'a [i64]),
    /// `uuid[]`; PostgreSQL only.
    Uuids(&'a [Uuid]),
    /// `bytea[]`; PostgreSQL only.
    Blobs(&'a [&'a [u8]]),
    /// NULL of any type.
    Null,
}

/// A parameter may be personal: it shows its type only.
impl std::fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Int(_) => "int",
            Self::Uuid(_) => "uuid",
            Self::Bytes(_) => "bytes",
            Self::Text(_) => "text",
            Self::Ints(_) => "ints",
            Self::Uuids(_) => "uuids",
            Self::Blobs(_) => "blobs",
            Self::Null => "null",
        })
    }
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, Value, ValueRef};
        Ok(match self {
            Self::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Uuid(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value.as_bytes())),
            Self::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Self::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Ints(_) | Self::Uuids(_) | Self::Blobs(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("SQLite has no arrays".into()));
            }
        })
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Int(value) => value.to_sql_checked(ty, out),
            Self::Uuid(value) => value.to_sql_checked(ty, out),
            Self::Bytes(value) => value.to_sql_checked(ty, out),
            Self::Text(value) => value.to_sql_checked(ty, out),
            Self::Ints(value) => value.to_sql_checked(ty, out),
            Self::Uuids(value) => value.to_sql_checked(ty, out),
            Self::Blobs(value) => value.to_sql_checked(ty, out),
            Self::Null => Ok(IsNull::Yes),
        }
    }

    // The check of the inner type above is the real one; this says only "ask me".
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

macro_rules! from {
    ($($source:ty, $value:ident => $param:expr;)+) => {$(
        impl<'a> From<$source> for Param<'a> {
            fn from($value: $source) -> Self { $param }
        }
    )+};
}

from! {
    i64, value => Self::Int(value);
    u32, value => Self::Int(i64::from(value));
    bool, value => Self::Int(i64::from(value));
    Timestamp, value => Self::Int(value.as_micros());
    Uuid, value => Self::Uuid(value);
    &'a [u8], value => Self::Bytes(value);
    &'a Vec<u8>, value => Self::Bytes(value);
    &'a [u8; 16], value => Self::Bytes(value);
    &'a [u8; 32], value => Self::Bytes(value);
    &'a str, value => Self::Text(value);
    &'a String, value => Self::Text(value);
}

macro_rules! from_id {
    ($($id:ident),+) => {$(
        impl From<belofte_model::$id> for Param<'_> {
            fn from(id: belofte_model::$id) -> Self { Self::Uuid(id.uuid()) }
        }
    )+};
}

from_id!(
    TenantId,
    UserId,
    OperatorUserId,
    ContactId,
    IdentityId,
    ChannelAccountId,
    QueueId,
    ConversationId,
    TagId,
    TeamId,
    FieldId,
    SavedViewId,
    MacroId,
    DraftId,
    LineId,
    SigningKeyId,
    PushDeviceId,
    ThreadId,
    MessageId,
    AttachmentId,
    BlobId,
    IntakeId,
    DeliveryId,
    ActivityId,
    JobId,
    KeyId,
    SessionId,
    SignInStepId,
    SecondFactorId,
    ApiKeyId,
    InvitationId,
    RequestId,
    NodeId,
    NotificationId
);

impl<'a, T: Into<Self>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Param::Null, Into::into)
    }
}

/// Makes the parameters of a statement: `params![tenant, id, &bytes]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::engine::Param::from($value)),*] };
}
pub(crate) use params;
