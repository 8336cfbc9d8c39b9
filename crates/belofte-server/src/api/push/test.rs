// SPDX-License-Identifier: EUPL-1.2
//! POST /push/devices/{id}/test: tells a device of one's own now, and what came of it.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_channels::push::{Answered, outcome};
use belofte_model::{PushDeviceId, PushProblem};
use belofte_store::{PushOutcome, StoreError};

use super::{PushTest, PushTestResult};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, ApiError, Code, ContextOf, Id, IdempotencyKey};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "test_push_device",
    "/push/devices/{id}/test",
    Tag::Session,
    "Tells a device of one's own now, as if something were new, and says what its push service answered",
)
.answers(&[Answer {
    status: 200,
    meaning: "What the push service answered",
    content: Content::json::<PushTest>(),
}])
.problems(&[Code::TooManyTries]);

/// Answers the endpoint. No transaction is open while the push service is waited for.
///
/// # Errors
/// 404 for a device that is not one's own, or is told nothing any more; [`Code::TooManyTries`]: every test reaches
/// out of the house; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: SignedUser,
    key: IdempotencyKey,
    Id(id): Id<PushDeviceId>,
) -> http::Answer<Response> {
    let act = async {
        let (store, access) = (&app.core.store, &signed.access);
        let target = store.push_target(access, id, None).await?.ok_or(Code::NotFound)?;
        app.tests.take(&access.tenant(), context.at).map_err(ApiError::too_many_tries)?;
        let answered = app.pushing.tell(&target, app.core.clock().now()).await;
        // What would be tried again is said as it is.
        let noted = match outcome(answered, target.cause, app.core.clock().now()) {
            PushOutcome::Later(_) => PushOutcome::Failed(PushProblem::Unreachable),
            noted => noted,
        };
        match store.note_push(access, id, noted, None).await {
            // Removed in another window meanwhile.
            Ok(()) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        let result = match answered {
            Answered::Told => PushTestResult::Told,
            Answered::Gone => PushTestResult::Gone,
            Answered::Refused => PushTestResult::Refused,
            Answered::Busy(_) => PushTestResult::Busy,
            Answered::Unreachable => PushTestResult::Unreachable,
            Answered::NotListed => PushTestResult::NotListed,
        };
        Ok(PushTest { result })
    };
    app.once(&signed.access, &context, &key, StatusCode::OK, act).await
}
