// SPDX-License-Identifier: EUPL-1.2
//! Wake-ups within one node. A hint says "look again", never what happened: whoever misses one
//! finds the same rows at the next poll, and another node never hears of it at all.

use belofte_model::TenantId;
use tokio::sync::broadcast;

/// Tells those who wait that a tenant has news.
pub struct Hints {
    sender: broadcast::Sender<TenantId>,
}

impl Default for Hints {
    fn default() -> Self {
        Self { sender: broadcast::channel(1024).0 }
    }
}

impl Hints {
    pub(crate) fn wake(&self, tenant: TenantId) {
        // Nobody listening is no error.
        let _ = self.sender.send(tenant);
    }

    /// Listens from now on. A lagging listener looks at everything again.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<TenantId> {
        self.sender.subscribe()
    }
}
