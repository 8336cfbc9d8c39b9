// SPDX-License-Identifier: EUPL-1.2
//! The plain alternative: the rows that the product writes for a mail, in the product's own
//! schema, with nothing sealed, no blind index and no tokens: the engine's own full text instead.
//!
//! Left out is what only sealing needs: the rows of keys.

use std::sync::LazyLock;

use belofte_store::{Correspondent, INLINE, MessageContent, Param};
use serde_json::json;
use uuid::Uuid;

use crate::data::{Chance, MAILBOXES, Mail, mailbox};

/// A statement in the words of both engines.
pub struct Sql {
    /// With `$1`.
    pub postgres: &'static str,
    /// With `?1`.
    pub lite: String,
}

impl Sql {
    fn new(text: &'static str) -> Self {
        Self { postgres: text, lite: text.replace('$', "?") }
    }
}

macro_rules! sql {
    ($text:expr) => {{
        static SQL: LazyLock<Sql> = LazyLock::new(|| Sql::new($text));
        &*SQL
    }};
}

/// A statement with its parameters.
pub type Statement<'a> = (&'static Sql, Vec<Param<'a>>);

/// Whose rows they are: made up, since nothing reads them but the bench.
pub const TENANT: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const QUEUE: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002);
const NO_KEY: Uuid = Uuid::nil();

fn account(number: usize) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0001_0000 + (number % MAILBOXES) as u128)
}

/// A received mail and the ids of the rows that it will become.
pub struct Item {
    mail: Mail,
    intake: Uuid,
    actor: Uuid,
    source: Uuid,
    raw: Vec<u8>,
    message: Uuid,
    conversation: Uuid,
    thread: Uuid,
    contact: Uuid,
    identity: Uuid,
    attachment: Uuid,
    blob: Uuid,
    at: i64,
}

impl Item {
    /// Makes ids for a mail that came at `at` (microseconds since 1970).
    pub fn new(mail: &Mail, chance: &mut Chance, at: i64) -> Self {
        let millis = u64::try_from(at / 1_000).unwrap_or(0);
        let mut id = || uuid::Builder::from_unix_timestamp_millis(millis, &chance.ten()).into_uuid();
        Self {
            intake: id(),
            actor: id(),
            source: id(),
            message: id(),
            conversation: id(),
            thread: id(),
            contact: id(),
            identity: id(),
            attachment: id(),
            blob: id(),
            raw: mail.raw(),
            mail: mail.clone(),
            at,
        }
    }

    /// The rows of its receipt: its bytes, and that it was taken in.
    fn receipt(&self) -> Vec<Statement<'_>> {
        // What is larger lies in a file, as it does in the product.
        let data = if self.raw.len() <= INLINE { Param::Bytes(&self.raw) } else { Param::Null };
        let size = Param::Int(self.raw.len() as i64);
        let (tenant, at) = (Param::Uuid(TENANT), Param::Int(self.at));
        vec![
            (
                blob(),
                vec![
                    tenant,
                    self.source.into(),
                    "source".into(),
                    NO_KEY.into(),
                    Param::Bytes(&[]),
                    size,
                    data,
                    at,
                ],
            ),
            (
                sql!(
                    "INSERT INTO intake (tenant_id, id, account_id, state, reason, blob_id, envelope, key_id, size_bytes, \
                     received_at, processed_at, retried_at, message_id) \
                     VALUES ($1, $2, $3, 'imported', NULL, $4, $5, $6, $7, $8, $8, NULL, $9)"
                ),
                vec![
                    tenant,
                    self.intake.into(),
                    account(self.mail.mailbox).into(),
                    self.source.into(),
                    Param::Bytes(self.mail.from.as_bytes()),
                    NO_KEY.into(),
                    size,
                    at,
                    self.message.into(),
                ],
            ),
        ]
    }

    /// The question whose contact the author is.
    pub fn author(&self) -> Statement<'_> {
        (
            sql!(
                "SELECT contact_id FROM identity WHERE tenant_id = $1 AND kind = 'email' AND value_index = $2"
            ),
            vec![TENANT.into(), Param::Bytes(self.mail.from.as_bytes())],
        )
    }

    /// The questions to which thread and case it belongs, the most likely first.
    pub fn threads(&self) -> impl Iterator<Item = Statement<'_>> {
        self.mail.references.iter().rev().map(|id| -> Statement<'_> {
            (
                sql!(
                    "SELECT t.id, c.id FROM message_reference r \
                     JOIN thread t ON t.tenant_id = r.tenant_id AND t.id = r.thread_id \
                     JOIN conversation c ON c.tenant_id = t.tenant_id AND c.id = t.conversation_id \
                     WHERE r.tenant_id = $1 AND r.reference_index = $2 LIMIT 1"
                ),
                vec![TENANT.into(), Param::Bytes(id.as_bytes())],
            )
        })
    }
}

