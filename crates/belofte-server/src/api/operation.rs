// SPDX-License-Identifier: EUPL-1.2
//! What an endpoint is: method, path, who may call it, what goes in and what comes out.
//!
//! One value says it once. The router takes the path, the method and the permission from it, so
//! an endpoint without a stated caller cannot be mounted; openapi.json and the table of
//! who-may-call-what are printed from the same value, so they cannot differ from what is served.

use std::borrow::Cow;

use belofte_model::{Permission, Scope};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use crate::http::Code;
use crate::http::shares::Load;

/// The methods that endpoints use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes or does.
    Post,
    /// Changes what is named and leaves the rest.
    Patch,
    /// Ends.
    Delete,
}

impl Verb {
    /// The method of RFC 9110.
    #[must_use]
    pub const fn method(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }

    /// Whether the method promises to change nothing (RFC 9110, section 9.2.1).
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get)
    }
}

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anyone, signed in or not.
    Anyone,
    /// A signed-in user, about their own things; no programs.
    SignedIn,
    /// A user, or where the permission can belong to a key a program, that holds the permission.
    May(Permission),
    /// Somebody of the operator, by the operator's own cookie.
    Operator,
}

/// The chapter of the documentation an endpoint stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// Signing in and out; one's own sessions and settings.
    Session,
    /// Users and invitations.
    Users,
    /// Keys for programs.
    ApiKeys,
    /// Conversations and their messages.
    Conversations,
    /// Queues.
    Queues,
    /// Files of messages.
    Attachments,
    /// People.
    Contacts,
    /// What the tenant keeps of people and cases in fields of its own.
    Fields,
    /// Search over sealed text.
    Search,
    /// Channel accounts and mail accounting.
    Channels,
    /// Background work that failed.
    Upkeep,
    /// The tenant's ledger.
    Ledger,
    /// Live events.
    Live,
    /// The operator's own view: metadata only.
    Operator,
}

impl Tag {
    /// All chapters in the order of the documentation, with what each holds.
    pub const ALL: [(Self, &'static str, &'static str); 14] = [
        (Self::Session, "session", "Signing in and out, one's own sessions and settings"),
        (Self::Users, "users", "Users and invitations"),
        (Self::ApiKeys, "api_keys", "Keys for programs"),
        (Self::Conversations, "conversations", "Conversations, messages and notes"),
        (Self::Queues, "queues", "Where conversations wait, and when somebody is there"),
        (Self::Attachments, "attachments", "Files that come and go with messages"),
        (Self::Contacts, "contacts", "The people who write"),
        (Self::Fields, "fields", "Fields of the tenant's own, and what stands in them"),
        (Self::Search, "search", "Search over sealed text"),
        (Self::Channels, "channels", "Channel accounts, mail accounting and quarantine"),
        (Self::Upkeep, "upkeep", "Background work that failed for good"),
        (Self::Ledger, "ledger", "The tenant's ledger, for its privacy officer"),
        (Self::Live, "live", "Live events by WebSocket"),
        (Self::Operator, "operator", "The operator's view of the installation: no content"),
    ];

    /// The name in openapi.json.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(tag, _, _)| *tag == self).map_or("", |(_, name, _)| name)
    }
}

/// A schema, by the functions that make it; usable in constants.
#[derive(Clone, Copy)]
pub struct SchemaOf {
    name: fn() -> Cow<'static, str>,
    schema: fn() -> RefOr<Schema>,
    parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl SchemaOf {
    /// The schema of `T`.
    #[must_use]
    pub const fn of<T: ToSchema>() -> Self {
        Self { name: T::name, schema: T::schema, parts: T::schemas }
    }

    /// The name under `components.schemas`.
    #[must_use]
    pub fn name(&self) -> String {
        (self.name)().into_owned()
    }

    /// Adds the schema and every schema that it names to `all`.
    pub fn collect(&self, all: &mut Vec<(String, RefOr<Schema>)>) {
        all.push((self.name(), (self.schema)()));
        (self.parts)(all);
    }
}

/// What stands in the body of a request or an answer.
#[derive(Clone, Copy)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// A JSON document.
    Json(SchemaOf),
    /// One file as a part named `file` of `multipart/form-data`.
    File,
    /// Bytes of the named media type.
    Bytes(&'static str),
}

impl Content {
    /// A JSON document of type `T`.
    #[must_use]
    pub const fn json<T: ToSchema>() -> Self {
        Self::Json(SchemaOf::of::<T>())
    }
}

/// One way in which an endpoint succeeds.
#[derive(Clone, Copy)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What it means.
    pub meaning: &'static str,
    /// What comes with it.
    pub content: Content,
}

