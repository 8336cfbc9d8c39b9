// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about search.

use belofte_model::MessageId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conversations::{ContactRef, ConversationRow};
use crate::api::time::Time;

/// What to find.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Words; all of them occur in what is found. The last may be the beginning of a word, unless white
    /// space follows it.
    #[schema(min_length = 1, max_length = 200)]
    pub q: String,
    /// How many at most; 20 without it.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub cursor: Option<String>,
}

/// A page of hits.
#[derive(Serialize, ToSchema)]
pub struct SearchPage {
    /// Newest first.
    pub items: Vec<SearchHit>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How long the search took, in milliseconds.
    pub took_ms: u32,
    /// How many messages are not in the index yet; they were searched one by one.
    pub indexed_lag: i64,
    /// Whether the index could not be used: messages were searched one by one, newest first, and
    /// `next_cursor` goes on where that stopped, also when nothing was found so far.
    pub unindexed: bool,
}

/// Something found.
#[derive(Serialize, ToSchema)]
pub struct SearchHit {
    /// The conversation it is in.
    pub conversation: ConversationRow,
    /// The message, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub message_id: Option<MessageId>,
    /// Where the words are.
    pub matched: MatchedIn,
    /// The words around them.
    pub snippet: Vec<SnippetPart>,
    /// When the message came or went.
    pub at: Time,
}

/// Where the words of a hit are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchedIn {
    /// In the text of a message.
    Message,
    /// In a subject.
    Subject,
    /// In the name or address of the person.
    Contact,
}

/// A piece of a snippet.
#[derive(Serialize, ToSchema)]
pub struct SnippetPart {
    /// The words.
    pub text: String,
    /// Whether they were looked for.
    #[serde(rename = "match")]
    pub matched: bool,
}

/// What is being typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Suggest {
    /// The beginning of a word or name.
    #[schema(min_length = 1, max_length = 64)]
    pub prefix: String,
}

/// What it may become.
#[derive(Serialize, ToSchema)]
pub struct Suggestions {
    /// Words that occur with at least three people.
    pub words: Vec<String>,
    /// People.
    pub contacts: Vec<ContactRef>,
}
