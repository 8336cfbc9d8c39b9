// SPDX-License-Identifier: EUPL-1.2
//! Rows that are gone through by the million: their bytes in one piece, and each found beside the one before.

use crate::{Row, StoreError};

/// Where the bytes of a row lie among those of others.
#[derive(Clone, Copy, Default)]
pub(crate) struct Span {
    from: usize,
    to: usize,
}

impl Span {
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.from..self.to]
    }

    /// Takes in a column of bytes.
    pub(crate) fn read(row: &Row<'_>, at: usize, bytes: &mut Vec<u8>) -> Result<Self, StoreError> {
        let from = bytes.len();
        row.bytes_onto(at, bytes)?;
        Ok(Self { from, to: bytes.len() })
    }

    /// Takes in `some`.
    pub(crate) fn put(some: &[u8], bytes: &mut Vec<u8>) -> Self {
        let from = bytes.len();
        bytes.extend_from_slice(some);
        Self { from, to: bytes.len() }
    }
}

/// So many steps from where the last one was found, the next one is looked for.
const STEPS: usize = 8;

/// Where in `all`, which is in the order of `of`, the first one lies that is not before `sought`. Lists go through
/// people in order: it lies beside `near`, where the last one was.
pub(crate) fn first_from<T, K: Ord>(all: &[T], near: usize, sought: &K, of: impl Fn(&T) -> K) -> usize {
    let before = |at: usize| of(&all[at]) < *sought;
    let mut at = near.min(all.len());
    for _ in 0..STEPS {
        if at < all.len() && before(at) {
            at += 1;
        } else if at > 0 && !before(at - 1) {
            at -= 1;
        } else {
            return at;
        }
    }
    all.partition_point(|one| of(one) < *sought)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_is_found_from_anywhere() {
        let all: Vec<u32> = (0..50).map(|n| n / 2 * 2).collect();
        for sought in 0..52 {
            let expected = all.iter().position(|one| *one >= sought).unwrap_or(all.len());
            for near in 0..60 {
                assert_eq!(first_from(&all, near, &sought, |one| *one), expected, "{sought} from {near}");
            }
        }
        assert_eq!(first_from(&[], 3, &1, |one: &u32| *one), 0);
    }
}
