// SPDX-License-Identifier: EUPL-1.2
//! POST /macros: a macro to keep.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::MacroId;
use uuid::Uuid;

use super::{Macro, SaveMacro, checked, may_share, refused};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Code, ContextOf, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_macro",
    "/macros",
    Tag::Conversations,
    "Keeps a macro; one for everybody is an instruction",
)
.takes(Content::json::<SaveMacro>())
.answers(&[Answer { status: 201, meaning: "The macro", content: Content::json::<Macro>() }])
.problems(&[Code::TooManyMacros]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`]; [`Code::Forbidden`] for one for everybody by who may not;
/// [`Code::TooManyMacros`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: SignedUser,
    key: IdempotencyKey,
    Json(wanted): Json<SaveMacro>,
) -> http::Answer<Response> {
    let act = async |intended: Option<Uuid>| {
        let shared = wanted.shared;
        if shared {
            may_share(&signed)?;
        }
        let (store, access) = (&app.core.store, &signed.access);
        let names = Names::fetch(&app, access).await?;
        let content = checked(wanted, &names)?;
        let texts = content.texts.clone();
        let made = store.create_macro(access, intended.map(MacroId), content, shared).await;
        let made = made.map_err(refused)?;
        Ok(Macro { texts: Some(texts.into()), ..Macro::of(made, access.user(), &names) })
    };
    Box::pin(app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act)).await
}
