// SPDX-License-Identifier: EUPL-1.2
//! What stands in the tenant's own fields, of people and of cases.
//!
//! A value is sealed under the key of the person or the case that it is on, in its place: field and record. It keeps
//! the kind that it was given for; when its field gets another kind it is read as one of that, or told as what it was.
//! Sealed it is filled up to so many bytes, since the length of a choice tells which one it is.

use std::collections::HashMap;

use belofte_model::{
    ChannelAccountId, Column, ContactId, ConversationId, EventKind, FieldId, FieldKind, FieldOption,
    FieldValue, GivenValue, KeyId, Language, OptionNames, QueueId, RecordKind, Timestamp, Use, ValueFault,
    Visible,
};
use belofte_vault::{DataKey, Random, SealContext, sha256};
use uuid::Uuid;

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{Sql, params, sql};
use crate::events::Event;
use crate::fields::Field;
use crate::messages::{from_json, to_json};
use crate::{Access, FieldError, Read, Row, Store, StoreError, Tx, Write, contacts, merges};

/// A sealed value has a multiple of so many bytes.
const FILLED: usize = 64;
/// So many values are looked at, at most, to tell what another kind would make of them.
pub const PREVIEWED: i64 = 5_000;
/// So many are in memory at once …
const PAGE: i64 = 200;
/// … and no more are looked at when they have come to so many bytes.
const PREVIEWED_BYTES: usize = 16 * 1024 * 1024;
/// So many that would not become one of the new kind are shown.
const EXAMPLES: usize = 10;

/// What a field is on: one person, or one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordId {
    /// A person.
    Contact(ContactId),
    /// A case.
    Conversation(ConversationId),
}

impl RecordId {
    /// The kind of it.
    #[must_use]
    pub const fn kind(self) -> RecordKind {
        match self {
            Self::Contact(_) => RecordKind::Contact,
            Self::Conversation(_) => RecordKind::Conversation,
        }
    }

    const fn uuid(self) -> Uuid {
        match self {
            Self::Contact(id) => id.uuid(),
            Self::Conversation(id) => id.uuid(),
        }
    }
}

const fn column_of(kind: RecordKind) -> Column {
    match kind {
        RecordKind::Contact => columns::CONTACT_FIELD_VALUE,
        RecordKind::Conversation => columns::CONVERSATION_FIELD_VALUE,
    }
}

/// What a record has in one field.
#[derive(Clone, Debug)]
pub struct FieldOfRecord {
    /// The field.
    pub field: Field,
    /// The value; none where there is none, or where it is not of the kind of the field.
    pub value: Option<FieldValue>,
    /// What was given when the field was of another kind, or had other options, and is no value of it now.
    pub was: Option<FieldValue>,
    /// Changes with every change of the value; 0 where nothing stands.
    pub version: i64,
}

/// A change of what a record has in one field.
#[derive(Clone, Debug)]
pub struct ValueChange {
    /// The field.
    pub field: FieldId,
    /// The version of the field that the value was given for; none for whatever it is.
    pub field_version: Option<i64>,
    /// The version that the change was made on; none to change whatever is there.
    pub version: Option<i64>,
    /// The value, or none to empty the field.
    pub value: Option<GivenValue>,
}

/// Why values were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// A field does not take what was given.
    #[error("a field does not take the value")]
    Value(FieldId, ValueFault),
    /// A field cannot be left empty by who fills in a form.
    #[error("a field cannot be empty")]
    Required(FieldId),
    /// No such field is on this kind of record, or who asks does not write it.
    #[error("no such field can be written")]
    NoSuchField(FieldId),
    /// Somebody else changed it first.
    #[error("somebody else changed the value of a field")]
    Changed(FieldId),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What another kind would make of the values of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindPreview {
    /// So many values stand in the field.
    pub values: i64,
    /// So many were looked at; at most [`PREVIEWED`], the oldest records first.
    pub looked_at: i64,
    /// So many of those would be one of the new kind.
    pub convert: i64,
    /// Some that would not, in words: they stay, beside an empty field.
    pub stay: Vec<String>,
}

