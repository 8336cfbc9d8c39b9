// SPDX-License-Identifier: EUPL-1.2
//! GET /channel-accounts/{id}/accounting: where all mail went.

use axum::Json;
use axum::extract::State;
use belofte_model::ChannelAccountId;
use belofte_model::Permission;

use super::Accounting;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "get_accounting",
    "/channel-accounts/{id}/accounting",
    Tag::Channels,
    "What was received and where it went: received = imported + duplicates + quarantined + pending",
)
.may(Permission::SeeMailAccounting)
.answers(&[Answer { status: 200, meaning: "The sums", content: Content::json::<Accounting>() }]);

/// Answers the endpoint.
///
/// # Errors
/// 404; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ChannelAccountId>,
) -> http::Answer<Json<Accounting>> {
    let sums = app.core.store.accounting(&signed.access, id).await?;
    Ok(Json(Accounting {
        received: sums.received,
        imported: sums.imported,
        duplicates: sums.duplicates,
        quarantined: sums.quarantined,
        pending: sums.pending,
    }))
}
