// SPDX-License-Identifier: EUPL-1.2
//! Times on the wire: RFC 3339 in UTC with milliseconds, for example `2026-03-01T09:30:00.000Z`.

use std::borrow::Cow;

use belofte_model::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// An instant as the API writes and reads it. Reading takes any offset and any precision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Time {
    /// The text of this instant; years outside 0000 to 9999 are held at the border.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        const FIRST: i64 = -62_167_219_200_000;
        const LAST: i64 = 253_402_300_799_999;
        let millis = self.0.as_millis().clamp(FIRST, LAST);
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
            .expect("held within the years that RFC 3339 can write");
        let (date, clock) = (at.date(), at.time());
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            clock.hour(),
            clock.minute(),
            clock.second(),
            clock.millisecond()
        )
    }

    /// The instant that `text` names (RFC 3339, section 5.6); `None` when it names none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000)
            .ok()
            .map(|micros| Self(Timestamp::from_micros(micros)))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a time of RFC 3339"))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Time")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds_and_read_back() {
        let time = Time(Timestamp::from_millis(1_772_357_400_007));
        assert_eq!(time.to_rfc3339(), "2026-03-01T09:30:00.007Z");
        assert_eq!(Time::parse("2026-03-01T09:30:00.007Z"), Some(time));
        assert_eq!(Time::parse("2026-03-01T10:30:00.007+01:00"), Some(time));
        assert_eq!(Time(Timestamp::from_millis(-1)).to_rfc3339(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Time(Timestamp::from_micros(i64::MAX)).to_rfc3339(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "2026-03-01", "2026-02-30T00:00:00Z", "yesterday", "2026-03-01 09:30"] {
            assert_eq!(Time::parse(text), None, "{text:?}");
        }
    }
}
