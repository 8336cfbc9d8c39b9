// SPDX-License-Identifier: EUPL-1.2
//! GET /quarantine: a page of it.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;
use belofte_model::Timestamp;
use belofte_store::QuarantinePlace;
use uuid::Uuid;

use super::Quarantined;
use super::{ListQuarantine, QuarantinePage};
use crate::api::cursor::ByTime;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Query, page_limit};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_quarantine", "/quarantine", Tag::Channels, "Quarantined mail, newest first")
        .may(Permission::SeeMailAccounting)
        .query::<ListQuarantine>()
        .answers(&[Answer { status: 200, meaning: "The page", content: Content::json::<QuarantinePage>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::Invalid`] for a cursor or limit that is none; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<ListQuarantine>,
) -> http::Answer<Json<QuarantinePage>> {
    let limit = page_limit(asked.limit)? as usize;
    let after = match &asked.cursor {
        Some(text) => Some(place(text)?),
        None => None,
    };
    // One more than fits: whether there is another page.
    let mut found = app.core.store.quarantine(&signed.access, asked.account, after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| cursor(last.received_at, last.id.uuid()));
    let items = found.into_iter().map(|mail| Quarantined {
        id: mail.id,
        channel_account_id: mail.account,
        received_at: mail.received_at.into(),
        size_bytes: mail.size_bytes,
        reason: mail.reason,
        signature: mail.signature,
        retried_at: mail.retried_at.map(Into::into),
    });
    Ok(Json(QuarantinePage { items: items.collect(), next_cursor }))
}

fn cursor(at: Timestamp, id: Uuid) -> String {
    ByTime(at, id.into()).write()
}

fn place(text: &str) -> http::Answer<QuarantinePlace> {
    let ByTime(received_at, id) = ByTime::read(text, "cursor")?;
    Ok(QuarantinePlace { received_at, id: id.uuid().into() })
}
