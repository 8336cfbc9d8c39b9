// SPDX-License-Identifier: EUPL-1.2
//! GET /operator/tenants: the tenants and their sizes.

use axum::Json;
use axum::extract::State;

use super::OperatorTenant;
use super::TenantList;
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};
use crate::app::{App, SignedOperator};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_tenants", "/operator/tenants", Tag::Operator, "The tenants with numbers only")
        .caller(Caller::Operator)
        .answers(&[Answer {
            status: 200,
            meaning: "The tenants by name",
            content: Content::json::<TenantList>(),
        }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, _: SignedOperator) -> http::Answer<Json<TenantList>> {
    let mut tenants = app.core.store.system().tenant_summaries().await?;
    tenants.sort_by_cached_key(|summary| (summary.tenant.name.to_lowercase(), summary.tenant.id));
    let items = tenants.into_iter().map(|summary| OperatorTenant {
        id: summary.tenant.id,
        slug: summary.tenant.slug,
        name: summary.tenant.name,
        created_at: summary.tenant.created_at.into(),
        users: summary.users,
        conversations: summary.conversations,
        messages: summary.messages,
        stored_bytes: summary.stored_bytes,
    });
    Ok(Json(TenantList { items: items.collect() }))
}