struct ValueRow {
    field: FieldId,
    value: Vec<u8>,
    key: KeyId,
    version: i64,
    /// What it is on: the record, or a case that became part of it.
    record: Uuid,
}

fn value_row(row: &Row<'_>) -> Result<ValueRow, StoreError> {
    Ok(ValueRow {
        field: row.id(0)?,
        value: row.bytes(1)?,
        key: row.id(2)?,
        version: row.int(3)?,
        record: row.uuid(4)?,
    })
}

/// Of what stands in one field on a record and its parts, what is shown: what is on the record itself, or else what was
/// changed last.
fn shown(mut rows: Vec<ValueRow>, record: Uuid) -> Option<ValueRow> {
    rows.sort_by_key(|row| (row.record == record, row.version));
    rows.pop()
}

/// The record, and for a case those that became part of it: what they have in fields is not moved, so that taking them
/// apart gives each what it had.
async fn parts_of(tx: &mut Tx<'_>, id: RecordId) -> Result<Vec<Uuid>, StoreError> {
    match id {
        RecordId::Contact(id) => Ok(vec![id.uuid()]),
        RecordId::Conversation(id) => {
            Ok(merges::whole(tx, id).await?.into_iter().map(|part| part.uuid()).collect())
        }
    }
}

/// Takes away what stands in the fields of a case that was never begun.
pub(crate) async fn end_case(tx: &mut Tx<'_>, case: ConversationId) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let text = sql!("DELETE FROM conversation_field_value WHERE tenant_id = $1 AND conversation_id = $2");
    tx.execute(text, params![tenant, case]).await.map(drop)
}

/// The record as an access sees it.
struct Seen {
    key: KeyId,
    /// Where a case lies.
    place: Option<(QueueId, ChannelAccountId)>,
}

/// The record `id`, when `visible` sees it; with `kept` a case stays one until COMMIT.
async fn seen(
    tx: &mut Tx<'_>,
    visible: &Visible,
    id: RecordId,
    kept: bool,
) -> Result<Option<Seen>, StoreError> {
    let tenant = tx.tenant();
    match id {
        RecordId::Contact(id) => {
            Ok(contacts::seen(tx, visible, id).await?.map(|key| Seen { key, place: None }))
        }
        RecordId::Conversation(id) => {
            macro_rules! text {
                ($end:literal) => {
                    sql!(concat!(
                        "SELECT key_id, queue_id, channel_account_id FROM conversation \
                         WHERE tenant_id = $1 AND id = $2",
                        $end
                    ))
                };
            }
            // Who makes it part of another one waits, and so does this for them.
            let text = if kept && tx.is_postgres() { text!(" FOR KEY SHARE") } else { text!("") };
            let found = tx
                .query_opt(text, params![tenant, id], |row| Ok((row.id(0)?, row.id(1)?, row.id(2)?)))
                .await?;
            Ok(found
                .filter(|(_, queue, account)| visible.sees_case(*queue, *account))
                .map(|(key, queue, account)| Seen { key, place: Some((queue, account)) }))
        }
    }
}

/// All that stands in the fields of a record that `visible` sees.
struct ValuesOf {
    id: RecordId,
    visible: Visible,
}

impl Read for ValuesOf {
    type Out = Option<(KeyId, Vec<ValueRow>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let Some(seen) = seen(tx, &self.visible, self.id, false).await? else { return Ok(None) };
        let text = match self.id {
            RecordId::Contact(_) => sql!(
                "SELECT field_id, value, key_id, version, contact_id FROM contact_field_value \
                 WHERE tenant_id = $1 AND contact_id = $2"
            ),
            RecordId::Conversation(_) => sql!(
                "SELECT field_id, value, key_id, version, conversation_id FROM conversation_field_value \
                 WHERE tenant_id = $1 AND conversation_id = $2"
            ),
        };
        let mut rows = Vec::new();
        for part in parts_of(tx, self.id).await? {
            rows.extend(tx.query(text, params![tenant, part], value_row).await?);
        }
        Ok(Some((seen.key, rows)))
    }
}

