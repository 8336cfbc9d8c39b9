// SPDX-License-Identifier: EUPL-1.2
//! The files of the desk, built into the program. Every path that is no file is a view of the
//! desk and gets its first page, so that links to views can be opened and reloaded.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, Method, StatusCode};

use crate::http::{ApiError, Code};

/// One file of the desk.
pub struct File {
    /// Its path below the root, without a slash before it.
    name: &'static str,
    media_type: &'static str,
    /// The tag of its content (RFC 9110, section 8.8.3), in quotes.
    tag: &'static str,
    /// Whether its name changes with its content.
    immutable: bool,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
}

mod files {
    use super::File;
    include!(concat!(env!("OUT_DIR"), "/desk.rs"));
}

/// Whether the desk was there when the program was built.
pub const BUILT: bool = files::BUILT;

/// Answers with the file of the path, or with the first page of the desk.
pub async fn serve(request: Request) -> Response {
    answer(files::FILES, request.method(), request.uri().path(), request.headers())
}

fn answer(files: &[File], method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = ApiError::from(Code::MethodNotAllowed).into_response();
        response.headers_mut().insert(ALLOW, http::HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let find = |name: &str| files.binary_search_by(|file| file.name.cmp(name)).ok().map(|at| &files[at]);
    let name = path.trim_start_matches('/');
    let file = match find(if name.is_empty() { "index.html" } else { name }) {
        Some(file) => file,
        // A file of an older desk that is gone: a page in its place would be run as a script.
        None if name.starts_with("assets/") => return ApiError::from(Code::NotFound).into_response(),
        None => match find("index.html") {
            Some(file) => file,
            None => return ApiError::from(Code::NotFound).into_response(),
        },
    };
    // Compressed and plain are two representations, each with its tag.
    let packed = file.gzip.filter(|_| takes_gzip(headers));
    let tag = match packed {
        Some(_) => format!("{}-gz\"", file.tag.trim_end_matches('"')),
        None => file.tag.to_owned(),
    };
    let caching = if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common =
        [(CACHE_CONTROL, caching.to_owned()), (ETAG, tag.clone()), (VARY, "Accept-Encoding".to_owned())];
    if matches_tag(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    match packed {
        Some(bytes) => {
            (common, [(CONTENT_TYPE, file.media_type), (CONTENT_ENCODING, "gzip")], bytes).into_response()
        }
        None => (common, [(CONTENT_TYPE, file.media_type)], file.plain).into_response(),
    }
}

/// Whether the browser takes gzip (RFC 9110, section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        let named = pieces.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let refused = pieces.any(|piece| {
            piece.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|quality| quality == 0.0))
        });
        named && !refused
    })
}

fn matches_tag(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    static FILES: [File; 2] = [
        File {
            name: "assets/a.js",
            media_type: "text/javascript",
            tag: "\"1\"",
            immutable: true,
            plain: b"let a",
            gzip: Some(b"packed"),
        },
        File {
            name: "index.html",
            media_type: "text/html",
            tag: "\"2\"",
            immutable: false,
            plain: b"<p>",
            gzip: None,
        },
    ];

    fn get(path: &str, headers: &[(http::HeaderName, &'static str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        answer(&FILES, &Method::GET, path, &headers.collect())
    }

    #[test]
    fn views_get_the_first_page_and_lost_assets_do_not() {
        assert_eq!(get("/conversations/7", &[]).headers()[CONTENT_TYPE], "text/html");
        assert_eq!(get("/", &[]).headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(get("/assets/old.js", &[]).status(), StatusCode::NOT_FOUND);
        assert_eq!(get("/assets/../../etc/passwd", &[]).status(), StatusCode::NOT_FOUND);
        let post = answer(&FILES, &Method::POST, "/", &HeaderMap::new());
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn files_are_compressed_for_those_who_take_it_and_kept_by_their_tag() {
        let packed = get("/assets/a.js", &[(ACCEPT_ENCODING, "br, gzip;q=0.5")]);
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(packed.headers()[ETAG], "\"1-gz\"");
        assert!(packed.headers()[CACHE_CONTROL].to_str().expect("text").contains("immutable"));
        let plain = get("/assets/a.js", &[(ACCEPT_ENCODING, "gzip;q=0")]);
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        assert_eq!(get("/", &[(IF_NONE_MATCH, "\"x\", W/\"2\"")]).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(get("/", &[(IF_NONE_MATCH, "\"1\"")]).status(), StatusCode::OK);
    }
}
