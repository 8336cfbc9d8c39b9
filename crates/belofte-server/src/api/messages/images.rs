// SPDX-License-Identifier: EUPL-1.2
//! POST /messages/{id}/remote-images: the images that a mail names, fetched by the server.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use belofte_channels::images::{Fetched, NoImage, picture};
use belofte_model::{MessageId, Permission};
use belofte_store::{self as store, IMAGES_SIZE, ViewKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "fetch_remote_images",
    "/messages/{id}/remote-images",
    Tag::Conversations,
    "Fetches the images that a mail names; their servers learn that it was opened, and nothing of who opened it",
)
.done_again()
.may(Permission::Answer)
.answers(&[Answer { status: 200, meaning: "What came of each", content: Content::json::<RemoteImages>() }]);

/// The remote images of a mail.
#[derive(Serialize, ToSchema)]
pub struct RemoteImages {
    /// Each address once, in the order of the mail; at most 100.
    pub items: Vec<RemoteImage>,
}

/// One remote image.
#[derive(Serialize, ToSchema)]
pub struct RemoteImage {
    /// The address as it stands in `data-remote-src`.
    pub address: String,
    /// What came of it.
    pub state: ImageState,
    /// The image as an address with the scheme `data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// What came of asking for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageState {
    /// It is here.
    Shown,
    /// It is a dot that nobody sees: it only tells its server that the mail was opened.
    Tracks,
    /// It lies where no mail may have anybody look.
    Refused,
    /// Its server was not reached, or did not answer in time.
    Unreachable,
    /// Its server has none there.
    Missing,
    /// What came is no image that can be shown safely.
    NotAnImage,
    /// It is too large, by itself or with the others.
    TooLarge,
}

/// For whom images are shown without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImagesFor {
    /// The user who chose.
    Me,
    /// Everybody of the tenant.
    Everybody,
}

impl From<store::ImagesFor> for ImagesFor {
    fn from(whose: store::ImagesFor) -> Self {
        match whose {
            store::ImagesFor::Me => Self::Me,
            store::ImagesFor::Everybody => Self::Everybody,
        }
    }
}

impl From<ImagesFor> for store::ImagesFor {
    fn from(whose: ImagesFor) -> Self {
        match whose {
            ImagesFor::Me => Self::Me,
            ImagesFor::Everybody => Self::Everybody,
        }
    }
}

impl From<NoImage> for ImageState {
    fn from(why: NoImage) -> Self {
        match why {
            NoImage::Refused => Self::Refused,
            NoImage::Unreachable => Self::Unreachable,
            NoImage::Missing => Self::Missing,
            NoImage::NotAnImage => Self::NotAnImage,
            NoImage::TooLarge => Self::TooLarge,
        }
    }
}

fn shown(address: &str, bytes: &[u8]) -> RemoteImage {
    let address = address.to_owned();
    match picture(bytes) {
        Some(found) if !found.tracks => {
            let data = format!("data:{};base64,{}", found.media_type, STANDARD.encode(bytes));
            RemoteImage { address, state: ImageState::Shown, data: Some(data) }
        }
        Some(_) => RemoteImage { address, state: ImageState::Tracks, data: None },
        None => RemoteImage { address, state: ImageState::NotAnImage, data: None },
    }
}

/// Answers the endpoint. Only what stands in this very mail is fetched, and what was fetched within a few days
/// lies here: its server is not asked again.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<MessageId>,
) -> http::Answer<Json<RemoteImages>> {
    let (store, access) = (&app.core.store, &signed.access);
    let message = store.message(access, id).await?;
    let addresses = belofte_mail::remote_images(message.content.html.as_deref().unwrap_or_default());
    // Before anybody outside hears of it.
    app.views.note(access, ViewKind::RemoteImages, id.uuid())?;
    let kept = store.remote_images(access, id).await?;
    let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let here = |number: usize| kept.iter().find(|image| image.place == place(number));
    let wanted: Vec<usize> = (0..addresses.len()).filter(|number| here(*number).is_none()).collect();
    let room = IMAGES_SIZE.saturating_sub(kept.iter().map(|image| image.bytes.len()).sum());
    let asked: Vec<String> = wanted.iter().map(|number| addresses[*number].clone()).collect();
    // No transaction is open meanwhile.
    let fetched = Box::pin(app.images.fetch(&asked, room)).await;
    let mut items: Vec<Option<RemoteImage>> =
        (0..addresses.len()).map(|number| Some(shown(&addresses[number], &here(number)?.bytes))).collect();
    let mut new = Vec::new();
    for (number, fetched) in wanted.into_iter().zip(fetched) {
        let address = &addresses[number];
        items[number] = Some(match fetched {
            Fetched::Image(bytes) => {
                let item = shown(address, &bytes);
                new.push(store::RemoteImage { place: place(number), bytes });
                item
            }
            Fetched::Nothing(why) => RemoteImage { address: address.clone(), state: why.into(), data: None },
        });
    }
    if !new.is_empty() {
        store.keep_remote_images(access, id, &new).await?;
    }
    Ok(Json(RemoteImages { items: items.into_iter().flatten().collect() }))
}
