// SPDX-License-Identifier: EUPL-1.2
//! The tenant's own fields: what they are (promises S9 and S12). What stands in them is in `field_values`, what becomes
//! of one that is removed in `field_removals`.
//!
//! All that a tenant says of a field is sealed as one, with what it is on: a row that is put on another kind of record
//! in the database does not open. Whoever changes the fields of a tenant waits for who else does.

use belofte_model::{
    Audience, Duration, EventKind, FieldFault, FieldId, FieldSettings, KeyId, LedgerKind, MOST_FIELDS,
    OVERRIDE_DAYS_MOST, QueueId, RecordKind, Timestamp, Use,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::messages::to_json;
use crate::sealing::seal_json;
use crate::{Access, NewLeaf, Read, Row, Store, StoreError, TenantKeys, Tx, Write, field_removals, queues};

/// What is said of one field has so many bytes at most: an entry of the ledger holds it twice, before and after.
const DEFINITION_MOST: usize = 64 * 1024;
/// What is said of all fields of one kind of record: it is opened for each look at one.
const DEFINITIONS_MOST: usize = 1024 * 1024;

/// A field that a tenant defined.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// What it is on.
    pub record: RecordKind,
    /// How it is set up.
    pub settings: FieldSettings,
    /// Whether it is on no form any more; what stands in it is kept.
    pub archived: bool,
    /// Changes with every change.
    pub version: i64,
}

impl Field {
    /// Whether `audience` reads what stands in it at `now`.
    #[must_use]
    pub fn is_read_by(&self, audience: Option<Audience>, now: Timestamp) -> bool {
        !self.archived && self.settings.holds(now) && self.settings.is_read_by(audience)
    }

    /// Whether `audience` writes it at `now`.
    #[must_use]
    pub fn is_written_by(&self, audience: Option<Audience>, now: Timestamp) -> bool {
        self.is_read_by(audience, now) && self.settings.is_written_by(audience)
    }
}

/// A change of a field; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct FieldChange {
    /// The version that the change was made on; none to change whatever is there.
    pub version: Option<i64>,
    /// How it is to be set up.
    pub settings: Option<FieldSettings>,
    /// Whether it is to be on no form.
    pub archived: Option<bool>,
}

/// Why a field was not made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// There are as many on this kind of record as there may be.
    #[error("there are as many fields as there may be")]
    TooMany,
    /// These settings do not hold, each with its place.
    #[error("the settings of the field do not hold")]
    Settings(Vec<(String, FieldFault)>),
    /// A queue on whose form it is to stand is not in use.
    #[error("a queue of the field is not in use")]
    NoSuchQueue,
    /// Something stands in it that is refused, and would be so no longer by a word.
    #[error("what is refused without a signature stands in the field")]
    HoldsRefused,
    /// Only an archived field is removed.
    #[error("the field is not archived")]
    NotArchived,
    /// Not every field of the kind was named once.
    #[error("the order does not name every field once")]
    NotAll,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is sealed of a field.
#[derive(Serialize, Deserialize)]
struct About {
    record: RecordKind,
    settings: FieldSettings,
}

pub(crate) struct FieldRow {
    id: FieldId,
    record: RecordKind,
    about: Vec<u8>,
    key: KeyId,
    archived: bool,
    version: i64,
}

fn field_row(row: &Row<'_>) -> Result<FieldRow, StoreError> {
    Ok(FieldRow {
        id: row.id(0)?,
        record: row.name(1, RecordKind::parse)?,
        about: row.bytes(2)?,
        key: row.id(3)?,
        archived: row.opt_time(4)?.is_some(),
        version: row.int(5)?,
    })
}

/// The fields of every kind of record, or of one.
struct AllFields(Option<RecordKind>);

impl Read for AllFields {
    type Out = Vec<FieldRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut all = Vec::new();
        for kind in RecordKind::ALL.iter().filter(|kind| self.0.is_none_or(|wanted| wanted == **kind)) {
            all.extend(
                tx.query(
                    sql!(
                        "SELECT id, record_kind, about, key_id, archived_at, version FROM field \
                         WHERE tenant_id = $1 AND record_kind = $2 AND removed_at IS NULL \
                         ORDER BY position, created_at, id"
                    ),
                    params![tenant, kind.as_str()],
                    field_row,
                )
                .await?,
            );
        }
        Ok(all)
    }
}

