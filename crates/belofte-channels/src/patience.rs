// SPDX-License-Identifier: EUPL-1.2
//! How long a socket is waited for. Waiting goes by the machine's own steady time, which is no time of
//! day: nothing that is stored or decided hangs on it.

use tokio::time::Instant;

/// The moment from which patience counts.
pub(crate) fn moment() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a timeout on a socket")]
    Instant::now()
}