/// The place of a value in the associated data of its seal: the first half of a hash of field and record.
pub(crate) fn place_of(field: FieldId, record: Uuid) -> Uuid {
    let mut both = [0; 32];
    both[..16].copy_from_slice(field.uuid().as_bytes());
    both[16..].copy_from_slice(record.as_bytes());
    Uuid::from_bytes(*sha256(&both).first_chunk().expect("SHA-256 has 32 bytes"))
}

pub(crate) fn seal(
    (key, random): (&DataKey, &Random),
    access: &Access,
    (kind, record): (RecordKind, Uuid),
    field: FieldId,
    value: &FieldValue,
) -> Result<Vec<u8>, StoreError> {
    let mut json = to_json(value)?;
    // White space at the end is no part of a JSON text (RFC 8259, section 2).
    json.resize(json.len().next_multiple_of(FILLED), b' ');
    let context =
        SealContext { tenant: access.tenant(), column: column_of(kind), row: place_of(field, record) };
    Ok(key.seal(random, &context, &json))
}

fn open(
    key: &DataKey,
    access: &Access,
    (kind, record): (RecordKind, Uuid),
    field: FieldId,
    sealed: &[u8],
) -> Result<FieldValue, StoreError> {
    let context =
        SealContext { tenant: access.tenant(), column: column_of(kind), row: place_of(field, record) };
    from_json(&key.open(&context, sealed)?, "a value of a field")
}

/// A value that is to stand in a field, or that nothing is to.
struct Planned {
    field: FieldId,
    /// The version of the field that was read.
    of_field: i64,
    /// The version of the value that was asked for.
    expected: Option<i64>,
    sealed: Option<Vec<u8>>,
}

struct ChangeValues {
    id: RecordId,
    visible: Visible,
    key: KeyId,
    changes: Vec<Planned>,
    now: Timestamp,
}

/// Why a write refused.
enum Refused {
    /// The field is another one than was read.
    Field,
    /// The value is another one than was asked for.
    Value(FieldId),
}

struct Statements {
    version: &'static Sql,
    insert: &'static Sql,
    update: &'static Sql,
    delete: &'static Sql,
}

impl Statements {
    fn of(kind: RecordKind, postgres: bool) -> Self {
        match kind {
            RecordKind::Contact => Self {
                version: if postgres {
                    sql!(
                        "SELECT version FROM contact_field_value \
                         WHERE tenant_id = $1 AND field_id = $2 AND contact_id = $3 FOR UPDATE"
                    )
                } else {
                    sql!(
                        "SELECT version FROM contact_field_value \
                         WHERE tenant_id = $1 AND field_id = $2 AND contact_id = $3"
                    )
                },
                insert: sql!(
                    "INSERT INTO contact_field_value (tenant_id, field_id, contact_id, value, key_id, version) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
                ),
                update: sql!(
                    "UPDATE contact_field_value SET value = $4, key_id = $5, version = $6 \
                     WHERE tenant_id = $1 AND field_id = $2 AND contact_id = $3"
                ),
                delete: sql!(
                    "DELETE FROM contact_field_value WHERE tenant_id = $1 AND field_id = $2 AND contact_id = $3"
                ),
            },
            RecordKind::Conversation => Self {
                version: if postgres {
                    sql!(
                        "SELECT version FROM conversation_field_value \
                         WHERE tenant_id = $1 AND field_id = $2 AND conversation_id = $3 FOR UPDATE"
                    )
                } else {
                    sql!(
                        "SELECT version FROM conversation_field_value \
                         WHERE tenant_id = $1 AND field_id = $2 AND conversation_id = $3"
                    )
                },
                insert: sql!(
                    "INSERT INTO conversation_field_value (tenant_id, field_id, conversation_id, value, key_id, version) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
                ),
                update: sql!(
                    "UPDATE conversation_field_value SET value = $4, key_id = $5, version = $6 \
                     WHERE tenant_id = $1 AND field_id = $2 AND conversation_id = $3"
                ),
                delete: sql!(
                    "DELETE FROM conversation_field_value \
                     WHERE tenant_id = $1 AND field_id = $2 AND conversation_id = $3"
                ),
            },
        }
    }
}

