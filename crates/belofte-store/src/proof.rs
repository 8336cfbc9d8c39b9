// SPDX-License-Identifier: EUPL-1.2
//! Proofs: a row that grants access is authenticated under a key of its tenant, so that a row which
//! somebody wrote into the database grants nothing. Whoever keeps the installation running can write
//! rows; without the tenant's keys they can write none that holds (promise D88).

use uuid::Uuid;

use crate::TenantKeys;

/// What a row grants. The name of each is part of the proof, so that one cannot stand for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grants {
    /// To become a user.
    Invitation,
    /// To act as a user, from one browser.
    Session,
    /// To become a session, with a second factor.
    Step,
    /// To act as a program.
    ApiKey,
    /// To sign in, with a role and a duty.
    User,
    /// To sign in as an operator user.
    Operator,
    /// To act as an operator user.
    OperatorSession,
}

impl Grants {
    const fn domain(self) -> &'static str {
        match self {
            Self::Invitation => "row invitation",
            Self::Session => "row session",
            Self::Step => "row sign_in_step",
            Self::ApiKey => "row api_key",
            Self::User => "row user_account",
            Self::Operator => "row operator_user",
            Self::OperatorSession => "row operator_session",
        }
    }
}

/// One thing that a proof covers.
pub(crate) enum Part<'a> {
    /// Bytes or text.
    Bytes(&'a [u8]),
    /// A number, a time, a yes or no.
    Int(i64),
    /// An id; the nil one where there is none.
    Id(Uuid),
}

/// The one notation of what a proof covers: the tenant, then each part with its length before it.
fn written(keys: &TenantKeys, parts: &[Part<'_>]) -> Vec<u8> {
    let mut out = keys.tenant.uuid().as_bytes().to_vec();
    let mut put = |bytes: &[u8]| {
        out.extend((bytes.len() as u64).to_be_bytes());
        out.extend(bytes);
    };
    for part in parts {
        match part {
            Part::Bytes(bytes) => put(bytes),
            Part::Int(number) => put(&number.to_be_bytes()),
            Part::Id(id) => put(id.as_bytes()),
        }
    }
    out
}

/// The proof of a row of the tenant of `keys` (HMAC-SHA-256, 128 bits).
pub(crate) fn of(keys: &TenantKeys, grants: Grants, parts: &[Part<'_>]) -> [u8; 16] {
    keys.mac.tag(grants.domain(), &written(keys, parts))
}

/// Whether `proof` is that of a row of the tenant of `keys`. One that is not is told aloud: nothing
/// of ours wrote it.
pub(crate) fn holds(keys: &TenantKeys, grants: Grants, parts: &[Part<'_>], proof: Option<&[u8]>) -> bool {
    let good = proof.is_some_and(|proof| keys.mac.verify(grants.domain(), &written(keys, parts), proof));
    if !good {
        let (tenant, kind) = (keys.tenant, grants.domain());
        tracing::error!(%tenant, kind, "a row that would grant access was not written by this house");
    }
    good
}
