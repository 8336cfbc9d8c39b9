// SPDX-License-Identifier: EUPL-1.2
//! HTTP: what every endpoint shares.

mod activity;
mod around;
mod code;
mod context;
mod cookie;
mod doors;
mod error;
mod extract;
pub mod live;
mod problem;
mod proxies;
mod router;
mod serve;
pub mod shares;
mod stall;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod tries;
mod unread;
mod words;

use std::net::SocketAddr;

pub use around::{Around, CONTENT_SECURITY_POLICY, around, own_page};
pub use code::{Code, FieldCode};
pub use context::{Allowance, Context};
pub use cookie::{BROWSER_LIFE, Cookie, bearer};
pub use doors::Held;
pub use error::{Answer, ApiError, Checks, page_limit};
pub use extract::{ContextOf, Id, IdempotencyKey, Json, Query, parse, read};
pub use problem::{FieldProblem, MEDIA_TYPE as PROBLEM_MEDIA_TYPE, Organisation, Problem};
pub use proxies::Proxies;
pub use router::{finish, mount};
pub use serve::{Bounds, serve};
pub use words::{HEADINGS, word};

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);