/// The version of a field that is there; it stays so until COMMIT.
pub(crate) async fn version_of(tx: &mut Tx<'_>, field: FieldId) -> Result<Option<i64>, StoreError> {
    let tenant = tx.tenant();
    let text = if tx.is_postgres() {
        sql!("SELECT version FROM field WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL FOR SHARE")
    } else {
        sql!("SELECT version FROM field WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL")
    };
    tx.query_opt(text, params![tenant, field], |row| row.int(0)).await
}

impl ChangeValues {
    /// Whether the fields are those that were read; they stay so until COMMIT.
    async fn fields_are_as_read(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        for change in &self.changes {
            if version_of(tx, change.field).await? != Some(change.of_field) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Write for ChangeValues {
    type Out = Result<(), Refused>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let record = seen(tx, &self.visible, self.id, true).await?.ok_or(StoreError::NotFound)?;
        if record.key != self.key {
            return Err(StoreError::Conflict);
        }
        if !self.fields_are_as_read(tx).await? {
            return Ok(Err(Refused::Field));
        }
        let (text, id) = (Statements::of(self.id.kind(), tx.is_postgres()), self.id.uuid());
        // All are looked at before the first is changed.
        let parts = parts_of(tx, self.id).await?;
        let mut standing = Vec::with_capacity(self.changes.len());
        for change in &self.changes {
            let (mut own, mut shown, mut on) = (false, 0, Vec::new());
            for part in &parts {
                let row = params![tenant, change.field, *part];
                if let Some(version) = tx.query_opt(text.version, row, |row| row.int(0)).await? {
                    // As `shown` has it: the record's own, which is the first, or the last that was changed.
                    if !own {
                        shown = version.max(shown);
                    }
                    own |= *part == id;
                    on.push(*part);
                }
            }
            if change.expected.is_some_and(|expected| expected != shown) {
                return Ok(Err(Refused::Value(change.field)));
            }
            standing.push((own, shown, on));
        }
        for (change, (own, shown, on)) in self.changes.iter().zip(standing) {
            // Later than any that stood here: one that was emptied and filled again is another one.
            let version = self.now.as_micros().max(shown + 1);
            if let Some(sealed) = &change.sealed {
                let text = if own { text.update } else { text.insert };
                let row = params![tenant, change.field, id, sealed, self.key, version];
                tx.execute_one(text, row).await?;
            } else {
                // What was emptied does not show what a part of the case had.
                for part in on {
                    tx.execute_one(text.delete, params![tenant, change.field, part]).await?;
                }
            }
        }
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        let event = match (self.id, record.place) {
            (RecordId::Conversation(id), Some((queue, account))) => Event {
                conversation: Some(id),
                queue: Some(queue),
                account: Some(account),
                ..Event::new(EventKind::ConversationChanged, self.now)
            },
            _ => Event::new(EventKind::ContactChanged, self.now),
        };
        event.append(tx, numbers.event).await?;
        Ok(Ok(()))
    }
}

/// How many values stand in a field.
struct CountIn {
    field: FieldId,
    record: RecordKind,
}

impl Read for CountIn {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let tenant = tx.tenant();
        let text = match self.record {
            RecordKind::Contact => sql!(
                "SELECT CAST(count(*) AS bigint) FROM contact_field_value WHERE tenant_id = $1 AND field_id = $2"
            ),
            RecordKind::Conversation => sql!(
                "SELECT CAST(count(*) AS bigint) FROM conversation_field_value \
                 WHERE tenant_id = $1 AND field_id = $2"
            ),
        };
        tx.query_one(text, params![tenant, self.field], |row| row.int(0)).await
    }
}

/// Some of the values of a field, in the order of their records, from the record after `after` on.
struct ValuesIn {
    field: FieldId,
    record: RecordKind,
    after: Uuid,
}

impl Read for ValuesIn {
    type Out = Vec<ValueRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = match self.record {
            RecordKind::Contact => sql!(
                "SELECT field_id, value, key_id, version, contact_id FROM contact_field_value \
                 WHERE tenant_id = $1 AND field_id = $2 AND contact_id > $3 ORDER BY contact_id LIMIT $4"
            ),
            RecordKind::Conversation => sql!(
                "SELECT field_id, value, key_id, version, conversation_id FROM conversation_field_value \
                 WHERE tenant_id = $1 AND field_id = $2 AND conversation_id > $3 ORDER BY conversation_id LIMIT $4"
            ),
        };
        tx.query(text, params![tenant, self.field, self.after, PAGE], value_row).await
    }
}

