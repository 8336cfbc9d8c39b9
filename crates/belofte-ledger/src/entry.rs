// SPDX-License-Identifier: EUPL-1.2
//! What stands in the ledger, in one encoding: the commitment is over bytes, so two programs
//! must write the same bytes for the same entry.

use belofte_model::{Actor, LedgerKind, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// The longest encoded entry.
pub const MAX_ENTRY: usize = 256 * 1024;
const MAX_DEPTH: usize = 32;

/// Why something is no entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryError {
    /// The detail holds a number with a fraction, which has no single notation.
    #[error("the detail of a ledger entry holds a number that is not an integer")]
    Fraction,
    /// The detail is nested deeper than 32 levels.
    #[error("the detail of a ledger entry is nested too deeply")]
    Depth,
    /// The entry is longer than [`MAX_ENTRY`].
    #[error("the ledger entry is longer than 256 KiB")]
    Length,
    /// The bytes are no entry.
    #[error("the bytes are no ledger entry")]
    Malformed,
    /// The bytes are an entry in another notation than the canonical one.
    #[error("the ledger entry is not in its canonical notation")]
    NotCanonical,
}

/// The particulars of an entry: JSON with integers only, at most 32 levels deep.
#[derive(Clone, PartialEq, Eq)]
pub struct Detail(Value);

impl std::fmt::Debug for Detail {
    // A detail can name a person, and entries are printed by failing tests and errors.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Detail(..)")
    }
}

impl Detail {
    /// No particulars.
    #[must_use]
    pub const fn none() -> Self {
        Self(Value::Null)
    }

    /// Takes `value` when it can be written in one way only.
    ///
    /// # Errors
    /// [`EntryError::Fraction`], [`EntryError::Depth`] or [`EntryError::Length`].
    pub fn new(value: Value) -> Result<Self, EntryError> {
        check(&value, 0)?;
        let mut bytes = Vec::new();
        write(&value, &mut bytes);
        // The rest of an entry stays far below a kilobyte.
        if bytes.len() > MAX_ENTRY - 1024 { Err(EntryError::Length) } else { Ok(Self(value)) }
    }

    /// The particulars.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log, from 0.
    pub no: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What kind of thing happened.
    pub kind: LedgerKind,
    /// Who did it.
    pub actor: Actor,
    /// The particulars.
    pub detail: Detail,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parsed {
    no: u64,
    at: Timestamp,
    kind: LedgerKind,
    actor: Actor,
    detail: Value,
}

impl Entry {
    /// The canonical bytes: one line of JSON without white space, the members of every object
    /// in the order of their names' bytes.
    ///
    /// # Panics
    /// Never: ids, kinds and times always have a JSON form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let json = |value: serde_json::Result<Value>| value.expect("ids and kinds have a JSON form");
        let mut out = Vec::with_capacity(192);
        out.extend_from_slice(b"{\"actor\":");
        write(&json(serde_json::to_value(self.actor)), &mut out);
        out.extend_from_slice(format!(",\"at\":{},\"detail\":", self.at.as_micros()).as_bytes());
        write(&self.detail.0, &mut out);
        out.extend_from_slice(b",\"kind\":");
        write(&json(serde_json::to_value(self.kind)), &mut out);
        out.extend_from_slice(format!(",\"no\":{}}}", self.no).as_bytes());
        out
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`EntryError`], also for a good entry in any other notation.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY {
            return Err(EntryError::Length);
        }
        let parsed: Parsed = serde_json::from_slice(bytes).map_err(|_| EntryError::Malformed)?;
        let Parsed { no, at, kind, actor, detail } = parsed;
        let entry = Self { no, at, kind, actor, detail: Detail::new(detail)? };
        if entry.to_bytes() == bytes { Ok(entry) } else { Err(EntryError::NotCanonical) }
    }
}

