// SPDX-License-Identifier: EUPL-1.2
//! The data map: every column of the content database and of the index files, declared once.
//!
//! Canary, erasure, export and the coverage of encryption read it; a test compares it with the
//! schema that is really there. The numbers are part of every seal (associated data), so a number
//! is never used again and never changes.

use belofte_model::{Column, KeyClass};

pub mod columns;
mod index;
mod macros;
mod merges;
mod notifications;
mod push;
mod signing_key;
mod together;

pub use index::INDEX_MAP;

/// What kind of data a column holds, for the record of processing (GDPR article 30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Who somebody is: a name.
    Identity,
    /// How somebody is reached: an address, a number.
    ContactData,
    /// What was said or sent.
    Content,
    /// What a device tells about itself.
    Technical,
    /// Settings of the tenant.
    Configuration,
    /// The record of acts.
    Evidence,
}

/// Whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The customer of a tenant.
    Contact,
    /// An agent, supervisor or admin.
    User,
    /// Somebody of the operator.
    Operator,
    /// No person.
    Nobody,
}

/// What a column holds and how it is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Nothing personal: ids, times, counts, names of closed sets.
    Plain,
    /// Personal or confidential, sealed with a key of this class.
    Sealed {
        /// What kind of data.
        category: Category,
        /// Whose.
        subject: Subject,
        /// Under which key.
        key: KeyClass,
    },
    /// A keyed hash by which a value is looked up.
    BlindIndex,
    /// Keyed hashes of words.
    SearchTokens,
    /// A hash of a secret, a wrapped key, a salt or a proof.
    Secret,
}

/// How long rows stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// As long as the tenant's policy and contract say.
    Tenant,
    /// So many days.
    Days(u32),
    /// Until the work is done.
    UntilDone,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct MappedColumn {
    /// Its number, for ever.
    pub id: Column,
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How long its rows stay.
    pub retention: Retention,
    /// Its columns, in the order of the schema.
    pub columns: &'static [MappedColumn],
}

const fn column(id: u32, name: &'static str, holds: Holds) -> MappedColumn {
    MappedColumn { id: Column(id), name, holds }
}

use Category::{Configuration, ContactData, Content, Evidence, Identity, Technical};
use Subject::{Contact, Nobody, Operator, User};

