// SPDX-License-Identifier: EUPL-1.2
//! A personal value that cannot slip into a log line.

use std::fmt;

/// A value that says something about a person.
///
/// It has no `Display` and no `Serialize`; its `Debug` prints `Pii(..)`. Whoever needs the
/// value writes [`expose`](Self::expose), which can be searched for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, borrowed.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, owned.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Another personal value made from this one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Pii<U> {
        Pii(change(self.0))
    }

    /// The same personal value, borrowed.
    pub const fn as_ref(&self) -> Pii<&T> {
        Pii(&self.0)
    }
}

impl<T> From<T> for Pii<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pii(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let value = Pii::new("sanne@voorbeeld.example".to_owned());
        assert_eq!(format!("{value:?} {:?}", Some(&value)), "Pii(..) Some(Pii(..))");
        assert_eq!(value.clone().map(|text| text.len()).into_inner(), 23);
        assert_eq!(value.expose(), "sanne@voorbeeld.example");
    }
}