fn check(value: &Value, depth: usize) -> Result<(), EntryError> {
    if depth > MAX_DEPTH {
        return Err(EntryError::Depth);
    }
    match value {
        Value::Number(number) if !number.is_i64() && !number.is_u64() => Err(EntryError::Fraction),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Object(members) => members.values().try_for_each(|member| check(member, depth + 1)),
        _ => Ok(()),
    }
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // Sorted here: the map's own order depends on how serde_json was built.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push(b'{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                scalar(&Value::String(name.clone()), out);
                out.push(b':');
                write(member, out);
            }
            out.push(b'}');
        }
        scalar_value => scalar(scalar_value, out),
    }
}

fn scalar(value: &Value, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("writing JSON to memory cannot fail");
}

#[cfg(test)]
mod tests {
    use belofte_model::UserId;
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn entry(detail: Value) -> Entry {
        Entry {
            no: 7,
            at: Timestamp::from_micros(1_800_000_000_000_001),
            kind: LedgerKind::Views,
            actor: Actor::User(UserId(Uuid::from_u128(1))),
            detail: Detail::new(detail).unwrap(),
        }
    }

    #[test]
    fn the_notation_stays() {
        let bytes = entry(json!({"b": [1, -2, "é\n"], "a": {"z": null, "y": true}})).to_bytes();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            "{\"actor\":{\"id\":\"00000000-0000-0000-0000-000000000001\",\"kind\":\"user\"},\
             \"at\":1800000000000001,\"detail\":{\"a\":{\"y\":true,\"z\":null},\"b\":[1,-2,\"é\\n\"]},\
             \"kind\":\"views\",\"no\":7}"
        );
        assert_eq!(Entry::parse(&bytes).unwrap().to_bytes(), bytes);
        let system = Entry { actor: Actor::System, detail: Detail::none(), ..entry(json!(1)) };
        assert_eq!(Entry::parse(&system.to_bytes()), Ok(system));
    }

    #[test]
    fn only_one_notation_is_read() {
        let good = String::from_utf8(entry(json!({"a": 1, "b": 2})).to_bytes()).unwrap();
        for (other, why) in [
            (good.replace(":1,", ": 1,"), EntryError::NotCanonical),
            (good.replace("\"a\":1,\"b\":2", "\"b\":2,\"a\":1"), EntryError::NotCanonical),
            (good.replace("\"a\":1", "\"a\":3,\"a\":1"), EntryError::NotCanonical),
            (good.replace("\"a\"", "\"\\u0061\""), EntryError::NotCanonical),
            (good.replace("\"a\":1", "\"a\":1.5"), EntryError::Fraction),
            (good.replace("views", "viewz"), EntryError::Malformed),
            (good.replace("\"no\":7", "\"no\":7,\"x\":1"), EntryError::Malformed),
            (good[..good.len() - 1].to_owned(), EntryError::Malformed),
            (String::new(), EntryError::Malformed),
        ] {
            assert_eq!(Entry::parse(other.as_bytes()), Err(why), "{other}");
        }
    }

    #[test]
    fn details_are_bounded_and_do_not_print() {
        assert_eq!(Detail::new(json!(0.5)), Err(EntryError::Fraction));
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(Detail::new(deep), Err(EntryError::Depth));
        assert_eq!(Detail::new(json!("x".repeat(MAX_ENTRY))), Err(EntryError::Length));
        assert!(!format!("{:?}", entry(json!({"who": "Sanne"}))).contains("Sanne"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_handled(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Entry::parse(&bytes).is_err());
        }

        #[test]
        fn any_detail_comes_back(names in proptest::collection::vec((any::<String>(), any::<i64>()), 0..9)) {
            let detail: serde_json::Map<_, _> = names.into_iter().map(|(k, v)| (k, json!(v))).collect();
            let entry = entry(Value::Object(detail));
            prop_assert_eq!(Entry::parse(&entry.to_bytes()), Ok(entry));
        }
    }
}
