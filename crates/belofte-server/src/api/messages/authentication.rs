// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about who sent a mail.

use belofte_model::{
    self as model, DkimResult, DmarcPolicy, DmarcResult, MailAuthentication, SenderVerdict, SpfResult,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::schema;

/// What was found out about who sent a mail, when it came. Domains are left out for who does not see addresses.
#[derive(Serialize, ToSchema)]
pub struct Authentication {
    /// The word for people. `disowned`: the author's domain says that this is none of its mails.
    #[schema(value_type = schema::SenderVerdict)]
    pub verdict: SenderVerdict,
    /// The domain of the author's address; absent when there is not exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// By the server that brought it.
    pub spf: SpfCheck,
    /// By its signatures, in their order; eight at most.
    pub dkim: Vec<DkimCheck>,
    /// By the author's domain.
    pub dmarc: DmarcCheck,
}

/// What SPF says (RFC 7208).
#[derive(Serialize, ToSchema)]
pub struct SpfCheck {
    /// The result; `not_checked` when the mail was fetched, or came over a server of the operator's own.
    #[schema(value_type = schema::SpfResult)]
    pub result: SpfResult,
    /// The domain that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// What one signature says (DKIM, RFC 6376).
#[derive(Serialize, ToSchema)]
pub struct DkimCheck {
    /// The result.
    #[schema(value_type = schema::DkimResult)]
    pub result: DkimResult,
    /// The domain that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Which of its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
}

/// What DMARC says (RFC 9989).
#[derive(Serialize, ToSchema)]
pub struct DmarcCheck {
    /// The result.
    #[schema(value_type = schema::DmarcResult)]
    pub result: DmarcResult,
    /// What the domain asks for, as far as it says anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::DmarcPolicy>)]
    pub policy: Option<DmarcPolicy>,
}

impl From<MailAuthentication> for Authentication {
    fn from(all: MailAuthentication) -> Self {
        let present = |text: String| (!text.is_empty()).then_some(text);
        let signature = |model::DkimCheck { result, domain, selector }| DkimCheck {
            result,
            domain: present(domain),
            selector: present(selector),
        };
        Self {
            verdict: all.verdict,
            domain: present(all.author),
            spf: SpfCheck { result: all.spf.result, domain: present(all.spf.domain) },
            dkim: all.dkim.into_iter().map(signature).collect(),
            dmarc: DmarcCheck { result: all.dmarc.result, policy: all.dmarc.policy },
        }
    }
}