/// The content database.
pub const DATA_MAP: &[Table] = &[
    Table {
        name: "tenant",
        retention: Retention::Tenant,
        columns: &[
            column(101, "id", Holds::Plain),
            column(102, "slug", Holds::Plain),
            column(103, "name", Holds::Plain),
            column(104, "state", Holds::Plain),
            column(105, "next_seq", Holds::Plain),
            column(106, "next_leaf", Holds::Plain),
            column(107, "next_case", Holds::Plain),
            column(108, "created_at", Holds::Plain),
        ],
    },
    Table {
        name: "user_account",
        retention: Retention::Tenant,
        columns: &[
            column(201, "tenant_id", Holds::Plain),
            column(202, "id", Holds::Plain),
            column(203, "role", Holds::Plain),
            column(204, "privacy_officer", Holds::Plain),
            column(205, "state", Holds::Plain),
            column(206, "language", Holds::Plain),
            column(207, "colour_scheme", Holds::Plain),
            column(208, "shortcuts", Holds::Plain),
            column(209, "login_index", Holds::BlindIndex),
            column(
                211,
                "profile",
                Holds::Sealed { category: Identity, subject: User, key: KeyClass::Settings },
            ),
            column(212, "key_id", Holds::Plain),
            column(213, "created_at", Holds::Plain),
            column(214, "last_seen_at", Holds::Plain),
            column(
                215,
                "credential",
                Holds::Sealed { category: Technical, subject: User, key: KeyClass::Settings },
            ),
            column(216, "credential_key_id", Holds::Plain),
            column(217, "invitation_id", Holds::Plain),
            column(218, "proof", Holds::Secret),
        ],
    },
    Table {
        name: "login",
        retention: Retention::Tenant,
        columns: &[
            column(301, "tenant_id", Holds::Plain),
            column(302, "login_index", Holds::BlindIndex),
            column(303, "user_id", Holds::Plain),
        ],
    },
    Table {
        name: "session",
        retention: Retention::Days(30),
        columns: &[
            column(401, "tenant_id", Holds::Plain),
            column(402, "token_hash", Holds::Secret),
            column(403, "id", Holds::Plain),
            column(404, "user_id", Holds::Plain),
            column(405, "created_at", Holds::Plain),
            column(406, "last_seen_at", Holds::Plain),
            column(407, "expires_at", Holds::Plain),
            column(
                408,
                "agent",
                Holds::Sealed { category: Technical, subject: User, key: KeyClass::Settings },
            ),
            column(409, "key_id", Holds::Plain),
            column(410, "proof", Holds::Secret),
        ],
    },
    Table {
        name: "api_key",
        retention: Retention::Tenant,
        columns: &[
            column(501, "tenant_id", Holds::Plain),
            column(502, "id", Holds::Plain),
            column(503, "token_hash", Holds::Secret),
            column(504, "scope", Holds::Plain),
            column(
                505,
                "name",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(506, "key_id", Holds::Plain),
            column(507, "created_by", Holds::Plain),
            column(508, "created_at", Holds::Plain),
            column(509, "expires_at", Holds::Plain),
            column(510, "revoked_at", Holds::Plain),
            column(511, "last_used_at", Holds::Plain),
            column(512, "proof", Holds::Secret),
        ],
    },
    Table {
        name: "invitation",
        retention: Retention::Days(30),
        columns: &[
            column(601, "tenant_id", Holds::Plain),
            column(602, "id", Holds::Plain),
            column(603, "token_hash", Holds::Secret),
            column(604, "role", Holds::Plain),
            column(605, "privacy_officer", Holds::Plain),
            column(606, "created_by", Holds::Plain),
            column(607, "created_at", Holds::Plain),
            column(608, "expires_at", Holds::Plain),
            column(609, "used_at", Holds::Plain),
            column(610, "revoked_at", Holds::Plain),
            column(611, "proof", Holds::Secret),
        ],
    },
    Table {
        name: "operator_user",
        retention: Retention::Tenant,
        columns: &[
            column(701, "id", Holds::Plain),
            column(702, "login_index", Holds::BlindIndex),
            column(703, "password", Holds::Secret),
            column(
                704,
                "profile",
                Holds::Sealed { category: Identity, subject: Operator, key: KeyClass::Settings },
            ),
            column(705, "key_id", Holds::Plain),
            column(706, "created_at", Holds::Plain),
            column(707, "proof", Holds::Secret),
        ],
    },
    Table {
        name: "operator_session",
        retention: Retention::Days(1),
        columns: &[
            column(801, "token_hash", Holds::Secret),
            column(802, "operator_id", Holds::Plain),
            column(803, "created_at", Holds::Plain),
            column(804, "expires_at", Holds::Plain),
            column(805, "proof", Holds::Secret),
        ],
    },
    Table {
        name: "sign_in_failure",
        retention: Retention::Days(1),
        columns: &[
            column(901, "subject", Holds::BlindIndex),
            column(902, "failures", Holds::Plain),
            column(903, "last_at", Holds::Plain),
            column(904, "locked_until", Holds::Plain),
        ],
    },
    Table {
        name: "queue",
        retention: Retention::Tenant,
        columns: &[
            column(1001, "tenant_id", Holds::Plain),
            column(1002, "id", Holds::Plain),
            column(
                1003,
                "name",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(1004, "key_id", Holds::Plain),
            column(1005, "is_default", Holds::Plain),
            column(1006, "created_at", Holds::Plain),
        ],
    },
    Table {
        name: "channel_account",
        retention: Retention::Tenant,
        columns: &[
            column(1101, "tenant_id", Holds::Plain),
            column(1102, "id", Holds::Plain),
            column(1103, "kind", Holds::Plain),
            column(1104, "state", Holds::Plain),
            column(1105, "queue_id", Holds::Plain),
            column(
                1106,
                "settings",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(1107, "key_id", Holds::Plain),
            column(1108, "version", Holds::Plain),
            column(1109, "created_at", Holds::Plain),
        ],
    },
    Table {
        name: "recipient",
        retention: Retention::Tenant,
        columns: &[
            column(3401, "tenant_id", Holds::Plain),
            column(3402, "account_id", Holds::Plain),
            column(3403, "host_index", Holds::BlindIndex),
            column(
                3404,
                "host",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(3405, "key_id", Holds::Plain),
            column(3406, "first_at", Holds::Plain),
            column(3407, "ended_at", Holds::Plain),
        ],
    },
    Table {
        name: "retrieval",
        retention: Retention::Tenant,
        columns: &[
            column(3501, "tenant_id", Holds::Plain),
            column(3502, "account_id", Holds::Plain),
            column(
                3503,
                "position",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(3504, "key_id", Holds::Plain),
            column(3505, "problem", Holds::Plain),
            column(3506, "since", Holds::Plain),
            column(3507, "failures", Holds::Plain),
            column(3508, "looked_at", Holds::Plain),
            column(3509, "older", Holds::Plain),
            column(3510, "left_there", Holds::Plain),
        ],
    },
    Table {
        name: "authorisation",
        retention: Retention::Tenant,
        columns: &[
            column(4201, "tenant_id", Holds::Plain),
            column(4202, "account_id", Holds::Plain),
            column(
                4203,
                "request",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(4204, "request_key_id", Holds::Plain),
            column(
                4205,
                "tokens",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(4206, "tokens_key_id", Holds::Plain),
            column(4207, "granted_at", Holds::Plain),
            column(4208, "ended_at", Holds::Plain),
            column(4209, "renewing_until", Holds::Plain),
            column(4210, "version", Holds::Plain),
        ],
    },
    signing_key::TABLE,
    Table {
        name: "account_address",
        retention: Retention::Tenant,
        columns: &[
            column(1201, "address_index", Holds::BlindIndex),
            column(1202, "tenant_id", Holds::Plain),
            column(1203, "account_id", Holds::Plain),
        ],
    },
    Table {
        name: "contact",
        retention: Retention::Tenant,
        columns: &[
            column(1301, "tenant_id", Holds::Plain),
            column(1302, "id", Holds::Plain),
            column(
                1303,
                "profile",
                Holds::Sealed { category: Identity, subject: Contact, key: KeyClass::Contact },
            ),
            column(1304, "key_id", Holds::Plain),
            column(1305, "created_at", Holds::Plain),
            column(1306, "changed_at", Holds::Plain),
        ],
    },
    Table {
        name: "identity",
        retention: Retention::Tenant,
        columns: &[
            column(1401, "tenant_id", Holds::Plain),
            column(1402, "id", Holds::Plain),
            column(1403, "contact_id", Holds::Plain),
            column(1404, "kind", Holds::Plain),
            column(1405, "value_index", Holds::BlindIndex),
            column(
                1406,
                "value",
                Holds::Sealed { category: ContactData, subject: Contact, key: KeyClass::Contact },
            ),
            column(1407, "key_id", Holds::Plain),
            column(1408, "verified", Holds::Plain),
            column(1409, "created_at", Holds::Plain),
        ],
    },
    Table {
        name: "conversation",
        retention: Retention::Tenant,
        columns: &[
            column(1501, "tenant_id", Holds::Plain),
            column(1502, "id", Holds::Plain),
            column(1503, "no", Holds::Plain),
            column(1504, "status", Holds::Plain),
            column(1505, "contact_id", Holds::Plain),
            column(1506, "queue_id", Holds::Plain),
            column(1507, "channel_account_id", Holds::Plain),
            column(1508, "assignee_id", Holds::Plain),
            column(
                1509,
                "summary",
                Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Conversation },
            ),
            column(1510, "key_id", Holds::Plain),
            column(1511, "message_count", Holds::Plain),
            column(1512, "last_message_at", Holds::Plain),
            column(1513, "last_message_kind", Holds::Plain),
            column(1514, "unread", Holds::Plain),
            column(1515, "delivery_problem", Holds::Plain),
            column(1516, "waiting_since", Holds::Plain),
            column(1517, "first_reply_at", Holds::Plain),
            column(1518, "resolved_at", Holds::Plain),
            column(1519, "created_at", Holds::Plain),
            column(1520, "version", Holds::Plain),
            column(3801, "placed_at", Holds::Plain),
            column(3802, "snoozed_until", Holds::Plain),
            column(3803, "woken_at", Holds::Plain),
            column(4500, "began_account_id", Holds::Plain),
        ],
    },
    merges::CONVERSATION,
    merges::PART,
    merges::SPLIT,
    merges::LINK,
    Table {
        name: "tag",
        retention: Retention::Tenant,
        columns: &[
            column(3811, "tenant_id", Holds::Plain),
            column(3812, "id", Holds::Plain),
            column(
                3813,
                "name",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(3814, "key_id", Holds::Plain),
            column(3815, "name_index", Holds::BlindIndex),
            column(3816, "colour", Holds::Plain),
            column(3817, "archived_at", Holds::Plain),
            column(3818, "merged_into", Holds::Plain),
            column(3819, "version", Holds::Plain),
            column(3820, "created_at", Holds::Plain),
        ],
    },
    Table {
        name: "conversation_tag",
        retention: Retention::Tenant,
        columns: &[
            column(3821, "tenant_id", Holds::Plain),
            column(3822, "conversation_id", Holds::Plain),
            column(3823, "tag_id", Holds::Plain),
            column(3824, "status", Holds::Plain),
            column(3825, "placed_at", Holds::Plain),
        ],
    },
    Table {
        name: "saved_view",
        retention: Retention::Tenant,
        columns: &[
            column(3901, "tenant_id", Holds::Plain),
            column(3902, "id", Holds::Plain),
            column(3903, "owner_id", Holds::Plain),
            column(3904, "shared", Holds::Plain),
            column(
                3905,
                "content",
                Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
            ),
            column(3906, "key_id", Holds::Plain),
            column(3907, "version", Holds::Plain),
            column(3908, "created_at", Holds::Plain),
        ],
    },
    macros::TABLE,
    Table {
        name: "thread",
        retention: Retention::Tenant,
        columns: &[
            column(1601, "tenant_id", Holds::Plain),
            column(1602, "id", Holds::Plain),
            column(1603, "conversation_id", Holds::Plain),
            column(1604, "channel_account_id", Holds::Plain),
            column(1605, "created_at", Holds::Plain),
        ],
    },
    Table {
        name: "message",
        retention: Retention::Tenant,
        columns: &[
            column(1701, "tenant_id", Holds::Plain),
            column(1702, "id", Holds::Plain),
            column(1703, "no", Holds::Plain),
            column(1704, "conversation_id", Holds::Plain),
            column(1705, "thread_id", Holds::Plain),
            column(1706, "channel_account_id", Holds::Plain),
            column(1707, "kind", Holds::Plain),
            column(1708, "author_kind", Holds::Plain),
            column(1709, "author_id", Holds::Plain),
            column(1710, "external_index", Holds::BlindIndex),
            column(
                1711,
                "content",
                Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Conversation },
            ),
            column(1712, "key_id", Holds::Plain),
            column(1713, "source_blob_id", Holds::Plain),
            column(1714, "created_at", Holds::Plain),
            column(1715, "sent_at", Holds::Plain),
        ],
    },
    Table {
        name: "message_reference",
        retention: Retention::Tenant,
        columns: &[
            column(1801, "tenant_id", Holds::Plain),
            column(1802, "reference_index", Holds::BlindIndex),
            column(1803, "thread_id", Holds::Plain),
        ],
    },
    Table {
        name: "delivery",
        retention: Retention::Tenant,
        columns: &[
            column(1901, "tenant_id", Holds::Plain),
            column(1902, "id", Holds::Plain),
            column(1903, "message_id", Holds::Plain),
            column(1904, "role", Holds::Plain),
            column(
                1905,
                "recipient",
                Holds::Sealed { category: ContactData, subject: Contact, key: KeyClass::Conversation },
            ),
            column(1906, "key_id", Holds::Plain),
            column(1907, "state", Holds::Plain),
            column(1908, "attempts", Holds::Plain),
            column(1909, "next_try_at", Holds::Plain),
            column(1910, "code", Holds::Plain),
            column(
                1911,
                "reply",
                Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Conversation },
            ),
            column(1912, "created_at", Holds::Plain),
            column(1913, "updated_at", Holds::Plain),
            column(4342, "complained_at", Holds::Plain),
        ],
    },
    Table {
        name: "attachment",
        retention: Retention::Tenant,
        columns: &[
            column(2001, "tenant_id", Holds::Plain),
            column(2002, "id", Holds::Plain),
            column(2003, "message_id", Holds::Plain),
            column(2004, "owner_id", Holds::Plain),
            column(2005, "blob_id", Holds::Plain),
            column(
                2006,
                "meta",
                Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Conversation },
            ),
            column(2007, "key_id", Holds::Plain),
            column(2008, "media_type", Holds::Plain),
            column(2009, "size_bytes", Holds::Plain),
            column(2010, "inline", Holds::Plain),
            column(2011, "position", Holds::Plain),
            column(2012, "created_at", Holds::Plain),
            column(4410, "draft_id", Holds::Plain),
        ],
    },
    Table {
        name: "blob",
        retention: Retention::Tenant,
        columns: &[
            column(2101, "tenant_id", Holds::Plain),
            column(2102, "id", Holds::Plain),
            column(2103, "kind", Holds::Plain),
            column(2104, "key_id", Holds::Plain),
            column(2105, "wrapped", Holds::Secret),
            column(2106, "dek_id", Holds::Plain),
            column(2107, "size_bytes", Holds::Plain),
            column(
                2108,
                "data",
                Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Conversation },
            ),
            column(2109, "created_at", Holds::Plain),
        ],
    },
    together::DRAFT,
    together::PRESENCE,
    notifications::NOTIFICATION,
    notifications::NOTIFICATION_PREFERENCE,
    Table {
        name: "intake",
        retention: Retention::Tenant,
        columns: &[
            column(2201, "tenant_id", Holds::Plain),
            column(2202, "id", Holds::Plain),
            column(2203, "account_id", Holds::Plain),
            column(2204, "state", Holds::Plain),
            column(2205, "reason", Holds::Plain),
            column(2206, "blob_id", Holds::Plain),
            column(
                2207,
                "envelope",
                Holds::Sealed { category: ContactData, subject: Contact, key: KeyClass::Spool },
            ),
            column(2208, "key_id", Holds::Plain),
            column(2209, "size_bytes", Holds::Plain),
            column(2210, "received_at", Holds::Plain),
            column(2211, "processed_at", Holds::Plain),
            column(2212, "retried_at", Holds::Plain),
            column(2213, "message_id", Holds::Plain),
            column(4341, "signature", Holds::Plain),
        ],
    },
    Table {
        name: "activity",
        retention: Retention::Tenant,
        columns: &[
            column(2301, "tenant_id", Holds::Plain),
            column(2302, "conversation_id", Holds::Plain),
            column(2303, "id", Holds::Plain),
            column(2304, "kind", Holds::Plain),
            column(2305, "actor_kind", Holds::Plain),
            column(2306, "actor_id", Holds::Plain),
            column(2307, "at", Holds::Plain),
            column(2308, "from_value", Holds::Plain),
            column(2309, "to_value", Holds::Plain),
        ],
    },
    Table {
        name: "event",
        retention: Retention::Days(30),
        columns: &[
            column(2401, "tenant_id", Holds::Plain),
            column(2402, "seq", Holds::Plain),
            column(2403, "kind", Holds::Plain),
            column(2404, "conversation_id", Holds::Plain),
            column(2405, "message_id", Holds::Plain),
            column(2406, "account_id", Holds::Plain),
            column(2407, "user_id", Holds::Plain),
            column(2408, "queue_id", Holds::Plain),
            column(2409, "at", Holds::Plain),
        ],
    },
    Table {
        name: "job",
        retention: Retention::UntilDone,
        columns: &[
            column(2501, "tenant_id", Holds::Plain),
            column(2502, "id", Holds::Plain),
            column(2503, "kind", Holds::Plain),
            column(2504, "subject_id", Holds::Plain),
            column(2505, "state", Holds::Plain),
            column(2506, "run_at", Holds::Plain),
            column(2507, "attempts", Holds::Plain),
            column(2508, "fence", Holds::Plain),
            column(2509, "lease_until", Holds::Plain),
            column(2510, "error_code", Holds::Plain),
            column(2511, "created_at", Holds::Plain),
            column(2512, "changed_at", Holds::Plain),
            column(2513, "holder", Holds::Plain),
        ],
    },
    Table {
        name: "ledger_leaf",
        retention: Retention::Tenant,
        columns: &[
            column(2601, "tenant_id", Holds::Plain),
            column(2602, "no", Holds::Plain),
            column(2603, "kind", Holds::Plain),
            column(2605, "entry", Holds::Sealed { category: Evidence, subject: User, key: KeyClass::Ledger }),
            column(2606, "key_id", Holds::Plain),
            column(2607, "commitment", Holds::Plain),
            column(2608, "at", Holds::Plain),
        ],
    },
    Table {
        name: "installation",
        retention: Retention::Tenant,
        columns: &[column(3301, "tenant_id", Holds::Plain), column(3302, "next_leaf", Holds::Plain)],
    },
    Table {
        name: "ledger_checkpoint",
        retention: Retention::Tenant,
        columns: &[
            column(2701, "tenant_id", Holds::Plain),
            column(2702, "size", Holds::Plain),
            column(2703, "note", Holds::Plain),
            column(2704, "at", Holds::Plain),
            column(2705, "edge", Holds::Plain),
        ],
    },
    Table {
        name: "idempotency",
        retention: Retention::Days(1),
        columns: &[
            column(2801, "tenant_id", Holds::Plain),
            column(2802, "actor_id", Holds::Plain),
            column(2803, "key_hash", Holds::Secret),
            column(2804, "request_hash", Holds::BlindIndex),
            column(2805, "status", Holds::Plain),
            column(
                2806,
                "answer",
                Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Settings },
            ),
            column(2807, "key_id", Holds::Plain),
            column(2808, "at", Holds::Plain),
            column(2809, "intended_id", Holds::Plain),
            column(2810, "holder", Holds::Plain),
        ],
    },
    Table {
        name: "statistic",
        retention: Retention::Tenant,
        columns: &[
            column(2901, "tenant_id", Holds::Plain),
            column(2902, "day", Holds::Plain),
            column(2903, "channel_account_id", Holds::Plain),
            column(2904, "received", Holds::Plain),
            column(2905, "conversations", Holds::Plain),
            column(2906, "replies", Holds::Plain),
            column(2907, "resolved", Holds::Plain),
        ],
    },
    Table {
        name: "remote_image",
        retention: Retention::Days(7),
        columns: &[
            column(4601, "tenant_id", Holds::Plain),
            column(4602, "id", Holds::Plain),
            column(4603, "message_id", Holds::Plain),
            column(4604, "place", Holds::Plain),
            column(
                4605,
                "picture",
                Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Conversation },
            ),
            column(4606, "key_id", Holds::Plain),
            column(4607, "fetched_at", Holds::Plain),
        ],
    },
    Table {
        name: "image_choice",
        retention: Retention::Tenant,
        columns: &[
            column(4611, "tenant_id", Holds::Plain),
            column(4612, "contact_id", Holds::Plain),
            column(4613, "user_id", Holds::Plain),
            column(4614, "chosen_at", Holds::Plain),
        ],
    },
    push::SETTING,
    push::DEVICE,
    Table {
        name: "tombstone",
        retention: Retention::Tenant,
        columns: &[
            column(3001, "tenant_id", Holds::Plain),
            column(3002, "kind", Holds::Plain),
            column(3003, "external_index", Holds::BlindIndex),
            column(3004, "at", Holds::Plain),
        ],
    },
];

#[cfg(test)]
mod tests;
