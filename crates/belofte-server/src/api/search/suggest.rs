// SPDX-License-Identifier: EUPL-1.2
//! POST /search/suggest: completes.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::Permission;
use belofte_store::ViewKind;

use super::{Suggest, Suggestions};
use crate::api::conversations::ContactRef;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("suggest", "/search/suggest", Tag::Search, "Completes what is being typed")
        .may(Permission::ReadConversations)
        .takes(Content::json::<Suggest>())
        .answers(&[Answer {
            status: 200,
            meaning: "Words and people",
            content: Content::json::<Suggestions>(),
        }]);

/// So many words and so many people are suggested.
const MANY: usize = 8;

/// Answers the endpoint. It changes nothing: to ask twice is the same as once, so that a key needs
/// no remembering, and what was found is stored nowhere.
///
/// # Errors
/// [`Code::Invalid`](http::Code::Invalid) for a beginning that is none, and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    _: IdempotencyKey,
    Json(asked): Json<Suggest>,
) -> http::Answer<Body<Suggestions>> {
    suggest(&app, &signed, &asked).await.map(Body)
}

async fn suggest(app: &App, signed: &Signed, asked: &Suggest) -> http::Answer<Suggestions> {
    let (store, access) = (&app.core.store, &signed.access);
    Checks::default().text(&asked.prefix, "prefix", 1, 64).done()?;
    let prefix = asked.prefix.trim();
    let words = store.suggest_words(access, prefix, MANY).await?;
    let mut contacts = Vec::new();
    for found in store.suggest_contacts(access, prefix, MANY).await? {
        app.views.note(access, ViewKind::Contact, found.id.uuid())?;
        contacts.push(ContactRef { id: found.id, name: found.name, address: found.address });
    }
    Ok(Suggestions { words, contacts })
}
