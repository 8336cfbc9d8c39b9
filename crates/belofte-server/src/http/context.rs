// SPDX-License-Identifier: EUPL-1.2
//! What is known about a request while it runs.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use belofte_model::{Language, RequestId, TenantId, Timestamp};

use super::shares::Standing;

/// One request: its id, what its handling found out about it, and what it may take.
#[derive(Debug)]
pub struct Context {
    /// Its id: in its log lines, its problem details and the accesses it makes.
    pub id: RequestId,
    /// When it came.
    pub at: Timestamp,
    /// From where.
    pub peer: Option<SocketAddr>,
    /// The longest JSON body.
    pub json_bytes: usize,
    /// The longest attachment.
    pub attachment_bytes: usize,
    /// Within how long a body must arrive.
    pub body_time: Duration,
    asked_language: Language,
    user_language: OnceLock<Language>,
    tenant: OnceLock<TenantId>,
    body_digest: OnceLock<[u8; 32]>,
    target: OnceLock<String>,
    standings: OnceLock<Vec<Standing>>,
}

/// What requests may take.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// The longest JSON body, in bytes.
    pub json_bytes: usize,
    /// The longest attachment, in bytes.
    pub attachment_bytes: usize,
    /// Within how long a body must arrive.
    pub body_time: Duration,
}

impl Context {
    /// A request that came `at` from `peer` and asks for `language`.
    #[must_use]
    pub fn new(
        id: RequestId,
        at: Timestamp,
        peer: Option<SocketAddr>,
        language: Language,
        allowance: Allowance,
    ) -> Self {
        Self {
            id,
            at,
            peer,
            json_bytes: allowance.json_bytes,
            attachment_bytes: allowance.attachment_bytes,
            body_time: allowance.body_time,
            asked_language: language,
            user_language: OnceLock::new(),
            tenant: OnceLock::new(),
            body_digest: OnceLock::new(),
            target: OnceLock::new(),
            standings: OnceLock::new(),
        }
    }

    /// The language to answer in: the user's once they are known, else what the browser asked.
    #[must_use]
    pub fn language(&self) -> Language {
        self.user_language.get().copied().unwrap_or(self.asked_language)
    }

    /// Who asks is known now: their tenant, for the log, and their language.
    pub fn recognise(&self, tenant: TenantId, language: Option<Language>) {
        let _ = self.tenant.set(tenant);
        if let Some(language) = language {
            let _ = self.user_language.set(language);
        }
    }

    /// The tenant of the one who asks, once known.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant.get().copied()
    }

    /// How the caller stands with its share is known now.
    pub fn set_standings(&self, standings: Vec<Standing>) {
        let _ = self.standings.set(standings);
    }

    /// How the caller stands with its share; nothing while nobody is recognised.
    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        self.standings.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Remembers the SHA-256 of the body, for idempotency keys.
    pub fn set_body_digest(&self, digest: [u8; 32]) {
        let _ = self.body_digest.set(digest);
    }

    /// Remembers which endpoint, by its `operation`, was asked under which path.
    pub fn set_target(&self, operation: &str, path: &str) {
        let _ = self.target.set(format!("{operation} {path}"));
    }

    /// The SHA-256 of what was asked: endpoint, path and body. Two requests with the same one ask
    /// the same.
    #[must_use]
    pub fn request_digest(&self) -> [u8; 32] {
        let mut bytes = self.target.get().map(String::as_bytes).unwrap_or_default().to_vec();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body_digest());
        belofte_vault::sha256(&bytes)
    }

    /// The SHA-256 of the body; that of nothing where none was read.
    #[must_use]
    pub fn body_digest(&self) -> [u8; 32] {
        self.body_digest.get().copied().unwrap_or_else(|| belofte_vault::sha256(&[]))
    }
}