fn blob() -> &'static Sql {
    sql!(
        "INSERT INTO blob (tenant_id, id, kind, key_id, wrapped, dek_id, size_bytes, data, created_at) \
         VALUES ($1, $2, $3, $4, $5, $4, $6, $7, $8)"
    )
}

/// The tenant's row.
pub fn tenant() -> Statement<'static> {
    (
        sql!(
            "INSERT INTO tenant (id, slug, name, state, next_seq, next_leaf, next_case, created_at) \
             VALUES ($1, 'plain', 'Plain', 'active', 1, 0, 1, 0)"
        ),
        vec![TENANT.into()],
    )
}

/// Takes numbers: of events and cases (as many as `$2` and `$3` say) and one leaf.
pub fn numbers(opened: bool) -> Statement<'static> {
    (
        sql!(
            "UPDATE tenant SET next_seq = next_seq + $2, next_leaf = next_leaf + 1, next_case = next_case + $3 \
             WHERE id = $1 RETURNING next_seq, next_leaf, next_case"
        ),
        vec![TENANT.into(), Param::Int(1 + i64::from(opened)), Param::Int(i64::from(opened))],
    )
}

/// A mail as it is written: what the questions answered, and its values as bytes.
pub struct Written<'a> {
    item: &'a Item,
    contact: Option<Uuid>,
    known: Option<(Uuid, Uuid)>,
    content: Vec<u8>,
    summary: Vec<u8>,
    meta: Vec<u8>,
    leaf: Vec<u8>,
    body_apart: bool,
}

impl<'a> Written<'a> {
    /// Prepares a mail of the known `contact` and the known thread and case. With `body_apart`
    /// the text lies in a row of its own, on which PostgreSQL has its index.
    pub fn new(
        item: &'a Item,
        contact: Option<Uuid>,
        known: Option<(Uuid, Uuid)>,
        body_apart: bool,
    ) -> anyhow::Result<Self> {
        let mail = &item.mail;
        let mut content = content(mail);
        let preview: String = content.text.chars().take(140).collect();
        if body_apart {
            content.text.clear();
        }
        Ok(Self {
            item,
            contact,
            known,
            content: serde_json::to_vec(&content)?,
            summary: serde_json::to_vec(&json!({
                "subject": mail.subject, "name": mail.from_name, "address": mail.from, "preview": preview,
            }))?,
            meta: serde_json::to_vec(&json!({ "name": "factuur.pdf" }))?,
            leaf: serde_json::to_vec(
                &json!({ "message": item.message, "actor": item.actor, "at": item.at }),
            )?,
            body_apart,
        })
    }

    /// Whether it begins a case.
    pub const fn opens(&self) -> bool {
        self.known.is_none()
    }

    fn thread(&self) -> Uuid {
        self.known.map_or(self.item.thread, |(thread, _)| thread)
    }

    fn conversation(&self) -> Uuid {
        self.known.map_or(self.item.conversation, |(_, conversation)| conversation)
    }

