// SPDX-License-Identifier: EUPL-1.2
//! POST /push/devices: has this browser told from now on.

use ::http::{HeaderMap, StatusCode};
use axum::extract::State;
use axum::response::Response;
use belofte_channels::push::LONGEST_ENDPOINT;
use belofte_model::PushDeviceId;
use belofte_store::{NewPushDevice, PushDeviceError, StoreError, Who};
use belofte_vault::Pii;
use uuid::Uuid;

use super::{CreatePushDevice, PushDevice};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser, user_agent};
use crate::http::{self, ApiError, Checks, Code, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_push_device",
    "/push/devices",
    Tag::Session,
    "Has the browser that asks told when something is new, for as long as its session lasts; it takes the place of \
     what it was before",
)
.takes(Content::json::<CreatePushDevice>())
.answers(&[Answer { status: 201, meaning: "The device", content: Content::json::<PushDevice>() }])
.problems(&[Code::PushNotAllowed, Code::TooManyDevices]);

/// Answers the endpoint. Nothing is asked of the push service: whether the browser can be reached is seen when it is
/// told something.
///
/// # Errors
/// [`Code::PushNotAllowed`], [`Code::TooManyDevices`], [`Code::Invalid`] for an address that is none of a listed push
/// service; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: SignedUser,
    key: IdempotencyKey,
    headers: HeaderMap,
    Json(wanted): Json<CreatePushDevice>,
) -> http::Answer<Response> {
    let act = async |intended: Option<Uuid>| {
        let Who::User { session, .. } = *signed.who.who() else { return Err(Code::Forbidden.into()) };
        Checks::default().text(&wanted.endpoint, "endpoint", 1, LONGEST_ENDPOINT).done()?;
        if !app.pushing.is_on() {
            return Err(Code::PushNotAllowed.into());
        }
        if !app.pushing.accepts(&wanted.endpoint) {
            return Err(ApiError::field("endpoint", FieldCode::Invalid));
        }
        let new = NewPushDevice {
            session,
            endpoint: Pii::new(wanted.endpoint.clone()),
            user_agent: user_agent(&headers),
        };
        let (store, access) = (&app.core.store, &signed.access);
        let id = match store.add_push_device(access, intended.map(PushDeviceId), new).await {
            Ok(id) => id,
            Err(PushDeviceError::NotAllowed) => return Err(Code::PushNotAllowed.into()),
            Err(PushDeviceError::TooMany) => return Err(Code::TooManyDevices.into()),
            // Signed out in another window at this moment.
            Err(PushDeviceError::Store(StoreError::NotFound)) => return Err(Code::NotSignedIn.into()),
            Err(PushDeviceError::Store(error)) => return Err(error.into()),
        };
        let made = store.push_devices(access).await?.into_iter().find(|device| device.id == id);
        made.map(|device| PushDevice::of(device, Some(session))).ok_or_else(|| Code::NotFound.into())
    };
    app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act).await
}