/// An endpoint, completely described.
#[derive(Clone, Copy)]
pub struct Operation {
    /// The name of the function in generated clients; unique.
    pub id: &'static str,
    /// The method.
    pub verb: Verb,
    /// The path below [`BASE`], with parameters in braces.
    pub path: &'static str,
    /// The chapter.
    pub tag: Tag,
    /// One line that says what it does.
    pub summary: &'static str,
    /// Who may call it.
    pub caller: Caller,
    /// How it weighs.
    pub load: Load,
    /// The parameters after the question mark.
    pub query: fn() -> Vec<Parameter>,
    /// What goes in.
    pub request: Content,
    /// The ways in which it succeeds.
    pub answers: &'static [Answer],
    /// The problems of its own, beside those that follow from the rest.
    pub own_problems: &'static [Code],
    /// Whether its first answer is given again for the same idempotency key.
    pub remembers: bool,
}

/// Where all endpoints live.
pub const BASE: &str = "/api/v1";

fn no_query() -> Vec<Parameter> {
    Vec::new()
}

fn query_of<Q: IntoParams>() -> Vec<Parameter> {
    Q::into_params(|| Some(ParameterIn::Query))
}

impl Operation {
    const fn new(verb: Verb, id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Self {
        Self {
            id,
            verb,
            path,
            tag,
            summary,
            caller: Caller::SignedIn,
            load: Load::Request,
            query: no_query,
            request: Content::Nothing,
            answers: &[],
            own_problems: &[],
            remembers: matches!(verb, Verb::Post),
        }
    }

    /// An endpoint that reads; for a signed-in user unless [`caller`](Self::caller) says otherwise.
    #[must_use]
    pub const fn get(id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Self {
        Self::new(Verb::Get, id, path, tag, summary)
    }

    /// An endpoint that makes or does something.
    #[must_use]
    pub const fn post(id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Self {
        Self::new(Verb::Post, id, path, tag, summary)
    }

    /// An endpoint that changes something.
    #[must_use]
    pub const fn patch(id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Self {
        Self::new(Verb::Patch, id, path, tag, summary)
    }

    /// An endpoint that ends something.
    #[must_use]
    pub const fn delete(id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Self {
        Self::new(Verb::Delete, id, path, tag, summary)
    }

    /// Who may call it.
    #[must_use]
    pub const fn caller(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// For those who hold `permission`.
    #[must_use]
    pub const fn may(self, permission: Permission) -> Self {
        self.caller(Caller::May(permission))
    }

    /// How it weighs on the server.
    #[must_use]
    pub const fn load(mut self, load: Load) -> Self {
        self.load = load;
        self
    }

    /// The parameters after the question mark.
    #[must_use]
    pub const fn query<Q: IntoParams>(mut self) -> Self {
        self.query = query_of::<Q>;
        self
    }

    /// What goes in.
    #[must_use]
    pub const fn takes(mut self, request: Content) -> Self {
        self.request = request;
        self
    }

    /// The ways in which it succeeds.
    #[must_use]
    pub const fn answers(mut self, answers: &'static [Answer]) -> Self {
        self.answers = answers;
        self
    }

    /// The problems of its own.
    #[must_use]
    pub const fn problems(mut self, problems: &'static [Code]) -> Self {
        self.own_problems = problems;
        self
    }

    /// Asked again it is done again, whatever the key: its answer holds what is told once and kept nowhere, or it
    /// changes nothing.
    #[must_use]
    pub const fn done_again(mut self) -> Self {
        self.remembers = false;
        self
    }

    /// Whether a program may call it with an API key.
    #[must_use]
    pub const fn for_programs(&self) -> bool {
        matches!(self.caller, Caller::May(permission) if Scope::Write.may(permission))
    }

    /// The names in braces of its path, in order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Every problem that it can answer with: its own, and those that follow from its caller,
    /// its parameters and its body.
    #[must_use]
    pub fn problems_all(&self) -> Vec<Code> {
        let mut all = self.own_problems.to_vec();
        if self.caller != Caller::Anyone {
            all.extend([Code::NotSignedIn, Code::TooManyRequests]);
        }
        if !matches!(self.caller, Caller::Anyone | Caller::SignedIn | Caller::Operator)
            || !self.verb.is_safe()
        {
            all.push(Code::Forbidden);
        }
        if self.path_parameters().next().is_some() {
            all.push(Code::NotFound);
        }
        if !(self.query)().is_empty() {
            all.push(Code::Invalid);
        }
        match self.request {
            Content::Nothing => {}
            Content::Json(_) | Content::File | Content::Bytes(_) => all.extend([
                Code::Malformed,
                Code::Invalid,
                Code::Timeout,
                Code::TooLarge,
                Code::UnsupportedMediaType,
            ]),
        }
        if self.verb == Verb::Post {
            all.extend([Code::IdempotencyKeyReused, Code::Malformed]);
        }
        if !self.verb.is_safe() {
            all.push(Code::StorageFull);
        }
        all.extend([Code::Internal, Code::Busy]);
        all.sort_unstable_by_key(|code| (code.status().as_u16(), code.as_str()));
        all.dedup();
        all
    }
}
