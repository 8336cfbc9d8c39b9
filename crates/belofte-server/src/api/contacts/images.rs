// SPDX-License-Identifier: EUPL-1.2
//! POST /contacts/{id}/remote-images: whether the images of a person are shown without asking.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{ContactId, Permission};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::messages::ImagesFor;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "choose_remote_images",
    "/contacts/{id}/remote-images",
    Tag::Contacts,
    "Has the remote images in mails of a person shown without asking, or no longer; for everybody it is an instruction",
)
.may(Permission::Answer)
.takes(Content::json::<ChooseImages>())
.answers(&[Answer { status: 204, meaning: "It is so", content: Content::Nothing }]);

/// Whose images, and whether.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChooseImages {
    /// For whom.
    #[serde(rename = "for")]
    pub whose: ImagesFor,
    /// Whether they are shown without asking.
    pub show: bool,
}

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Forbidden`] to programs, and for everybody to who may not choose for them; [`Code::NotFound`], and those
/// of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Id(id): Id<ContactId>,
    Json(asked): Json<ChooseImages>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    if access.user().is_none() {
        return Err(Code::Forbidden.into());
    }
    if asked.whose == ImagesFor::Everybody && !signed.who.may(Permission::ShareViews) {
        return Err(Code::Forbidden.into());
    }
    // Carried out once more after a crash it changes nothing more.
    let act = async { Ok(store.choose_images(access, id, asked.whose.into(), asked.show).await?) };
    app.once(access, &context, &key, StatusCode::NO_CONTENT, act).await
}
