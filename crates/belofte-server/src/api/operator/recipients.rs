// SPDX-License-Identifier: EUPL-1.2
//! GET /operator/recipients: the register of recipients.

use axum::Json;
use axum::extract::State;

use super::{OperatorRecipients, TenantRecipients};
use crate::api::channel_accounts::SubProcessor;
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::{App, SignedOperator};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "operator_recipients",
    "/operator/recipients",
    Tag::Operator,
    "The register of recipients: sub-processors, name servers, push services, and how many recipients each tenant \
     chose, not whom",
)
.caller(Caller::Operator)
.answers(&[Answer { status: 200, meaning: "The register", content: Content::json::<OperatorRecipients>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, _: SignedOperator) -> http::Answer<Json<OperatorRecipients>> {
    let counts = app.core.store.system().recipient_counts().await?;
    Ok(Json(OperatorRecipients {
        sub_processors: app.register.sub_processors().iter().map(SubProcessor::from).collect(),
        name_servers: app.dns.servers().iter().map(ToString::to_string).collect(),
        push_services: app.pushing.services(),
        tenants: counts.into_iter().map(TenantRecipients::from).collect(),
    }))
}