    /// The rows before the numbers.
    pub fn before(&self) -> Vec<Statement<'_>> {
        let (item, mail) = (self.item, &self.item.mail);
        let (tenant, at, key) = (Param::Uuid(TENANT), Param::Int(item.at), Param::Uuid(NO_KEY));
        let account = Param::Uuid(account(mail.mailbox));
        let mut all = item.receipt();
        if self.contact.is_none() {
            let address = Param::Bytes(mail.from.as_bytes());
            all.push((
                sql!(
                    "INSERT INTO identity (tenant_id, id, contact_id, kind, value_index, value, key_id, verified, created_at) \
                     VALUES ($1, $2, $3, 'email', $4, $5, $6, 0, $7) ON CONFLICT DO NOTHING"
                ),
                vec![tenant, item.identity.into(), item.contact.into(), address, address, key, at],
            ));
            all.push((
                sql!(
                    "INSERT INTO contact (tenant_id, id, profile, key_id, created_at, changed_at) \
                     VALUES ($1, $2, $3, $4, $5, $5)"
                ),
                vec![tenant, item.contact.into(), Param::Bytes(mail.from_name.as_bytes()), key, at],
            ));
        }
        if self.known.is_none() {
            all.push((
                sql!(
                    "INSERT INTO thread (tenant_id, id, conversation_id, channel_account_id, created_at) \
                     VALUES ($1, $2, $3, $4, $5)"
                ),
                vec![tenant, item.thread.into(), item.conversation.into(), account, at],
            ));
        }
        for id in std::iter::once(&mail.message_id).chain(&mail.references) {
            all.push((
                sql!(
                    "INSERT INTO message_reference (tenant_id, reference_index, thread_id) VALUES ($1, $2, $3) \
                     ON CONFLICT DO NOTHING"
                ),
                vec![tenant, Param::Bytes(id.as_bytes()), self.thread().into()],
            ));
        }
        if let Some(file) = &mail.file {
            let size = Param::Int(file.len() as i64);
            let row = vec![
                tenant,
                item.blob.into(),
                "attachment".into(),
                key,
                Param::Bytes(&[]),
                size,
                Param::Bytes(file),
                at,
            ];
            all.push((blob(), row));
            all.push((
                sql!(
                    "INSERT INTO attachment (tenant_id, id, message_id, owner_id, blob_id, meta, key_id, media_type, \
                     size_bytes, inline, position, created_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, 'application/pdf', $8, 0, 0, $9)"
                ),
                vec![
                    tenant,
                    item.attachment.into(),
                    item.message.into(),
                    item.actor.into(),
                    item.blob.into(),
                    Param::Bytes(&self.meta),
                    key,
                    size,
                    at,
                ],
            ));
        }
        all.push((
            sql!(
                "INSERT INTO statistic (tenant_id, day, channel_account_id, received, conversations, replies, resolved) \
                 VALUES ($1, $2, $3, 1, $4, 0, 0) ON CONFLICT (tenant_id, day, channel_account_id) DO UPDATE SET \
                 received = statistic.received + 1, conversations = statistic.conversations + $4"
            ),
            vec![tenant, Param::Int(item.at / 86_400_000_000), account, Param::Int(i64::from(self.opens()))],
        ));
        all
    }

    /// The rows after the numbers: the next event, leaf and case, as [`numbers`] gave them back.
    pub fn after(&self, next: (i64, i64, i64)) -> Vec<Statement<'_>> {
        let (item, mail) = (self.item, &self.item.mail);
        let (no, leaf, case) = (next.0 - 1, next.1 - 1, next.2 - 1);
        let (tenant, at, key) = (Param::Uuid(TENANT), Param::Int(item.at), Param::Uuid(NO_KEY));
        let account = Param::Uuid(account(mail.mailbox));
        let (conversation, contact) = (self.conversation(), self.contact.unwrap_or(item.contact));
        let mut all: Vec<Statement<'_>> = Vec::with_capacity(6);
        if self.opens() {
            all.push((
                sql!(
                    "INSERT INTO conversation (tenant_id, id, no, status, contact_id, queue_id, channel_account_id, assignee_id, \
                     summary, key_id, message_count, last_message_at, last_message_kind, unread, delivery_problem, waiting_since, \
                     first_reply_at, resolved_at, created_at, version) \
                     VALUES ($1, $2, $3, 'open', $4, $5, $6, NULL, $7, $8, 1, $9, 'incoming', 1, 0, $9, NULL, NULL, $9, 1)"
                ),
                vec![
                    tenant,
                    conversation.into(),
                    Param::Int(case),
                    contact.into(),
                    QUEUE.into(),
                    account,
                    Param::Bytes(&self.summary),
                    key,
                    at,
                ],
            ));
        } else {
            all.push((
                sql!(
                    "UPDATE conversation SET status = 'open', summary = $3, message_count = message_count + 1, \
                     last_message_at = $4, last_message_kind = 'incoming', unread = 1, \
                     waiting_since = coalesce(waiting_since, $4), resolved_at = NULL, version = version + 1 \
                     WHERE tenant_id = $1 AND id = $2"
                ),
                vec![tenant, conversation.into(), Param::Bytes(&self.summary), at],
            ));
        }
        all.push((
            sql!(
                "INSERT INTO message (tenant_id, id, no, conversation_id, thread_id, channel_account_id, kind, \
                 author_kind, author_id, external_index, content, key_id, source_blob_id, created_at, sent_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, 'incoming', 'contact', $7, $8, $9, $10, $11, $12, $12) ON CONFLICT DO NOTHING"
            ),
            vec![
                tenant,
                item.message.into(),
                Param::Int(no),
                conversation.into(),
                self.thread().into(),
                account,
                contact.into(),
                Param::Bytes(mail.message_id.as_bytes()),
                Param::Bytes(&self.content),
                key,
                item.source.into(),
                at,
            ],
        ));
        if self.body_apart {
            all.push((
                sql!("INSERT INTO message_text (tenant_id, no, subject, body) VALUES ($1, $2, $3, $4)"),
                vec![tenant, Param::Int(no), Param::Text(&mail.subject), Param::Text(&mail.text)],
            ));
        } else {
            all.push((
                sql!("INSERT INTO message_text (rowid, subject, name, address, body) VALUES ($1, $2, $3, $4, $5)"),
                vec![
                    Param::Int(no),
                    Param::Text(&mail.subject),
                    Param::Text(&mail.from_name),
                    Param::Text(&mail.from),
                    Param::Text(&mail.text),
                ],
            ));
        }
        all.push((
            sql!(
                "INSERT INTO ledger_leaf (tenant_id, no, kind, entry, key_id, commitment, at) \
                 VALUES ($1, $2, 'keys', $3, $4, $5, $6)"
            ),
            vec![tenant, Param::Int(leaf), Param::Bytes(&self.leaf), key, Param::Bytes(&[]), at],
        ));
        let event = |kind: &'static str, seq: i64, message: Param<'a>| -> Statement<'a> {
            (
                sql!(
                    "INSERT INTO event (tenant_id, seq, kind, conversation_id, message_id, account_id, user_id, queue_id, at) \
                     VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $8)"
                ),
                vec![
                    tenant,
                    Param::Int(seq),
                    kind.into(),
                    conversation.into(),
                    message,
                    account,
                    QUEUE.into(),
                    at,
                ],
            )
        };
        if self.opens() {
            all.push(event("conversation.created", no - 1, Param::Null));
        }
        all.push(event("message.created", no, item.message.into()));
        all
    }
}

/// What a mail says, as the product keeps it.
pub fn content(mail: &Mail) -> MessageContent {
    let to = Correspondent { name: "Klantenservice".to_owned(), address: mailbox(mail.mailbox) };
    MessageContent {
        subject: mail.subject.clone(),
        from: Correspondent { name: mail.from_name.clone(), address: mail.from.clone() },
        to: vec![to],
        text: mail.text.replace("\r\n", "\n"),
        message_id: Some(mail.message_id.clone()),
        references: mail.references.clone(),
        ..MessageContent::default()
    }
}
