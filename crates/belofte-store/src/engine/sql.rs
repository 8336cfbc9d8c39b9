// SPDX-License-Identifier: EUPL-1.2
//! One text for both engines.

use std::sync::OnceLock;

/// A statement with `$n` parameters. SQLite reads `$2` as a *named* parameter and numbers names by
/// first appearance, so its text is rewritten to `?n` once.
pub struct Sql {
    text: &'static str,
    lite: OnceLock<String>,
    many: OnceLock<String>,
}

impl Sql {
    /// Registers `text`; use the `sql!` macro, which makes it a static.
    pub const fn new(text: &'static str) -> Self {
        Self { text, lite: OnceLock::new(), many: OnceLock::new() }
    }

    /// The text for PostgreSQL.
    pub const fn postgres(&self) -> &'static str {
        self.text
    }

    /// The text for PostgreSQL that takes many rows at once, once it is known.
    pub(super) const fn many(&self) -> &OnceLock<String> {
        &self.many
    }

    /// The text for SQLite.
    pub fn lite(&self) -> &str {
        self.lite.get_or_init(|| rewrite(self.text))
    }
}

/// `$12` → `?12`, outside quoted text.
fn rewrite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        quoted ^= c == '\'';
        let parameter = c == '$' && !quoted && rest.peek().is_some_and(char::is_ascii_digit);
        out.push(if parameter { '?' } else { c });
    }
    out
}

/// Makes a static [`Sql`] of a literal and gives a reference to it.
macro_rules! sql {
    ($text:expr) => {{
        static SQL: $crate::engine::Sql = $crate::engine::Sql::new($text);
        &SQL
    }};
}
pub(crate) use sql;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_rewritten_outside_quotes() {
        assert_eq!(rewrite("a = $1 AND b = $12 AND c = '$3'"), "a = ?1 AND b = ?12 AND c = '$3'");
    }
}
