// SPDX-License-Identifier: EUPL-1.2
//! Puts endpoints, the desk and what is around them together.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use http::StatusCode;

use super::{ApiError, Around, Code, Context, around, own_page};
use crate::api::operation::{BASE, Operation, Verb};

/// Adds the endpoint `operation`, answered by `handler`. The path, the method and who may call
/// come from the operation: the handler finds it among the request's extensions as
/// `&'static Operation`, where the extractors of callers look.
pub fn mount<H, T, S>(router: Router<S>, operation: &'static Operation, handler: H) -> Router<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let filter = match operation.verb {
        Verb::Get => MethodFilter::GET,
        Verb::Post => MethodFilter::POST,
        Verb::Patch => MethodFilter::PATCH,
        Verb::Delete => MethodFilter::DELETE,
    };
    let guarded = move |mut request: Request, next: Next| async move {
        match own_page(request.method(), request.headers()) {
            Ok(()) => {
                if let Some(context) = request.extensions().get::<Arc<Context>>() {
                    context.set_target(operation.id, request.uri().path());
                }
                request.extensions_mut().insert(operation);
                next.run(request).await
            }
            Err(error) => error.into_response(),
        }
    };
    let route = on(filter, handler).layer(from_fn(guarded));
    router.route(&format!("{BASE}{}", operation.path), route)
}

/// Closes the router: unknown paths below `/api`, unknown methods, `/healthz` (the process
/// answers), `/readyz` (`ready` says whether it can work: databases answer, nothing is stopping;
/// what needs the operator's attention stands below, a short name each),
/// `/openapi.json`, the desk for the rest, and what is [`around`] all of it.
pub fn finish<R, F>(api: Router, around_all: Around, ready: R) -> Router
where
    R: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Option<Vec<&'static str>>> + Send,
{
    let readiness = move || async move {
        match ready().await {
            Some(attention) => {
                let lines = attention.iter().map(|name| format!("attention: {name}\n"));
                (StatusCode::OK, std::iter::once("ready\n".to_owned()).chain(lines).collect::<String>())
            }
            None => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
        }
    };
    api.route("/api", axum::routing::any(unknown))
        .route("/api/{*rest}", axum::routing::any(unknown))
        .route("/healthz", axum::routing::get(|| async { "ok\n" }))
        .route("/readyz", axum::routing::get(readiness))
        .route("/openapi.json", axum::routing::get(description))
        .fallback(crate::desk::serve)
        .method_not_allowed_fallback(|| async { ApiError::from(Code::MethodNotAllowed) })
        .layer(from_fn_with_state(around_all, around))
}

async fn unknown() -> ApiError {
    Code::NotFound.into()
}

async fn description() -> Response {
    // Made once: anybody may ask for it, as often as they like.
    static TEXT: LazyLock<Option<Bytes>> = LazyLock::new(|| {
        let text = crate::api::openapi::text();
        text.inspect_err(|error| tracing::error!(%error, "the description cannot be written"))
            .ok()
            .map(Bytes::from)
    });
    match &*TEXT {
        Some(text) => ([(http::header::CONTENT_TYPE, "application/json")], text.clone()).into_response(),
        None => ApiError::from(Code::Internal).into_response(),
    }
}