impl Store {
    /// What a person or a case has in the fields that `access` reads, in the tenant's order, empty ones too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the record does not exist for this access; the engine's errors and those of
    /// sealing.
    pub async fn fields_of(&self, access: &Access, id: RecordId) -> Result<Vec<FieldOfRecord>, StoreError> {
        access.to(Use::Look)?;
        let values = ValuesOf { id, visible: access.visible().clone() };
        let (_, rows) = self.read(access, values).await?.ok_or(StoreError::NotFound)?;
        let fields = self.fields_on(access, id.kind()).await?;
        self.open_values(access, id, fields, rows).await
    }

    async fn open_value(
        &self,
        access: &Access,
        kind: RecordKind,
        row: &ValueRow,
    ) -> Result<FieldValue, StoreError> {
        let key = self.key(access.tenant(), row.key).await?;
        open(&key, access, (kind, row.record), row.field, &row.value)
    }

    async fn open_values(
        &self,
        access: &Access,
        id: RecordId,
        fields: Vec<Field>,
        rows: Vec<ValueRow>,
    ) -> Result<Vec<FieldOfRecord>, StoreError> {
        let mut rows = by_field(rows);
        let mut all = Vec::with_capacity(fields.len());
        for field in fields {
            let Some(row) = rows.remove(&field.id).and_then(|rows| shown(rows, id.uuid())) else {
                all.push(FieldOfRecord { field, value: None, was: None, version: 0 });
                continue;
            };
            let kept = self.open_value(access, id.kind(), &row).await?;
            let names = OptionNames::of(&field.settings.options);
            let value = kept.clone().into_kind(field.settings.kind, &names);
            let was = if value.is_none() { Some(kept) } else { None };
            all.push(FieldOfRecord { field, value, was, version: row.version });
        }
        Ok(all)
    }

