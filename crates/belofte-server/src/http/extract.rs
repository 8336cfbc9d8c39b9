// SPDX-License-Identifier: EUPL-1.2
//! Reads requests: bodies, queries, ids in paths, idempotency keys; each refusal says precisely
//! what is wrong.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Answer, ApiError, Code, Context, FieldCode};
use crate::api::operation::{Caller, Operation};

impl<S: Sync> FromRequestParts<S> for ContextOf {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        parts.extensions.get::<Arc<Context>>().cloned().map(Self).ok_or_else(|| Code::Internal.into())
    }
}

/// The [`Context`] of the request.
#[derive(Clone, Debug)]
pub struct ContextOf(pub Arc<Context>);

/// The longest JSON body of somebody who has not signed in. What they may say (an address, a
/// password, a token) is short, and nobody is to fill the memory before they are known.
const STRANGER_BYTES: usize = 16 * 1024;

/// A JSON body of type `T`. Unknown fields are refused by `T` itself.
///
/// 415 without a JSON media type, 413 above the limit, 408 when it does not arrive in time,
/// 400 when it is no JSON, 422 with the field when it is not a `T`.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        let context = parts.extensions.get::<Arc<Context>>().cloned().ok_or(Code::Internal)?;
        if !is_json(&parts) {
            return Err(Code::UnsupportedMediaType.into());
        }
        let operation = parts.extensions.get::<&'static Operation>();
        let limit = match operation.map(|operation| operation.caller) {
            Some(Caller::Anyone) => context.json_bytes.min(STRANGER_BYTES),
            _ => context.json_bytes,
        };
        let bytes = read(&context, body, limit).await?;
        context.set_body_digest(belofte_vault::sha256(&bytes));
        parse(&bytes).map(Self)
    }
}

fn is_json(parts: &Parts) -> bool {
    let named = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    named.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The whole body, of at most `limit` bytes, within the time of `context`. The rest of one that is
/// longer is thrown away by [`super::unread`].
///
/// # Errors
/// [`Code::TooLarge`], [`Code::Timeout`], [`Code::Malformed`] when the line drops.
pub async fn read(context: &Context, mut body: Body, limit: usize) -> Answer<Bytes> {
    let reading = async {
        let mut kept = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Code::Malformed)?.into_data() else { continue };
            if kept.len() + data.len() > limit {
                return Err(Code::TooLarge.into());
            }
            kept.extend_from_slice(&data);
        }
        Ok(kept.freeze())
    };
    timeout(context.body_time, reading).await.unwrap_or_else(|_| Err(Code::Timeout.into()))
}

/// Reads `bytes` as a `T`.
///
/// # Errors
/// [`Code::Malformed`] when they are no JSON, [`Code::Invalid`] with the field otherwise.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        if error.inner().is_data() {
            let path = error.path().to_string();
            field_problem(&path, &error.inner().to_string())
        } else {
            Code::Malformed.into()
        }
    })?;
    reader.end().map_err(|_| ApiError::from(Code::Malformed))?;
    Ok(value)
}

/// The problem that serde's message about the place `path` tells. Its words for a missing, an
/// unknown and a doubled field are part of serde's interface with formats; the rest is `invalid`.
fn field_problem(path: &str, message: &str) -> ApiError {
    let path = if path == "." { "" } else { path };
    let named = |start: &str| {
        message.strip_prefix(start)?.split_once('`').map(|(name, _)| {
            let within = path.strip_suffix(name).map_or(path, |outer| outer.trim_end_matches('.'));
            if within.is_empty() { name.to_owned() } else { format!("{within}.{name}") }
        })
    };
    if let Some(field) = named("missing field `") {
        ApiError::field(field, FieldCode::Required)
    } else if let Some(field) = named("unknown field `") {
        // The name comes from the caller: a long or odd one is not repeated.
        let plain = field.len() <= 100 && field.chars().all(|c| c.is_ascii_graphic());
        ApiError::field(if plain { field } else { "?".to_owned() }, FieldCode::Unknown)
    } else if let Some(field) = named("duplicate field `") {
        ApiError::field(field, FieldCode::Invalid)
    } else {
        ApiError::field(if path.is_empty() { "." } else { path }, FieldCode::Invalid)
    }
}

/// The parameters after the question mark, as a `T`; 422 with the parameter when they are not.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
            .map(Self)
            .map_err(|error| field_problem(&error.path().to_string(), &error.inner().to_string()))
    }
}

/// The id in the path. What is no id names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: From<Uuid>> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let Path(id) = Path::<Uuid>::from_request_parts(parts, state).await.map_err(|_| Code::NotFound)?;
        Ok(Self(T::from(id)))
    }
}

/// The idempotency key of a POST, if one was sent: 1 to 64 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(value), None) => {
                let text = value.to_str().map_err(|_| Code::Malformed)?;
                let plain =
                    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
                if plain { Ok(Self(Some(text.to_owned()))) } else { Err(Code::Malformed.into()) }
            }
            (Some(_), Some(_)) => Err(Code::Malformed.into()),
        }
    }
}
