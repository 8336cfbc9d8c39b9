// SPDX-License-Identifier: EUPL-1.2
//! POST /fields/{id}/preview: what another kind would make of the values of a field.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{FieldId, FieldOption, LABEL_MOST, MOST_OPTIONS, Permission};
use belofte_store::ViewKind;

use super::{KindPreview, OwnWords, PreviewKind, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::shares::Load;
use crate::http::{self, Checks, FieldCode, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "preview_field_kind",
    "/fields/{id}/preview",
    Tag::Fields,
    "What another kind would make of the values of a field, for who reads it",
)
.may(Permission::ManageFields)
.load(Load::Search)
.takes(Content::json::<PreviewKind>())
.answers(&[Answer { status: 200, meaning: "The preview", content: Content::json::<KindPreview>() }])
.done_again();

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::Invalid`] for too many options; [`http::Code::NotFound`] also for a field that who asks does not
/// read; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<FieldId>,
    Json(asked): Json<PreviewKind>,
) -> http::Answer<Body<KindPreview>> {
    let (store, access) = (&app.core.store, &signed.access);
    let short = |words: &OwnWords| {
        [&words.nl, &words.en].into_iter().all(|label| label.chars().count() <= LABEL_MOST)
    };
    Checks::default()
        .that(asked.options.len() <= MOST_OPTIONS, "options", FieldCode::TooLong)
        .that(asked.options.iter().all(|option| short(&option.label)), "options", FieldCode::TooLong)
        .done()?;
    let options: Vec<FieldOption> = asked.options.into_iter().map(Into::into).collect();
    let language = signed.who.language().unwrap_or_default();
    let preview = store.preview_kind(access, id, (asked.kind, &options), language).await.map_err(refused)?;
    if !preview.stay.is_empty() {
        app.views.note(access, ViewKind::Field, id.uuid())?;
    }
    Ok(Body(KindPreview {
        values: preview.values,
        looked_at: preview.looked_at,
        convert: preview.convert,
        stay: preview.stay,
    }))
}