    /// Changes what a person or a case has in some fields: all of them, or none.
    ///
    /// # Errors
    /// [`ValueError`]; [`StoreError::NotFound`] when the record does not exist for this access,
    /// [`StoreError::Conflict`] when a field was changed at the same moment.
    pub async fn change_fields_of(
        &self,
        access: &Access,
        id: RecordId,
        changes: Vec<ValueChange>,
    ) -> Result<(), ValueError> {
        access.to(Use::Answer)?;
        let (tenant, now) = (access.tenant(), access.clock().now());
        let visible = access.visible().clone();
        let values = ValuesOf { id, visible: visible.clone() };
        let (record_key, rows) = self.read(access, values).await?.ok_or(StoreError::NotFound)?;
        let (key, mut rows) = (self.key(tenant, record_key).await?, by_field(rows));
        let (audience, mut fields) = (access.audience(), self.fields_on(access, id.kind()).await?);
        fields.retain(|field| field.is_written_by(audience, now));
        let mut planned: Vec<Planned> = Vec::with_capacity(changes.len());
        for ValueChange { field: asked, field_version, version, value } in changes {
            let field = fields.iter().find(|field| field.id == asked);
            let field = field.ok_or(ValueError::NoSuchField(asked))?;
            // What was typed as a number would otherwise be the number of an option by now.
            if field_version.is_some_and(|expected| expected != field.version) {
                return Err(ValueError::Changed(asked));
            }
            if planned.iter().any(|before| before.field == asked) {
                return Err(ValueError::Value(asked, ValueFault::Invalid));
            }
            let sealed = match value {
                None if field.settings.required => return Err(ValueError::Required(asked)),
                None => None,
                Some(given) => {
                    let standing = match rows.remove(&asked).and_then(|rows| shown(rows, id.uuid())) {
                        Some(row) if field.settings.kind.has_options() => {
                            let kept = self.open_value(access, id.kind(), &row).await?;
                            kept.into_kind(field.settings.kind, &OptionNames::of(&field.settings.options))
                        }
                        _ => None,
                    };
                    let value = field.settings.read(given, standing.as_ref());
                    let value = value.map_err(|fault| ValueError::Value(asked, fault))?;
                    let place = (id.kind(), id.uuid());
                    Some(seal((&key, self.random()), access, place, asked, &value)?)
                }
            };
            planned.push(Planned { field: asked, of_field: field.version, expected: version, sealed });
        }
        if planned.is_empty() {
            return Ok(());
        }
        // In one order, whatever was asked for first: two that change the same values do not wait for each other.
        planned.sort_unstable_by_key(|change| change.field);
        let write = ChangeValues { id, visible, key: record_key, changes: planned, now };
        match self.write(access, write).await? {
            Ok(()) => Ok(()),
            Err(Refused::Field) => Err(StoreError::Conflict.into()),
            Err(Refused::Value(field)) => Err(ValueError::Changed(field)),
        }
    }

    /// What the values of a field would become if it were of `kind`, with these options. Only for who reads it: what
    /// would not convert is shown, in the words of `language`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such field for who asks; the engine's errors and those of sealing.
    pub async fn preview_kind(
        &self,
        access: &Access,
        id: FieldId,
        (kind, options): (FieldKind, &[FieldOption]),
        language: Language,
    ) -> Result<KindPreview, FieldError> {
        access.to(Use::Preview)?;
        let (tenant, now) = (access.tenant(), access.clock().now());
        let readable =
            |field: &Field| field.settings.holds(now) && field.settings.is_read_by(access.audience());
        let field = Some(self.any_field(access, id).await?).filter(readable).ok_or(StoreError::NotFound)?;
        let record = field.record;
        let values = self.read(access, CountIn { field: id, record }).await?;
        let mut preview = KindPreview { values, ..KindPreview::default() };
        // Who sees some cases alone is told how many, and not of whom.
        let shows = access.visible().sees_all_cases();
        let (names, mut after, mut bytes) = (OptionNames::of(options), Uuid::nil(), 0);
        while preview.looked_at < PREVIEWED && bytes < PREVIEWED_BYTES {
            let rows = self.read(access, ValuesIn { field: id, record, after }).await?;
            let Some(last) = rows.last() else { break };
            after = last.record;
            let keys = self.keys_by_id(tenant, rows.iter().map(|row| row.key).collect()).await?;
            for row in rows {
                bytes += row.value.len();
                // Of who was erased nothing is told.
                let Some(key) = keys.get(&row.key) else { continue };
                let value = open(key, access, (record, row.record), id, &row.value)?;
                preview.looked_at += 1;
                let becomes = value.clone().into_kind(kind, &names);
                if becomes.is_some() {
                    preview.convert += 1;
                } else if shows && preview.stay.len() < EXAMPLES {
                    let words = value.words(&field.settings.options, language);
                    if !preview.stay.contains(&words) {
                        preview.stay.push(words);
                    }
                }
            }
            // Others have their turn between two pages.
            tokio::task::yield_now().await;
        }
        Ok(preview)
    }
}

fn by_field(rows: Vec<ValueRow>) -> HashMap<FieldId, Vec<ValueRow>> {
    let mut all: HashMap<FieldId, Vec<ValueRow>> = HashMap::new();
    for row in rows {
        all.entry(row.field).or_default().push(row);
    }
    all
}
