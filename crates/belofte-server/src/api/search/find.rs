// SPDX-License-Identifier: EUPL-1.2
//! POST /search: finds.

use std::collections::HashSet;

use axum::Json as Body;
use axum::extract::State;
use belofte_model::Permission;
use belofte_store::ViewKind;

use super::snippet::{Wanted, snippet};
use super::{Search, SearchHit, SearchPage};
use crate::api::cursor;
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::shares::Load;
use crate::http::{self, ApiError, Checks, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("search", "/search", Tag::Search, "Finds conversations by the words in them")
        .may(Permission::ReadConversations)
        .load(Load::Search)
        .takes(Content::json::<Search>())
        .answers(&[Answer {
            status: 200,
            meaning: "The hits, newest first",
            content: Content::json::<SearchPage>(),
        }]);

/// So many hits stand on a page when nothing else is asked.
const PAGE: u32 = 20;
/// The longest question, in characters.
const LONGEST: usize = 200;

/// Answers the endpoint. It changes nothing: to ask twice is the same as once, so that a key needs
/// no remembering, and what was found is stored nowhere.
///
/// # Errors
/// [`Code::Invalid`](http::Code::Invalid) with the field that does not hold, and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    _: IdempotencyKey,
    Json(asked): Json<Search>,
) -> http::Answer<Body<SearchPage>> {
    find(&app, &signed, &asked).await.map(Body)
}

async fn find(app: &App, signed: &Signed, asked: &Search) -> http::Answer<SearchPage> {
    let access = &signed.access;
    let began = access.clock().now();
    Checks::default().text(&asked.q, "q", 1, LONGEST).done()?;
    let limit = match asked.limit.unwrap_or(PAGE) {
        limit @ 1..=100 => limit,
        _ => return Err(ApiError::field("limit", FieldCode::OutOfRange)),
    };
    let before = asked.cursor.as_deref().map(|text| cursor::read_number(text, "cursor")).transpose()?;
    let hits = app.core.store.search(access, &asked.q, before, limit).await?;
    if hits.unindexed {
        // Whoever notices first has it mended.
        app.core.indexer.wake(access.tenant());
    }
    let mut seen = HashSet::new();
    for hit in &hits.items {
        if seen.insert(hit.conversation.id) {
            app.views.note(access, ViewKind::SearchResult, hit.conversation.id.uuid())?;
        }
    }
    let (names, wanted) = (Names::fetch(app, access).await?, Wanted::of(&asked.q));
    let items = hits.items.into_iter().map(|hit| {
        let (matched, snippet) = snippet(&hit.message, &wanted);
        SearchHit {
            conversation: names.row(hit.conversation),
            message_id: Some(hit.message.id),
            matched,
            snippet,
            at: hit.message.created_at.into(),
        }
    });
    let items = items.collect();
    let took = access.clock().now().since(began).as_millis();
    Ok(SearchPage {
        items,
        next_cursor: hits.next.map(cursor::write_number),
        took_ms: u32::try_from(took).unwrap_or(u32::MAX),
        indexed_lag: hits.lag,
        unindexed: hits.unindexed,
    })
}
