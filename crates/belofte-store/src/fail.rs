// SPDX-License-Identifier: EUPL-1.2
//! Fail points: places where a test lets the process die, to prove that nothing acknowledged is
//! lost and nothing is doubled. Release builds contain none of this.

/// The places between two durable steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailPoint {
    /// A blob's file is durable, its row is not.
    BlobWritten,
    /// Keys are durable, the content that they seal is not.
    KeysCommitted,
    /// Content is durable, nobody was told.
    ContentCommitted,
    /// Everybody was told, dead keys still exist.
    Answered,
    /// Content is durable, its search tokens are not.
    IndexPending,
    /// What a request asked for is durable, the caller was not answered.
    RequestDone,
}

#[cfg(debug_assertions)]
mod active {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::FailPoint;

    /// `BELOFTE_FAIL=KeysCommitted:17` dies at the 17th time that the point is reached.
    struct Plan {
        point: String,
        left: AtomicI64,
    }

    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();

    pub(crate) fn hit(point: FailPoint) {
        let plan = PLAN.get_or_init(|| {
            let text = std::env::var("BELOFTE_FAIL").ok()?;
            let (point, count) = text.split_once(':')?;
            Some(Plan { point: point.to_owned(), left: AtomicI64::new(count.parse().ok()?) })
        });
        if let Some(plan) = plan
            && plan.point == format!("{point:?}")
            && plan.left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            // As kill -9 does: no destructor, no flush, no unwinding.
            std::process::abort();
        }
    }
}

#[cfg(debug_assertions)]
pub(crate) use active::hit;

#[cfg(not(debug_assertions))]
pub(crate) const fn hit(_: FailPoint) {}
