// SPDX-License-Identifier: EUPL-1.2
//! GET /sessions: one's own sessions.

use axum::Json;
use axum::extract::State;
use belofte_store::Who;

use super::OwnSession;
use super::SessionList;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_sessions", "/sessions", Tag::Session, "One's own sessions").answers(&[Answer {
        status: 200,
        meaning: "The sessions, newest first",
        content: Content::json::<SessionList>(),
    }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: SignedUser) -> http::Answer<Json<SessionList>> {
    let own = match signed.who.who() {
        Who::User { session, .. } => Some(*session),
        Who::ApiKey { .. } => None,
    };
    let sessions = app.core.store.sessions(&signed.access).await?;
    let items = sessions.into_iter().map(|session| OwnSession {
        id: session.id,
        created_at: session.created_at.into(),
        last_seen_at: session.last_seen_at.into(),
        current: own == Some(session.id),
        user_agent: session.user_agent.into_inner(),
    });
    Ok(Json(SessionList { items: items.collect() }))
}