struct OneField(FieldId);

impl Read for OneField {
    type Out = Option<FieldRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!(
                "SELECT id, record_kind, about, key_id, archived_at, version FROM field \
                 WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL"
            ),
            params![tenant, self.0],
            field_row,
        )
        .await
    }
}

/// The other fields of a kind of record, as they were looked at: how many, and the sum of their versions, which any change
/// makes another one.
struct Others {
    count: i64,
    versions: i64,
}

impl Others {
    fn of(versions: impl Iterator<Item = i64>) -> Self {
        let (count, versions) = versions.fold((0, 0), |(count, sum), version| (count + 1, sum + version));
        Self { count, versions }
    }

    /// Refuses when they are others by now. To be asked when whoever changes one waits.
    async fn are_there(&self, tx: &mut Tx<'_>, record: RecordKind, own: FieldId) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let versions = tx
            .query(
                sql!(
                    "SELECT version FROM field \
                     WHERE tenant_id = $1 AND record_kind = $2 AND id <> $3 AND removed_at IS NULL"
                ),
                params![tenant, record.as_str(), own],
                |row| row.int(0),
            )
            .await?;
        let now = Self::of(versions.into_iter());
        if (now.count, now.versions) == (self.count, self.versions) {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }
}

/// Appends the leaf of a change and tells of it.
async fn record(tx: &mut Tx<'_>, leaf: &NewLeaf, now: Timestamp) -> Result<(), StoreError> {
    let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
    leaf.append(tx, numbers.leaf).await?;
    Event::new(EventKind::FieldsChanged, now).append(tx, numbers.event).await
}

/// Whether the tenant of `tx` uses all of these queues; they stay so until COMMIT.
async fn all_in_use(tx: &mut Tx<'_>, queues: &[QueueId]) -> Result<bool, StoreError> {
    for queue in queues {
        if !queues::in_use(tx, *queue).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Why a write refused.
enum Refusal {
    TooMany,
    NoSuchQueue,
    HoldsRefused,
}

impl From<Refusal> for FieldError {
    fn from(refused: Refusal) -> Self {
        match refused {
            Refusal::TooMany => Self::TooMany,
            Refusal::NoSuchQueue => Self::NoSuchQueue,
            Refusal::HoldsRefused => Self::HoldsRefused,
        }
    }
}

struct Create {
    id: FieldId,
    record: RecordKind,
    about: Vec<u8>,
    key: KeyId,
    queues: Vec<QueueId>,
    others: Others,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Create {
    type Out = Result<(), Refusal>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        // One after the other: two that take the last place would both have it.
        counters::take(tx, Needs::default()).await?;
        if !all_in_use(tx, &self.queues).await? {
            return Ok(Err(Refusal::NoSuchQueue));
        }
        self.others.are_there(tx, self.record, self.id).await?;
        let (count, last) = tx
            .query_one(
                sql!(
                    "SELECT CAST(count(*) AS bigint), CAST(coalesce(max(position), 0) AS bigint) FROM field \
                     WHERE tenant_id = $1 AND record_kind = $2"
                ),
                params![tenant, self.record.as_str()],
                |row| Ok((row.int(0)?, row.int(1)?)),
            )
            .await?;
        if usize::try_from(count).unwrap_or(usize::MAX) >= MOST_FIELDS {
            return Ok(Err(Refusal::TooMany));
        }
        tx.execute_one(
            sql!(
                "INSERT INTO field (tenant_id, id, record_kind, position, about, key_id, version, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.id, self.record.as_str(), last + 1, &self.about, self.key, self.now],
        )
        .await?;
        record(tx, &self.leaf, self.now).await?;
        Ok(Ok(()))
    }
}

struct Change {
    id: FieldId,
    record: RecordKind,
    planned_on: i64,
    about: Vec<u8>,
    key: KeyId,
    archived: bool,
    /// Those on whose form it comes.
    queues: Vec<QueueId>,
    /// Whether it goes on as a field of data that nobody refuses, and was none.
    frees: bool,
    /// Those beside which its settings hold, when they were looked at.
    others: Option<Others>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Change {
    type Out = Result<(), Refusal>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        if !all_in_use(tx, &self.queues).await? {
            return Ok(Err(Refusal::NoSuchQueue));
        }
        // First the row: who writes a value meanwhile holds it, and is seen below.
        let text = if tx.is_postgres() {
            sql!(
                "SELECT version FROM field WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL FOR UPDATE"
            )
        } else {
            sql!("SELECT version FROM field WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL")
        };
        let version = tx.query_opt(text, params![tenant, self.id], |row| row.int(0)).await?;
        if version.ok_or(StoreError::NotFound)? != self.planned_on {
            return Err(StoreError::Conflict);
        }
        if self.frees && field_removals::holds_any(tx, self.record, self.id).await? {
            return Ok(Err(Refusal::HoldsRefused));
        }
        tx.execute_one(
            sql!(
                "UPDATE field SET about = $3, key_id = $4, version = version + 1, \
                 archived_at = CASE WHEN CAST($5 AS bigint) = 0 THEN NULL ELSE coalesce(archived_at, $6) END \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, self.id, &self.about, self.key, self.archived, self.now],
        )
        .await?;
        record(tx, &self.leaf, self.now).await?;
        // Whoever else changes a field waits by now.
        if let Some(others) = &self.others {
            others.are_there(tx, self.record, self.id).await?;
        }
        Ok(Ok(()))
    }
}

struct Order {
    record: RecordKind,
    ids: Vec<FieldId>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Order {
    /// Whether every field of the kind was named, and no other.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        counters::take(tx, Needs::default()).await?;
        let all: Vec<(FieldId, bool)> = tx
            .query(
                sql!(
                    "SELECT id, record_kind, archived_at FROM field WHERE tenant_id = $1 AND removed_at IS NULL"
                ),
                params![tenant],
                |row| {
                    let of_kind = row.name(1, RecordKind::parse)? == self.record;
                    Ok((row.id(0)?, of_kind && row.opt_time(2)?.is_none()))
                },
            )
            .await?;
        if !self.ids.iter().all(|id| all.iter().any(|(there, _)| there == id)) {
            return Err(StoreError::NotFound);
        }
        let mut there: Vec<FieldId> =
            all.into_iter().filter(|(_, ordered)| *ordered).map(|(id, _)| id).collect();
        let mut named = self.ids.clone();
        there.sort_unstable();
        named.sort_unstable();
        if there != named {
            return Ok(false);
        }
        for (place, id) in (1_i64..).zip(&self.ids) {
            tx.execute_one(
                sql!("UPDATE field SET position = $3 WHERE tenant_id = $1 AND id = $2"),
                params![tenant, *id, place],
            )
            .await?;
        }
        record(tx, &self.leaf, self.now).await?;
        Ok(true)
    }
}

struct Remove {
    id: FieldId,
    planned_on: i64,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Remove {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "UPDATE field SET removed_at = $3, version = version + 1 \
                 WHERE tenant_id = $1 AND id = $2 AND version = $4 AND archived_at IS NOT NULL AND removed_at IS NULL"
            ),
            params![tenant, self.id, self.now, self.planned_on],
        )
        .await?;
        field_removals::begin(tx, self.id, self.now).await?;
        record(tx, &self.leaf, self.now).await
    }
}

/// What the ledger says a field is.
fn told(field: &Field) -> Value {
    json!({ "record": field.record, "archived": field.archived, "settings": field.settings })
}

impl Store {
    async fn open_field(&self, access: &Access, row: FieldRow) -> Result<Field, StoreError> {
        let FieldRow { id, record, about, key, archived, version } = row;
        let about: About =
            self.open_json(access.tenant(), columns::FIELD_ABOUT, id.uuid(), key, &about).await?;
        if about.record != record {
            return Err(StoreError::Inconsistent { what: "a field is sealed for another kind of record" });
        }
        Ok(Field { id, record, settings: about.settings, archived, version })
    }

    fn seal_field(
        &self,
        keys: &TenantKeys,
        id: FieldId,
        record: RecordKind,
        settings: &FieldSettings,
    ) -> Result<Vec<u8>, StoreError> {
        let about = About { record, settings: settings.clone() };
        seal_json(keys, self.random(), columns::FIELD_ABOUT, id.uuid(), &about)
    }

    async fn all_fields(&self, access: &Access, kind: Option<RecordKind>) -> Result<Vec<Field>, StoreError> {
        let mut fields = Vec::new();
        for row in self.read(access, AllFields(kind)).await? {
            fields.push(self.open_field(access, row).await?);
        }
        Ok(fields)
    }

    /// A field, whoever reads it.
    pub(crate) async fn any_field(&self, access: &Access, id: FieldId) -> Result<Field, StoreError> {
        let row = self.read(access, OneField(id)).await?.ok_or(StoreError::NotFound)?;
        self.open_field(access, row).await
    }

    /// As [`fields`](Self::fields), of one kind of record.
    pub(crate) async fn fields_on(
        &self,
        access: &Access,
        kind: RecordKind,
    ) -> Result<Vec<Field>, StoreError> {
        let (audience, now) = (access.audience(), access.clock().now());
        let mut fields = self.all_fields(access, Some(kind)).await?;
        fields.retain(|field| field.is_read_by(audience, now));
        Ok(fields)
    }

    /// The fields that `access` reads, in the tenant's order: no archived ones, and none whose override has ended.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn fields(&self, access: &Access) -> Result<Vec<Field>, StoreError> {
        access.to(Use::Name)?;
        let (audience, now) = (access.audience(), access.clock().now());
        let mut fields = self.all_fields(access, None).await?;
        fields.retain(|field| field.is_read_by(audience, now));
        Ok(fields)
    }

    /// Every field of the tenant, archived ones and those that `access` does not read too, in the tenant's order.
    /// Whether who asks may set fields up is for the caller to know.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn field_set_ups(&self, access: &Access) -> Result<Vec<Field>, StoreError> {
        access.to(Use::Configure)?;
        self.all_fields(access, None).await
    }

    /// One field, as [`field_set_ups`](Self::field_set_ups).
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn field_set_up(&self, access: &Access, id: FieldId) -> Result<Field, StoreError> {
        access.to(Use::Configure)?;
        self.any_field(access, id).await
    }

    /// Settings as they are kept: in one form, and what was signed with the moment of it; and the fields beside which
    /// they hold.
    async fn checked(
        &self,
        access: &Access,
        (record, own): (RecordKind, Option<&Field>),
        mut settings: FieldSettings,
    ) -> Result<(FieldSettings, Others), FieldError> {
        let now = access.clock().now();
        settings.tidy();
        let was = own.map(|field| &field.settings);
        let mut faults = Vec::new();
        if let Some(signed) = &mut settings.signed {
            let before = was.and_then(|was| was.signed.as_ref()).filter(|before| before.says(signed));
            if let Some(before) = before {
                // The same words are the same signature, with the moment and the data that it was given for.
                signed.clone_from(before);
            } else {
                (signed.signed_at, signed.sensitivity, signed.kind) =
                    (now, settings.sensitivity, settings.kind);
                let most = now + Duration::from_secs(OVERRIDE_DAYS_MOST * 24 * 3_600);
                if signed.ends_at <= now || signed.ends_at > most {
                    faults.push(("override.ends_at".to_owned(), FieldFault::OutOfRange));
                }
            }
        }
        faults.extend(settings.faults(now));
        faults.extend(settings.options_against(was));
        settings.next_option = settings.next_option_after(was);
        settings.remember_labels(was);
        let mut others = self.all_fields(access, Some(record)).await?;
        others.retain(|field| own.is_none_or(|own| own.id != field.id));
        let size = |settings: &FieldSettings| to_json(settings).map(|json| json.len());
        let (one, mut all) = (size(&settings)?, 0);
        for field in &others {
            all += size(&field.settings)?;
            for (language, path) in [(&settings.label.nl, "label.nl"), (&settings.label.en, "label.en")] {
                if !field.archived && !language.is_empty() && field.settings.label.is(language) {
                    faults.push((path.to_owned(), FieldFault::Taken));
                }
            }
        }
        if one > DEFINITION_MOST || one + all > DEFINITIONS_MOST {
            faults.push(("options".to_owned(), FieldFault::TooLong));
        }
        if !faults.is_empty() {
            return Err(FieldError::Settings(faults));
        }
        Ok((settings, Others::of(others.iter().map(|field| field.version))))
    }

    /// Makes a field, the last of its kind of record; with `intended` under that id, and the one that an earlier try
    /// of the same request made under it is the answer.
    ///
    /// # Errors
    /// [`FieldError`].
    pub async fn create_field(
        &self,
        access: &Access,
        intended: Option<FieldId>,
        record: RecordKind,
        settings: FieldSettings,
    ) -> Result<Field, FieldError> {
        access.to(Use::Configure)?;
        if let Some(id) = intended {
            match self.field_set_up(access, id).await {
                Err(StoreError::NotFound) => {}
                made => return Ok(made?),
            }
        }
        let (settings, others) = self.checked(access, (record, None), settings).await?;
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let id = intended.unwrap_or_else(|| FieldId::new(now, self.random().bytes()));
        let made = Field { id, record, settings, archived: false, version: 1 };
        let detail = json!({
            "what": "field", "act": "created", "id": id, "name": made.settings.label.any(), "before": null,
            "after": told(&made),
        });
        let create = Create {
            id,
            record,
            about: self.seal_field(&keys, id, record, &made.settings)?,
            key: keys.settings.id(),
            queues: made.settings.queues.clone(),
            others,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now,
        };
        self.write(access, create).await??;
        Ok(made)
    }

    /// Changes how a field is set up, archives it or takes it into use again. What stands in it stays as it is, also
    /// when it gets another kind: a value that can be one of the new kind is read as one, and every other one is told
    /// as what it was.
    ///
    /// # Errors
    /// [`FieldError`]; [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed it.
    pub async fn change_field(
        &self,
        access: &Access,
        id: FieldId,
        change: FieldChange,
    ) -> Result<Field, FieldError> {
        access.to(Use::Configure)?;
        let before = self.field_set_up(access, id).await?;
        if change.version.is_some_and(|expected| expected != before.version) {
            return Err(StoreError::Conflict.into());
        }
        let archived = change.archived.unwrap_or(before.archived);
        // One that comes back has to have a name of its own again.
        let back = (before.archived && !archived).then(|| before.settings.clone());
        let (settings, others) = match change.settings.or(back) {
            Some(settings) => {
                let (settings, others) =
                    self.checked(access, (before.record, Some(&before)), settings).await?;
                (settings, Some(others))
            }
            None => (before.settings.clone(), None),
        };
        let after = Field { settings, archived, version: before.version + 1, ..before.clone() };
        let keys = self.keys(access).await?;
        let detail = json!({
            "what": "field", "act": "changed", "id": id, "name": after.settings.label.any(),
            "before": told(&before), "after": told(&after),
        });
        let (was, is) = (&before.settings, &after.settings);
        let write = Change {
            id,
            record: before.record,
            planned_on: before.version,
            about: self.seal_field(&keys, id, before.record, is)?,
            key: keys.settings.id(),
            archived: after.archived,
            queues: is.queues.iter().copied().filter(|queue| !was.queues.contains(queue)).collect(),
            frees: was.sensitivity.is_refused() && !is.sensitivity.is_refused(),
            others,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now: access.clock().now(),
        };
        self.write(access, write).await??;
        Ok(after)
    }

    /// Puts the fields of one kind of record into this order. Archived ones are not named.
    ///
    /// # Errors
    /// [`FieldError::NotAll`]; [`StoreError::NotFound`] for one that the tenant does not have; those of the store.
    pub async fn order_fields(
        &self,
        access: &Access,
        record: RecordKind,
        ids: Vec<FieldId>,
    ) -> Result<(), FieldError> {
        access.to(Use::Configure)?;
        let keys = self.keys(access).await?;
        let before: Vec<_> = self
            .all_fields(access, Some(record))
            .await?
            .into_iter()
            .filter(|field| !field.archived)
            .map(|field| field.id)
            .collect();
        let detail = json!({
            "what": "field", "act": "ordered", "record": record, "before": before, "after": &ids,
        });
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?;
        let order = Order { record, ids, leaf, now: access.clock().now() };
        if self.write(access, order).await? { Ok(()) } else { Err(FieldError::NotAll) }
    }

    /// Removes an archived field for good: nobody sees it from now on, and all that stands in it goes, by a job.
    ///
    /// # Errors
    /// [`FieldError::NotArchived`]; [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed it.
    pub async fn remove_field(&self, access: &Access, id: FieldId) -> Result<(), FieldError> {
        access.to(Use::Configure)?;
        let before = self.field_set_up(access, id).await?;
        if !before.archived {
            return Err(FieldError::NotArchived);
        }
        let keys = self.keys(access).await?;
        let detail = json!({
            "what": "field", "act": "removed", "id": id, "name": before.settings.label.any(),
            "before": told(&before), "after": null,
        });
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?;
        let remove = Remove { id, planned_on: before.version, leaf, now: access.clock().now() };
        Ok(self.write(access, remove).await?)
    }
}
