// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about signing keys.

use belofte_channels::email::signing_record::record;
use belofte_model::{ChannelAccountId, RecordProblem, SigningKeyId, SigningState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::time::Time;

/// A key that signs mail in the name of a domain.
#[derive(Serialize, ToSchema)]
pub struct SigningKey {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: SigningKeyId,
    /// The domain that it signs for, in ASCII.
    pub domain: String,
    /// Where it stands.
    #[schema(value_type = schema::SigningState)]
    pub state: SigningState,
    /// The name of its record.
    pub record_name: String,
    /// What the record says (a TXT record), in one piece.
    pub record_value: String,
    /// What was wrong with the record when it was looked at last; none when it was right, or was not looked at yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::RecordProblem>)]
    pub problem: Option<RecordProblem>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Time>,
    /// When the record was seen right last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Time>,
    /// From when on it signs, or did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Time>,
    /// Since when it signs no more. Its record is to stay for a week longer, for the mail that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
}

impl From<belofte_store::SigningKey> for SigningKey {
    fn from(key: belofte_store::SigningKey) -> Self {
        Self {
            id: key.id,
            record_name: key.record_name(),
            record_value: record(&key.public_key),
            domain: key.domain,
            state: key.state,
            problem: key.problem,
            checked_at: key.checked_at.map(Into::into),
            seen_at: key.seen_at.map(Into::into),
            began_at: key.began_at.map(Into::into),
            ended_at: key.ended_at.map(Into::into),
            created_at: key.created_at.into(),
        }
    }
}

/// A domain from which accounts send, or for which there is a key.
#[derive(Serialize, ToSchema)]
pub struct SigningDomain {
    /// The domain, in ASCII.
    pub domain: String,
    /// The accounts that send from it.
    #[schema(value_type = Vec<Uuid>)]
    pub account_ids: Vec<ChannelAccountId>,
    /// Its keys, the newest first: at most one of them waits, and at most one signs.
    pub keys: Vec<SigningKey>,
}

/// The domains.
#[derive(Serialize, ToSchema)]
pub struct SigningDomainList {
    /// By name.
    pub items: Vec<SigningDomain>,
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSigningKey {
    /// A domain from which an account sends, as the list names it.
    #[schema(min_length = 1, max_length = 253)]
    pub domain: String,
}
