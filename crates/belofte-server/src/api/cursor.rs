// SPDX-License-Identifier: EUPL-1.2
//! Cursors: opaque texts that say where a page ended. They hold ids, times and numbers only,
//! since they stand in URLs.

use belofte_model::{ConversationId, Timestamp};
use uuid::Uuid;

use crate::http::{ApiError, FieldCode};

/// Where a page of conversations ended: below the time and id of its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByTime(pub Timestamp, pub ConversationId);

impl ByTime {
    /// The text of this cursor.
    #[must_use]
    pub fn write(self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.0.as_micros().to_be_bytes());
        bytes[8..].copy_from_slice(self.1.uuid().as_bytes());
        hex::encode(bytes)
    }

    /// The cursor that `text`, the value of `field`, names.
    ///
    /// # Errors
    /// [`FieldCode::Invalid`] for `field` when it names none.
    pub fn read(text: &str, field: &str) -> Result<Self, ApiError> {
        let mut bytes = [0; 24];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ApiError::field(field, FieldCode::Invalid))?;
        let (at, id) = bytes.split_at(8);
        let at = i64::from_be_bytes(at.try_into().expect("eight of them"));
        let id = Uuid::from_slice(id).expect("sixteen of them");
        Ok(Self(Timestamp::from_micros(at), ConversationId(id)))
    }
}

/// The text of a cursor that is the number of a message.
#[must_use]
pub fn write_number(no: i64) -> String {
    hex::encode(no.to_be_bytes())
}

/// The number that `text`, the value of `field`, names.
///
/// # Errors
/// [`FieldCode::Invalid`] for `field` when it names none.
pub fn read_number(text: &str, field: &str) -> Result<i64, ApiError> {
    let mut bytes = [0; 8];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| ApiError::field(field, FieldCode::Invalid))?;
    Ok(i64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back() {
        let cursor =
            ByTime(Timestamp::from_micros(1_772_357_400_000_007), ConversationId(Uuid::from_u128(7)));
        assert_eq!(ByTime::read(&cursor.write(), "cursor"), Ok(cursor));
        for no in [0, 1, 4_711, i64::MAX] {
            assert_eq!(read_number(&write_number(no), "before"), Ok(no));
        }
    }

    #[test]
    fn what_is_no_cursor_is_named_by_its_field() {
        let long = "0".repeat(200);
        for text in ["", "x", "zz", "00", "é", "00112233445566778", long.as_str()] {
            let refused = ByTime::read(text, "cursor").expect_err("no cursor");
            assert_eq!(refused.fields[0].field, "cursor", "{text:?}");
            assert_eq!(read_number(text, "before").expect_err("no number").fields[0].field, "before");
        }
    }
}
